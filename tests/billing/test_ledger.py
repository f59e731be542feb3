"""The account book: balanced, append-only, never spent twice. The database itself refuses what is wrong."""

from decimal import Decimal

import pytest
from django.db import Error, IntegrityError, transaction

from accounts.models.users import StaffRole
from billing.exceptions import AmountInvalid, BalanceTooLow
from billing.models import LedgerAccount, LedgerLeg, LedgerTransaction
from billing.selectors.wallet import balance_of
from billing.services.ledger import (
    balance_hold,
    balance_top_up,
    hold_capture,
    hold_release,
    ledger_post,
)
from billing.states import AccountKind, PostingKind
from core import clock
from core.tenancy import scope
from tests.factories.billing import actor_of, give_balance, order_for, sql

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(cast):
    return order_for(cast.huachen, cast.owner)


def balances(tenant):
    return {row.kind: row.balance for row in LedgerAccount.objects.filter(tenant=tenant)}


def test_a_hold_moves_money_aside_and_its_end_spends_or_frees_it(cast, order, as_staff):
    give_balance(cast.huachen, "100.00")
    actor, at = actor_of(cast.owner), clock.now()

    balance_hold(order=order, amount=Decimal("60.00"), actor=actor, at=at)
    assert balances(cast.huachen)["balance"] == Decimal("40.00")
    hold_release(order=order, actor=actor, at=at)
    hold_release(order=order, actor=actor, at=at)
    assert balance_of(cast.huachen.pk) == Decimal("100.00")

    balance_hold(order=order, amount=Decimal("100.00"), actor=actor, at=at)
    hold_capture(order=order, actor=actor, at=at)
    assert balances(cast.huachen) == {
        "balance": Decimal("0.00"),
        "held": Decimal("0.00"),
        "sales": Decimal("100.00"),
        "transfer": Decimal("-100.00"),
    }


def test_more_than_there_is_cannot_be_held(cast, order, as_staff):
    give_balance(cast.huachen, "59.99")

    with pytest.raises(BalanceTooLow):
        balance_hold(
            order=order, amount=Decimal("60.00"), actor=actor_of(cast.owner), at=clock.now()
        )

    assert balance_of(cast.huachen.pk) == Decimal("59.99")


@pytest.mark.parametrize("legs", [{"transfer": "-100.00", "balance": "99.99"}, {"balance": "0.01"}])
def test_the_database_refuses_legs_that_do_not_sum_to_zero(cast, order, as_staff, legs):
    with pytest.raises(IntegrityError, match="does not balance"), transaction.atomic():
        ledger_post(
            tenant_id=cast.huachen.pk,
            kind=PostingKind.TOP_UP,
            legs={AccountKind(name): Decimal(amount) for name, amount in legs.items()},
            order=order,
            actor=actor_of(cast.owner),
            at=clock.now(),
        )

    assert not LedgerTransaction.objects.exists()


def test_a_leg_added_later_by_raw_sql_is_refused_when_the_transaction_ends(cast, as_staff):
    posting = give_balance(cast.huachen, "100.00")
    account = LedgerAccount.objects.create(tenant=cast.huachen, kind=AccountKind.SALES)

    with pytest.raises(IntegrityError, match="does not balance"), transaction.atomic():
        sql(
            "INSERT INTO billing_ledgerleg (tenant_id, transaction_id, account_id, amount) VALUES (%s, %s, %s, 5)",
            cast.huachen.pk,
            posting.pk,
            account.pk,
        )
        sql("SET CONSTRAINTS ALL IMMEDIATE")


def test_the_database_refuses_a_negative_balance_without_the_services_check(cast, order, as_staff):
    give_balance(cast.huachen, "10.00")
    posting = LedgerTransaction.objects.create(
        tenant=cast.huachen, kind=PostingKind.HOLD, order=order, created_at=clock.now()
    )
    balance = LedgerAccount.objects.get(tenant=cast.huachen, kind=AccountKind.BALANCE)

    with pytest.raises(IntegrityError, match="ledger_balance_not_negative"), transaction.atomic():
        LedgerLeg.objects.create(
            tenant=cast.huachen, transaction=posting, account=balance, amount=Decimal("-10.01")
        )


@pytest.mark.parametrize("change", ["balance = balance + 1", "balance = 0"])
@pytest.mark.parametrize("who", ["staff", "customer"])
def test_nobody_changes_a_balance_but_by_a_posting(cast, change, who):
    with scope.staff():
        give_balance(cast.huachen, "10.00")
    inside = scope.staff() if who == "staff" else scope.customer(cast.huachen.pk)

    with inside, pytest.raises(IntegrityError, match="by postings only"), transaction.atomic():
        sql(f"UPDATE billing_ledgeraccount SET {change}")


def test_an_account_cannot_be_opened_with_money(cast, as_staff):
    with pytest.raises(IntegrityError, match=r"opens with 0\.00"), transaction.atomic():
        LedgerAccount.objects.create(
            tenant=cast.huachen, kind=AccountKind.BALANCE, balance=Decimal("1.00")
        )


@pytest.mark.parametrize("table", ["billing_ledgerleg", "billing_ledgertransaction"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET tenant_id = tenant_id", "DELETE FROM {}"])
@pytest.mark.parametrize("who", ["staff", "customer"])
def test_the_book_is_append_only(cast, table, statement, who):
    with scope.staff():
        give_balance(cast.huachen, "10.00")
    inside = scope.staff() if who == "staff" else scope.customer(cast.huachen.pk)

    with inside, pytest.raises(Error, match=r"permission denied|append-only"), transaction.atomic():
        sql(statement.format(table))


def test_a_posting_names_its_order_or_its_operator(cast, as_staff):
    with (
        pytest.raises(IntegrityError, match="posting_names_order_or_operator"),
        transaction.atomic(),
    ):
        LedgerTransaction.objects.create(
            tenant=cast.huachen, kind=PostingKind.TOP_UP, created_at=clock.now()
        )


def test_finance_books_a_transfer(cast, client_for, run_jobs):
    page = client_for(cast.staff[StaffRole.FINANCE]).post(
        "/finance/top-ups/new/",
        {"customer": cast.huachen.name, "amount": "20,000.00", "note": "银行回单 8891"},
    )

    assert page.status_code == 302
    with scope.staff():
        assert balance_of(cast.huachen.pk) == Decimal("20000.00")
        posting = LedgerTransaction.objects.get()
    assert (posting.kind, posting.note, posting.actor) == (
        PostingKind.TOP_UP,
        "银行回单 8891",
        cast.staff[StaffRole.FINANCE],
    )


def test_the_same_transfer_is_booked_once(cast, client_for):
    client = client_for(cast.staff[StaffRole.FINANCE])
    transfer = {"customer": cast.huachen.name, "amount": "20000", "note": "银行回单 8891"}
    client.post("/finance/top-ups/new/", transfer)

    again = client.post("/finance/top-ups/new/", transfer)

    assert again.status_code == 422
    assert again.context["form"].errors["note"] == ["该流水号已登记过，请勿重复入账"]
    with scope.staff():
        assert balance_of(cast.huachen.pk) == Decimal("20000.00")


@pytest.mark.parametrize("amount", ["0", "-5", "1.001", "NaN", "abc"])
def test_what_is_no_amount_is_refused_beside_the_field(cast, client_for, amount):
    page = client_for(cast.staff[StaffRole.FINANCE]).post(
        "/finance/top-ups/new/", {"customer": cast.huachen.name, "amount": amount, "note": "回单"}
    )

    assert page.status_code == 422
    assert page.context["form"].errors["amount"]
    with scope.staff():
        assert not LedgerTransaction.objects.exists()


def test_the_service_refuses_what_is_no_amount(cast, as_staff):
    with pytest.raises(AmountInvalid):
        balance_top_up(
            tenant_id=cast.huachen.pk,
            amount=Decimal("0.00"),
            note="",
            actor=actor_of(cast.owner),
            at=clock.now(),
        )


def test_finances_pages_are_for_finance(cast, client_for):
    for path in ("/finance/payments/", "/finance/top-ups/new/"):
        assert client_for(cast.owner).get(path).status_code == 404
        assert client_for(cast.staff[StaffRole.VIP_AGENT]).get(path).status_code == 403
        assert client_for(cast.staff[StaffRole.FINANCE]).get(path).status_code == 200
