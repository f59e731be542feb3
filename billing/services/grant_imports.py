"""Granting what a file of finance says: first shown, then granted as it was shown, all of it or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import Actor
from accounts.models import Tenant
from billing.grant_files import GrantLine
from billing.locks import lock_coupons
from billing.models import Coupon, CouponGrant, Voucher
from billing.selectors.finance import bounds_of, customers_named
from billing.services.vouchers import coupon_grant, voucher_grant
from core.exceptions import DomainError
from supportplans.locks import lock_tenant


class GrantLinesInvalid(DomainError):
    """A line of the file cannot be granted; nothing was."""

    code = "grant_lines_invalid"
    message = gettext_lazy("文件中有不能发放的行，未发放任何优惠券或代金券")
    status = 422


@dataclass(frozen=True)
class PlannedGrant:
    """What a line would do: to whom, which coupon, or why not. ``is_done``: it was granted before and is left out."""

    line: GrantLine
    tenant: Tenant | None
    coupon: Coupon | None
    errors: tuple[str, ...]
    is_done: bool


def grants_plan(lines: Sequence[GrantLine], at: datetime) -> list[PlannedGrant]:
    """Return what the lines would grant at ``at``; nothing is written. Four queries. Runs in staff's scope."""
    named = customers_named({line.customer for line in lines if line.customer})
    codes = {line.subject for line in lines if line.kind == "coupon"}
    coupons = {coupon.code: coupon for coupon in Coupon.objects.filter(code__in=codes)}
    theirs = {
        "tenant_id__in": [tenant.pk for found in named.values() for tenant in found],
        "key__in": [line.key for line in lines],
    }
    done = set(CouponGrant.objects.filter(**theirs).values_list("tenant_id", "key"))
    done |= set(Voucher.objects.filter(**theirs).values_list("tenant_id", "key"))
    promised: Counter[int] = Counter()
    planned = []
    for line in lines:
        found = named.get(line.customer, [])
        tenant = found[0] if len(found) == 1 else None
        coupon = coupons.get(line.subject) if line.kind == "coupon" else None
        is_done = tenant is not None and (tenant.pk, line.key) in done
        errors = list(line.errors)
        if line.customer and not found:
            errors.append(_("没有这个客户"))
        if len(found) > 1:
            errors.append(_("有多个同名客户，请填写客户编号"))
        if not is_done:
            errors += _refusals(line, coupon, promised, at)
        planned.append(PlannedGrant(line, tenant, coupon, tuple(errors), is_done))
    return planned


@transaction.atomic
def grants_import(*, lines: Sequence[GrantLine], actor: Actor, at: datetime) -> int:
    """Grant every line that was not granted before; return how many that were. Runs in staff's scope.

    All tenants are locked before the coupons, each kind in the order of ids, as everywhere. Raises GrantLinesInvalid,
    and what granting itself refuses.
    """
    named = grants_plan(lines, at)
    for tenant_id in sorted({grant.tenant.pk for grant in named if grant.tenant}):
        lock_tenant(tenant_id)
    list(lock_coupons().filter(pk__in={grant.coupon.pk for grant in named if grant.coupon}))
    # Only now is it certain what was granted before, and what is left of a budget.
    planned = grants_plan(lines, at)
    if any(grant.errors for grant in planned):
        raise GrantLinesInvalid
    due = [grant for grant in planned if not grant.is_done]
    for grant in due:
        _grant(grant, actor=actor, at=at)
    return len(due)


def _refusals(
    line: GrantLine, coupon: Coupon | None, promised: Counter[int], at: datetime
) -> list[str]:
    """Return why a line that can be read is not granted; count what its coupon promises."""
    if line.kind == "voucher" and line.last is not None and bounds_of(line.last)[1] <= at:
        return [_("失效日期已过")]
    if line.kind != "coupon" or not line.subject:
        return []
    if coupon is None:
        return [_("没有编号为 %(code)s 的优惠券") % {"code": line.subject}]
    if coupon.valid_until <= at:
        return [_("该优惠券已过期，不能再发放")]
    promised[coupon.pk] += 1
    most = coupon.reserved + coupon.most * promised[coupon.pk]
    if coupon.budget is not None and most > coupon.budget:
        return [_("该优惠券的预算不足，不能再发放")]
    return []


def _grant(grant: PlannedGrant, *, actor: Actor, at: datetime) -> None:
    line = grant.line
    assert grant.tenant is not None
    if grant.coupon is not None:
        coupon_grant(
            coupon_id=grant.coupon.pk,
            tenant_id=grant.tenant.pk,
            key=line.key,
            actor=actor,
            at=at,
        )
        return
    assert line.amount is not None
    assert line.first is not None
    assert line.last is not None
    voucher_grant(
        tenant_id=grant.tenant.pk,
        name=line.subject,
        amount=line.amount,
        valid_from=bounds_of(line.first)[0],
        # The last day is in it, to its last second.
        valid_until=bounds_of(line.last)[1] - timedelta(seconds=1),
        key=line.key,
        actor=actor,
        at=at,
    )
