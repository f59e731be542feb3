"""Finance's desk: who is let in, what waits, and each decision with its refusals beside the field."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import AuditEntry
from billing.models import Difference, Invoice, Payment, Refund
from billing.services.invoices import invoice_request
from billing.services.reconciliation import reconciliation_compare
from billing.services.refunds import refunds_create
from billing.services.transfers import transfer_begin
from billing.states import InvoiceState, OrderState, PaymentState, RefundState
from core import clock
from core.tenancy import scope
from tests.billing.test_invoices import PDF
from tests.factories.billing import (
    actor_of,
    book,
    fulfil,
    leaving_order,
    order_for,
    pay_at,
    refunds_for,
)

pytestmark = pytest.mark.django_db
LISTS = (
    "finance_overview",
    "finance_payment_list",
    "finance_refund_list",
    "finance_transfer_list",
    "finance_difference_list",
    "finance_proof_list",
    "finance_invoice_list",
    "finance_coupon_list",
    "finance_voucher_list",
)
DETAILS = (
    "finance_refund_detail",
    "finance_refund_approve",
    "finance_refund_redirect",
    "finance_refund_transfer",
    "finance_transfer_confirm",
    "finance_difference_settle",
    "finance_invoice_detail",
    "finance_invoice_reverse",
    "finance_invoice_download",
    "finance_coupon_detail",
    "finance_coupon_withdraw",
    "finance_voucher_withdraw",
)


@pytest.fixture(autouse=True)
def configured(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    settings.PAYMENT_TRANSFER = {"account": "1100", "account_name": "云服务", "bank": "银行"}


@pytest.fixture
def finance(cast, client_for):
    return client_for(cast.staff["finance"])


@pytest.fixture
def large(cast, gateway):
    """商业级 for one year, 300,000.00 paid at the gateway: its refund needs an approval."""
    order = order_for(cast.huachen, cast.owner, plan_code="business")
    return pay_at(gateway, order, cast.owner).order


@pytest.fixture
def transfer(cast):
    order = order_for(cast.huachen, cast.owner)
    with scope.customer(order.tenant_id):
        return transfer_begin(order_id=order.pk, actor=actor_of(cast.owner), at=clock.now())


def page(name: str, *args: object) -> str:
    return reverse(f"billing:{name}", args=args)


def fresh(row):
    with scope.staff():
        return type(row).objects.get(pk=row.pk)


def audited(action: str) -> list[str]:
    with scope.staff():
        return list(AuditEntry.objects.filter(action=action).values_list("subject", flat=True))


@pytest.mark.parametrize("name", LISTS)
def test_every_list_opens_empty_for_finance_and_operators_only(cast, client_for, name):
    for role, status in (("finance", 200), ("operator", 200), ("account_manager", 403)):
        assert client_for(cast.staff[role]).get(page(name)).status_code == status
    assert client_for(cast.owner).get(page(name)).status_code == 404
    assert client_for(cast.staff["finance"]).post(page(name)).status_code == 405


@pytest.mark.parametrize("name", DETAILS)
def test_what_does_not_exist_is_not_found(finance, name):
    assert finance.get(page(name, 987_654)).status_code == 404


@pytest.mark.parametrize(
    "name",
    ["finance_coupon_new", "finance_voucher_new", "finance_import", "finance_top_up"],
)
def test_a_form_that_is_only_looked_at_complains_of_nothing(finance, name):
    answer = finance.get(page(name))
    assert answer.status_code == 200
    assert "field__error" not in answer.content.decode()


@pytest.mark.parametrize("name", LISTS)
def test_a_filter_that_cannot_be_read_filters_nothing(finance, name):
    answer = finance.get(page(name), {"day": "gestern", "after": "x", "state": "nonsense"})
    assert answer.status_code == 200


def test_the_overview_counts_what_waits_up_to_a_cap(cast, finance, large, max_queries, monkeypatch):
    refunds_for(large, local="250000.00")
    order = order_for(cast.yunfan, cast.other_owner)
    with scope.customer(cast.yunfan.pk):
        transfer_begin(order_id=order.pk, actor=actor_of(cast.other_owner), at=clock.now())
    with max_queries(8):
        text = finance.get(page("finance_overview")).content.decode()
    assert text.count('<b class="u-warn">1</b>') == 2
    monkeypatch.setattr("billing.selectors.finance.COUNT_CAP", 0)
    assert '<b class="u-warn">0+</b>' in finance.get(page("finance_overview")).content.decode()


def test_payments_are_found_by_number_way_and_day(finance, large):
    with scope.staff():
        payment = large.payments.get()
    today = f"{clock.local(clock.now()):%Y-%m-%d}"
    for found in (
        {"q": payment.number},
        {"q": payment.trade_no},
        {"q": large.number},
        {"provider": "local"},
        {"day": today},
    ):
        assert payment.number in finance.get(page("finance_payment_list"), found).content.decode()
    for elsewhere in ({"q": "1"}, {"provider": "alipay"}, {"day": "2020-01-01"}):
        text = finance.get(page("finance_payment_list"), elsewhere).content.decode()
        assert payment.number not in text
        assert "没有符合条件的支付记录" in text


# Refunds


def test_a_large_refund_is_approved_after_a_second_look(finance, large):
    (refund,) = refunds_for(large, local="250000.00")
    detail = finance.get(page("finance_refund_detail", refund.pk)).content.decode()
    question = finance.get(page("finance_refund_approve", refund.pk)).content.decode()
    for text in (detail, question):
        assert f"批准退款 {refund.number}" in text
        assert "¥250,000.00" in text
    assert fresh(refund).state == RefundState.AWAITING_APPROVAL

    answer = finance.post(page("finance_refund_approve", refund.pk))

    assert answer.url == page("finance_refund_detail", refund.pk)
    assert fresh(refund).state == RefundState.READY
    assert audited("billing.refund_approve") == [refund.number]
    again = finance.post(page("finance_refund_approve", refund.pk))
    assert again.status_code == 422
    assert "当前无需审批" in again.content.decode()


def test_who_caused_it_is_told_and_refused(cast, finance, large):
    with scope.staff():
        (refund,) = refunds_create(
            order=leaving_order(large),
            refund_to={"local": Decimal("250000.00")},
            to_balance=False,
            actor=cast.actor(cast.staff["finance"]),
            at=clock.now(),
        )
    detail = finance.get(page("finance_refund_detail", refund.pk)).content.decode()
    assert "须由其他财务人员审批" in detail
    assert "批准退款" not in detail
    answer = finance.post(page("finance_refund_approve", refund.pk))
    assert answer.status_code == 422
    assert "不能审批由本人发起的退款" in answer.content.decode()
    assert fresh(refund).state == RefundState.AWAITING_APPROVAL


def test_a_refund_goes_to_the_balance_with_a_note(cast, finance, large):
    (refund,) = refunds_for(large, local="100.00")
    url = page("finance_refund_redirect", refund.pk)
    refused = finance.post(url, {"note": "  "})
    assert refused.status_code == 422
    assert "请填写处理说明" in refused.content.decode()
    assert finance.post(url, {"note": "客户要求"}).status_code == 302
    assert fresh(refund).state == RefundState.SUCCEEDED
    assert book(cast.huachen)["balance"] == Decimal("100.00")
    assert "客户要求" in finance.get(page("finance_refund_detail", refund.pk)).content.decode()


def test_a_refund_by_transfer_is_done_with_the_banks_reference(finance, transfer):
    with scope.staff():
        order = transfer.order
    received = f"{clock.local(clock.now()):%Y-%m-%dT%H:%M}"
    finance.post(
        page("finance_transfer_confirm", transfer.pk),
        {"amount": "6,000.00", "bank_serial": "B-1", "received_at": received},
    )
    (refund,) = refunds_for(fulfil(order), transfer="100.00")
    url = page("finance_refund_transfer", refund.pk)
    assert finance.post(url, {"reference": ""}).status_code == 422
    assert finance.post(url, {"reference": "OUT-7"}).status_code == 302
    refund = fresh(refund)
    assert (refund.state, refund.reference) == (RefundState.SUCCEEDED, "OUT-7")
    assert finance.post(url, {"reference": "OUT-8"}).status_code == 422


def test_a_stopped_refund_shows_its_error_and_is_asked_for_again(finance, large):
    (refund,) = refunds_for(large, local="100.00")
    with scope.staff():
        Refund.objects.filter(pk=refund.pk).update(error="余额不足")
    stopped = finance.get(page("finance_refund_list"), {"state": "stopped"}).content.decode()
    assert "余额不足" in stopped
    assert "余额不足" in finance.get(page("finance_refund_detail", refund.pk)).content.decode()
    assert finance.get(page("finance_refund_retry", refund.pk)).status_code == 405
    assert finance.post(page("finance_refund_retry", refund.pk)).status_code == 302
    assert audited("billing.refund_retry") == [refund.number]


# Transfers


def test_a_transfer_is_confirmed_with_what_the_bank_says(finance, transfer):
    assert transfer.order.number in finance.get(page("finance_transfer_list")).content.decode()
    url = page("finance_transfer_confirm", transfer.pk)
    received = f"{clock.local(clock.now()):%Y-%m-%dT%H:%M}"

    answer = finance.post(
        url, {"amount": "6,000.00", "bank_serial": "B-1", "received_at": received}
    )

    assert answer.url == page("finance_transfer_list")
    assert fresh(transfer).state == PaymentState.SUCCEEDED
    assert fresh(transfer.order).state == OrderState.PAID
    assert audited("billing.transfer_confirm") == ["B-1"]
    assert transfer.order.number not in finance.get(page("finance_transfer_list")).content.decode()
    assert "该转账已确认" in finance.get(url).content.decode()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"amount": "5000"}, "应付 ¥6,000.00"),
        ({"amount": "viel"}, "请输入金额"),
        ({"amount": "-1", "confirmed": "on"}, "金额须大于 0.00 元"),
        ({"bank_serial": ""}, "请填写此项"),
        ({"received_at": "2099-01-01T10:00"}, "到账时间不能晚于当前时间"),
    ],
)
def test_what_is_wrong_with_a_transfer_stands_beside_the_field(finance, transfer, changed, said):
    typed = {
        "amount": "6000.00",
        "bank_serial": "B-77",
        "received_at": f"{clock.local(clock.now()):%Y-%m-%dT%H:%M}",
        **changed,
    }
    answer = finance.post(page("finance_transfer_confirm", transfer.pk), typed)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert said in text
    assert typed["amount"] in text
    assert fresh(transfer).state == PaymentState.OPEN


def test_another_sum_goes_to_the_balance_once_it_is_confirmed(cast, finance, transfer):
    typed = {
        "amount": "5000",
        "bank_serial": "B-1",
        "received_at": f"{clock.local(clock.now()):%Y-%m-%dT%H:%M}",
        "confirmed": "on",
    }
    assert finance.post(page("finance_transfer_confirm", transfer.pk), typed).status_code == 302
    assert book(cast.huachen)["balance"] == Decimal("5000.00")
    assert fresh(transfer.order).state == OrderState.PENDING


# Differences


def test_a_difference_is_settled_with_a_note(finance, large):
    day = clock.local(clock.now()).date() - timedelta(days=1)
    with scope.staff():
        Payment.objects.update(paid_at=clock.now() - timedelta(days=1))
        reconciliation_compare(provider="local", day=day, records=[], at=clock.now())
        difference = Difference.objects.get()
    found = {"day": day.isoformat(), "provider": "local", "kind": "missing_there"}
    assert difference.number in finance.get(page("finance_difference_list"), found).content.decode()
    assert (
        "没有符合条件的差异"
        in finance.get(page("finance_difference_list"), {"kind": "amount"}).content.decode()
    )
    url = page("finance_difference_settle", difference.pk)
    assert "请填写处理说明" in finance.post(url, {"note": " "}).content.decode()
    assert finance.post(url, {"note": "渠道次日入账"}).status_code == 302
    assert fresh(difference).note == "渠道次日入账"
    assert audited("billing.difference_settle") == [difference.number]
    assert finance.post(url, {"note": "再次"}).status_code == 422
    settled = finance.get(page("finance_difference_list"), {"settled": "1"}).content.decode()
    assert difference.number in settled


# Invoices


@pytest.fixture
def invoice(cast, large) -> Invoice:
    with scope.customer(cast.huachen.pk):
        return invoice_request(
            order_id=large.pk,
            title="华辰科技有限公司",
            tax_number="91310115MA1K3XXH2D",
            email="a@huachen.test",
            actor=actor_of(cast.owner),
            at=clock.now(),
        )


def issue(client, invoice, number="24312000000012345678", body=PDF, name="发票.pdf"):
    file = SimpleUploadedFile(name, body, content_type="application/pdf")
    url = page("finance_invoice_detail", invoice.pk)
    return client.post(url, {"invoice_number": number, "file": file})


def test_an_invoice_is_issued_downloaded_and_reversed(finance, invoice):
    assert invoice.title in finance.get(page("finance_invoice_list")).content.decode()
    assert finance.get(page("finance_invoice_download", invoice.pk)).status_code == 404
    looked_at = finance.get(page("finance_invoice_detail", invoice.pk))
    assert looked_at.status_code == 200
    assert "field__error" not in looked_at.content.decode()
    assert issue(finance, invoice).status_code == 302
    assert fresh(invoice).state == InvoiceState.ISSUED
    document = finance.get(page("finance_invoice_download", invoice.pk))
    assert b"".join(document.streaming_content) == PDF
    url = page("finance_invoice_reverse", invoice.pk)
    assert "¥300,000.00" in finance.get(url).content.decode()
    refused = finance.post(url, {"reversal_number": "kurz"})
    assert refused.status_code == 422
    assert 'value="kurz"' in refused.content.decode()
    assert finance.post(url, {"reversal_number": "24312000000087654321"}).status_code == 302
    assert fresh(invoice).state == InvoiceState.REVERSED
    assert audited("billing.invoice_reverse") == ["24312000000087654321"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"number": "12"}, "发票号码"),
        ({"body": b"GIF89a", "name": "a.gif"}, "不支持该文件类型"),
        ({"body": b"", "name": "a.pdf"}, "空"),
    ],
)
def test_what_is_wrong_with_an_invoice_stands_beside_the_field(finance, invoice, changed, said):
    answer = issue(finance, invoice, **changed)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert fresh(invoice).state == InvoiceState.REQUESTED
