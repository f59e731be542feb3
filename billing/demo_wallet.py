"""Demo data of what orders are paid with: coupons, vouchers, a top-up, invoices. Made once."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile
from django.utils.html import format_html
from weasyprint import HTML

from accounts.access import Actor
from accounts.models import Tenant, User
from billing.models import Coupon, Invoice, Order
from billing.models.payments import CURRENCY
from billing.providers.base import TradeReport, TradeStatus
from billing.providers.registry import provider_get
from billing.services.invoices import invoice_issue, invoice_request
from billing.services.payments import payment_apply, payment_begin
from billing.services.provisioning import order_provision
from billing.services.top_ups import top_up_create
from billing.services.vouchers import coupon_create, coupon_grant, voucher_grant
from billing.states import CouponKind, OrderType
from core.tenancy import scope

# Code, name, kind, value, cap, least spend, plans, types, valid from and until in days from now, who has it.
COUPONS: tuple[dict[str, Any], ...] = (
    {
        "code": "NEW500",
        "name": "新购满减券",
        "kind": CouponKind.FIXED,
        "value": Decimal("500.00"),
        "min_spend": Decimal("5000.00"),
        "order_types": (OrderType.NEW.value,),
        "budget": Decimal("100000.00"),
        "days": (-20, 40),
        "to": ("木棉传媒", "启明医疗"),
    },
    {
        "code": "UP10",
        "name": "升配九折券",
        "kind": CouponKind.PERCENT,
        "value": Decimal("10.00"),
        "cap": Decimal("20000.00"),
        "order_types": (OrderType.UPGRADE.value, OrderType.RENEW.value),
        "budget": Decimal("500000.00"),
        "days": (-10, 80),
        "to": ("云帆物流", "青禾教育", "华辰科技", "启明医疗"),
    },
    {
        "code": "BIZ3000",
        "name": "商业级专享券",
        "kind": CouponKind.FIXED,
        "value": Decimal("3000.00"),
        "plans": ("business", "enterprise"),
        "days": (-5, 25),
        "to": ("启明医疗", "木棉传媒"),
    },
)
# Customer, name, amount, valid from and until in days from now.
VOUCHERS = (
    ("华辰科技", "服务补偿代金券", Decimal("2000.00"), -30, 150),
    ("华辰科技", "续订代金券", Decimal("5000.00"), 10, 190),
    ("启明医疗", "体验官代金券", Decimal("1200.00"), -12, 60),
    ("启明医疗", "新客代金券", Decimal("600.00"), -12, 9),
    ("青禾教育", "教育行业代金券", Decimal("800.00"), -3, 87),
)
# Customer, sum, days ago.
TOP_UPS = (("华辰科技", Decimal("5000.00"), 6), ("木棉传媒", Decimal("3000.00"), 3))
# Customer, title, tax number, the number of the issued invoice (none: only asked for), days ago.
INVOICES = (
    ("华辰科技", "华辰科技有限公司", "91310115MA1K3XXH2D", "24312000000118860231", 30),
    ("云帆物流", "云帆物流股份有限公司", "91440300MA5FQWER7T", "", 2),
)


def load(at: datetime, tenants: dict[str, Tenant], owners: dict[int, User], finance: Actor) -> None:
    """Make what is missing."""
    with scope.staff():
        if Coupon.objects.exists():
            return
        _give(at, tenants, finance)
    for number, (name, amount, days) in enumerate(TOP_UPS):
        tenant = tenants[name]
        _top_up(tenant, owners[tenant.pk], amount, at - timedelta(days=days), f"demo-top-{number}")
    for name, title, tax_number, invoice_number, days in INVOICES:
        tenant, asked = tenants[name], at - timedelta(days=days)
        invoice = _ask(tenant, owners[tenant.pk], title, tax_number, asked)
        if invoice_number:
            with scope.staff():
                invoice_issue(
                    invoice_id=invoice.pk,
                    invoice_number=invoice_number,
                    file=_pdf(invoice, invoice_number),
                    actor=finance,
                    at=asked + timedelta(hours=20),
                )


def _give(at: datetime, tenants: dict[str, Tenant], finance: Actor) -> None:
    for row in COUPONS:
        terms = {key: value for key, value in row.items() if key not in {"days", "to"}}
        starts, ends = (at + timedelta(days=days) for days in row["days"])
        coupon = coupon_create(
            **terms, valid_from=starts, valid_until=ends, actor=finance, at=starts
        )
        for name in row["to"]:
            coupon_grant(
                coupon_id=coupon.pk,
                tenant_id=tenants[name].pk,
                key=f"demo-{coupon.code}",
                actor=finance,
                at=starts,
            )
    for number, (name, title, amount, first, last) in enumerate(VOUCHERS):
        voucher_grant(
            tenant_id=tenants[name].pk,
            name=title,
            amount=amount,
            valid_from=at + timedelta(days=first),
            valid_until=at + timedelta(days=last),
            key=f"demo-{number}",
            actor=finance,
            at=at + timedelta(days=min(first, -1)),
        )


def _top_up(tenant: Tenant, owner: User, amount: Decimal, at: datetime, key: str) -> None:
    """Top up as the owner does, and let the provider say that it was paid."""
    actor = Actor(user=owner, name=owner.name, title="所有者", tenant_id=tenant.pk)
    paid = at + timedelta(minutes=2)
    with scope.customer(tenant.pk):
        order = top_up_create(
            tenant_id=tenant.pk, amount=amount, idempotency_key=key, actor=actor, at=at
        )
        payment_begin(order_id=order.pk, provider_code="local", actor=actor, at=at)
    with scope.staff():
        payment = order.payments.get()
        report = TradeReport(
            TradeStatus.PAID,
            provider_get("local").merchant,
            payment.number,
            amount,
            CURRENCY,
            trade_no=f"DEMO{payment.pk:08d}",
            paid_at=paid,
        )
        payment_apply(report, provider_code="local", at=paid)
        order_provision(order_id=order.pk, at=paid)


def _ask(tenant: Tenant, owner: User, title: str, tax_number: str, at: datetime) -> Invoice:
    """Ask for the invoice of the customer's plan as the owner does."""
    actor = Actor(user=owner, name=owner.name, title="所有者", tenant_id=tenant.pk)
    with scope.customer(tenant.pk):
        order = Order.objects.filter(tenant=tenant, type=OrderType.NEW).earliest("pk")
        return invoice_request(
            order_id=order.pk,
            title=title,
            tax_number=tax_number,
            email=owner.email,
            actor=actor,
            at=at,
        )


def _pdf(invoice: Invoice, number: str) -> InMemoryUploadedFile:
    """Write a page that looks like what finance uploads."""
    content = HTML(
        string=format_html(
            "<h1>电子发票（示例）</h1><p>发票号码：{}</p><p>购买方：{}　{}</p>"
            "<p>项目：客户支持计划</p><p>金额：¥{}</p>",
            number,
            invoice.title,
            invoice.tax_number,
            f"{invoice.amount:,.2f}",
        )
    ).write_pdf()
    name = f"发票-{number}.pdf"
    return InMemoryUploadedFile(
        io.BytesIO(content), "file", name, "application/pdf", len(content), None
    )
