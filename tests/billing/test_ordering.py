"""Placing, paying from the balance, cancelling and losing an order: services and pages."""

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core import mail
from django.db import ProgrammingError, transaction
from django.urls import reverse
from django.utils.html import strip_tags

from billing import exceptions as errors
from billing.models import AgreementAcceptance, Order, OrderEvent, Refund
from billing.selectors.wallet import balance_of
from billing.services import orders, provisioning
from billing.services.proof import tenants_prove
from billing.states import OrderState, RefundState
from billing.tasks import orders_provision_due
from core import clock
from core.tenancy import scope
from supportplans.exceptions import SubscriptionAlreadyActive
from supportplans.models import PaidLine, Subscription
from supportplans.selectors.catalogue import agreement_at
from supportplans.services.subscriptions import subscription_start
from tests.factories.billing import (
    actor_of,
    fulfil,
    give_balance,
    order_for,
    pay_at,
    sql,
    use_balance,
)

pytestmark = pytest.mark.django_db
NEW = "/support/order/new/"


@pytest.fixture
def order(cast):
    return order_for(cast.huachen, cast.owner)


@pytest.fixture
def form():
    return {
        "plan": "lite",
        "years": "1",
        "agreement": agreement_at(clock.now()).version,
        "shown_amount": "6000.00",
        "key": str(uuid.uuid4()),
    }


def fresh(order):
    with scope.staff():
        return Order.objects.get(pk=order.pk)


def states(order):
    with scope.staff():
        return list(order.history.order_by("pk").values_list("to_state", flat=True))


def give_plan(tenant, basis, at):
    with scope.staff():
        subscription_start(
            tenant_id=tenant.pk,
            plan_code="business",
            basis=basis,
            starts=at,
            ends=at + timedelta(days=30),
            lines=[],
            actor=actor_of(tenant.account_manager.user),
            at=at,
        )


def test_an_order_freezes_the_price_and_keeps_the_acceptance(cast, order):
    with scope.staff():
        order = Order.objects.select_related("plan").get(pk=order.pk)
        accepted = AgreementAcceptance.objects.get()
    assert (order.plan.code, order.years, order.amount, order.monthly) == (
        "lite",
        1,
        Decimal("6000.00"),
        Decimal("500.00"),
    )
    assert order.explanation == [
        {"rule": "new_term", "formula": "500.00 × 12", "amount": "6000.00"}
    ]
    assert order.pays_until - order.created_at == timedelta(hours=24)
    assert len(order.number) == 20
    assert (accepted.actor, accepted.address, accepted.version) == (
        cast.owner,
        "192.0.2.7",
        agreement_at(order.created_at).version,
    )
    assert states(order) == [OrderState.PENDING]


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"plan_code": "standard"}, errors.PlanNotForSale),
        ({"plan_code": "gold"}, errors.PlanNotForSale),
        ({"years": 4}, errors.TermNotOffered),
        ({"agreement_version": ""}, errors.AgreementNotAccepted),
        ({"agreement_version": "1999-01"}, errors.AgreementChanged),
        ({"shown_amount": Decimal("5999.99")}, errors.PriceChanged),
    ],
)
def test_what_may_not_be_ordered_is_refused_and_nothing_is_written(cast, changed, error):
    with pytest.raises(error):
        order_for(cast.huachen, cast.owner, **changed)

    with scope.staff():
        assert not Order.objects.exists()


def test_the_same_key_returns_the_same_order_and_another_request_is_refused(cast):
    first = order_for(cast.huachen, cast.owner, idempotency_key="k")

    assert order_for(cast.huachen, cast.owner, idempotency_key="k").pk == first.pk
    with pytest.raises(errors.IdempotencyKeyReused):
        order_for(cast.huachen, cast.owner, idempotency_key="k", years=2)
    assert order_for(cast.yunfan, cast.other_owner, idempotency_key="k").pk != first.pk


def test_one_open_order_per_account(cast, order):
    with pytest.raises(errors.OpenOrderExists) as refused:
        order_for(cast.huachen, cast.owner)

    assert refused.value.number == order.number


def test_a_paid_plan_keeps_from_ordering_and_a_trial_does_not(cast):
    at = clock.now()
    give_plan(cast.yunfan, "trial", at)
    give_plan(cast.huachen, "paid", at)

    assert order_for(cast.yunfan, cast.other_owner).state == OrderState.PENDING
    with pytest.raises(SubscriptionAlreadyActive):
        order_for(cast.huachen, cast.owner)


def test_the_page_recomputes_the_price_on_the_server(cast, client_for, max_queries):
    client = client_for(cast.owner)
    with max_queries(15):
        page = client.get(NEW, {"plan": "business", "years": "2"})
    part = client.get(NEW, {"plan": "enterprise", "years": "3"}, headers={"HX-Request": "true"})

    assert "¥600,000.00" in page.content.decode()
    assert "¥1,800,000.00" in part.content.decode()
    assert "<html" not in part.content.decode()
    assert client.get(NEW, {"plan": "nonsense", "years": "9"}).status_code == 200


def test_the_page_makes_the_order_once_however_often_it_is_sent(cast, client_for, form):
    client = client_for(cast.owner)
    pages = [client.post(NEW, form) for _ in range(3)]

    with scope.staff():
        order = Order.objects.get()
    assert {page.url for page in pages} == {reverse("billing:order_pay", args=[order.number])}


def test_without_scripts_a_button_recomputes_the_price(cast, client_for, form):
    client = client_for(cast.owner)
    changed = {**form, "plan": "business", "years": "3", "recalculate": "1"}

    page = client.post(NEW, changed, follow=True)

    assert "¥900,000.00" in page.content.decode()
    assert form["key"] in page.content.decode()
    with scope.staff():
        assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"agreement": ""}, 422),
        ({"agreement": "1999-01"}, 409),
        ({"plan": "standard"}, 422),
        ({"years": "7"}, 422),
        ({"key": "x"}, 422),
        ({"shown_amount": "1.00"}, 409),
    ],
)
def test_a_refused_form_says_why_and_keeps_what_was_chosen(cast, client_for, form, changed, status):
    page = client_for(cast.owner).post(NEW, {**form, **changed})

    assert page.status_code == status
    assert "您的数据没有变化" in page.content.decode()
    with scope.staff():
        assert not Order.objects.exists()


def test_only_the_owner_buys_and_members_do_not_see_orders(cast, client_for, form, order):
    urls = [reverse(f"billing:{name}", args=[order.number]) for name in ("order_pay", "cashier")]
    for url in (NEW, *urls):
        assert client_for(cast.administrator).get(url).status_code == 403
        assert client_for(cast.outsider).get(url).status_code == 404
    assert client_for(cast.administrator).post(NEW, form).status_code == 403
    assert client_for(cast.administrator).get(order.get_absolute_url()).status_code == 200
    assert client_for(cast.member).get(order.get_absolute_url()).status_code == 403
    assert client_for(cast.member).get("/support/orders/").status_code == 403


def test_another_tenants_order_is_as_good_as_missing(cast, client_for, order):
    client = client_for(cast.other_owner)
    for name in ("order_detail", "order_status", "order_pay", "cashier", "payment_return"):
        assert client.get(reverse(f"billing:{name}", args=[order.number])).status_code == 404
        assert client.get(reverse(f"billing:{name}", args=["0" * 20])).status_code == 404
    assert client.post(reverse("billing:order_cancel", args=[order.number])).status_code == 404
    assert fresh(order).state == OrderState.PENDING


def test_cancelling_needs_a_post(cast, client_for, order):
    assert client_for(cast.owner).get(f"{order.get_absolute_url()}cancel/").status_code == 405


def test_the_balance_pays_at_once_and_the_worker_fulfils(
    cast, client_for, order, work, django_capture_on_commit_callbacks
):
    with scope.staff():
        give_balance(cast.huachen, "6000.00")
    with django_capture_on_commit_callbacks(execute=True):
        page = client_for(cast.owner).post(
            reverse("billing:order_pay", args=[order.number]), {"balance": "use"}
        )
    assert page.url == order.get_absolute_url()
    assert fresh(order).state == OrderState.PAID
    work()

    order = fresh(order)
    assert order.state == OrderState.COMPLETED
    assert states(order) == ["pending", "paid", "provisioning", "completed"]
    with scope.staff():
        line = PaidLine.objects.get(subscription=order.subscription)
        assert balance_of(cast.huachen.pk) == Decimal("0.00")
    assert (line.cash, line.paid_days, line.list_amount, line.order_number) == (
        {"balance": "6000.00"},
        365,
        Decimal("6000.00"),
        order.number,
    )
    assert line.ends == clock.add_years(line.starts, 1)
    assert [m.subject for m in mail.outbox] == ["您的轻量级支持计划已开通"]
    assert "轻量级" in client_for(cast.owner).get("/support/plan/").content.decode()


def test_a_part_of_the_balance_is_held_and_can_be_taken_back(cast, client_for, order):
    with scope.staff():
        give_balance(cast.huachen, "1000.00")
    client, pay = client_for(cast.owner), reverse("billing:order_pay", args=[order.number])

    assert client.post(pay, {"balance": "use"}).url.endswith("/cashier/")
    assert fresh(order).due == Decimal("5000.00")
    cashier = client.get(reverse("billing:cashier", args=[order.number])).content.decode()
    assert "¥5,000.00" in strip_tags(cashier)
    client.post(pay, {})
    assert fresh(order).due == Decimal("6000.00")
    client.post(pay, {"balance": "use"})
    client.post(reverse("billing:order_cancel", args=[order.number]))

    assert fresh(order).state == OrderState.CANCELLED
    with scope.staff():
        assert balance_of(cast.huachen.pk) == Decimal("1000.00")


def test_an_unpaid_order_expires_and_frees_what_it_held(cast, order):
    with scope.staff():
        give_balance(cast.huachen, "1000.00")
    with scope.customer(cast.huachen.pk):
        use_balance(order, cast.owner, at=clock.now())
    with scope.staff():
        assert orders.orders_expire_due(at=order.pays_until - timedelta(seconds=1)) == 0
        assert orders.orders_expire_due(at=order.pays_until) == 1
        assert orders.orders_expire_due(at=order.pays_until) == 0
        assert balance_of(cast.huachen.pk) == Decimal("1000.00")
    assert states(order) == ["pending", "expired"]
    with scope.customer(cast.huachen.pk), pytest.raises(errors.OrderNotPayable):
        use_balance(order, cast.owner, at=order.pays_until)


def test_a_paid_order_stays_paid(cast, order):
    with scope.staff():
        give_balance(cast.huachen, "6000.00")
    with scope.customer(cast.huachen.pk):
        use_balance(order, cast.owner, at=clock.now())
        with pytest.raises(errors.OrderNotCancellable):
            orders.order_cancel(order_id=order.pk, actor=actor_of(cast.owner), at=clock.now())
    assert fresh(order).state == OrderState.PAID


def paid(cast, order):
    with scope.staff():
        give_balance(cast.huachen, "6000.00")
        use_balance(order, cast.owner, at=clock.now())


def test_a_worker_that_died_loses_nothing(cast, order):
    paid(cast, order)
    with time_machine.travel(clock.now() + timedelta(minutes=5), tick=False):
        orders_provision_due()
        orders_provision_due()

    assert states(order) == ["pending", "paid", "provisioning", "completed"]
    with scope.staff():
        assert Subscription.objects.filter(tenant=cast.huachen).count() == 1


def test_fulfilling_twice_is_fulfilling_once(cast, order):
    paid(cast, order)
    for _ in range(2):
        with scope.staff():
            provisioning.order_provision(order_id=order.pk, at=clock.now())

    assert states(order) == ["pending", "paid", "provisioning", "completed"]
    with scope.staff():
        assert PaidLine.objects.count() == 1


def test_what_cannot_be_delivered_any_more_is_refunded_to_the_balance(cast, order):
    paid(cast, order)
    give_plan(cast.huachen, "paid", clock.now())
    with scope.staff():
        provisioning.order_provision(order_id=order.pk, at=clock.now())
        assert balance_of(cast.huachen.pk) == Decimal("6000.00")
        assert OrderEvent.objects.filter(order=order).last().note == "plan_already_active"
        refund = Refund.objects.get(order=order)
    assert fresh(order).state == OrderState.REFUNDED
    assert states(order) == ["pending", "paid", "provisioning", "refunded"]
    assert (refund.state, refund.amount) == (RefundState.SUCCEEDED, Decimal("6000.00"))
    assert (refund.method, refund.destination, refund.payment) == ("balance", "balance", None)


def test_money_of_a_wallet_for_what_cannot_be_delivered_goes_to_the_balance_once(
    cast, client_for, gateway, order
):
    with scope.staff():
        give_balance(cast.huachen, "1000.00")
    with scope.customer(cast.huachen.pk):
        use_balance(order, cast.owner, at=clock.now())
    payment = pay_at(gateway, order, cast.owner, deliver=False)
    give_plan(cast.huachen, "paid", clock.now())
    for _ in range(2):
        fulfil(order)

    with scope.staff():
        assert balance_of(cast.huachen.pk) == Decimal("6000.00")
        refunds = Refund.objects.filter(order=order).order_by("method")
        assert list(refunds.values_list("method", "destination", "payment", "amount", "state")) == [
            ("balance", "balance", None, Decimal("1000.00"), "succeeded"),
            ("local", "balance", payment.pk, Decimal("5000.00"), "succeeded"),
        ]
        assert tenants_prove(cast.huachen.pk, cast.huachen.pk)[1] == []
        number = refunds[1].number
    page = client_for(cast.staff["finance"]).get(
        reverse("billing:finance_refund_list"), {"q": order.number}
    )
    assert number in page.content.decode()


def test_the_nightly_proof_misses_a_refund_of_what_was_not_delivered(cast, order):
    paid(cast, order)
    with scope.staff():
        sql("UPDATE billing_order SET state = 'refunded' WHERE id = %s", order.pk)
        found = tenants_prove(cast.huachen.pk, cast.huachen.pk)[1]
    assert [(row.check, row.subject, row.expected, row.found) for row in found] == [
        ("undelivered", order.number, "6000.00", "0.00")
    ]


def test_the_status_endpoint_is_silent_until_something_changed(cast, client_for, order):
    client, url = client_for(cast.owner), reverse("billing:order_status", args=[order.number])

    assert client.get(url, {"version": order.version}).status_code == 204
    paid(cast, order)
    news = client.get(url, {"version": order.version})
    assert "正在开通服务" in news.content.decode()
    assert "<html" not in news.content.decode()


def test_the_list_filters_by_state_and_stays_within_its_queries(
    cast, client_for, order, max_queries
):
    client = client_for(cast.owner)
    with max_queries(15):
        assert order.number in client.get("/support/orders/").content.decode()
    with max_queries(15):
        client.get(order.get_absolute_url())
    assert order.number not in client.get("/support/orders/?state=completed").content.decode()
    assert client.get("/support/orders/?state=nonsense&page=99").status_code == 200


@pytest.mark.parametrize(("column", "value"), [("amount", "1"), ("number", "'1'"), ("years", "3")])
def test_what_was_agreed_cannot_be_changed_by_the_customers_role(cast, order, column, value):
    with scope.customer(cast.huachen.pk), pytest.raises(ProgrammingError), transaction.atomic():
        sql(f"UPDATE billing_order SET {column} = {value}")
