"""Pure order of the agents' queue: assurance level, severity, restore priority, nearest deadline (domain.md §5)."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from supportplans.states import Severity

NO_LEVEL = 9
LEVEL_ONE, LEVEL_TWO = 1, 2
FIRST_PRIORITY = 1
LEVEL_NAMES = {1: gettext_noop("一级"), 2: gettext_noop("二级"), 3: gettext_noop("三级")}
PRIORITY_NAMES = {1: gettext_noop("第一"), 2: gettext_noop("第二"), 3: gettext_noop("第三")}


@dataclass(frozen=True)
class Standing:
    """What decides a ticket's place: the running window's level, its own severity, its tenant's restore priority.

    ``linked`` says that the tenant has a principal, whose priority it shares.
    """

    assurance_level: int | None
    severity: str
    restore_priority: int
    linked: bool = False

    @property
    def severity_in_force(self) -> Severity:
        """Return the severity as it is handled: in windows of level one and two a general ticket counts as urgent."""
        if self.assurance_level in {LEVEL_ONE, LEVEL_TWO}:
            return Severity.URGENT
        return Severity(self.severity)


def queue_rank(standing: Standing) -> int:
    """Return the place as one number, lower first: level (1–3, 9 none), severity (0 urgent, 1 general), priority (1–9).

    Within one rank the nearest deadline comes first. ``restore_priority`` is taken as in force: what a window raises
    is raised already.
    """
    level = standing.assurance_level or NO_LEVEL
    severity = 0 if standing.severity_in_force == Severity.URGENT else 1
    return level * 100 + severity * 10 + min(standing.restore_priority, 9)


def why_here(standing: Standing, *, deadline: str, plan: str) -> list[str]:
    """Return the reasons of a ticket's place in the order in which they count, one sentence each.

    ``deadline`` is the local wall-clock time of the nearest deadline, empty when nothing runs;
    ``plan`` the plan's name.
    """
    reasons = []
    level = standing.assurance_level
    if level is None:
        reasons.append(_("没有进行中的重保"))
    else:
        reasons.append(_("%(level)s重保进行中") % {"level": _(LEVEL_NAMES[level])})
    severity = standing.severity_in_force
    if severity != standing.severity:
        reasons.append(_("一般工单按紧急处理（重保）"))
    else:
        reasons.append(_("级别：%(severity)s") % {"severity": severity.label})
    priority = PRIORITY_NAMES.get(standing.restore_priority)
    if priority is None:
        reasons.append(_("%(plan)s，故障恢复优先级最后") % {"plan": plan})
    elif standing.linked:
        reasons.append(
            _("%(plan)s，关联账号按主账号的%(priority)s优先级恢复")
            % {"plan": plan, "priority": _(priority)}
        )
    else:
        reasons.append(
            _("%(plan)s，%(priority)s优先级恢复") % {"plan": plan, "priority": _(priority)}
        )
    reasons.append(
        _("最近时限 %(deadline)s") % {"deadline": deadline} if deadline else _("没有计时中的时限")
    )
    return reasons
