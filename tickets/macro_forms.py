"""The form of a macro: one field per thing that it can do."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from core.exceptions import DomainError
from tickets.macros import variables_in
from tickets.models import Macro, Tag
from tickets.selectors.queue import assignees
from tickets.services.macro_steps import ME
from tickets.services.messages import BODY_MAX
from tickets.states import TicketState

TEXT_KINDS = {"reply": "body", "note": "body"}


def _text(label: Any, **options: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=BODY_MAX,
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        **options,
    )


class MacroForm(forms.Form):
    """What a macro is called and what it does; what is left empty it does not do."""

    name = forms.CharField(label=_("名称"), max_length=60)
    shortcut = forms.RegexField(
        label=_("快捷词"),
        regex=r"^/?[\w-]{1,29}$",
        required=False,
        help_text=_("在回复框中输入 / 和快捷词即可找到，例如 /日志"),
        error_messages={"invalid": _("快捷词只能包含文字、数字、连字符，不超过 29 个字")},
    )
    is_team = forms.ChoiceField(
        label=_("使用范围"), choices=[("", _("个人")), ("team", _("团队"))], required=False
    )
    reply = _text(_("公开回复"), help_text=_("可使用变量，例如 {{客户}}、{{工单号}}"))
    reply_en = _text(
        _("公开回复（英文）"), help_text=_("客户使用英文界面时采用；留空则使用上面的内容")
    )
    note = _text(_("内部备注"))
    state = forms.ChoiceField(
        label=_("状态"),
        choices=[
            ("", _("不变")),
            (TicketState.WAITING, _("待客户反馈（需有公开回复）")),
            (TicketState.RESOLVED, _("已解决")),
        ],
        required=False,
    )
    assign = forms.ChoiceField(label=_("转派"), required=False)
    tags = forms.ModelMultipleChoiceField(
        label=_("添加标签"),
        queryset=Tag.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    severity = forms.BooleanField(label=_("提升为紧急"), required=False)

    def __init__(
        self, *args: Any, may_edit_team: bool, macro: Macro | None, **options: Any
    ) -> None:
        if macro is not None:
            options["initial"] = _initial(macro)
        super().__init__(*args, **options)
        self.macro = macro
        if not may_edit_team or macro is not None:
            del self.fields["is_team"]
        tags: Any = self.fields["tags"]
        tags.queryset = Tag.objects.filter(is_active=True)
        people = [(str(card.pk), f"{card.display_name} · {card.title}") for card in assignees()]
        field: Any = self.fields["assign"]
        field.choices = [("", _("不变")), (ME, _("转给自己")), *people]

    @override
    def clean(self) -> dict[str, Any]:
        """Refuse unknown variables beside the text that names them."""
        data = super().clean() or {}
        for name in ("reply", "reply_en", "note"):
            try:
                variables_in(data.get(name, ""))
            except DomainError as error:
                self.add_error(name, str(error.message))
        return data

    def steps(self) -> list[dict[str, Any]]:
        """Return the filled-in fields as steps; what the form does not know of a kept macro stays."""
        data = self.cleaned_data
        steps: list[dict[str, Any]] = []
        if data["reply"].strip():
            steps.append({"kind": "reply", "body": data["reply"], "body_en": data["reply_en"]})
        if data["note"].strip():
            steps.append({"kind": "note", "body": data["note"]})
        if data["state"]:
            steps.append({"kind": "state", "to": data["state"]})
        if data["assign"]:
            chosen = data["assign"]
            steps.append({"kind": "assign", "to": ME if chosen == ME else int(chosen)})
        if data["tags"]:
            steps.append({"kind": "tags", "ids": [tag.pk for tag in data["tags"]]})
        if data["severity"]:
            steps.append({"kind": "severity"})
        known = {"reply", "note", "state", "assign", "tags", "severity"}
        others = [
            step for step in (self.macro.steps if self.macro else []) if step["kind"] not in known
        ]
        return [*steps, *others]


def _initial(macro: Macro) -> dict[str, Any]:
    steps = {step["kind"]: step for step in macro.steps}
    return {
        "name": macro.name,
        "shortcut": macro.shortcut,
        "reply": steps.get("reply", {}).get("body", ""),
        "reply_en": steps.get("reply", {}).get("body_en", ""),
        "note": steps.get("note", {}).get("body", ""),
        "state": steps.get("state", {}).get("to", ""),
        "assign": str(steps.get("assign", {}).get("to", "")),
        "tags": steps.get("tags", {}).get("ids", []),
        "severity": "severity" in steps,
    }
