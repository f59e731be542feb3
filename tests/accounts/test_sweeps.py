"""Sweeps: one row that cannot be done holds up no other, is shown to operators and tried again ever more rarely."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import SweepFailure, Tenant
from accounts.services.sweeps import PAUSES, sweep
from core import clock
from core.tenancy import scope

pytestmark = pytest.mark.django_db
ROWS = [(1, "一"), (2, "二"), (3, "三")]
TASK = "tests.sweep"


class Work:
    """Rows that are due, of which some cannot be done."""

    def __init__(self, *bad: int) -> None:
        self.rows, self.bad, self.done, self.told = list(ROWS), set(bad), [], []

    def due(self, waiting):
        return [row for row in self.rows if row[0] not in waiting]

    def do(self, key: int) -> bool:
        Tenant.objects.create(name=f"做过 {key}", created_at=clock.now())
        if key in self.bad:
            raise ZeroDivisionError(f"row {key}")
        self.done.append(key)
        return True

    def run(self, at) -> int:
        return sweep(TASK, self.due, self.do, failed=self.told.append, at=at)


def failures():
    with scope.staff():
        return list(SweepFailure.objects.values_list("label", "error", "times"))


def test_a_row_that_fails_is_undone_alone_and_the_next_ones_go_on(caplog):
    work = Work(2)

    assert work.run(clock.now()) == 2

    assert (work.done, work.told) == ([1, 3], [2])
    with scope.staff():
        made = set(Tenant.objects.filter(name__startswith="做过").values_list("name", flat=True))
    assert made == {"做过 1", "做过 3"}
    assert failures() == [("二", "ZeroDivisionError: row 2", 1)]
    assert "tests.sweep: 二 could not be done" in caplog.text


def test_it_is_tried_again_ever_more_rarely_and_forgotten_once_it_is_done():
    work, at = Work(2), clock.now()
    work.run(at)

    for times, pause in enumerate([*PAUSES, PAUSES[-1]], start=1):
        work.run(at + pause - timedelta(seconds=1))
        assert failures()[0][2] == times
        at += pause
        work.run(at)
    work.bad.clear()
    assert work.run(at + PAUSES[-1]) == 3
    assert failures() == []


def test_what_is_due_no_more_is_forgotten():
    work, at = Work(2), clock.now()
    work.run(at)

    work.rows.pop(1)
    work.run(at)
    assert len(failures()) == 1  # it is not asked about before its pause is over
    work.run(at + PAUSES[0])
    assert failures() == []


def test_operators_see_it(cast, client_for):
    page = client_for(cast.staff["operator"]).get(reverse("accounts:operations"))
    assert "没有任务异常" in page.content.decode()

    Work(2).run(clock.now())

    text = client_for(cast.staff["operator"]).get(reverse("accounts:operations")).content.decode()
    assert "ZeroDivisionError: row 2" in text
    assert TASK in text
