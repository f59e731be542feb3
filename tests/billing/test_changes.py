"""Going up and down, renewing, leaving: services, with the guide's figures."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from accounts.access import SYSTEM
from billing import exceptions as errors
from billing.models import AgreementAcceptance, ChangeAllowance, Order
from billing.providers.base import TradeReport, TradeStatus
from billing.selectors.changes import paid_subscription, quote_unsubscription_of
from billing.selectors.wallet import balance_of
from billing.services import placing
from billing.services.orders import orders_expire_due
from billing.services.payments import payment_apply, payment_begin
from billing.states import OrderState, OrderType
from core.clock import SHANGHAI, add_years
from core.tenancy import scope
from supportplans.models import PaidLine, SubscriptionEvent, SubscriptionNotice
from supportplans.services.subscriptions import (
    end_notices_send,
    subscription_start,
    subscriptions_expire_due,
)
from supportplans.states import Basis, SubscriptionState
from tests.factories.billing import actor_of
from tests.factories.changes import PlanLife

pytestmark = pytest.mark.django_db
START = datetime(2024, 12, 5, 13, 56, 15, tzinfo=SHANGHAI)
DAY = timedelta(days=1)


@pytest.fixture
def life(cast):
    return PlanLife(cast.huachen, cast.owner)


def lines_of(life):
    with scope.staff():
        return list(PaidLine.objects.filter(tenant=life.tenant).order_by("pk"))


def balance(life):
    with scope.staff():
        return balance_of(life.tenant.pk)


def test_an_upgrade_charges_the_difference_for_the_remaining_days(life):
    life.buy("lite", START, years=2)
    at = START + DAY - timedelta(hours=3)

    order = life.change("business", at)

    # 24,500 × 12 × 729 ÷ 365
    assert (order.type, order.state, order.amount, order.paid_days) == (
        OrderType.UPGRADE,
        OrderState.COMPLETED,
        Decimal("587194.52"),
        729,
    )
    assert order.explanation[0]["rule"] == "new_plan_needed"
    subscription = life.subscription
    assert (subscription.plan.code, subscription.ends) == ("business", add_years(START, 2))
    purchase, upgrade = lines_of(life)
    assert (upgrade.from_monthly, upgrade.monthly, upgrade.cash) == (
        purchase.monthly,
        Decimal("25000.00"),
        {"balance": f"{order.amount:.2f}"},
    )


def test_the_guides_upgrade_costs_588000(life):
    start = datetime(2024, 3, 5, 13, 56, 15, tzinfo=SHANGHAI)  # no leap day until the end: 730 days
    life.buy("lite", start, years=2)

    order = life.change("business", start)

    assert (order.amount, order.paid_days, order.cycle) == (Decimal("588000.00"), 730, "730 天")


def test_a_downgrade_gives_back_and_keeps_the_term(life):
    life.buy("enterprise", START)
    before, at = balance(life), add_years(START, 1) - 73 * DAY

    order = life.change("business", at)

    assert (order.type, order.amount, order.refund_amount) == (
        OrderType.DOWNGRADE,
        0,
        Decimal("60000.00"),
    )
    assert balance(life) - before == Decimal("60000.00")
    assert life.subscription.plan.code == "business"
    assert life.subscription.ends == add_years(START, 1)
    bought, kept = lines_of(life)
    assert (bought.closed_at, kept.kind, kept.list_amount) == (at, "downgrade", Decimal("60000.00"))
    # 600,000.00 less the refund and what the line below carries on.
    assert (bought.settled_amount, kept.settled_amount) == (Decimal("480000.00"), None)


def test_leaving_on_the_day_of_the_purchase_gives_everything_back(life):
    life.buy("lite", START)
    before, at = balance(life), START + timedelta(minutes=5)

    order = life.do("unsubscription", at, reason="wrong_choice")

    assert (order.refund_amount, order.is_free_return, order.reason) == (
        Decimal("6000.00"),
        True,
        "wrong_choice",
    )
    assert balance(life) - before == Decimal("6000.00")
    subscription = life.subscription
    assert (subscription.state, subscription.shown_end, subscription.get_state_display()) == (
        SubscriptionState.CANCELLED,
        at,
        "无效",
    )
    assert [(line.closed_at, line.settled_amount) for line in lines_of(life)] == [(at, 0)]


def test_leaving_with_100_days_left_gives_82191_78_back(life):
    life.buy("business", START)

    order = life.do("unsubscription", add_years(START, 1) - 100 * DAY)

    assert (order.refund_amount, order.is_free_return) == (Decimal("82191.78"), False)
    assert [line.settled_amount for line in lines_of(life)] == [Decimal("217808.22")]


def test_the_fourth_return_within_seven_days_is_by_unused_days(life):
    at = START
    free = []
    for _ in range(4):
        life.buy("lite", at)
        at += 2 * DAY
        free.append(life.do("unsubscription", at).is_free_return)
        at += DAY

    assert free == [True, True, True, False]


def test_a_renewal_follows_the_last_term_from_the_anchor(life):
    start = datetime(2024, 2, 29, 9, 0, tzinfo=SHANGHAI)
    life.buy("lite", start)

    first = life.do("renewal", start + DAY, years=1)
    second = life.do("renewal", start + 2 * DAY, years=2)

    assert (first.type, first.amount, second.amount) == (
        OrderType.RENEW,
        Decimal("6000.00"),
        Decimal("12000.00"),
    )
    assert life.subscription.ends == datetime(2028, 2, 29, 9, 0, tzinfo=SHANGHAI)
    assert [(line.starts, line.ends) for line in lines_of(life)][1:] == [
        (datetime(2025, 2, 28, 9, tzinfo=SHANGHAI), datetime(2026, 2, 28, 9, tzinfo=SHANGHAI)),
        (datetime(2026, 2, 28, 9, tzinfo=SHANGHAI), datetime(2028, 2, 29, 9, tzinfo=SHANGHAI)),
    ]


def test_a_renewal_is_payable_until_the_plan_ends(life):
    life.buy("lite", START)

    order = life.place("renewal", add_years(START, 1) - timedelta(hours=2), years=1)

    assert order.pays_until == add_years(START, 1)


def test_a_renewal_that_was_paid_in_time_but_delivered_late_starts_anew(life):
    life.buy("lite", START)
    ends = add_years(START, 1)
    order = life.place("renewal", ends - timedelta(minutes=1), years=1)
    life.pay(order, ends - timedelta(seconds=1))
    with scope.staff():
        subscriptions_expire_due(at=ends)

    order = life.fulfil(order, ends + timedelta(minutes=3))

    assert order.state == OrderState.COMPLETED
    assert life.subscription.starts == ends + timedelta(minutes=3)
    assert life.subscription.state == SubscriptionState.ACTIVE


@pytest.mark.parametrize(
    ("left", "holds"),
    [
        (timedelta(days=100, hours=10), timedelta(hours=10)),
        (timedelta(days=100, minutes=10), timedelta(minutes=30)),
        (timedelta(days=100), timedelta(minutes=30)),
        (timedelta(days=100) - timedelta(seconds=1), timedelta(hours=24) - timedelta(seconds=1)),
    ],
)
def test_an_upgrade_order_lives_until_the_remaining_days_would_change(life, left, holds):
    life.buy("lite", START)
    at = add_years(START, 1) - left

    order = life.place("change", at, plan_code="business")

    assert order.pays_until - at == holds


def test_an_upgrade_that_is_delivered_the_day_after_costs_what_was_frozen(life):
    life.buy("lite", START)
    at = add_years(START, 1) - 168 * DAY
    order = life.place("change", at, plan_code="business")
    life.pay(order, at)

    order = life.fulfil(order, at + DAY)

    assert (order.state, order.amount) == (OrderState.COMPLETED, Decimal("135320.55"))
    assert lines_of(life)[-1].paid_days == 168


def test_a_plan_that_ended_meanwhile_is_not_upgraded_and_the_money_goes_to_the_balance(life):
    life.buy("lite", START)
    ends = add_years(START, 1)
    before = balance(life)
    order = life.place("change", ends - 2 * DAY, plan_code="business")
    life.pay(order, ends - 2 * DAY)
    with scope.staff():
        subscriptions_expire_due(at=ends)

    order = life.fulfil(order, ends)

    assert order.state == OrderState.REFUNDED
    assert balance(life) == before
    with scope.staff():
        assert order.history.latest("pk").note == "plan_ended"


def test_an_unsubscription_that_is_delivered_after_the_end_still_gives_back(life):
    life.buy("business", START)
    ends = add_years(START, 1)
    order = life.place("unsubscription", ends - 100 * DAY)
    before = balance(life)
    with scope.staff():
        subscriptions_expire_due(at=ends)

    life.fulfil(order, ends + DAY)

    assert balance(life) - before == Decimal("82191.78")
    assert life.subscription.shown_end == ends


def test_a_downgrade_that_is_delivered_after_the_end_carries_nothing_over(life):
    life.buy("enterprise", START)
    ends = add_years(START, 1)
    order = life.place("change", ends - 73 * DAY, plan_code="business")
    with scope.staff():
        subscriptions_expire_due(at=ends)

    life.fulfil(order, ends + DAY)

    (bought,) = lines_of(life)
    assert order.refund_amount == Decimal("60000.00")
    assert (bought.closed_at, bought.settled_amount) == (ends + DAY, Decimal("540000.00"))


def test_the_same_key_is_the_same_order(life):
    life.buy("lite", START)
    first = life.place("change", START + DAY, plan_code="business", idempotency_key="k")

    again = life.place("change", START + 2 * DAY, plan_code="business", idempotency_key="k")

    assert again == first
    with pytest.raises(errors.IdempotencyKeyReused):
        life.place("change", START + DAY, plan_code="enterprise", idempotency_key="k")
    with pytest.raises(errors.IdempotencyKeyReused):
        life.place("unsubscription", START + DAY, idempotency_key="k")


@pytest.mark.parametrize(
    ("kind", "what"),
    [("change", {"plan_code": "enterprise"}), ("renewal", {"years": 1}), ("unsubscription", {})],
)
def test_one_open_order_per_account(life, kind, what):
    life.buy("lite", START)
    life.place("change", START + DAY, plan_code="business")

    with pytest.raises(errors.OpenOrderExists):
        life.place(kind, START + DAY, **what)


@pytest.mark.parametrize(
    ("kind", "what", "error"),
    [
        ("change", {"plan_code": "lite"}, errors.PlanNotHigher),
        ("change", {"plan_code": "standard"}, errors.PlanNotForSale),
        ("change", {"plan_code": "gold"}, errors.PlanNotForSale),
        ("change", {"plan_code": "business", "agreement_version": ""}, errors.AgreementNotAccepted),
        ("change", {"plan_code": "business", "agreement_version": "1999"}, errors.AgreementChanged),
        ("change", {"plan_code": "business", "shown_amount": Decimal("1.00")}, errors.PriceChanged),
        ("renewal", {"years": 4}, errors.TermNotOffered),
        ("renewal", {"years": 1, "shown_amount": Decimal("1.00")}, errors.PriceChanged),
        ("unsubscription", {"reason": ""}, errors.ReasonMissing),
        ("unsubscription", {"reason": "boredom"}, errors.ReasonMissing),
        ("unsubscription", {"confirmed": False}, errors.RefundNotConfirmed),
        ("unsubscription", {"shown_amount": Decimal("6000.01")}, errors.PriceChanged),
    ],
)
def test_what_is_refused_changes_nothing(life, kind, what, error):
    life.buy("lite", START)

    with pytest.raises(error):
        life.place(kind, START + DAY, **what)

    with scope.staff():
        assert Order.objects.filter(tenant=life.tenant).exclude(type=OrderType.TOP_UP).count() == 1


@pytest.mark.parametrize("basis", [None, Basis.TRIAL, Basis.BETA, Basis.INVITED])
def test_without_a_paid_plan_there_is_nothing_to_change(life, basis):
    if basis:
        with scope.staff():
            subscription_start(
                tenant_id=life.tenant.pk,
                plan_code="business",
                basis=basis,
                starts=START,
                ends=START + 30 * DAY,
                lines=[],
                actor=actor_of(life.owner),
                at=START,
            )

    for kind, what in (
        ("change", {"plan_code": "enterprise"}),
        ("renewal", {"years": 1}),
        ("unsubscription", {}),
    ):
        with pytest.raises(errors.NothingRuns):
            life.place(kind, START + DAY, **what)


def test_after_two_changes_in_thirty_days_the_next_one_has_to_wait(life):
    life.buy("lite", START)
    life.change("business", START + DAY)
    life.change("enterprise", START + 5 * DAY)

    with pytest.raises(errors.TooManyChanges) as refused:
        life.place("change", START + 31 * DAY - timedelta(seconds=1), plan_code="business")

    assert refused.value.possible == START + 31 * DAY
    assert "2025-01-05 13:56:15" in str(refused.value.message)
    assert life.change("business", START + 31 * DAY).state == OrderState.COMPLETED


def test_an_operator_can_allow_one_more_change_with_a_reason(cast, life):
    life.buy("lite", START)
    life.change("business", START + DAY)
    life.change("lite", START + 2 * DAY)
    with scope.staff():
        ChangeAllowance.objects.create(
            tenant=life.tenant, reason="误操作", created_at=START, actor=cast.staff["operator"]
        )

    first = life.place("change", START + 3 * DAY, plan_code="business")
    with scope.staff():
        placing.Order.objects.filter(pk=first.pk).update(state=OrderState.CANCELLED)
    # An order that died gives the allowance back; a completed one has used it.
    assert life.change("business", START + 4 * DAY).state == OrderState.COMPLETED
    with pytest.raises(errors.TooManyChanges):
        life.place("change", START + 5 * DAY, plan_code="enterprise")


def test_acceptances_and_history_are_kept(life):
    life.buy("lite", START)
    order = life.change("business", START + DAY)

    with scope.staff():
        assert AgreementAcceptance.objects.filter(order=order).count() == 1
        assert list(order.history.order_by("pk").values_list("to_state", flat=True)) == [
            "pending",
            "paid",
            "provisioning",
            "completed",
        ]
        assert list(
            SubscriptionEvent.objects.order_by("pk").values_list("kind", "from_plan", "to_plan")
        ) == [
            ("started", "standard", "lite"),
            ("upgraded", "lite", "business"),
        ]


def test_the_quote_of_leaving_knows_the_counter(life):
    life.buy("lite", START)
    with scope.staff():
        quote = quote_unsubscription_of(
            paid_subscription(life.tenant.pk, START + DAY), at=START + DAY
        )
        assert (quote.is_free_return, quote.refund) == (True, Decimal("6000.00"))


def test_notices_are_sent_anew_for_the_end_after_a_renewal(life):
    life.buy("lite", START)
    ends = add_years(START, 1)
    with scope.staff():
        end_notices_send(at=ends - 30 * DAY)
    life.do("renewal", ends - 20 * DAY, years=1)

    with scope.staff():
        end_notices_send(at=ends - 10 * DAY)
        end_notices_send(at=add_years(START, 2) - 15 * DAY)
        assert list(
            SubscriptionNotice.objects.order_by("ends", "-days").values_list("ends", "days")
        ) == [
            (ends, 30),
            (add_years(START, 2), 30),
            (add_years(START, 2), 15),
        ]


def paid_late(life, order):
    """Let the order expire with a closed attempt, then let the provider say that it was paid in time after all."""
    with scope.staff():
        payment_begin(order_id=order.pk, provider_code="local", actor=SYSTEM, at=order.created_at)
        closed = TradeReport(
            TradeStatus.CLOSED, "support-portal", order.payments.get().number, order.amount, "CNY"
        )
        orders_expire_due(at=order.pays_until)
        payment_apply(closed, provider_code="local", at=order.pays_until)
        order.refresh_from_db()
    assert order.state == OrderState.EXPIRED

    def word_comes(at):
        with scope.staff():
            paid = replace(closed, status=TradeStatus.PAID, trade_no="T1", paid_at=order.created_at)
            payment_apply(paid, provider_code="local", at=at)
        return life.fulfil(order, at)

    return word_comes


@pytest.mark.parametrize(
    ("kind", "what"), [("renewal", {"years": 1}), ("change", {"plan_code": "business"})]
)
def test_what_was_paid_in_time_is_delivered_although_its_order_has_expired(life, kind, what):
    life.buy("lite", START)
    order = life.place(kind, START + DAY, **what)
    word_comes = paid_late(life, order)

    order = word_comes(order.pays_until + timedelta(minutes=5))

    assert order.state == OrderState.COMPLETED
    subscription = life.subscription
    assert (subscription.plan.code, subscription.ends) == (
        ("lite", add_years(START, 2)) if kind == "renewal" else ("business", add_years(START, 1))
    )


def test_a_renewal_of_a_plan_that_was_left_for_another_goes_to_the_balance(life):
    life.buy("lite", START)
    order = life.place("renewal", START + DAY, years=1)
    word_comes = paid_late(life, order)
    life.change("business", order.pays_until)
    before = balance(life)

    order = word_comes(order.pays_until + timedelta(minutes=5))

    assert order.state == OrderState.REFUNDED
    assert balance(life) - before == Decimal("6000.00")
    assert life.subscription.ends == add_years(START, 1)
