"""Giving coupons and vouchers, taking them back, and coupons that end by themselves."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from accounts.models import AuditEntry
from billing import exceptions as errors
from billing.models import Coupon, CouponGrant, Voucher
from billing.services import vouchers
from billing.states import CouponState
from billing.tasks import coupons_expire_due
from core import clock
from core.tenancy import scope
from messaging.models import Message
from tests.factories.billing import (
    actor_of,
    give_coupon,
    give_voucher,
    make_coupon,
    order_for,
    set_funds,
    sql,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def finance(cast):
    return actor_of(cast.staff["finance"])


def grant(tenant, coupon, key, actor):
    with scope.staff():
        return vouchers.coupon_grant(
            coupon_id=coupon.pk, tenant_id=tenant.pk, key=key, actor=actor, at=clock.now()
        )


def reserved(coupon):
    with scope.staff():
        return Coupon.objects.get(pk=coupon.pk).reserved


def told(kind):
    with scope.staff():
        return list(Message.objects.filter(kind=kind).values_list("tenant_id", "context"))


def test_the_same_line_of_an_import_grants_once_and_the_customer_is_told(cast, finance):
    coupon = make_coupon(budget=Decimal("5000.00"))

    first, again = (grant(cast.huachen, coupon, "import-7", finance) for _ in range(2))

    assert first.pk == again.pk
    assert reserved(coupon) == Decimal("500.00")
    ((tenant_id, context),) = told("billing.coupon_granted")
    assert (tenant_id, context["name"]) == (cast.huachen.pk, "上云优惠")
    with scope.staff():
        entry = AuditEntry.objects.get(action="billing.coupon_grant")
    assert (entry.subject, entry.actor) == (coupon.code, cast.staff["finance"])


def test_a_key_of_another_grant_is_refused_and_other_customers_have_their_own(cast, finance):
    coupon, other = make_coupon(), make_coupon()
    grant(cast.huachen, coupon, "k", finance)

    with pytest.raises(errors.IdempotencyKeyReused):
        grant(cast.huachen, other, "k", finance)
    assert grant(cast.yunfan, other, "k", finance).state == CouponState.AVAILABLE


def test_the_budget_is_never_exceeded(cast, finance):
    coupon = make_coupon(
        kind="percent", value=Decimal("10"), cap=Decimal("400.00"), budget=Decimal("1000.00")
    )
    for key in ("1", "2"):
        grant(cast.huachen, coupon, key, finance)

    with pytest.raises(errors.CouponBudgetSpent):
        grant(cast.huachen, coupon, "3", finance)

    assert reserved(coupon) == Decimal("800.00")
    with (
        pytest.raises(IntegrityError, match="coupon_within_budget"),
        transaction.atomic(),
        scope.staff(),
    ):
        sql("UPDATE billing_coupon SET reserved = 1000.01 WHERE id = %s", coupon.pk)


def test_a_coupon_that_is_over_is_not_granted(cast, finance):
    coupon = make_coupon(valid_until=clock.now() + timedelta(hours=1))

    with scope.staff(), pytest.raises(errors.CouponOver):
        vouchers.coupon_grant(
            coupon_id=coupon.pk,
            tenant_id=cast.huachen.pk,
            key="k",
            actor=finance,
            at=coupon.valid_until,
        )


def test_a_withdrawn_coupon_frees_its_budget_and_cannot_be_chosen(cast, finance):
    coupon = make_coupon(budget=Decimal("500.00"))
    given = grant(cast.huachen, coupon, "k", finance)

    with scope.staff():
        vouchers.coupon_withdraw(grant_id=given.pk, actor=finance, at=clock.now())

    assert reserved(coupon) == Decimal("0.00")
    order = order_for(cast.huachen, cast.owner)
    with scope.customer(cast.huachen.pk), pytest.raises(errors.CouponNotApplicable):
        set_funds(order, cast.owner, coupon_grant_id=given.pk)
    with scope.staff(), pytest.raises(errors.CouponNotWithdrawable):
        vouchers.coupon_withdraw(grant_id=given.pk, actor=finance, at=clock.now())
    grant(cast.yunfan, coupon, "k", finance)


def test_a_held_coupon_is_not_withdrawn(cast, finance):
    given, order = give_coupon(cast.huachen), order_for(cast.huachen, cast.owner)
    with scope.customer(cast.huachen.pk):
        set_funds(order, cast.owner, coupon_grant_id=given.pk)

    with scope.staff(), pytest.raises(errors.CouponNotWithdrawable):
        vouchers.coupon_withdraw(grant_id=given.pk, actor=finance, at=clock.now())


def test_coupons_end_by_themselves_and_free_what_they_reserved(cast, finance):
    at = clock.now()
    short = make_coupon(valid_until=at + timedelta(hours=1), budget=Decimal("1500.00"))
    long = make_coupon()
    free, held, stays = (
        grant(cast.huachen, short, "free", finance),
        grant(cast.yunfan, short, "held", finance),
        grant(cast.huachen, long, "stays", finance),
    )
    order = order_for(cast.yunfan, cast.other_owner)
    with scope.customer(cast.yunfan.pk):
        set_funds(order, cast.other_owner, coupon_grant_id=held.pk)

    with scope.staff():
        assert vouchers.coupons_expire_due(at=short.valid_until - timedelta(seconds=1)) == 0
        assert vouchers.coupons_expire_due(at=short.valid_until) == 1
        assert vouchers.coupons_expire_due(at=short.valid_until) == 0
        states = dict(CouponGrant.objects.values_list("pk", "state"))

    assert states == {free.pk: "expired", held.pk: "held", stays.pk: "available"}
    assert reserved(short) == Decimal("500.00")


def test_the_sweep_of_coupons_is_a_task(cast, finance):
    grant(cast.huachen, make_coupon(), "k", finance)

    coupons_expire_due()

    with scope.staff():
        assert CouponGrant.objects.get().state == CouponState.AVAILABLE


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"code": " "}, "code"),
        ({"name": ""}, "name"),
        ({"kind": "gift"}, "kind"),
        ({"value": Decimal("0.00")}, "value"),
        ({"value": Decimal("1.005")}, "value"),
        ({"value": Decimal("NaN")}, "value"),
        ({"kind": "percent", "value": Decimal("100.01"), "cap": Decimal("5.00")}, "value"),
        ({"kind": "percent", "value": Decimal("10")}, "cap"),
        ({"min_spend": Decimal("-1.00")}, "min_spend"),
        ({"budget": Decimal("-1.00")}, "budget"),
        ({"plans": ("standard",)}, "plans"),
        ({"plans": ("gold",)}, "plans"),
        ({"order_types": ("top_up",)}, "order_types"),
        ({"valid_until": clock.now() - timedelta(days=2)}, "valid_until"),
    ],
)
def test_terms_that_make_no_sense_are_refused_with_their_field(cast, changed, field):
    with pytest.raises(errors.CouponInvalid) as refused:
        make_coupon(**changed)

    assert refused.value.field == field
    with scope.staff():
        assert not Coupon.objects.exists()


def test_a_coupons_code_is_used_once(cast):
    make_coupon(code="YUN11")

    with pytest.raises(errors.CouponInvalid) as refused:
        make_coupon(code="YUN11")

    assert (refused.value.field, str(refused.value.message)) == ("code", "该优惠券编号已存在")


def test_a_voucher_is_granted_once_per_key_and_the_customer_is_told(cast):
    first, again = (give_voucher(cast.huachen, "800.00", key="line-1") for _ in range(2))

    assert first.pk == again.pk
    assert (first.balance, len(first.number)) == (Decimal("800.00"), 20)
    ((tenant_id, context),) = told("billing.voucher_granted")
    assert (tenant_id, context["amount"]) == (cast.huachen.pk, "800.00")
    with pytest.raises(errors.IdempotencyKeyReused):
        give_voucher(cast.huachen, "900.00", key="line-1")


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"amount": Decimal("0.00")}, errors.AmountInvalid),
        ({"amount": Decimal("-5.00")}, errors.AmountInvalid),
        ({"amount": Decimal("1.001")}, errors.AmountInvalid),
        ({"amount": Decimal("Infinity")}, errors.AmountInvalid),
        ({"valid_until": clock.now() - timedelta(hours=1)}, errors.ValidityInvalid),
        ({"valid_from": clock.now() + timedelta(days=90)}, errors.ValidityInvalid),
    ],
)
def test_a_voucher_that_makes_no_sense_is_refused(cast, changed, error):
    with pytest.raises(error):
        give_voucher(cast.huachen, **changed)

    with scope.staff():
        assert not Voucher.objects.exists()


def test_a_withdrawn_voucher_pays_nothing_more(cast, finance):
    voucher, order = give_voucher(cast.huachen, "7000.00"), order_for(cast.huachen, cast.owner)
    with scope.staff():
        assert vouchers.voucher_withdraw(
            voucher_id=voucher.pk, actor=finance, at=clock.now()
        ).withdrawn_at
        with pytest.raises(errors.VoucherNotWithdrawable):
            vouchers.voucher_withdraw(voucher_id=voucher.pk, actor=finance, at=clock.now())
        entry = AuditEntry.objects.get(action="billing.voucher_withdraw")
    assert entry.details == {"amount": "7000.00"}
    with scope.customer(cast.huachen.pk), pytest.raises(errors.VoucherNotUsable):
        set_funds(order, cast.owner, voucher_ids=[voucher.pk])


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO billing_coupon (code) VALUES ('x')",
        "UPDATE billing_coupon SET budget = 1",
        "UPDATE billing_voucher SET amount = 1",
        "UPDATE billing_voucher SET valid_until = now()",
        "INSERT INTO billing_voucher (name) VALUES ('x')",
        "UPDATE billing_coupongrant SET coupon_id = 1",
        "UPDATE billing_voucheruse SET amount = 1",
        "DELETE FROM billing_voucheruse",
    ],
)
def test_a_customers_transaction_cannot_make_money(cast, statement):
    with (
        scope.customer(cast.huachen.pk),
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
