"""Figures of a month, and the demo's tickets, which keep the rules."""

from collections import Counter
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db.models import F, Q

import accounts.demo
import supportplans.demo
import tickets.demo
from core import clock
from core.tenancy import scope
from supportplans.states import Basis, PlanCode, Severity
from tests.factories.tickets import NOW, minutes, submit, subscribe
from tickets.models import Clock, ClockStage, Ticket, TicketMessage
from tickets.selectors.compliance import Compliance
from tickets.selectors.figures import median, monthly_figures
from tickets.services.replies import reply_add
from tickets.services.tickets import ticket_confirm

MONTH = clock.local(NOW).replace(day=1, hour=0, minute=0, second=0)
NEXT_MONTH = MONTH.replace(month=12)


def test_a_month_in_figures(cast, as_staff):
    subscribe(cast.huachen, at=MONTH)
    owner, agent = cast.actor(cast.owner), cast.actor(cast.staff["vip_agent"])
    kept = submit(cast.huachen, owner, title="守时")
    late = submit(cast.huachen, owner, title="迟到")
    withdrawn = submit(cast.huachen, owner, title="撤回", severity=Severity.GENERAL)
    submit(cast.huachen, owner, title="未答")
    submit(cast.huachen, owner, title="上月", at=MONTH - timedelta(hours=1))
    submit(cast.yunfan, cast.actor(cast.other_owner))
    reply_add(ticket_id=kept.pk, body="好", actor=agent, at=minutes(10))
    reply_add(ticket_id=late.pk, body="好", actor=agent, at=minutes(12))
    ticket_confirm(ticket_id=withdrawn.pk, actor=owner, at=minutes(1))
    figures = monthly_figures(cast.huachen.pk, MONTH, NEXT_MONTH, at=NEXT_MONTH)
    assert figures.total == 4
    assert figures.by_severity == {"紧急": 3, "一般": 1}
    assert figures.by_kind == {"技术类": 4, "业务类": 0, "需求": 0}
    assert figures.compliance == Compliance(kept=1, missed=2)
    assert figures.median_first_response_seconds == 660
    assert [count for _, count in figures.previous] == [0, 0, 0, 0, 1]
    assert [line.title for line in figures.tickets] == ["守时", "迟到", "撤回", "未答"]


def test_trials_do_not_count(cast, as_staff):
    subscribe(cast.huachen, PlanCode.ENTERPRISE, Basis.TRIAL, at=MONTH)
    submit(cast.huachen, cast.actor(cast.owner))
    figures = monthly_figures(cast.huachen.pk, MONTH, NEXT_MONTH, at=NEXT_MONTH)
    assert (figures.total, figures.compliance.promised, figures.compliance.share) == (1, 0, None)


@pytest.mark.parametrize(("values", "middle"), [([], None), ([3], 3), ([3, 5], 4), ([1, 2, 9], 2)])
def test_median(values, middle):
    assert median(values) == middle


@pytest.fixture
def demo(db):
    at = clock.now()
    call_command("load_catalogue", verbosity=0)
    accounts.demo.load(at)
    supportplans.demo.load(at)
    tickets.demo.load(at)
    return at


def test_the_demo_keeps_the_rules_and_loads_once(demo):
    tickets.demo.load(demo)
    with scope.staff():
        rows = list(Ticket.objects.select_related("tenant"))
        assert len(rows) == 300
        assert set(Counter(row.tenant.name for row in rows).values()) == {95, 80, 55, 40, 30}
        assert min(row.created_at for row in rows) < demo - timedelta(days=85)
        assert not Clock.objects.filter(~Q(due_at=F("started_at")), due_at__lte=F("started_at"))
        running = Clock.objects.filter(stopped_at=None)
        assert 5 <= running.count() <= 20
        assert set(running.values_list("ticket__due_at")) == set(running.values_list("due_at"))
        assert Ticket.objects.filter(due_at__isnull=False).count() == running.count()
        missed = Clock.objects.filter(stopped_at__gt=F("due_at"))
        assert 2 <= missed.count() <= 30
        assert ClockStage.objects.filter(percent=100).count() == missed.count()
        assert not ClockStage.objects.filter(noticed_at__lt=F("due_at")).exists()
        assert not TicketMessage.objects.filter(created_at__gt=demo).exists()
        assert Ticket.objects.filter(state="closed", due_at__isnull=False).count() == 0


def test_every_clock_of_the_demo_can_be_rebuilt(demo):
    with scope.staff():
        assert Clock.objects.exists()
    call_command("clocks_prove", stdout=StringIO())
