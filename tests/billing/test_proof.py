"""The nightly proof: each invariant is broken past the database's own refusals, as the tables' owner, and found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal

import psycopg2
import pytest
from django.db import connection

from accounts.models import Tenant
from billing.models import Coupon, LedgerProof, Payment, Voucher, VoucherUse
from billing.selectors.reconciliation import proof_due
from billing.services import proof
from billing.services.ledger import balance_hold
from billing.states import CouponKind, HoldState
from billing.tasks import ledger_prove, ledger_prove_due
from config import env
from core import clock
from core.clock import SHANGHAI
from core.tenancy import scope
from tests.factories.billing import (
    actor_of,
    give_balance,
    order_for,
    pay_at,
    refunds_for,
    top_up_order,
)

pytestmark = pytest.mark.django_db(transaction=True)


def as_owner(*statements: str) -> None:
    """Run statements as the owner of the tables, whose triggers can be switched off."""
    owner, settings = env.database("DATABASE_OWNER_URL"), connection.settings_dict
    connected = psycopg2.connect(
        dbname=settings["NAME"],
        user=owner["USER"],
        password=owner["PASSWORD"],
        host=settings["HOST"],
        port=settings["PORT"] or None,
    )
    with connected, connected.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    connected.close()


def without_triggers(table: str, statement: str) -> None:
    as_owner(
        f"ALTER TABLE {table} DISABLE TRIGGER USER",
        statement,
        f"ALTER TABLE {table} ENABLE TRIGGER USER",
    )


@contextmanager
def without_constraint(table: str, name: str, definition: str, mend: str) -> Iterator[None]:
    as_owner(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    try:
        yield
    finally:
        as_owner(mend, f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({definition})")


@pytest.fixture
def busy(cast, gateway):
    """A tenant with everything in its book: a top-up, a hold, a paid order, an open refund, a voucher, a coupon."""
    at = clock.now()
    with scope.staff():
        give_balance(cast.huachen, "100.00")
        held = top_up_order(cast.huachen, Decimal("30.00"))
        balance_hold(order=held, amount=Decimal("30.00"), actor=actor_of(cast.owner), at=at)
    payment = pay_at(gateway, order_for(cast.huachen, cast.owner), cast.owner)
    refunds_for(payment.order, local="1000.00")
    validity = {"valid_from": at, "valid_until": at + timedelta(days=9), "created_at": at}
    with scope.staff():
        voucher = Voucher.objects.create(
            tenant=cast.huachen,
            number="V1",
            name="代金券",
            amount=Decimal("50.00"),
            balance=Decimal("20.00"),
            key="v",
            **validity,
        )
        for amount, state in (
            ("10.00", HoldState.HELD),
            ("20.00", HoldState.CAPTURED),
            ("5.00", HoldState.RELEASED),
            ("7.00", HoldState.RETURNED),
        ):
            VoucherUse.objects.create(
                tenant=cast.huachen,
                voucher=voucher,
                order=top_up_order(cast.huachen, Decimal("99.00")),
                amount=Decimal(amount),
                state=state,
                created_at=at,
            )
        Coupon.objects.create(
            code="C1",
            name="券",
            kind=CouponKind.FIXED,
            value=Decimal("5.00"),
            budget=Decimal("10.00"),
            reserved=Decimal("10.00"),
            **validity,
        )
    return cast.huachen


def prove() -> list[dict[str, object]]:
    ledger_prove()
    with scope.staff():
        return LedgerProof.objects.latest("pk").findings


def found(tenant: Tenant | None, check: str, subject: str, expected: str, found: str):
    return {
        "check": check,
        "tenant": tenant.pk if tenant else None,
        "subject": subject,
        "expected": expected,
        "found": found,
    }


def test_a_book_that_holds(busy, messages):
    assert prove() == []
    with scope.staff():
        assert LedgerProof.objects.get().accounts == 6
    assert messages("billing.proof_failed") == []


def test_a_balance_that_is_not_the_sum_of_its_legs(busy, messages):
    without_triggers(
        "billing_ledgeraccount",
        "UPDATE billing_ledgeraccount SET balance = balance + 1 WHERE kind = 'sales'",
    )
    assert prove() == [found(busy, "balance", "sales", "5000.00", "5001.00")]
    assert messages("billing.proof_failed") == [["staff:operator", "staff:finance"]]


def test_a_posting_that_does_not_balance(busy):
    without_triggers(
        "billing_ledgerleg",
        "UPDATE billing_ledgerleg SET amount = amount + 1 WHERE id = "
        "(SELECT min(id) FROM billing_ledgerleg WHERE amount > 0)",
    )
    checks = prove()
    assert [finding["check"] for finding in checks] == ["balance", "posting"]
    assert (checks[1]["expected"], checks[1]["found"]) == ("0.00", "1.00")


def test_a_posting_without_legs(busy):
    as_owner(
        "INSERT INTO billing_ledgertransaction (tenant_id, kind, order_id, note, created_at, actor_name, actor_title)"
        " SELECT tenant_id, 'hold', id, '', now(), '', '' FROM billing_order LIMIT 1"
    )
    assert [finding["check"] for finding in prove()] == ["posting"]


def test_a_hold_that_the_account_does_not_hold(busy):
    as_owner("UPDATE billing_balancehold SET amount = 31.00")
    assert prove() == [found(busy, "held", "held", "31.00", "30.00")]


def test_a_hold_without_any_account(busy, cast):
    with scope.staff():
        order = top_up_order(cast.yunfan, Decimal("8.00"))
    as_owner(
        "INSERT INTO billing_balancehold (tenant_id, order_id, amount, state, created_at)"
        f" VALUES ({cast.yunfan.pk}, {order.pk}, 8, 'held', now())"
    )
    assert prove() == [found(cast.yunfan, "held", "held", "8.00", "0.00")]


def test_a_refund_that_the_book_does_not_owe(busy):
    as_owner("UPDATE billing_refund SET state = 'succeeded', done_at = now()")
    assert prove() == [found(busy, "refunding", "refunding", "0.00", "1000.00")]


def test_more_goes_back_than_was_paid(busy):
    with scope.staff():
        number = busy_payment(busy)
    as_owner("UPDATE billing_refund SET amount = 6000.01")
    assert found(busy, "refunded", number, "6000.00", "6000.01") in prove()


def test_something_goes_back_of_a_payment_that_never_came(busy):
    with scope.staff():
        number = busy_payment(busy)
    as_owner("UPDATE billing_payment SET state = 'failed'")
    assert prove() == [found(busy, "refunded", number, "0.00", "1000.00")]


def busy_payment(tenant: Tenant) -> str:
    return Payment.objects.get(tenant=tenant).number


def test_a_voucher_that_was_spent_twice(busy):
    as_owner("UPDATE billing_voucheruse SET amount = 25.00 WHERE state = 'captured'")
    assert prove() == [found(busy, "voucher", "V1", "15.00", "20.00")]


def test_a_coupon_that_promises_more_than_its_budget(busy):
    constraint = ("billing_coupon", "coupon_within_budget", "budget IS NULL OR reserved <= budget")
    with without_constraint(*constraint, mend="UPDATE billing_coupon SET reserved = 10"):
        as_owner("UPDATE billing_coupon SET reserved = 10.01")
        assert prove() == [found(None, "coupon", "C1", "10.00", "10.01")]


def test_every_tenant_is_in_one_batch(cast, monkeypatch):
    monkeypatch.setattr(proof, "TENANTS_AT_ONCE", 2)
    with scope.staff():
        for n in range(5):
            Tenant.objects.create(name=f"客户 {n}", created_at=clock.now())
        ids = sorted(Tenant.objects.values_list("pk", flat=True))
        ranges = list(proof.tenant_ranges())
    for tenant_id in ids:
        assert sum(low <= tenant_id <= high for low, high in ranges) == 1
    assert max(high - low for low, high in ranges) == 1


def test_the_last_tenant_is_proved_too(busy, cast, monkeypatch):
    monkeypatch.setattr(proof, "TENANTS_AT_ONCE", 1)
    with scope.staff():
        give_balance(cast.yunfan, "1.00")
    without_triggers(
        "billing_ledgeraccount",
        "UPDATE billing_ledgeraccount SET balance = balance + 1 WHERE kind = 'balance'",
    )
    assert [(row["check"], row["tenant"]) for row in prove()] == [
        ("balance", cast.huachen.pk),
        ("balance", cast.yunfan.pk),
    ]


def test_what_is_wrong_everywhere_does_not_fill_the_proof(busy, monkeypatch):
    monkeypatch.setattr(proof, "FINDINGS_PER_CHECK", 2)
    without_triggers("billing_ledgerleg", "UPDATE billing_ledgerleg SET amount = amount + 1")
    assert [row["check"] for row in prove()] == ["balance"] * 2 + ["posting"] * 2


def test_its_cost_does_not_grow_with_the_rows(busy, max_queries):
    with scope.staff(), max_queries(8):
        proof.tenants_prove(1, 10_000)


def test_it_runs_once_a_night(busy):
    two = datetime(2030, 5, 10, 2, tzinfo=SHANGHAI)
    with scope.staff():
        assert not proof_due(two - timedelta(seconds=1))
        assert proof_due(two)
        LedgerProof.objects.create(created_at=two + timedelta(minutes=1))
        assert not proof_due(two + timedelta(hours=9))
        assert proof_due(two + timedelta(days=1))


def test_the_sweep_proves_when_it_is_due(busy, monkeypatch):
    monkeypatch.setattr("billing.tasks.proof_due", lambda _: False)
    ledger_prove_due()
    monkeypatch.setattr("billing.tasks.proof_due", lambda _: True)
    ledger_prove_due()
    with scope.staff():
        assert LedgerProof.objects.count() == 1
