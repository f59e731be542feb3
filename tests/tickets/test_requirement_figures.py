"""Requirements for the month's report."""

from datetime import date, timedelta

import pytest

from core import clock
from tests.factories.tickets import NOW, submit
from tickets.desk_states import RequirementStage
from tickets.selectors.requirements import requirements_of_month
from tickets.services.requirements import requirement_move
from tickets.states import TicketKind

pytestmark = pytest.mark.usefixtures("as_staff")
START = clock.local(NOW).replace(day=1, hour=0, minute=0, second=0)
END = START.replace(month=12)


def test_what_was_on_its_way_in_the_month_as_it_stood_at_its_end(cast):
    owner, agent = cast.actor(cast.owner), cast.actor(cast.staff["vip_agent"])

    def wish(title, day, tenant=cast.huachen):
        at = START + timedelta(days=day)
        return submit(tenant, owner, at=at, title=title, kind=TicketKind.REQUIREMENT)

    def move(ticket, stage, day, **more):
        requirement_move(
            ticket_id=ticket.pk, stage=stage, actor=agent, at=START + timedelta(days=day), **more
        )

    long_over = wish("早已不采纳", -60)
    move(long_over, RequirementStage.DECLINED, -50, comment="重复")
    planned = wish("已规划", -40)
    move(planned, RequirementStage.ASSESSED, -30)
    move(planned, RequirementStage.PLANNED, 3, planned_for=date(2027, 3, 31))
    move(planned, RequirementStage.DONE, 45)  # after the month
    wish("本月", 20)
    wish("下月", 31)
    wish("别家", 5, cast.yunfan)
    submit(cast.huachen, owner, at=START)
    found = requirements_of_month(cast.huachen.pk, START, END)
    assert [(row.title, row.stage, row.planned_for) for row in found] == [
        ("已规划", "planned", date(2027, 3, 31)),
        ("本月", "collected", None),
    ]
    assert found[0].since == START + timedelta(days=3)
