"""Bank transfers: chosen at the cashier, confirmed by finance, refunded by hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.models import AuditEntry
from billing import exceptions as errors
from billing.models import Order, OrderEvent, Payment, Refund
from billing.services import orders, refunds, transfers
from billing.services.ledger import balance_top_up
from billing.services.payments import payment_begin, payment_claim
from billing.states import OrderState, OrderType, PaymentState, RefundState
from billing.tasks import order_provision, payment_follow, payments_follow_due, refunds_follow_due
from core import clock
from core.tenancy import scope
from tests.factories.billing import actor_of, book, later_order, order_for, refunds_for

pytestmark = pytest.mark.django_db
ACCOUNT = {"account": "1100 2233 4455", "account_name": "云服务有限公司", "bank": "某某银行"}


@pytest.fixture(autouse=True)
def configured(settings):
    settings.PAYMENT_TRANSFER = ACCOUNT


@pytest.fixture
def order(cast):
    return order_for(cast.huachen, cast.owner)


@pytest.fixture
def finance(cast):
    return cast.actor(cast.staff["finance"])


@pytest.fixture
def owner(cast, client_for):
    return client_for(cast.owner)


@pytest.fixture
def payment(cast, order):
    return choose(cast, order)


def choose(cast, order: Order) -> Payment:
    with scope.customer(order.tenant_id):
        return transfers.transfer_begin(
            order_id=order.pk, actor=actor_of(cast.owner), at=clock.now()
        )


@pytest.fixture
def confirm(finance):
    def run(payment: Payment, amount="6000.00", serial="B1", received: datetime | None = None):
        with scope.staff():
            return transfers.transfer_confirm(
                payment_id=payment.pk,
                amount=Decimal(amount),
                bank_serial=serial,
                received_at=received or clock.now(),
                actor=finance,
                at=clock.now(),
            )

    return run


def fresh(order: Order) -> Order:
    with scope.staff():
        return Order.objects.get(pk=order.pk)


def states(order: Order) -> list[str]:
    with scope.staff():
        return list(order.payments.order_by("pk").values_list("state", flat=True))


# Choosing it


def test_the_cashier_shows_where_the_money_goes_and_what_it_names(owner, order):
    answer = owner.post(reverse("billing:cashier", args=[order.number]), {"method": "transfer"})
    page = owner.get(answer.url).content.decode()
    for shown in (*ACCOUNT.values(), order.number, "¥6,000.00"):
        assert shown in page
    assert states(order) == [PaymentState.OPEN]


def test_it_can_be_chosen_whatever_the_wallets_limits_are(owner, order, settings):
    settings.PAYMENT_LIMITS = dict.fromkeys(["local", "alipay"], Decimal("1.00"))
    page = owner.get(reverse("billing:cashier", args=[order.number])).content.decode()
    assert 'value="transfer" required checked' in page


def test_without_an_account_it_is_shown_with_the_reason(owner, order, settings):
    settings.PAYMENT_TRANSFER = {}
    url = reverse("billing:cashier", args=[order.number])
    assert 'value="transfer" required disabled' in owner.get(url).content.decode()
    assert owner.post(url, {"method": "transfer"}).status_code == 409
    assert states(order) == []


def test_a_page_of_an_order_that_waits_for_no_transfer_leads_to_the_order(owner, order):
    answer = owner.get(reverse("billing:transfer_detail", args=[order.number]))
    assert answer.url == order.get_absolute_url()


def test_the_window_is_seven_days_from_the_order_however_often_it_is_chosen(cast, order):
    choose(cast, order)
    clock.advance(timedelta(days=3))
    choose(cast, order)
    assert fresh(order).pays_until == order.created_at + timedelta(days=7)
    assert states(order) == [PaymentState.OPEN]


def test_an_upgrade_keeps_its_own_window(cast, order):
    with scope.staff():
        order_id = order.pk
        Order.objects.filter(pk=order_id).update(state=OrderState.CANCELLED)
        upgrade = later_order(order, type=OrderType.UPGRADE)
    choose(cast, upgrade)
    assert fresh(upgrade).pays_until == upgrade.pays_until


def test_it_is_never_polled(payment):
    clock.advance(timedelta(days=1))
    payments_follow_due()
    payment_follow(payment.pk)
    with scope.staff():
        assert payment_claim(at=clock.now(), payment_id=payment.pk) is None
        payment.refresh_from_db()
    assert (payment.state, payment.error) == (PaymentState.OPEN, "")


def test_another_method_takes_its_place_and_it_closes_without_a_provider(
    cast, gateway, order, payment
):
    with scope.customer(order.tenant_id):
        payment_begin(
            order_id=order.pk, provider_code="local", actor=actor_of(cast.owner), at=clock.now()
        )
    assert states(order) == [PaymentState.CLOSING, PaymentState.OPEN]
    payments_follow_due()
    assert states(order) == [PaymentState.CLOSED, PaymentState.OPEN]


def test_a_cancelled_order_ends_with_it(cast, order, payment):
    with scope.customer(order.tenant_id):
        orders.order_cancel(order_id=order.pk, actor=actor_of(cast.owner), at=clock.now())
    payments_follow_due()
    assert fresh(order).state == OrderState.CANCELLED
    assert states(order) == [PaymentState.CLOSED]


# What finance confirms


def test_the_exact_sum_in_time_pays_the_order(cast, order, payment, confirm, finance):
    received = clock.now() - timedelta(minutes=1)
    confirm(payment, serial=" B1 ", received=received)

    assert fresh(order).state == OrderState.PAID
    assert book(cast.huachen) == {
        "transfer": Decimal("-6000.00"),
        "sales": Decimal("6000.00"),
    }
    with scope.staff():
        payment.refresh_from_db()
        assert (payment.trade_no, payment.paid_at) == ("B1", received)
        assert OrderEvent.objects.get(to_state=OrderState.PAID).actor_name == finance.name
        assert AuditEntry.objects.filter(action="billing.transfer_confirm").count() == 1
    order_provision(order.pk)
    assert fresh(order).state == OrderState.COMPLETED


def test_it_may_be_confirmed_days_after_the_order_has_expired(order, payment, confirm):
    received = clock.now()
    clock.advance(timedelta(days=9))
    with scope.staff():
        orders.orders_expire_due(at=clock.now())
    payments_follow_due()
    assert fresh(order).state == OrderState.EXPIRED

    confirm(payment, received=received)

    assert fresh(order).state == OrderState.PAID


@pytest.mark.parametrize("amount", ["5999.99", "6000.01"])
def test_another_sum_goes_to_the_balance(cast, order, payment, confirm, messages, amount):
    confirm(payment, amount=amount)

    assert fresh(order).state == OrderState.PENDING
    assert book(cast.huachen) == {
        "transfer": -Decimal(amount),
        "balance": Decimal(amount),
    }
    with scope.staff():
        payment.refresh_from_db()
    assert (payment.is_surplus, payment.amount) == (True, Decimal(amount))
    assert messages("billing.balance_credited") == [["tenant:owner", "staff:finance"]]


def test_too_late_goes_to_the_balance(cast, order, payment, confirm):
    clock.advance(timedelta(days=7, seconds=1))
    confirm(payment)
    assert fresh(order).state == OrderState.PENDING
    assert book(cast.huachen)["balance"] == Decimal("6000.00")


def test_for_an_order_that_was_paid_otherwise_it_goes_back(
    cast, gateway, order, payment, confirm, finance
):
    with scope.customer(order.tenant_id):
        begun = payment_begin(
            order_id=order.pk, provider_code="local", actor=actor_of(cast.owner), at=clock.now()
        )
    gateway.pay(begun.address)
    payment_follow(begun.payment.pk)
    payments_follow_due()

    confirm(payment)

    assert fresh(order).state == OrderState.PAID
    with scope.staff():
        refund = Refund.objects.get()
        assert (refund.destination, refund.state) == ("transfer", RefundState.READY)
        refunds.refund_transfer_done(
            refund_id=refund.pk, reference="OUT-1", actor=finance, at=clock.now()
        )
    assert "transfer" not in book(cast.huachen)


def test_the_same_serial_is_booked_once_whoever_names_it(cast, order, payment, confirm, finance):
    confirm(payment)
    other = order_for(cast.yunfan, cast.other_owner)
    theirs = choose(cast, other)
    with pytest.raises(errors.TopUpRepeated):
        confirm(theirs, serial="B1")
    with scope.staff(), pytest.raises(errors.TopUpRepeated):
        balance_top_up(
            tenant_id=cast.yunfan.pk,
            amount=Decimal("1.00"),
            note="B1",
            actor=finance,
            at=clock.now(),
        )
    assert book(cast.yunfan) == {}


def test_a_serial_that_was_topped_up_is_not_confirmed(cast, payment, confirm, finance):
    with scope.staff():
        balance_top_up(
            tenant_id=cast.yunfan.pk,
            amount=Decimal("1.00"),
            note="B1",
            actor=finance,
            at=clock.now(),
        )
    with pytest.raises(errors.TopUpRepeated):
        confirm(payment)


def test_what_was_confirmed_is_not_confirmed_again(payment, confirm):
    confirm(payment)
    with pytest.raises(errors.TransferNotAwaited):
        confirm(payment, serial="B2")


def test_a_wallets_payment_is_no_transfer(cast, gateway, order, confirm):
    with scope.customer(order.tenant_id):
        begun = payment_begin(
            order_id=order.pk, provider_code="local", actor=actor_of(cast.owner), at=clock.now()
        )
    with pytest.raises(errors.TransferNotAwaited):
        confirm(begun.payment)


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({"amount": "0.00"}, errors.AmountInvalid),
        ({"amount": "-1.00"}, errors.AmountInvalid),
        ({"amount": "0.001"}, errors.AmountInvalid),
        ({"amount": "NaN"}, errors.AmountInvalid),
        ({"serial": "  "}, errors.ReferenceMissing),
    ],
)
def test_what_cannot_be_read_changes_nothing(cast, payment, confirm, changed, refused):
    with pytest.raises(refused):
        confirm(payment, **changed)
    assert book(cast.huachen) == {}


def test_the_bank_has_not_received_it_tomorrow(payment, confirm):
    with pytest.raises(errors.TransferFromFuture):
        confirm(payment, received=clock.now() + timedelta(days=1))


# What goes back by hand


@pytest.fixture
def refund(order, payment, confirm):
    confirm(payment)
    order_provision(order.pk)
    (refund,) = refunds_for(order, transfer="1000.00")
    return refund


def test_finance_transfers_a_refund_back_and_names_the_banks_reference(
    cast, refund, finance, messages
):
    refunds_follow_due()
    assert refund.state == RefundState.READY
    assert messages("billing.refund_waits") == [["staff:finance"]]
    with scope.staff():
        with pytest.raises(errors.ReferenceMissing):
            refunds.refund_transfer_done(
                refund_id=refund.pk, reference=" ", actor=finance, at=clock.now()
            )
        done = refunds.refund_transfer_done(
            refund_id=refund.pk, reference="OUT-1", actor=finance, at=clock.now()
        )
        with pytest.raises(errors.RefundNotByTransfer):
            refunds.refund_transfer_done(
                refund_id=refund.pk, reference="OUT-2", actor=finance, at=clock.now()
            )
    assert (done.state, done.reference) == (RefundState.SUCCEEDED, "OUT-1")
    assert book(cast.huachen)["transfer"] == Decimal("-5000.00")


def test_or_it_goes_to_the_balance(cast, refund, finance):
    with scope.staff():
        refunds.refund_redirect(refund_id=refund.pk, note="客户", actor=finance, at=clock.now())
    assert book(cast.huachen)["balance"] == Decimal("1000.00")
