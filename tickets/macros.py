"""Pure: the variables in macros' texts. ``{{客户}}`` or ``{{customer}}`` is filled from the ticket, and never silently.

A variable that nobody knows, or that is empty on this ticket, is refused with its name before anything is written.
What is filled in is text: braces in a customer's name are not looked at again, and pages escape it like other words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from core.exceptions import DomainError

VARIABLE = re.compile(r"\{\{([^{}]*)\}\}")
# Each name in both languages.
NAMES = {
    "customer": "客户",
    "contact": "联系人",
    "number": "工单号",
    "title": "标题",
    "product": "产品",
    "resource": "资源",
    "plan": "支持计划",
    "severity": "级别",
    "target": "响应目标",
    "due": "响应时限",
    "agent": "处理人",
    "agent_title": "职务",
}
_BY_CHINESE = {chinese: name for name, chinese in NAMES.items()}


class VariableUnknown(DomainError):
    """A text names a variable that does not exist."""

    code = "variable_unknown"
    message = _("没有名为 %(name)s 的变量")
    status = 400


class VariableEmpty(DomainError):
    """A variable has no content on this ticket."""

    code = "variable_empty"
    message = _("变量 %(name)s 在这张工单上没有内容")
    status = 409


def variables_in(text: str) -> list[str]:
    """Return the variables of a text as they are written, each once. Raises VariableUnknown."""
    written = dict.fromkeys(name.strip() for name in VARIABLE.findall(text))
    for name in written:
        _known(name)
    return list(written)


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return the text with its variables filled in. Raises VariableUnknown, VariableEmpty."""

    def value(found: re.Match[str]) -> str:
        filled = values.get(_known(found[1].strip()), "")
        if not filled:
            raise VariableEmpty(VariableEmpty.message % {"name": found[1].strip()})
        return filled

    return VARIABLE.sub(value, text)


def _known(written: str) -> str:
    name = _BY_CHINESE.get(written, written)
    if name not in NAMES:
        raise VariableUnknown(VariableUnknown.message % {"name": written})
    return name
