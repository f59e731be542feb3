"""Operators change targets and figures in the back office: a new row with its date, never the past, never a rewrite."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import AuditEntry
from core import clock
from core.tenancy import scope
from supportplans.models import Figure, Plan, ResponseTarget
from supportplans.selectors.figures import figure_at
from supportplans.states import FigureCode
from tests.factories.tickets import submit
from tickets.selectors.stages import stages_at


@pytest.fixture
def operator(cast, client_for):
    return client_for(cast.staff["operator"])


def when(at):
    at = clock.local(at)
    return {"effective_from_0": f"{at:%Y-%m-%d}", "effective_from_1": f"{at:%H:%M:%S}"}


def add(operator, model, **fields):
    return operator.post(reverse(f"admin:supportplans_{model}_add"), fields)


def target(**changes):
    lite = Plan.objects.get(code="lite")
    return {"plan": lite.pk, "severity": "urgent", "minutes": 8, **changes}


def test_a_new_target_has_a_date_and_stands_in_trail_and_history(operator, cast):
    soon = clock.now() + timedelta(hours=1)
    assert add(operator, "responsetarget", **target(), **when(soon)).status_code == 302
    row = ResponseTarget.objects.get(minutes=8)
    assert abs(row.effective_from - soon) < timedelta(seconds=1)
    with scope.staff():
        entry = AuditEntry.objects.get(action="supportplans.responsetarget_add")
        assert (entry.actor, entry.details["id"]) == (cast.staff["operator"], row.pk)
    history = operator.get(reverse("admin:supportplans_responsetarget_history", args=[row.pk]))
    assert "运营" in history.content.decode() or "operator@portal.test" in history.content.decode()


def test_a_date_in_the_past_is_refused(operator, db):
    before = ResponseTarget.objects.count()
    answer = add(operator, "responsetarget", **target(), **when(clock.now() - timedelta(minutes=1)))
    assert answer.status_code == 200
    assert "生效时间不能早于现在" in answer.content.decode()
    assert ResponseTarget.objects.count() == before


def test_what_holds_is_neither_changed_nor_deleted(operator, db):
    row = ResponseTarget.objects.first()
    change = reverse("admin:supportplans_responsetarget_change", args=[row.pk])
    assert operator.post(change, target()).status_code == 403
    delete = reverse("admin:supportplans_responsetarget_delete", args=[row.pk])
    assert operator.post(delete, {"post": "yes"}).status_code == 403


def test_others_than_operators_change_no_rule(cast, client_for):
    lead = client_for(cast.staff["team_lead"])
    answer = add(lead, "responsetarget", **target(), **when(clock.now() + timedelta(hours=1)))
    assert answer.status_code in {302, 403}
    assert not ResponseTarget.objects.filter(minutes=8).exists()


@pytest.mark.parametrize(
    ("code", "value", "accepted"),
    [
        ("warn_first", "40", True),
        ("warn_first", "99.5", False),
        ("warn_again", "100", False),
        ("warn_again", "0", False),
        ("escalate", "100", False),
        ("escalate", "150", True),
    ],
)
def test_stages_keep_to_their_side_of_the_due_instant(operator, db, code, value, accepted):
    soon = clock.now() + timedelta(minutes=5)
    answer = add(operator, "figure", code=code, value=value, note="", **when(soon))
    assert answer.status_code == (302 if accepted else 200)
    assert Figure.objects.filter(code=code).count() == (2 if accepted else 1)
    if not accepted:
        assert "须为" in answer.content.decode()


def test_clocks_keep_the_stages_of_their_start(operator, cast):
    now = clock.now()
    add(
        operator,
        "figure",
        code="warn_first",
        value="30",
        note="",
        **when(now + timedelta(minutes=5)),
    )
    assert figure_at(FigureCode.WARN_FIRST, now) == 50
    assert stages_at(now + timedelta(minutes=6)) == [30, 80, 100, 200]
    with scope.staff():
        ticket = submit(cast.huachen, cast.actor(cast.owner), at=now)
        assert ticket.clocks.get().stage_percents == [50, 80, 100, 200]
