"""A provider's day against ours, at the real local gateway."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from billing import exceptions as errors
from billing.models import Difference, Order, Payment, Reconciliation, Refund
from billing.providers.base import RecordKind, RecordsNotReady, TradeRecord
from billing.providers.local import LocalProvider
from billing.providers.local_gateway.store import Trouble
from billing.selectors.finance import differences_found
from billing.selectors.reconciliation import days_to_reconcile
from billing.services import refund_asking
from billing.services.payments import payment_begin
from billing.services.reconciliation import difference_settle, reconciliation_compare
from billing.states import DifferenceKind, OrderState, PaymentState, RefundState
from billing.tasks import reconcile, reconcile_due, refunds_follow_due
from core import clock
from core.clock import SHANGHAI
from core.tenancy import scope
from tests.factories.billing import actor_of, order_for, pay_at, refunds_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def today() -> date:
    return clock.local(clock.now()).date()


@pytest.fixture
def payment(cast, gateway):
    return pay_at(gateway, order_for(cast.huachen, cast.owner), cast.owner)


@pytest.fixture
def store(gateway):
    return gateway.server.get_app().store


def compare(day: date) -> None:
    reconcile("local", day.isoformat())


def differences() -> list[tuple[str, str]]:
    with scope.staff():
        return [(row.kind, row.number) for row in Difference.objects.order_by("pk")]


def in_gateway(store, statement: str, *parameters: object) -> None:
    with store.transaction() as db:
        db.execute(statement, parameters)


def test_a_day_without_differences(payment, today, messages):
    refunds_for(payment.order, local="10.00")
    refunds_follow_due()

    compare(today)

    assert differences() == []
    with scope.staff():
        row = Reconciliation.objects.get()
    assert (row.provider, row.day, row.compared, row.error) == ("local", today, 2, "")
    assert messages("billing.day_differs") == []


def test_what_the_provider_has_and_we_have_not(store, payment, today, messages):
    in_gateway(store, "UPDATE trade SET number = 'unheard-of'")

    compare(today)

    assert differences() == [
        (DifferenceKind.MISSING_HERE, "unheard-of"),
        (DifferenceKind.MISSING_THERE, payment.number),
    ]
    with scope.staff():
        there = Difference.objects.get(kind=DifferenceKind.MISSING_HERE)
    assert (there.ours, there.theirs, there.payment_id) == (None, Decimal("6000.00"), None)
    assert messages("billing.day_differs") == [["staff:finance"]]


def test_another_sum(store, payment, today):
    in_gateway(store, "UPDATE trade SET amount = '5999.00'")
    compare(today)
    assert differences() == [(DifferenceKind.AMOUNT, payment.number)]


def test_comparing_twice_adds_nothing(store, payment, today, messages):
    in_gateway(store, "UPDATE trade SET amount = '5999.00'")
    compare(today)
    compare(today)
    assert len(differences()) == 1
    assert len(messages("billing.day_differs")) == 1


def test_what_is_found_later_is_added_and_told(store, payment, today, messages):
    in_gateway(store, "UPDATE trade SET amount = '5999.00'")
    compare(today)
    in_gateway(store, "UPDATE trade SET number = 'unheard-of'")
    compare(today)
    assert len(differences()) == 3
    assert len(messages("billing.day_differs")) == 2


@pytest.mark.parametrize("state", [PaymentState.OPEN, PaymentState.CLOSED, PaymentState.FAILED])
def test_a_payment_that_only_the_provider_has_as_paid_is_followed_up_at_once(
    cast, gateway, today, state
):
    order = order_for(cast.huachen, cast.owner)
    with scope.customer(cast.huachen.pk):
        begun = payment_begin(
            order_id=order.pk, provider_code="local", actor=actor_of(cast.owner), at=clock.now()
        )
    gateway.pay(begun.address)
    with scope.staff():
        Payment.objects.filter(pk=begun.payment.pk).update(state=state, next_poll_at=None)

    compare(today)

    assert differences() == [(DifferenceKind.STATE, begun.payment.number)]
    with scope.staff():
        assert Payment.objects.get(pk=begun.payment.pk).state == PaymentState.SUCCEEDED
        assert Order.objects.get(pk=order.pk).state == OrderState.PAID


def test_a_refund_that_only_the_provider_has_as_done_is_followed_up_at_once(store, payment, today):
    store.expect_trouble("refund", Trouble.LOSE_REPLY)
    (refund,) = refunds_for(payment.order, local="10.00")
    refunds_follow_due()

    compare(today)

    assert differences() == [(DifferenceKind.STATE, refund.number)]
    with scope.staff():
        assert Refund.objects.get().state == RefundState.SUCCEEDED


def test_a_refund_that_reached_the_balance_and_the_wallet_too(gateway, payment, today):
    (refund,) = refunds_for(payment.order, local="10.00", to_balance=True)
    with scope.staff():
        request = refund_asking.RefundRequest(
            payment.number, refund.number, refund.amount, payment.amount, "CNY"
        )
    gateway.provider().refund(request)

    compare(today)

    assert differences() == [(DifferenceKind.STATE, refund.number)]


def test_a_refund_that_the_provider_does_not_list(store, payment, today):
    (refund,) = refunds_for(payment.order, local="10.00")
    refunds_follow_due()
    in_gateway(store, "DELETE FROM refund")
    compare(today)
    assert differences() == [(DifferenceKind.MISSING_THERE, refund.number)]


@pytest.mark.parametrize(
    ("after_midnight", "found"),
    [
        (timedelta(microseconds=-1), 0),
        (timedelta(0), 1),
        (timedelta(days=1, microseconds=-1), 1),
        (timedelta(days=1), 0),
    ],
)
def test_the_day_is_shanghais_by_the_providers_clock(payment, after_midnight, found):
    midnight = datetime(2026, 3, 1, tzinfo=SHANGHAI)
    with scope.staff():
        Payment.objects.update(paid_at=midnight + after_midnight)
        compared = reconciliation_compare(
            provider="local", day=midnight.date(), records=[], at=clock.now()
        )
    assert compared.differences == found


def test_a_list_that_is_not_ready_is_asked_for_again(monkeypatch, payment, today):
    def not_ready(self, day):
        raise RecordsNotReady("tomorrow")

    with monkeypatch.context() as patch:
        patch.setattr(LocalProvider, "records", not_ready)
        compare(today)
    with scope.staff():
        row = Reconciliation.objects.get()
        assert (row.finished_at, row.error) == (None, "RecordsNotReady: tomorrow")
    clock.advance(timedelta(days=1))
    compare(today)
    with scope.staff():
        row.refresh_from_db()
    assert row.finished_at is not None
    assert row.error == ""


def test_a_day_that_still_runs_is_compared_again_when_it_is_over(payment, today):
    compare(today)
    with scope.staff():
        assert Reconciliation.objects.get().finished_at is None


def test_days_are_compared_once_they_are_over_and_until_they_are(payment):
    two = datetime(2026, 5, 10, 2, tzinfo=SHANGHAI)
    with scope.staff():
        due = days_to_reconcile(["local"], two)
        assert [day for _, day in due] == [date(2026, 5, day) for day in range(3, 10)]
        assert days_to_reconcile(["local"], two - timedelta(seconds=1))[-1][1] == date(2026, 5, 8)
        Reconciliation.objects.create(
            provider="local", day=date(2026, 5, 9), finished_at=two, created_at=two
        )
        Reconciliation.objects.create(provider="local", day=date(2026, 5, 8), created_at=two)
        assert days_to_reconcile(["local"], two)[-1] == ("local", date(2026, 5, 8))


def test_the_sweep_compares_every_day_that_is_due_and_one_failure_keeps_no_other_back(
    gateway, payment, monkeypatch
):
    asked: list[date] = []

    def records(self, day):
        asked.append(day)
        if len(asked) == 1:
            raise RuntimeError("boom")
        return []

    monkeypatch.setattr(LocalProvider, "records", records)
    reconcile_due()
    reconcile_due()
    assert len(asked) == 8
    assert asked[0] == asked[7]


def test_thousands_of_records_are_looked_up_in_batches(payment, max_queries, monkeypatch):
    monkeypatch.setattr("billing.services.reconciliation.LOOKUP_BATCH", 100)
    at = clock.now()
    records = [
        TradeRecord(RecordKind.PAYMENT, f"X{n}", f"T{n}", Decimal("1.00"), "CNY", at)
        for n in range(1000)
    ]
    with scope.staff(), max_queries(40):
        compared = reconciliation_compare(
            provider="alipay", day=clock.local(at).date(), records=records, at=at
        )
    assert compared.differences == 1000


def test_finance_settles_a_difference_once_and_says_why(cast, store, payment, today):
    in_gateway(store, "UPDATE trade SET amount = '5999.00'")
    compare(today)
    finance = cast.actor(cast.staff["finance"])
    with scope.staff():
        (difference,) = differences_found()
        with pytest.raises(errors.NoteMissing):
            difference_settle(difference_id=difference.pk, note=" ", actor=finance, at=clock.now())
        settled = difference_settle(
            difference_id=difference.pk, note="渠道已更正", actor=finance, at=clock.now()
        )
        with pytest.raises(errors.DifferenceSettled):
            difference_settle(
                difference_id=difference.pk, note="再次", actor=finance, at=clock.now()
            )
        assert list(differences_found()) == []
        assert list(differences_found(settled=True)) == [difference]
    assert (settled.settled_by, settled.note) == (finance.name, "渠道已更正")
