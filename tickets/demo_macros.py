"""Demo macros: what the team sends again and again, and one agent's own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.access import Actor
from accounts.models import StaffMember
from core.tenancy import scope
from tickets.models import Macro
from tickets.services.macros import macro_save

# Name, shortcut, steps.
TEAM: tuple[tuple[str, str, list[dict[str, Any]]], ...] = (
    (
        "已收到，正在排查",
        "收到",
        [
            {
                "kind": "reply",
                "body": "您好，工单 {{工单号}} 已收到，我是{{职务}}{{处理人}}，正在排查，"
                "{{响应目标}} 分钟内向您同步进展。",
                "body_en": "Hello, we have received ticket {{number}}. I am {{agent}} and am looking into it. "
                "You will hear from me within {{target}} minutes.",
            }
        ],
    ),
    (
        "请补充日志",
        "日志",
        [
            {
                "kind": "reply",
                "body": "您好，为继续定位{{产品}}的问题，请补充问题发生时段的系统日志和监控截图，谢谢。",
            },
            {"kind": "state", "to": "waiting"},
        ],
    ),
    (
        "已恢复，请确认",
        "恢复",
        [
            {
                "kind": "reply",
                "body": "您好，{{标题}}已处理完成，业务已恢复。请您确认，如仍有异常可随时重新打开本工单。",
            },
            {"kind": "note", "body": "已按标准流程恢复，客户确认后自动关闭。"},
            {"kind": "state", "to": "resolved"},
        ],
    ),
    (
        "转为紧急并由我跟进",
        "升级",
        [{"kind": "severity"}, {"kind": "assign", "to": "me"}],
    ),
)
OWN = (
    "监控截图路径",
    "监控",
    [{"kind": "reply", "body": "监控截图请在控制台“云监控 > 主机监控”中导出。"}],
)
OWNER = "agent@portal.example"


def load(at: datetime) -> None:
    """Make the macros unless there are some already."""
    with scope.staff():
        if Macro.objects.exists():
            return
        card = StaffMember.objects.select_related("user").get(user__email=OWNER)
        lead = StaffMember.objects.filter(roles__contains=["team_lead"]).order_by("pk").first()
        for owner, by, (name, shortcut, steps) in (
            *((None, lead or card, row) for row in TEAM),
            (card, card, OWN),
        ):
            macro_save(
                macro=None,
                name=name,
                shortcut=shortcut,
                owner=owner,
                steps=steps,
                actor=Actor(user=by.user, name=by.display_name, title=by.title, is_staff=True),
                at=at,
            )
