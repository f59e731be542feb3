"""What a customer may do about a ticket, and when."""

from datetime import timedelta

import pytest

from tests.factories.tickets import NOW, minutes
from tickets import followup


@pytest.mark.parametrize(
    ("last_urge", "target", "possible"),
    [(None, 10, 10), (None, 30, 30), (12, 10, 22), (45, 30, 75)],
)
def test_urging_is_possible_once_per_target_period(last_urge, target, possible):
    last = None if last_urge is None else minutes(last_urge)
    at = followup.urge_possible_at(submitted=NOW, last_urge=last, target_minutes=target)
    assert at == minutes(possible)


def test_a_message_can_be_recalled_for_two_minutes_and_not_longer():
    assert followup.can_recall(sent=NOW, at=minutes(2))
    assert not followup.can_recall(sent=NOW, at=minutes(2) + timedelta(microseconds=1))


def test_reopening_counts_from_the_resolution():
    assert followup.reopen_until(resolved=None, closed=None) is None
    assert followup.reopen_until(resolved=NOW, closed=minutes(600)) == NOW + timedelta(days=7)
    assert followup.reopen_until(resolved=None, closed=minutes(3)) == minutes(3) + timedelta(days=7)
