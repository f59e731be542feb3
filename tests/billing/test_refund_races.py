"""Two at once on money that goes back or arrives by transfer, with real threads; each race without its lock first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal

import pytest

from accounts.access import SYSTEM
from billing.models import Order, Payment, Refund, RefundEvent
from billing.services import ledger, refund_asking, refunds, transfers
from billing.services.ledger import balance_top_up
from billing.services.refunds import refunds_create
from billing.states import OrderState, RefundState
from billing.tasks import refund_follow
from core import clock
from core.tenancy import scope
from tests.billing.test_races import at_once, names
from tests.factories.billing import (
    actor_of,
    book,
    leaving_order,
    order_for,
    pay_at,
    refunds_for,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def finance(cast):
    return cast.actor(cast.staff["finance"])


@pytest.fixture
def bought(cast, gateway):
    return pay_at(gateway, order_for(cast.huachen, cast.owner), cast.owner).order


@pytest.fixture
def large(cast, gateway):
    """A refund of 300,000.00 to the balance that waits for its approval."""
    order = order_for(cast.huachen, cast.owner, plan_code="business")
    bought = pay_at(gateway, order, cast.owner).order
    (refund,) = refunds_for(bought, to_balance=True, local="300000.00")
    return refund


def given_back(gateway) -> list[Decimal]:
    with gateway.server.get_app().store.transaction() as db:
        return [Decimal(row["amount"]) for row in db.execute("SELECT amount FROM refund")]


def unlocked_refunds(monkeypatch, pause: Callable[[], object]) -> None:
    """Read refund and order without a lock, and pause before anything is written."""

    def read(refund_id: int) -> tuple[Refund, Order]:
        refund = Refund.objects.select_related("payment", "order").get(pk=refund_id)
        pause()
        return refund, refund.order

    monkeypatch.setattr(refunds, "refund_lock", read)


def history(refund: Refund) -> list[str]:
    with scope.staff():
        events = RefundEvent.objects.filter(refund=refund).order_by("pk")
        return [event.to_state for event in events]


# Two approvals


def approving(refund: Refund, actor) -> Callable[[], object]:
    def run() -> object:
        with scope.staff():
            return refunds.refund_approve(refund_id=refund.pk, actor=actor, at=clock.now())

    return run


def test_two_approvals_pay_once_and_the_second_is_told(cast, large, finance):
    assert names(at_once(*[approving(large, finance)] * 3)) == [
        "Refund",
        "RefundNotApprovable",
        "RefundNotApprovable",
    ]
    assert book(cast.huachen)["balance"] == Decimal("300000.00")
    assert history(large) == ["approval", "ready", "succeeded"]


def test_without_the_lock_both_approve_and_only_the_book_stops_the_second(
    cast, large, finance, monkeypatch
):
    both_have_read = threading.Barrier(2)
    unlocked_refunds(monkeypatch, lambda: both_have_read.wait(timeout=10))

    assert names(at_once(*[approving(large, finance)] * 2)) == ["BalanceTooLow", "Refund"]
    assert book(cast.huachen)["balance"] == Decimal("300000.00")


# Two workers


def claiming() -> object:
    with scope.staff():
        return refund_asking.refund_claim(at=clock.now())


def test_two_workers_claim_one_refund_once(bought):
    refunds_for(bought, local="1000.00")
    assert names(at_once(*[claiming] * 4)) == ["NoneType", "NoneType", "NoneType", "RefundClaim"]


def test_without_the_lock_two_workers_ask_for_the_same_refund(bought, monkeypatch):
    refunds_for(bought, local="1000.00")
    gate = threading.Barrier(2)

    class Unlocked:
        """The due refunds, read by both before one of them writes."""

        def __getattr__(self, name: str) -> object:
            return getattr(Refund.objects, name)

    def read(refund: Refund, **more: object) -> None:
        gate.wait(timeout=10)
        move(refund, **more)

    move = refund_asking.refund_move
    monkeypatch.setattr(refund_asking, "lock_refunds_free", Unlocked)
    monkeypatch.setattr(refund_asking, "refund_move", read)

    assert names(at_once(claiming, claiming)) == ["RefundClaim", "RefundClaim"]


def test_two_workers_that_do_ask_pay_once(cast, gateway, bought, monkeypatch):
    """Asked for twice, by whatever mishap: the provider counts by number, the book by state."""
    (refund,) = refunds_for(bought, local="1000.00")
    with scope.staff():
        claim = refund_asking.refund_claim(at=clock.now())

    def ask() -> object:
        report = refund_asking.refund_ask(claim, gateway.provider(), at=clock.now())
        with scope.staff():
            return refund_asking.refund_apply(report, refund_id=refund.pk, at=clock.now())

    assert names(at_once(ask, ask, ask)) == ["Refund"] * 3
    assert given_back(gateway) == [Decimal("1000.00")]
    assert book(cast.huachen)["local"] == Decimal("-5000.00")
    assert history(refund) == ["ready", "processing", "succeeded"]


# A redirection against the worker


def redirecting(refund: Refund, actor) -> Callable[[], object]:
    def run() -> object:
        with scope.staff():
            return refunds.refund_redirect(
                refund_id=refund.pk, note="客户要求", actor=actor, at=clock.now()
            )

    return run


def test_redirected_or_paid_by_the_provider_never_both(cast, gateway, bought, finance):
    for _ in range(4):
        (refund,) = refunds_for(bought, local="1000.00")
        before = len(given_back(gateway))
        at_once(redirecting(refund, finance), lambda refund=refund: refund_follow(refund.pk))
        with scope.staff():
            refund.refresh_from_db()
        paid_there = len(given_back(gateway)) - before
        assert refund.state == RefundState.SUCCEEDED
        assert (refund.destination, paid_there) in {("balance", 0), ("local", 1)}
    assert "refunding" not in book(cast.huachen)


def test_without_the_lock_the_customer_has_it_twice(cast, gateway, bought, finance, monkeypatch):
    (refund,) = refunds_for(bought, local="1000.00")

    def worker() -> None:
        with scope.staff():
            claim = refund_asking.refund_claim(at=clock.now())
        refund_asking.refund_ask(claim, gateway.provider(), at=clock.now())

    unlocked_refunds(monkeypatch, lambda: at_once(worker))
    redirecting(refund, finance)()

    assert given_back(gateway) == [Decimal("1000.00")]
    assert book(cast.huachen)["balance"] == Decimal("1000.00")


# Two completions of one order


def creating(order: Order) -> Callable[[], object]:
    def run() -> object:
        with scope.staff():
            return refunds_create(
                order=order,
                refund_to={"local": Decimal("4000.00")},
                to_balance=False,
                actor=SYSTEM,
                at=clock.now(),
            )

    return run


def left(bought: Order) -> Order:
    with scope.staff():
        bought.refresh_from_db()
        return leaving_order(bought)


def test_one_order_gives_back_once(cast, bought):
    order = left(bought)
    first, second = at_once(creating(order), creating(order))
    assert first == second
    assert book(cast.huachen)["refunding"] == Decimal("4000.00")


def test_two_orders_do_not_give_back_the_same_money(cast, bought):
    orders = left(bought), left(bought)
    assert names(at_once(*map(creating, orders))) == ["RefundAbovePaid", "list"]


def test_without_the_locks_the_database_stops_the_second(cast, bought, monkeypatch):
    orders = left(bought), left(bought)
    both_have_read = threading.Barrier(2)
    split = refunds._parts

    def read(*arguments: object) -> object:
        parts = split(*arguments)
        both_have_read.wait(timeout=10)
        return parts

    monkeypatch.setattr(refunds, "lock_tenant", lambda _: None)
    monkeypatch.setattr(refunds, "lock_payments", lambda: Payment.objects.order_by("pk"))
    monkeypatch.setattr(refunds, "_parts", read)

    results = at_once(*map(creating, orders))
    assert names(results) == ["IntegrityError", "list"]
    assert "exceeds what payment" in str(results[0])


# Two confirmations of one transfer


@pytest.fixture
def transfer(cast, settings):
    settings.PAYMENT_TRANSFER = {"account": "1", "account_name": "云", "bank": "银行"}
    return chosen(cast.huachen, cast.owner)


def chosen(tenant, owner) -> Payment:
    order = order_for(tenant, owner)
    with scope.customer(tenant.pk):
        return transfers.transfer_begin(order_id=order.pk, actor=actor_of(owner), at=clock.now())


def confirming(payment: Payment, serial: str, actor) -> Callable[[], object]:
    def run() -> object:
        with scope.staff():
            return transfers.transfer_confirm(
                payment_id=payment.pk,
                amount=Decimal("6000.00"),
                bank_serial=serial,
                received_at=clock.now(),
                actor=actor,
                at=clock.now(),
            )

    return run


def test_two_confirmations_of_one_transfer_pay_once(cast, transfer, finance):
    results = at_once(confirming(transfer, "B1", finance), confirming(transfer, "B2", finance))
    assert names(results) == ["Payment", "TransferNotAwaited"]
    assert book(cast.huachen)["sales"] == Decimal("6000.00")
    with scope.staff():
        assert Order.objects.get(pk=transfer.order_id).state == OrderState.PAID


def test_without_the_lock_one_transfer_is_booked_twice(cast, transfer, finance, monkeypatch):
    both_have_read = threading.Barrier(2)

    def read(payment_id: int) -> tuple[Payment, Order]:
        payment = Payment.objects.select_related("order__plan").get(pk=payment_id)
        both_have_read.wait(timeout=10)
        return payment, payment.order

    monkeypatch.setattr(transfers, "_lock", read)

    results = at_once(confirming(transfer, "B1", finance), confirming(transfer, "B2", finance))

    assert names(results) == ["Payment", "Payment"]
    assert book(cast.huachen)["sales"] == Decimal("12000.00")


def both_serials(cast, transfer, finance) -> tuple[Callable[[], object], Callable[[], object]]:
    """Confirm a transfer of one customer and top up another one, with the same serial."""

    def top_up() -> object:
        with scope.staff():
            return balance_top_up(
                tenant_id=cast.yunfan.pk,
                amount=Decimal("6000.00"),
                note="B1",
                actor=finance,
                at=clock.now(),
            )

    return confirming(transfer, "B1", finance), top_up


def test_one_serial_is_booked_for_one_customer(cast, transfer, finance):
    results = at_once(*both_serials(cast, transfer, finance))
    assert names(results) in (["Payment", "TopUpRepeated"], ["LedgerTransaction", "TopUpRepeated"])


def test_without_the_lock_one_serial_is_booked_for_both(cast, transfer, finance, monkeypatch):
    gate = threading.Barrier(2)
    monkeypatch.setattr(ledger, "lock_bank_serial", lambda _: None)

    def wait_after_looking(serial: str, *, field: str) -> None:
        take(serial, field=field)
        gate.wait(timeout=10)

    take = ledger.bank_serial_take
    monkeypatch.setattr(ledger, "bank_serial_take", wait_after_looking)
    monkeypatch.setattr(transfers, "bank_serial_take", wait_after_looking)

    results = at_once(*both_serials(cast, transfer, finance))

    assert names(results) == ["LedgerTransaction", "Payment"]
