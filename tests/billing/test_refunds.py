"""Money on its way back, at the real local gateway: split, approved, asked for, refused, redirected, never twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from django.utils import timezone

from accounts.access import SYSTEM
from billing import exceptions as errors
from billing.models import Invoice, Payment, Refund, RefundEvent
from billing.providers.base import RecordKind, RefundStatus, TradeReport, TradeStatus
from billing.providers.local_gateway.store import Trouble
from billing.providers.registry import provider_get
from billing.services import refund_asking, refunds
from billing.services.orders import order_set_funds
from billing.services.payments import payment_apply
from billing.states import InvoiceState, OrderState, OrderType, PaymentState, RefundState
from billing.tasks import order_provision, refund_follow, refunds_follow_due
from core import clock
from core.tenancy import scope
from messaging.models import Delivery
from messaging.services import messages_expand
from supportplans.models import Plan
from tests.factories.billing import (
    actor_of,
    book,
    fulfil,
    give_balance,
    later_order,
    leaving_order,
    order_for,
    pay_at,
    refunds_for,
    use_balance,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def bought(cast, gateway):
    """轻量级 for one year, 6,000.00 paid at the gateway."""
    return pay_at(gateway, order_for(cast.huachen, cast.owner), cast.owner).order


@pytest.fixture
def large(cast, gateway):
    """商业级 for one year, 300,000.00 paid at the gateway: its refund needs an approval."""
    order = order_for(cast.huachen, cast.owner, plan_code="business")
    return pay_at(gateway, order, cast.owner).order


@pytest.fixture
def store(gateway):
    return gateway.server.get_app().store


@pytest.fixture
def finance(cast):
    return cast.actor(cast.staff["finance"])


def fresh(refund: Refund) -> Refund:
    with scope.staff():
        return Refund.objects.select_related("payment", "order").get(pk=refund.pk)


def given_back(gateway) -> list[Decimal]:
    """Return what the gateway has given back today."""
    today = gateway.provider().records(clock.local(timezone.now()).date())
    return [record.amount for record in today if record.kind == RecordKind.REFUND]


def asks_again(after: timedelta) -> None:
    clock.advance(after)
    refunds_follow_due()


def history(refund: Refund) -> list[str]:
    with scope.staff():
        events = RefundEvent.objects.filter(refund=refund).order_by("pk")
        return [f"{event.from_state} → {event.to_state}" for event in events]


# What falls due


def test_money_goes_back_to_where_it_came_from(cast, gateway, bought, messages):
    (refund,) = refunds_for(bought, local="4000.00")
    assert (refund.state, refund.destination) == (RefundState.READY, "local")
    assert book(cast.huachen) == {
        "local": Decimal("-6000.00"),
        "refunding": Decimal("4000.00"),
        "sales": Decimal("2000.00"),
    }

    refunds_follow_due()

    refund = fresh(refund)
    assert refund.state == RefundState.SUCCEEDED
    assert refund.reference
    assert given_back(gateway) == [Decimal("4000.00")]
    assert book(cast.huachen) == {"local": Decimal("-2000.00"), "sales": Decimal("2000.00")}
    assert history(refund) == [" → ready", "ready → processing", "processing → succeeded"]
    assert messages("billing.refund_done") == [["tenant:owner"]]


def test_it_is_split_over_the_payments_newest_first(cast, gateway, bought):
    with scope.staff():
        renewal = later_order(bought)
    second = pay_at(gateway, renewal, cast.owner, deliver=False)

    newest, oldest = refunds_for(bought, local="9000.00")

    assert (newest.payment_id, newest.amount) == (second.pk, Decimal("6000.00"))
    assert oldest.amount == Decimal("3000.00")
    refunds_follow_due()
    assert sorted(given_back(gateway)) == [Decimal("3000.00"), Decimal("6000.00")]
    (rest,) = refunds_for(bought, local="3000.00")
    assert rest.payment_id == oldest.payment_id


def given_up(bought, **changed):
    """An upgrade of ``bought`` whose plan has changed meanwhile: paid, but never delivered."""
    with scope.staff():
        enterprise = Plan.objects.get(code="enterprise")
        return later_order(
            bought, type=OrderType.UPGRADE, years=None, from_plan=enterprise, **changed
        )


def test_money_of_an_order_that_was_given_up_does_not_go_back_again(cast, gateway, bought):
    upgrade = pay_at(gateway, given_up(bought), cast.owner).order
    assert upgrade.state == OrderState.REFUNDED
    assert book(cast.huachen)["balance"] == Decimal("6000.00")

    (refund,) = refunds_for(bought, local="6000.00")

    assert refund.payment.order_id == bought.pk


def test_the_balances_share_of_an_order_that_was_given_up_is_not_given_back_again(cast, bought):
    with scope.staff():
        give_balance(cast.huachen, "6000.00")
    upgrade = given_up(bought)
    with scope.customer(cast.huachen.pk):
        use_balance(upgrade, cast.owner)
    assert fulfil(upgrade).state == OrderState.REFUNDED

    with pytest.raises(errors.RefundAbovePaid):
        refunds_for(bought, balance="0.01")


def test_the_same_order_again_changes_nothing(cast, bought):
    with scope.staff():
        leaving = leaving_order(bought)
        asked = {
            "order": leaving,
            "refund_to": {"local": Decimal("100.00")},
            "to_balance": False,
            "actor": actor_of(cast.owner),
            "at": clock.now(),
        }
        first, second = refunds.refunds_create(**asked), refunds.refunds_create(**asked)
    assert first == second
    assert book(cast.huachen)["refunding"] == Decimal("100.00")


@pytest.mark.parametrize("amount", ["6000.01", "600000.00"])
def test_it_never_exceeds_what_was_paid(cast, bought, amount):
    with pytest.raises(errors.RefundAbovePaid):
        refunds_for(bought, local=amount)
    assert "refunding" not in book(cast.huachen)


@pytest.mark.parametrize("method", ["alipay", "balance", "transfer"])
def test_a_method_gives_back_only_what_it_brought(bought, method):
    with pytest.raises(errors.RefundAbovePaid):
        refunds_for(bought, **{method: "0.01"})


def test_what_is_on_its_way_counts_as_refunded(bought):
    refunds_for(bought, local="5999.00")
    with pytest.raises(errors.RefundAbovePaid):
        refunds_for(bought, local="1.01")
    assert len(refunds_for(bought, local="1.00")) == 1


def test_the_database_holds_it_too(bought):
    (refund,) = refunds_for(bought, local="5000.00")
    with scope.staff():
        copy = fresh(refund)
        copy.pk, copy.number, copy.order = None, "another", leaving_order(bought)
        copy.amount = Decimal("1000.01")
        with pytest.raises(IntegrityError, match="exceeds"), transaction.atomic():
            copy.save(force_insert=True)
        with pytest.raises(ProgrammingError, match="denied"), transaction.atomic():
            Refund.objects.filter(pk=refund.pk).update(amount=Decimal("1.00"))


def test_an_order_is_paid_once_by_the_databases_word(cast, bought):
    with scope.staff():
        paid = Payment.objects.get(order=bought)
        paid.pk, paid.number, paid.trade_no = None, "another", "another"
        with pytest.raises(IntegrityError, match="payment_pays_order_once"), transaction.atomic():
            paid.save(force_insert=True)


def test_customers_see_their_refunds_and_change_none(cast, bought):
    (refund,) = refunds_for(bought, local="1.00")
    with scope.customer(cast.yunfan.pk):
        assert not Refund.objects.exists()
    with scope.customer(cast.huachen.pk):
        assert Refund.objects.get() == refund
        with pytest.raises(ProgrammingError), transaction.atomic():
            Refund.objects.update(destination="balance")


def test_balance_money_is_back_at_once(cast):
    with scope.staff():
        give_balance(cast.huachen, "6000.00")
    order = order_for(cast.huachen, cast.owner)
    with scope.customer(cast.huachen.pk):
        order_set_funds(
            order_id=order.pk,
            coupon_grant_id=None,
            voucher_ids=[],
            use_balance=True,
            actor=actor_of(cast.owner),
            at=clock.now(),
        )
    order_provision(order.pk)

    (refund,) = refunds_for(order, balance="1234.56")

    assert refund.state == RefundState.SUCCEEDED
    assert book(cast.huachen)["balance"] == Decimal("1234.56")
    assert "refunding" not in book(cast.huachen)
    with pytest.raises(errors.RefundAbovePaid):
        refunds_for(order, balance="4765.45")


def test_the_customer_may_prefer_the_balance(cast, gateway, bought):
    (refund,) = refunds_for(bought, to_balance=True, local="4000.00")

    assert (refund.state, refund.method, refund.destination) == ("succeeded", "local", "balance")
    refunds_follow_due()
    assert given_back(gateway) == []
    assert book(cast.huachen)["balance"] == Decimal("4000.00")


# What people decide


def test_a_large_refund_waits_for_finance(cast, gateway, large, finance, messages):
    (refund,) = refunds_for(large, local="300000.00")
    refunds_follow_due()
    assert fresh(refund).state == RefundState.AWAITING_APPROVAL
    assert given_back(gateway) == []
    assert messages("billing.refund_waits") == [["staff:finance"]]

    with scope.staff():
        refunds.refund_approve(refund_id=refund.pk, actor=finance, at=clock.now())
        with pytest.raises(errors.RefundNotApprovable):
            refunds.refund_approve(refund_id=refund.pk, actor=finance, at=clock.now())
    refund_follow(refund.pk)

    assert fresh(refund).state == RefundState.SUCCEEDED
    assert fresh(refund).approved_by == finance.name


def test_the_sum_of_an_orders_refunds_decides(cast, gateway, large):
    with scope.staff():
        renewal = later_order(large, amount=Decimal("40000.00"))
    pay_at(gateway, renewal, cast.owner, deliver=False)

    assert {refund.state for refund in refunds_for(large, local="50000.01")} == {"approval"}
    assert {refund.state for refund in refunds_for(large, local="50000.00")} == {"ready"}


def test_to_the_balance_at_once_unless_it_needs_approval(cast, large, finance):
    (refund,) = refunds_for(large, to_balance=True, local="300000.00")
    assert "balance" not in book(cast.huachen)

    with scope.staff():
        refunds.refund_approve(refund_id=refund.pk, actor=finance, at=clock.now())

    assert book(cast.huachen) == {
        "local": Decimal("-300000.00"),
        "balance": Decimal("300000.00"),
    }


def test_who_caused_a_refund_does_not_approve_it(cast, large, finance):
    (refund,) = refunds_for(large, local="300000.00")
    with scope.staff():
        for actor in (actor_of(cast.owner), SYSTEM):
            with pytest.raises(errors.RefundOwnApproval):
                refunds.refund_approve(refund_id=refund.pk, actor=actor, at=clock.now())


def invoice_over(order, state=InvoiceState.ISSUED) -> Invoice:
    with scope.staff():
        return Invoice.objects.create(
            tenant_id=order.tenant_id,
            order=order,
            title="华辰科技",
            tax_number="91110108MA01ABCDEF",
            email="tax@huachen.test",
            amount=order.amount,
            state=state,
            issued_at=clock.now(),
            created_at=clock.now(),
        )


def reverse_invoice(invoice: Invoice) -> list[Refund]:
    with scope.staff():
        Invoice.objects.filter(pk=invoice.pk).update(state=InvoiceState.REVERSED)
        return refunds.refunds_after_reversal(
            order_id=invoice.order_id, actor=SYSTEM, at=clock.now()
        )


def test_an_issued_invoice_is_reversed_first(bought, messages):
    invoice = invoice_over(bought)
    (refund,) = refunds_for(bought, local="1000.00")
    refunds_follow_due()
    assert fresh(refund).state == RefundState.AWAITING_INVOICE
    assert messages("billing.refund_waits") == [["staff:finance"]]

    assert reverse_invoice(invoice) == [refund]
    assert reverse_invoice(invoice) == []
    refunds_follow_due()

    assert fresh(refund).state == RefundState.SUCCEEDED
    assert history(refund)[:2] == [" → invoice", "invoice → ready"]


def test_after_the_reversal_a_large_one_still_waits_for_its_approval(large):
    invoice = invoice_over(large)
    (refund,) = refunds_for(large, local="300000.00")

    reverse_invoice(invoice)

    assert fresh(refund).state == RefundState.AWAITING_APPROVAL


@pytest.mark.parametrize("state", [InvoiceState.REQUESTED, InvoiceState.REVERSED])
def test_an_invoice_that_is_not_issued_keeps_nothing_back(bought, state):
    invoice_over(bought, state)
    assert refunds_for(bought, local="1.00")[0].state == RefundState.READY


def test_finance_sends_it_to_the_balance_after_all(cast, gateway, bought, finance):
    (refund,) = refunds_for(bought, local="1000.00")
    with scope.staff():
        with pytest.raises(errors.NoteMissing):
            refunds.refund_redirect(refund_id=refund.pk, note=" ", actor=finance, at=clock.now())
        refunds.refund_redirect(
            refund_id=refund.pk, note="客户来电要求", actor=finance, at=clock.now()
        )
        with pytest.raises(errors.RefundUnderway):
            refunds.refund_redirect(refund_id=refund.pk, note="再次", actor=finance, at=clock.now())
    refunds_follow_due()

    assert given_back(gateway) == []
    assert book(cast.huachen)["balance"] == Decimal("1000.00")


def test_what_waits_for_approval_goes_on_waiting_when_it_is_redirected(cast, large, finance):
    (refund,) = refunds_for(large, local="300000.00")
    with scope.staff():
        refunds.refund_redirect(refund_id=refund.pk, note="客户", actor=finance, at=clock.now())
    assert fresh(refund).state == RefundState.AWAITING_APPROVAL
    with scope.staff():
        refunds.refund_approve(refund_id=refund.pk, actor=finance, at=clock.now())
    assert book(cast.huachen)["balance"] == Decimal("300000.00")


def test_it_is_not_redirected_while_the_provider_may_be_paying(store, bought, finance):
    (refund,) = refunds_for(bought, local="1000.00")
    store.expect_trouble("refund", Trouble.KEEP_PENDING)
    refunds_follow_due()
    with scope.staff(), pytest.raises(errors.RefundUnderway):
        refunds.refund_redirect(refund_id=refund.pk, note="客户", actor=finance, at=clock.now())


# What the provider says


def test_a_lost_answer_is_asked_for_again_and_nothing_is_paid_twice(store, gateway, bought):
    store.expect_trouble("refund", Trouble.LOSE_REPLY)
    (refund,) = refunds_for(bought, local="1000.00")
    refunds_follow_due()
    assert fresh(refund).state == RefundState.PROCESSING
    assert fresh(refund).error.startswith("ProviderError")
    refunds_follow_due()
    assert fresh(refund).tries == 1

    asks_again(timedelta(seconds=61))

    assert fresh(refund).state == RefundState.SUCCEEDED
    assert fresh(refund).error == ""
    assert given_back(gateway) == [Decimal("1000.00")]


def test_a_gateway_that_is_down_is_asked_later(gateway, bought):
    (refund,) = refunds_for(bought, local="1000.00")
    gateway.stop()

    refunds_follow_due()

    refund = fresh(refund)
    assert (refund.state, refund.error[:13]) == (RefundState.PROCESSING, "ProviderError")
    assert refund.next_try_at > clock.now()


def test_a_method_that_is_configured_no_more_shows_its_error(settings, gateway, bought):
    (refund,) = refunds_for(bought, local="1000.00")
    settings.PAYMENT_LOCAL = {}
    refunds_follow_due()
    assert fresh(refund).error.startswith("ProviderUnavailable")


def test_one_that_takes_its_time_is_asked_about_more_and_more_rarely(store, gateway, bought):
    store.expect_trouble("refund", Trouble.KEEP_PENDING, "999999")
    (refund,) = refunds_for(bought, local="1000.00")
    pauses = []
    for _ in range(5):
        now = clock.now()
        refunds_follow_due()
        pause = fresh(refund).next_try_at - now
        pauses.append(round(pause.total_seconds(), -1))
        clock.advance(pause)
    assert pauses == [60, 120, 300, 900, 3600]
    assert fresh(refund).state == RefundState.PROCESSING

    store.settle_refunds()
    refunds_follow_due()

    assert fresh(refund).state == RefundState.SUCCEEDED
    assert given_back(gateway) == [Decimal("1000.00")]


@pytest.mark.parametrize("code", ["window_over", "account_gone", "other"])
def test_what_the_provider_refuses_for_good_goes_to_the_balance(
    cast, store, gateway, bought, messages, code
):
    store.expect_trouble("refund", Trouble.REFUSE_REFUND, code)
    (refund,) = refunds_for(bought, local="1000.00")

    refunds_follow_due()

    refund = fresh(refund)
    assert (refund.state, refund.destination) == (RefundState.SUCCEEDED, "balance")
    assert given_back(gateway) == []
    assert book(cast.huachen)["balance"] == Decimal("1000.00")
    assert messages("billing.refund_done") == [["tenant:owner", "staff:finance"]]


@pytest.mark.parametrize("code", ["not_paid", "too_much", "number_reused"])
def test_what_contradicts_the_book_waits_for_people(cast, store, bought, finance, messages, code):
    store.expect_trouble("refund", Trouble.REFUSE_REFUND, code)
    (refund,) = refunds_for(bought, local="1000.00")
    refunds_follow_due()
    asks_again(timedelta(days=2))

    assert (fresh(refund).state, fresh(refund).tries) == (RefundState.READY, 1)
    assert fresh(refund).error.startswith(code)
    assert messages("billing.refund_waits") == [["staff:finance"]]
    with scope.staff():
        refunds.refund_redirect(
            refund_id=refund.pk, note="渠道已核实", actor=finance, at=clock.now()
        )
    assert book(cast.huachen)["balance"] == Decimal("1000.00")


def test_an_empty_account_of_ours_is_tried_again_once_it_is_filled(store, gateway, bought, finance):
    store.expect_trouble("refund", Trouble.REFUSE_REFUND, "no_funds")
    (refund,) = refunds_for(bought, local="1000.00")
    refunds_follow_due()
    assert fresh(refund).state == RefundState.READY
    assert fresh(refund).error.startswith("no_funds")
    with (
        store.transaction() as db
    ):  # the gateway remembers refusals; the wallets do not remember this one
        db.execute("DELETE FROM refund")

    with scope.staff():
        refunds.refund_retry(refund_id=refund.pk, actor=finance, at=clock.now())
    refunds_follow_due()

    assert fresh(refund).state == RefundState.SUCCEEDED
    assert given_back(gateway) == [Decimal("1000.00")]


def test_after_the_providers_window_it_is_not_even_asked(cast, gateway, bought, monkeypatch):
    provider = provider_get("local")
    monkeypatch.setattr(provider, "refund_window", timedelta(days=365))
    clock.advance(timedelta(days=365, minutes=1))
    (refund,) = refunds_for(bought, local="1000.00")

    refunds_follow_due()

    assert fresh(refund).destination == "balance"
    number = fresh(refund).payment.number
    assert provider.refund_query(number, refund.number).status == RefundStatus.UNKNOWN
    with scope.staff():
        assert refund.history.last().note.startswith("window_over")


def test_the_last_day_of_the_window_is_in_it(gateway, bought, monkeypatch):
    monkeypatch.setattr(provider_get("local"), "refund_window", timedelta(days=365))
    clock.advance(timedelta(days=364, hours=23))
    (refund,) = refunds_for(bought, local="1000.00")
    refunds_follow_due()
    assert fresh(refund).destination == "local"


# What may be killed at any time


def test_killed_after_the_claim(gateway, bought):
    (refund,) = refunds_for(bought, local="1000.00")
    with scope.staff():
        assert refund_asking.refund_claim(at=clock.now())
        assert refund_asking.refund_claim(at=clock.now()) is None

    asks_again(timedelta(seconds=61))

    assert fresh(refund).state == RefundState.SUCCEEDED
    assert given_back(gateway) == [Decimal("1000.00")]


def test_killed_after_the_provider_has_paid(gateway, bought):
    (refund,) = refunds_for(bought, local="1000.00")
    with scope.staff():
        claim = refund_asking.refund_claim(at=clock.now())
    refund_asking.refund_ask(claim, gateway.provider(), at=clock.now())

    asks_again(timedelta(seconds=61))
    asks_again(timedelta(seconds=601))

    assert fresh(refund).state == RefundState.SUCCEEDED
    assert given_back(gateway) == [Decimal("1000.00")]


def test_an_answer_that_comes_twice_counts_once(cast, gateway, bought):
    (refund,) = refunds_for(bought, local="1000.00")
    with scope.staff():
        claim = refund_asking.refund_claim(at=clock.now())
    report = refund_asking.refund_ask(claim, gateway.provider(), at=clock.now())
    for _ in range(2):
        with scope.staff():
            refund_asking.refund_apply(report, refund_id=refund.pk, at=clock.now())
    assert book(cast.huachen)["local"] == Decimal("-5000.00")


def test_an_answer_about_another_sum_is_not_believed(gateway, bought):
    (refund,) = refunds_for(bought, local="1000.00")
    with scope.staff():
        claim = refund_asking.refund_claim(at=clock.now())
    report = refund_asking.refund_ask(claim, gateway.provider(), at=clock.now())
    for changed in ({"amount": Decimal("1.00")}, {"refund_number": "other"}):
        with scope.staff(), pytest.raises(refund_asking.RefundMismatch):
            refund_asking.refund_apply(
                replace(report, **changed), refund_id=refund.pk, at=clock.now()
            )
    assert fresh(refund).state == RefundState.PROCESSING


def test_a_second_success_is_refunded_by_itself(cast, gateway, bought):
    with scope.staff():
        twice = Payment.objects.create(
            tenant_id=bought.tenant_id,
            order=bought,
            provider="local",
            number="77777777",
            amount=bought.amount,
            state=PaymentState.CLOSED,
            expires_at=bought.pays_until,
            created_at=clock.now(),
        )
    report = TradeReport(
        TradeStatus.PAID,
        "support-portal",
        twice.number,
        twice.amount,
        "CNY",
        trade_no="T9",
        paid_at=clock.now(),
    )
    with scope.staff():
        payment_apply(report, provider_code="local", at=clock.now())
        refund = Refund.objects.get()
    assert (refund.payment_id, refund.state) == (twice.pk, RefundState.READY)
    assert book(cast.huachen)["refunding"] == bought.amount
    # Leaving afterwards gives the first payment back, not the second again.
    (left,) = refunds_for(bought, local="6000.00")
    assert left.payment_id != twice.pk


# What people are told


def told(kind: str) -> list[str]:
    with scope.staff():
        messages_expand(at=clock.now())
        sent = Delivery.objects.filter(message__kind=kind, channel="inbox").order_by("pk")
        return [delivery.text for delivery in sent]


def test_the_customer_reads_where_the_money_is(store, bought):
    refunds_for(bought, local="1000.00")
    refunds_follow_due()
    refunds_for(bought, to_balance=True, local="2000.00")
    store.expect_trouble("refund", Trouble.REFUSE_REFUND, "window_over")
    refunds_for(bought, local="3000.00")
    refunds_follow_due()

    back, preferred, refused, for_finance = told("billing.refund_done")

    assert "¥1,000.00 已由原支付渠道退回付款账户" in back
    assert "¥2,000.00 已退至账户余额" in preferred
    assert "¥3,000.00 无法由原支付渠道退回" in refused
    assert for_finance == refused


def test_finance_reads_what_a_refund_waits_for(store, large, bought_by_another):
    invoice_over(bought_by_another)
    refunds_for(large, local="60000.00")
    refunds_for(bought_by_another, local="1000.00")
    store.expect_trouble("refund", Trouble.REFUSE_REFUND, "too_much")
    refunds_for(large, local="1000.00")
    refunds_follow_due()

    approval, invoice, stopped = told("billing.refund_waits")

    assert "超过审批金额" in approval
    assert "须先冲红已开具的发票" in invoice
    assert "被支付渠道拒绝，款项尚未退回：too_much" in stopped


@pytest.fixture
def bought_by_another(cast, gateway):
    return pay_at(gateway, order_for(cast.yunfan, cast.other_owner), cast.other_owner).order
