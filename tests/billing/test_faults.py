"""Killed workers, lost answers, a crashed database, an emptied broker: every order is fulfilled or given back, once."""

from __future__ import annotations

import itertools
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
import requests
from django.db import connection
from django.test import Client

from accounts.models import Membership, Tenant, User
from accounts.models.tenants import TenantRole
from billing.models import LedgerAccount, Order, Payment, Refund
from billing.providers.local_gateway.store import Trouble
from billing.selectors.wallet import balance_of
from billing.services.payments import payment_begin
from billing.services.placing import order_create_unsubscription
from billing.services.proof import coupons_prove, tenant_ranges, tenants_prove
from billing.states import AccountKind, OrderState, OrderType, PaymentState, RefundState
from core.tenancy import scope
from supportplans.models import PaidLine, Subscription
from supportplans.selectors.catalogue import agreement_at
from supportplans.states import SubscriptionState
from tests.factories.billing import actor_of, give_balance, order_for, use_balance
from tests.faulty import WITHIN_SECONDS, FaultyPortal, faulty_portal, wait_until

pytestmark = pytest.mark.xdist_group("faults")
PRICE = Decimal("6000.00")
DONE = (OrderState.COMPLETED, OrderState.REFUNDED)
CLICK_AGAIN_SECONDS = 0.1
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
TOKEN = "a" * 32
SERVER_ERROR = 500
number = itertools.count(1)


@pytest.fixture(scope="module")
def portal(django_db_blocker) -> Iterator[FaultyPortal]:
    with (
        pytest.MonkeyPatch.context() as patch,
        django_db_blocker.unblock(),
        faulty_portal(patch) as running,
    ):
        yield running


@pytest.fixture(autouse=True)
def the_books_are_right(portal) -> Iterator[None]:
    """After every fault the nightly proof finds nothing, and every order has done what it was placed for, once."""
    portal.revive()
    yield
    with scope.staff():
        found = coupons_prove()
        for low, high in tenant_ranges():
            found += tenants_prove(low, high)[1]
        assert found == []
        assert not Order.objects.exclude(state__in=DONE).exclude(type=OrderType.TOP_UP).exists()
        for tenant in Tenant.objects.all():
            assert_once(tenant)


def assert_once(tenant: Tenant) -> None:
    """Hold the tenant's plan, lines, refunds and sales against its completed orders. Staff's scope."""
    done = Order.objects.filter(tenant=tenant, state=OrderState.COMPLETED)
    bought, left = (
        [order for order in done if order.type == kind]
        for kind in (OrderType.NEW, OrderType.UNSUBSCRIBE)
    )
    lines = PaidLine.objects.filter(tenant=tenant)
    assert sorted(line.order_number for line in lines) == sorted(order.number for order in bought)
    active = Subscription.objects.filter(tenant=tenant, state=SubscriptionState.ACTIVE)
    assert (Subscription.objects.filter(tenant=tenant).count(), active.count()) == (
        len(bought),
        len(bought) - len(left),
    )
    refunds = Refund.objects.filter(tenant=tenant)
    assert [r.state for r in refunds] == [RefundState.SUCCEEDED] * len(left)
    assert sum((r.amount for r in refunds), Decimal("0.00")) == PRICE * len(left)
    sales = LedgerAccount.objects.filter(tenant=tenant, kind=AccountKind.SALES).first()
    assert (sales.balance if sales else Decimal("0.00")) == PRICE * (len(bought) - len(left))


class Customer:
    """An account with an owner, who clicks again where the portal does not answer."""

    def __init__(self, portal: FaultyPortal, balance: str = "") -> None:
        self.portal, self.name, self.has_balance = portal, f"客户{next(number)}", bool(balance)
        at = portal.now()
        self.tenant = Tenant.objects.create(name=self.name, created_at=at)
        self.owner = User.objects.create_user(f"{uuid.uuid4().hex}@faults.test", name=self.name)
        Membership.objects.create(
            tenant=self.tenant, user=self.owner, role=TenantRole.OWNER, created_at=at
        )
        if balance:
            with scope.staff():
                give_balance(self.tenant, balance)

    def buys(self) -> Order:
        """Order 轻量级 for a year and pay it from the balance."""
        order = order_for(self.tenant, self.owner, at=self.portal.now())
        with scope.customer(self.tenant.pk):
            return use_balance(order, self.owner, at=self.portal.now())

    def pays_at_the_gateway(self, order: Order) -> Payment:
        """Open an attempt and pay it on the gateway's page."""
        with scope.customer(self.tenant.pk):
            begun = payment_begin(
                order_id=order.pk,
                provider_code="local",
                actor=actor_of(self.owner),
                at=self.portal.now(),
            )
        pay_on_page(begun.address)
        return begun.payment

    def leaves(self) -> Order:
        """Unsubscribe within seven days: everything goes back."""
        with scope.customer(self.tenant.pk):
            return order_create_unsubscription(
                tenant_id=self.tenant.pk,
                reason="other",
                reason_text="",
                confirmed=True,
                shown_amount=PRICE,
                idempotency_key=str(uuid.uuid4()),
                to_balance=False,
                actor=actor_of(self.owner),
                at=self.portal.now(),
            )


def pay_on_page(address: str) -> None:
    page = requests.get(address, timeout=10).text
    token = page.split('action="/trades/')[1].split("/", maxsplit=1)[0]
    origin = address.split("/pay?", maxsplit=1)[0]
    requests.post(f"{origin}/trades/{token}/pay", timeout=10, allow_redirects=False)


def state_of(row: Order | Payment | Refund) -> str:
    with scope.staff():
        return type(row)._default_manager.values_list("state", flat=True).get(pk=row.pk)


def completed(*orders: Order) -> Callable[[], bool]:
    return lambda: all(state_of(order) == OrderState.COMPLETED for order in orders)


def refund_of(order: Order) -> Refund:
    with scope.staff():
        return Refund.objects.get(order=order)


def error_of(row: Payment | Refund) -> str:
    with scope.staff():
        return type(row)._default_manager.values_list("error", flat=True).get(pk=row.pk)


def given_back(portal: FaultyPortal, order: Order) -> list[Decimal]:
    with scope.staff():
        payment = Payment.objects.get(order=order)
    with portal.store().transaction() as db:
        rows = db.execute(
            "SELECT refund.amount FROM refund JOIN trade ON trade.id = trade_id WHERE number = ?",
            [payment.number],
        ).fetchall()
    return [Decimal(row["amount"]) for row in rows]


# A killed worker

STANDS_STILL = {
    "before it begins": ("accounts_tenant", "id = %(tenant)s"),
    "before it delivers": ("billing_order", "id = %(order)s"),
    "in the middle": ("billing_ledgeraccount", "tenant_id = %(tenant)s"),
}


@pytest.mark.parametrize("where", STANDS_STILL)
def test_what_a_killed_worker_had_in_hand_is_done_once(portal, where):
    customer = Customer(portal, "6000.00")
    bought = customer.buys()
    wait_until(completed(bought))
    with portal.messages_lost():
        order = customer.leaves()
    table, rows = STANDS_STILL[where]
    with portal.locked(table, rows, order=order.pk, tenant=customer.tenant.pk):
        portal.send("billing.order_provision", order_id=order.pk)
        wait_until(portal.somebody_waits)
        portal.kill("worker")
    assert state_of(order) == OrderState.PAID
    others = [Customer(portal, "6000.00").buys() for _ in range(2)]

    portal.start("worker")
    portal.sweep()
    wait_until(completed(order, *others))

    for _ in range(2):  # the broker delivers again what the killed worker did not acknowledge
        portal.send("billing.order_provision", order_id=order.pk)
    last = Customer(portal, "6000.00").buys()
    wait_until(completed(last))
    with scope.staff():
        assert balance_of(customer.tenant.pk) == PRICE


def test_a_worker_killed_among_many_orders_leaves_none_behind(portal):
    customers = [Customer(portal, "6000.00") for _ in range(10)]
    orders = [customer.buys() for customer in customers]
    wait_until(lambda: sum(state_of(order) == OrderState.COMPLETED for order in orders) >= 2)
    portal.kill("worker")
    portal.start("worker")

    portal.sweep()
    wait_until(completed(*orders))


# Answers that are lost


def test_a_payment_whose_word_and_answer_are_lost_pays_once(portal):
    customer = Customer(portal)
    order = order_for(customer.tenant, customer.owner, at=portal.now())
    portal.store().expect_trouble("notify", Trouble.NOTIFY_NEVER)
    portal.store().expect_trouble("query", Trouble.LOSE_REPLY)

    payment = customer.pays_at_the_gateway(order)
    portal.send("billing.payment_follow", payment_id=payment.pk)
    wait_until(lambda: error_of(payment))
    assert state_of(order) == OrderState.PENDING

    portal.sweep()
    wait_until(completed(order))
    assert state_of(payment) == PaymentState.SUCCEEDED


def test_a_refund_whose_answer_is_lost_arrives_once(portal):
    customer = Customer(portal)
    order = order_for(customer.tenant, customer.owner, at=portal.now())
    customer.pays_at_the_gateway(order)
    wait_until(completed(order))
    portal.store().expect_trouble("refund", Trouble.LOSE_REPLY)

    left = customer.leaves()
    wait_until(completed(left))
    wait_until(lambda: error_of(refund_of(left)))
    assert state_of(refund_of(left)) == RefundState.PROCESSING

    portal.sweep()
    wait_until(lambda: state_of(refund_of(left)) == RefundState.SUCCEEDED)
    assert given_back(portal, order) == [PRICE]


def test_a_refund_whose_worker_is_killed_after_asking_arrives_once(portal):
    customer = Customer(portal)
    order = order_for(customer.tenant, customer.owner, at=portal.now())
    customer.pays_at_the_gateway(order)
    wait_until(completed(order))
    portal.store().expect_trouble("refund", Trouble.ANSWER_LATE, "3")

    left = customer.leaves()
    wait_until(lambda: given_back(portal, order))
    portal.kill("worker")
    assert state_of(refund_of(left)) == RefundState.PROCESSING

    portal.start("worker")
    portal.sweep()
    wait_until(lambda: state_of(refund_of(left)) == RefundState.SUCCEEDED)
    assert given_back(portal, order) == [PRICE]


# A crashed database


def test_a_database_that_crashes_while_customers_pay_loses_and_doubles_nothing(portal):
    by_balance = [Customer(portal, "6000.00") for _ in range(4)]
    by_wallet = [Customer(portal) for _ in range(4)]
    shoppers = [Shopper(customer, portal) for customer in by_balance + by_wallet]
    connection.close()

    threads = [threading.Thread(target=shopper.shop, daemon=True) for shopper in shoppers]
    for thread in threads:
        thread.start()
    for enough in (1, 4):
        wait_until(lambda enough=enough: sum(shopper.paid for shopper in shoppers) >= enough)
        portal.restart_database()
    for thread in threads:
        thread.join(timeout=WITHIN_SECONDS)
    assert all(shopper.paid for shopper in shoppers), [s.answers[-3:] for s in shoppers]

    connection.close()
    with scope.staff():
        placed = Order.objects.filter(tenant__in=[c.tenant for c in by_balance + by_wallet])
        orders = list(placed.filter(type=OrderType.NEW))
    assert len(orders) == len(shoppers)
    portal.sweep()
    wait_until(completed(*orders))
    with scope.staff():
        paid = Payment.objects.filter(order__in=orders).values_list("state", flat=True)
        assert list(paid) == [PaymentState.SUCCEEDED] * len(by_wallet)
    assert any(answer >= SERVER_ERROR for shopper in shoppers for answer in shopper.answers)


class Shopper:
    """A customer's browser: orders and pays on the portal's pages, and clicks again until it is through."""

    def __init__(self, customer: Customer, portal: FaultyPortal) -> None:
        self.portal = portal
        self.answers: list[int] = []
        self.paid = False
        self.balance = customer.has_balance
        signed_in = Client()
        signed_in.force_login(customer.owner, backend=BACKEND)
        self.http = requests.Session()
        self.http.cookies.set("sessionid", signed_in.cookies["sessionid"].value)
        self.http.cookies.set("csrftoken", TOKEN)
        self.form = {
            "plan": "lite",
            "years": "1",
            "agreement": agreement_at(portal.now()).version,
            "shown_amount": "6000.00",
            "key": str(uuid.uuid4()),
        }

    def shop(self) -> None:
        """Order, choose what pays, pay."""
        place = self.click("/support/order/new/", self.form)
        if self.balance:
            self.click(place, {"balance": "on"})
        else:
            address = self.click(place.replace("/pay/", "/cashier/"), {"method": "local"})
            pay_on_page(address)
        self.paid = True

    def click(self, path: str, form: dict[str, str]) -> str:
        """Send a form until it is answered; return the address that it leads to."""
        form = {**form, "csrfmiddlewaretoken": TOKEN}
        while True:
            try:
                answer = self.http.post(
                    f"{self.portal.address}{path}", data=form, allow_redirects=False, timeout=10
                )
            except requests.RequestException:
                self.answers.append(0)
            else:
                self.answers.append(answer.status_code)
                if answer.is_redirect:
                    return answer.headers["Location"]
                assert answer.status_code >= SERVER_ERROR, answer.text
            time.sleep(CLICK_AGAIN_SECONDS)


# A lost broker


def test_an_emptied_broker_keeps_nobody_waiting_for_long(portal):
    portal.kill("worker")
    orders = [Customer(portal, "6000.00").buys() for _ in range(4)]
    customer = Customer(portal)
    by_wallet = order_for(customer.tenant, customer.owner, at=portal.now())
    portal.store().expect_trouble("notify", Trouble.NOTIFY_NEVER)
    customer.pays_at_the_gateway(by_wallet)
    portal.lose_broker()

    portal.start("worker")
    portal.sweep()
    wait_until(lambda: state_of(by_wallet) != OrderState.PENDING)
    wait_until(completed(by_wallet, *orders))

    portal.lose_broker()
    after = Customer(portal, "6000.00").buys()
    portal.sweep()
    wait_until(completed(after))
