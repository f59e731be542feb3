"""Two at once, with real threads and real transactions; each race is shown without the lock first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection

from billing import exceptions as errors
from billing.models import LedgerAccount, LedgerTransaction, Order, PaymentNotification
from billing.providers.base import TradeReport, TradeStatus
from billing.selectors.wallet import balance_of
from billing.services import orders, payments, provisioning
from billing.services.ledger import balance_hold
from billing.states import AccountKind, OrderState, PostingKind
from core import clock
from core.tenancy import scope
from supportplans.models import PaidLine
from tests.factories.billing import actor_of, give_balance, order_for, top_up_order, use_balance

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*actions: Callable[[], object]) -> list[object]:
    """Run the actions in threads that start together; return what each gave or raised, sorted by type's name."""
    gate = threading.Barrier(len(actions))
    results: list[object] = []

    def run(action: Callable[[], object]) -> None:
        try:
            gate.wait(timeout=10)
            results.append(action())
        except Exception as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return sorted(results, key=lambda result: type(result).__name__)


def names(results: list[object]) -> list[str]:
    return [type(result).__name__ for result in results]


def without_tenant_lock(monkeypatch, pause: threading.Barrier | None = None) -> None:
    """Read the tenant without locking it, and let all threads get that far before one goes on."""

    def unlocked(*_: object, **__: object) -> None:
        if pause is not None:
            pause.wait(timeout=10)

    monkeypatch.setattr("billing.services.placing.lock_tenant", unlocked)
    monkeypatch.setattr("billing.services.orders.lock_tenant_of", unlocked)


def place(cast, key: str) -> Callable[[], Order]:
    return lambda: order_for(cast.huachen, cast.owner, idempotency_key=key)


def test_two_tabs_make_one_order_and_the_other_is_told(cast):
    results = at_once(place(cast, "tab-1"), place(cast, "tab-2"))

    assert names(results) == ["OpenOrderExists", "Order"]
    with scope.staff():
        assert Order.objects.count() == 1


def test_without_the_lock_two_tabs_meet_the_databases_refusal(cast, monkeypatch):
    without_tenant_lock(monkeypatch, threading.Barrier(2))

    results = at_once(place(cast, "tab-1"), place(cast, "tab-2"))

    assert names(results) == ["IntegrityError", "Order"]
    assert isinstance(results[0], IntegrityError)


def test_a_double_click_makes_one_order_and_both_see_it(cast):
    first, second = at_once(place(cast, "click"), place(cast, "click"))

    assert isinstance(first, Order)
    assert isinstance(second, Order)
    assert first.pk == second.pk


def hold(cast, order: Order, amount: str) -> Callable[[], object]:
    def run() -> object:
        with scope.customer(cast.huachen.pk):
            return balance_hold(
                order=order, amount=Decimal(amount), actor=actor_of(cast.owner), at=clock.now()
            )

    return run


@pytest.fixture
def two_orders(cast):
    with scope.staff():
        give_balance(cast.huachen, "100.00")
        return [top_up_order(cast.huachen, Decimal("80.00")) for _ in range(2)]


def test_two_orders_on_one_balance_spend_it_once(cast, two_orders):
    results = at_once(*(hold(cast, order, "80.00") for order in two_orders))

    assert names(results) == ["BalanceHold", "BalanceTooLow"]
    with scope.staff():
        assert balance_of(cast.huachen.pk) == Decimal("20.00")
        assert LedgerTransaction.objects.filter(kind=PostingKind.HOLD).count() == 1


def test_without_the_lock_both_orders_see_the_money_and_the_database_stops_the_second(
    cast, two_orders, monkeypatch
):
    with scope.staff():
        balance_hold(
            order=top_up_order(cast.huachen, Decimal("1.00")),
            amount=Decimal("1.00"),
            actor=actor_of(cast.owner),
            at=clock.now(),
        )
    both_have_read = threading.Barrier(2)

    def unlocked(tenant_id: int, kinds) -> dict[str, LedgerAccount]:
        rows = {row.kind: row for row in LedgerAccount.objects.filter(tenant_id=tenant_id)}
        both_have_read.wait(timeout=10)
        return {AccountKind(kind): rows[kind] for kind in kinds}

    monkeypatch.setattr("billing.services.ledger.lock_accounts", unlocked)
    results = at_once(*(hold(cast, order, "80.00") for order in two_orders))

    assert names(results) == ["BalanceHold", "IntegrityError"]
    assert "ledger_balance_not_negative" in str(results[1])
    with scope.staff():
        assert balance_of(cast.huachen.pk) == Decimal("19.00")


def test_one_order_paid_twice_from_the_balance_is_paid_once(cast):
    order = order_for(cast.huachen, cast.owner)
    with scope.staff():
        give_balance(cast.huachen, "12000.00")

    def pay() -> object:
        with scope.customer(cast.huachen.pk):
            return use_balance(order, cast.owner, at=clock.now())

    assert names(at_once(pay, pay)) == ["Order", "OrderNotPayable"]
    with scope.staff():
        assert balance_of(cast.huachen.pk) == Decimal("6000.00")


@pytest.fixture
def attempt(cast):
    """A pending order with an open attempt, and the provider's word that it was paid."""
    order = order_for(cast.huachen, cast.owner)
    with scope.customer(cast.huachen.pk):
        payments.payment_begin(
            order_id=order.pk, provider_code="local", actor=actor_of(cast.owner), at=clock.now()
        )
        payment = order.payments.get()
    report = TradeReport(
        TradeStatus.PAID,
        "support-portal",
        payment.number,
        payment.amount,
        "CNY",
        trade_no="T1",
        paid_at=clock.now(),
    )
    return order, report


def applying(report: TradeReport) -> Callable[[], object]:
    def run() -> object:
        with scope.staff():
            return str(payments.payment_apply(report, provider_code="local", at=clock.now()))

    return run


def sales(cast) -> Decimal:
    with scope.staff():
        return LedgerAccount.objects.get(tenant=cast.huachen, kind=AccountKind.SALES).balance


def test_two_notifications_at_once_pay_once(cast, attempt):
    _order, report = attempt

    results = at_once(*[applying(report)] * 4)

    assert sorted(map(str, results)) == ["applied", "repeated", "repeated", "repeated"]
    assert sales(cast) == Decimal("6000.00")


def test_a_notification_against_the_expiry_is_paid_or_closing_never_lost(cast, attempt):
    order, report = attempt

    def expire() -> object:
        with scope.staff():
            return orders.orders_expire_due(at=order.pays_until)

    results = at_once(applying(report), expire)

    assert not [result for result in results if isinstance(result, Exception)]
    with scope.staff():
        assert Order.objects.get(pk=order.pk).state == OrderState.PAID
    assert sales(cast) == Decimal("6000.00")


def test_a_notification_against_the_cancellation_wins(cast, attempt):
    order, report = attempt

    def cancel() -> object:
        with scope.customer(cast.huachen.pk):
            return orders.order_cancel(
                order_id=order.pk, actor=actor_of(cast.owner), at=clock.now()
            )

    results = at_once(applying(report), cancel)

    assert all(isinstance(r, str | Order | errors.OrderNotCancellable) for r in results)
    with scope.staff():
        assert Order.objects.get(pk=order.pk).state == OrderState.PAID


def test_two_workers_fulfil_one_order_once(cast, attempt):
    order, report = attempt
    applying(report)()

    def fulfil() -> object:
        with scope.staff():
            return provisioning.order_provision(order_id=order.pk, at=clock.now())

    assert names(at_once(fulfil, fulfil, fulfil)) == ["Order"] * 3
    with scope.staff():
        assert PaidLine.objects.count() == 1
        assert Order.objects.get(pk=order.pk).state == OrderState.COMPLETED


def test_two_clicks_at_the_cashier_open_one_attempt(cast):
    order = order_for(cast.huachen, cast.owner)

    def begin() -> object:
        with scope.customer(cast.huachen.pk):
            return payments.payment_begin(
                order_id=order.pk, provider_code="local", actor=actor_of(cast.owner), at=clock.now()
            )

    assert names(at_once(begin, begin)) == ["Begun", "Begun"]
    with scope.staff():
        assert order.payments.count() == 1


# Words of a provider that come late, or twice


def test_two_copies_of_one_notification_are_kept_once_and_pay_once(cast, gateway):
    order = order_for(cast.huachen, cast.owner)
    with scope.customer(cast.huachen.pk):
        begun = payments.payment_begin(
            order_id=order.pk, provider_code="local", actor=actor_of(cast.owner), at=clock.now()
        )
    body = gateway.pay(begun.address)

    def receive() -> object:
        with scope.staff():
            return payments.notification_receive(
                provider_code="local", body=body, headers={}, at=clock.now()
            )

    results = at_once(receive, receive, receive)

    assert [accepted for accepted, _ in results] == [True, True, True]
    with scope.staff():
        assert PaymentNotification.objects.count() == 1
    assert sales(cast) == Decimal("6000.00")


def test_a_late_word_about_an_expired_order_against_a_new_order_leaves_one_of_them_open(
    cast, attempt
):
    order, report = attempt
    over = order.pays_until
    with scope.staff():
        orders.orders_expire_due(at=over)
        closed = replace(report, status=TradeStatus.CLOSED)
        payments.payment_apply(closed, provider_code="local", at=over)

    results = at_once(applying(report), place(cast, "another"))

    with scope.staff():
        revived = Order.objects.get(pk=order.pk).state == OrderState.PAID
        opened = Order.objects.exclude(pk=order.pk).count()
        balance = balance_of(cast.huachen.pk)
    assert (names(results), revived, opened, balance) in [
        (["OpenOrderExists", "str"], True, 0, Decimal("0.00")),
        (["Order", "str"], False, 1, Decimal("6000.00")),
    ]
