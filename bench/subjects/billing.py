"""The portal's side of ``bench/billing.py``: a program that repeats one operation, or counts its queries.

Each order is another account's. The ``ACCOUNTS`` stand in the database already, with an account book that has been
opened: they have paid before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from accounts.access import Actor
from accounts.models import Tenant, User
from bench.harness.loop import serve
from billing.models import Order, Payment
from billing.providers.base import TradeReport, TradeStatus
from billing.providers.registry import provider_get
from billing.quotes import Quote
from billing.selectors.changes import quote_change_of
from billing.selectors.terms import change_terms
from billing.services.payments import payment_apply
from billing.services.placing import order_create
from billing.services.provisioning import order_provision
from billing.states import OrderState
from core import clock
from core.tenancy import scope
from supportplans.selectors.catalogue import agreement_at
from tests.queries import counted_queries

ACCOUNTS = 400
SUBSCRIBER = "云帆物流"
FILLING = f"""
INSERT INTO accounts_tenant (public_id, name, contact_name, contact_phone, is_active, created_at)
SELECT gen_random_uuid(), 'bench ' || number, '', '', true, now() FROM generate_series(1, {ACCOUNTS}) AS number;
INSERT INTO billing_ledgeraccount (tenant_id, kind, balance)
SELECT id, kind, 0 FROM accounts_tenant, unnest(ARRAY['local', 'sales']) AS kind WHERE name LIKE 'bench %';
"""
PROVIDER = "local"
OWNER = "owner@huachen.example"


@contextmanager
def upgrade_price() -> Iterator[Callable[[], object]]:
    """Price the step from 商务级 to 企业级 for a running subscription, which is read each time.

    In one customer's scope, as a request prices it beside all else that it does.
    """
    with scope.staff():
        tenant = Tenant.objects.get(name=SUBSCRIBER)
    at = clock.now()

    def operation() -> Quote:
        return quote_change_of(change_terms(tenant.pk, "enterprise", at), at=at)

    with scope.customer(tenant.pk):
        yield operation


@contextmanager
def create() -> Iterator[Callable[[], Order]]:
    """Order 轻量级 for a year, in the customer's scope and transaction."""
    with scope.staff():
        accounts = iter(list(Tenant.objects.filter(name__startswith="bench ").order_by("pk")))
        owner = User.objects.get(email=OWNER)
    version = agreement_at(clock.now()).version
    actor = Actor(user=owner, name=owner.name, title="所有者", address="192.0.2.7")

    def operation() -> Order:
        account = next(accounts)
        with scope.customer(account.pk):
            return order_create(
                tenant_id=account.pk,
                plan_code="lite",
                years=1,
                agreement_version=version,
                shown_amount=None,
                idempotency_key="benchmark",
                actor=actor,
                at=clock.now(),
            )

    yield operation


@contextmanager
def complete() -> Iterator[Callable[[], object]]:
    """Provision an order that was paid, in the worker's transaction."""
    reports = _placed()
    for report, _order_id in reports:
        with scope.staff():
            payment_apply(report, provider_code=PROVIDER, at=clock.now())
    waiting = iter(reports)

    def operation() -> None:
        _report, order_id = next(waiting)
        _provision(order_id)

    yield operation


@contextmanager
def pay_and_complete() -> Iterator[Callable[[], object]]:
    """Apply a provider's word that an order was paid, then provision it, each step in the worker's own transaction."""
    waiting = iter(_placed())

    def operation() -> None:
        report, order_id = next(waiting)
        with scope.staff():
            payment_apply(report, provider_code=PROVIDER, at=clock.now())
        _provision(order_id)

    yield operation


def _placed() -> list[tuple[TradeReport, int]]:
    """Place an order of each account; return what the provider will say of it, and its id."""
    with create() as place:
        orders = [place() for _ in range(ACCOUNTS)]
    with scope.staff():
        return [_awaited(order) for order in orders]


def _provision(order_id: int) -> None:
    with scope.staff():
        order = order_provision(order_id=order_id, at=clock.now())
    assert order.state == OrderState.COMPLETED


def _awaited(order: Order) -> tuple[TradeReport, int]:
    """Open an attempt to pay and return what the provider will say of it."""
    payment = Payment.objects.create(
        tenant_id=order.tenant_id,
        order=order,
        provider=PROVIDER,
        number=order.number,
        amount=order.due,
        expires_at=order.pays_until,
        next_poll_at=order.pays_until,
        created_at=order.created_at,
    )
    report = TradeReport(
        TradeStatus.PAID,
        merchant=provider_get(PROVIDER).merchant,
        number=payment.number,
        amount=payment.amount,
        currency=payment.currency,
        trade_no=payment.number,
        paid_at=order.created_at,
    )
    return report, order.pk


def main(name: str, *, counts: bool) -> None:
    """Serve the operation, or print how often it asks the database."""
    operations = {
        "upgrade_price": upgrade_price,
        "create": create,
        "complete": complete,
        "pay_and_complete": pay_and_complete,
    }
    with operations[name]() as operation:
        if not counts:
            serve(operation)
            return
        with counted_queries() as queries:
            operation()
        print(len(queries))
