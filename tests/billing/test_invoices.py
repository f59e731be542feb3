"""Invoices: asked for by the customer, issued and reversed by finance."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.base import ContentFile

from accounts.models import AuditEntry
from billing import invoice_exceptions as errors
from billing.events import InvoiceReversed
from billing.models import Invoice, Order, Payment, Refund
from billing.selectors.invoices import orders_to_invoice
from billing.services import invoices
from billing.states import AccountKind, InvoiceState, PaymentState, RefundState
from core import clock
from core.events import _handlers, subscribe
from core.files import FileTypeRefused
from core.tenancy import scope
from messaging.models import Message
from tests.factories.billing import (
    actor_of,
    fulfil,
    give_balance,
    give_coupon,
    give_voucher,
    order_for,
    set_funds,
)
from tests.factories.changes import PlanLife

pytestmark = pytest.mark.django_db
LIST = "/support/invoices/"
FORM = {"title": "华辰科技有限公司", "tax_number": "91310000MA1FL0000X", "email": "fp@huachen.test"}
PDF = b"%PDF-1.7\n%\xe2\xe3\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)


def bought(tenant, owner, **chosen):
    """Let a customer buy 轻量级 with the balance."""
    order = order_for(tenant, owner)
    with scope.staff():
        give_balance(tenant, "6000.00")
    with scope.customer(tenant.pk):
        set_funds(order, owner, use_balance=True, **chosen)
    return fulfil(order)


@pytest.fixture
def order(cast):
    return bought(cast.huachen, cast.owner)


@pytest.fixture
def finance(cast):
    return actor_of(cast.staff["finance"])


def request_for(cast, order, **changed):
    with scope.customer(cast.huachen.pk):
        return invoices.invoice_request(
            order_id=order.pk, actor=actor_of(cast.owner), at=clock.now(), **{**FORM, **changed}
        )


def issue(invoice, actor, number="24312000000012345678", body=PDF, name="发票.pdf"):
    with scope.staff():
        return invoices.invoice_issue(
            invoice_id=invoice.pk,
            invoice_number=number,
            file=ContentFile(body, name),
            actor=actor,
            at=clock.now(),
        )


def fresh(invoice):
    with scope.staff():
        return Invoice.objects.get(pk=invoice.pk)


def refund(order, amount, payment=None):
    with scope.staff():
        Refund.objects.create(
            payment=payment,
            tenant_id=order.tenant_id,
            number=f"R{order.pk}",
            order=order,
            method=payment.provider if payment else AccountKind.BALANCE,
            destination=AccountKind.BALANCE,
            amount=Decimal(amount),
            state=RefundState.READY,
            created_at=clock.now(),
        )


def test_an_invoice_is_over_the_cash_and_not_the_discounts(cast):
    order = bought(
        cast.huachen,
        cast.owner,
        coupon_grant_id=give_coupon(cast.huachen).pk,
        voucher_ids=[give_voucher(cast.huachen).pk],
    )

    invoice = request_for(cast, order, tax_number=" 91310000ma1fl0000x ")

    assert (invoice.amount, invoice.state) == (Decimal("4500.00"), InvoiceState.REQUESTED)
    assert (invoice.tax_number, invoice.actor_name) == ("91310000MA1FL0000X", cast.owner.name)


def test_a_second_payment_that_goes_back_lowers_no_invoice(cast, order):
    with scope.staff():
        surplus = Payment.objects.create(
            tenant_id=order.tenant_id,
            order=order,
            provider=AccountKind.TRANSFER,
            number="P2",
            trade_no="B2",
            amount=Decimal("6000.00"),
            state=PaymentState.SUCCEEDED,
            is_surplus=True,
            paid_at=clock.now(),
            expires_at=clock.now(),
            created_at=clock.now(),
        )
    refund(order, "6000.00", surplus)

    assert request_for(cast, order).amount == Decimal("6000.00")


def test_what_was_refunded_is_not_invoiced(cast, order):
    refund(order, "1000.00")
    assert request_for(cast, order).amount == Decimal("5000.00")


def test_what_leaving_gave_back_is_taken_from_what_was_paid_last(cast):
    life, start = PlanLife(cast.huachen, cast.owner), clock.now().replace(microsecond=0)
    bought = life.do("new", start, plan_code="lite", years=1)
    renewed = life.do("renewal", start + timedelta(minutes=1), years=1)

    left = life.do("unsubscription", start + timedelta(days=8))

    assert left.refund_amount == Decimal(
        "11868.49"
    )  # the renewal whole, 357 of 365 days of the first term
    assert request_for(cast, bought).amount == Decimal("131.51")
    with pytest.raises(errors.NothingToInvoice):
        request_for(cast, renewed)


def test_nothing_left_is_not_invoiced(cast, order):
    refund(order, "6000.00")

    with pytest.raises(errors.NothingToInvoice):
        request_for(cast, order)


def test_one_invoice_per_order_until_it_is_withdrawn(cast, order):
    first = request_for(cast, order)
    with pytest.raises(errors.InvoiceExists):
        request_for(cast, order)

    with scope.customer(cast.huachen.pk):
        invoices.invoice_withdraw(invoice_id=first.pk, actor=actor_of(cast.owner), at=clock.now())

    assert fresh(first).state == InvoiceState.WITHDRAWN
    assert request_for(cast, order).pk != first.pk


def test_an_order_that_is_not_completed_is_not_invoiced(cast):
    with pytest.raises(errors.OrderNotInvoiceable):
        request_for(cast, order_for(cast.huachen, cast.owner))


def test_a_top_up_is_not_invoiced(cast, order):
    with scope.staff():
        top_up = Order.objects.filter(type="top_up").first()
        Order.objects.filter(pk=top_up.pk).update(
            state="completed", paid_at=clock.now(), completed_at=clock.now()
        )

    with pytest.raises(errors.OrderNotInvoiceable):
        request_for(cast, top_up)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"title": "  "}, "title"),
        ({"title": "长" * 101}, "title"),
        ({"tax_number": "12345678901234"}, "tax_number"),
        ({"tax_number": "1" * 21}, "tax_number"),
        ({"tax_number": "91310000-A1FL0000"}, "tax_number"),
        ({"email": "huachen"}, "email"),
    ],
)
def test_what_cannot_be_printed_is_refused_beside_its_field(
    cast, order, client_for, changed, field
):
    with pytest.raises(errors.DomainError) as refused:
        request_for(cast, order, **changed)
    assert refused.value.field == field

    url = f"/support/orders/{order.number}/invoice/"
    answer = client_for(cast.owner).post(url, {**FORM, **changed})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in page
    assert all(f'value="{value}"' in page for name, value in FORM.items() if name not in changed)
    with scope.staff():
        assert not Invoice.objects.exists()


def test_finance_issues_with_number_and_file_and_the_customer_is_told(cast, order, finance):
    invoice = issue(request_for(cast, order), finance)

    assert (invoice.state, invoice.invoice_number, invoice.issued_by) == (
        InvoiceState.ISSUED,
        "24312000000012345678",
        cast.staff["finance"].name,
    )
    assert (invoice.file_name, invoice.content_type) == ("发票.pdf", "application/pdf")
    with scope.staff():
        message = Message.objects.get(kind="billing.invoice_issued")
        entry = AuditEntry.objects.get(action="billing.invoice_issue")
    assert (message.tenant_id, message.context["amount"]) == (cast.huachen.pk, "6,000.00")
    assert entry.details == {"order": order.number, "amount": "6000.00"}
    with pytest.raises(errors.InvoiceNotOpen):
        issue(invoice, finance, number="24312000000012345679")
    with scope.customer(cast.huachen.pk), pytest.raises(errors.InvoiceNotOpen):
        invoices.invoice_withdraw(invoice_id=invoice.pk, actor=finance, at=clock.now())


def test_what_is_no_invoice_is_refused(cast, order, finance):
    invoice = request_for(cast, order)

    with pytest.raises(FileTypeRefused):
        issue(invoice, finance, body=b"\x89PNG\r\n\x1a\n", name="发票.png")
    for number in ("", "1234567", "号码12345678", "1" * 41):
        with pytest.raises(errors.InvoiceNumberInvalid):
            issue(invoice, finance, number=number)
    assert fresh(invoice).state == InvoiceState.REQUESTED


def test_a_number_is_used_once_over_all_customers(cast, order, finance):
    issue(request_for(cast, order), finance)
    theirs = bought(cast.yunfan, cast.other_owner)
    with scope.customer(cast.yunfan.pk):
        second = invoices.invoice_request(
            order_id=theirs.pk, actor=actor_of(cast.other_owner), at=clock.now(), **FORM
        )

    with pytest.raises(errors.InvoiceNumberUsed):
        issue(second, finance)


def test_money_refunded_since_the_request_stops_the_issue(cast, order, finance):
    invoice = request_for(cast, order)
    refund(order, "1.00")

    with pytest.raises(errors.InvoiceAmountChanged):
        issue(invoice, finance)


def test_a_reversal_is_published_and_the_order_can_be_invoiced_again(cast, order, finance):
    invoice, heard = issue(request_for(cast, order), finance), []
    subscribe(InvoiceReversed)(heard.append)
    at = clock.now()
    try:
        with scope.staff():
            with pytest.raises(errors.InvoiceNumberInvalid):
                invoices.invoice_reverse(
                    invoice_id=invoice.pk, reversal_number="", actor=finance, at=at
                )
            done = invoices.invoice_reverse(
                invoice_id=invoice.pk, reversal_number="24312000000099999999", actor=finance, at=at
            )
            with pytest.raises(errors.InvoiceNotIssued):
                invoices.invoice_reverse(
                    invoice_id=invoice.pk, reversal_number="1" * 8, actor=finance, at=at
                )
    finally:
        _handlers[InvoiceReversed].remove(heard.append)

    assert (done.state, done.reversed_at) == (InvoiceState.REVERSED, at)
    assert heard == [InvoiceReversed(cast.huachen.pk, order.pk, invoice.pk, at)]
    with scope.staff():
        assert Message.objects.filter(kind="billing.invoice_reversed").count() == 1
    assert request_for(cast, order).amount == Decimal("6000.00")


def test_the_owner_asks_cancels_and_downloads(cast, order, client_for, finance):
    client = client_for(cast.owner)
    url = f"/support/orders/{order.number}/invoice/"
    assert url in client.get(LIST).content.decode()

    assert client.post(url, FORM).url == LIST
    with scope.staff():
        first = Invoice.objects.get()
    assert url not in client.get(LIST).content.decode()
    assert client.get(f"{LIST}{first.pk}/download/").status_code == 404
    assert client.post(f"{LIST}{first.pk}/withdraw/").url == LIST
    assert fresh(first).state == InvoiceState.WITHDRAWN

    client.post(url, FORM)
    with scope.staff():
        second = Invoice.objects.get(state=InvoiceState.REQUESTED)
    issue(second, finance)
    answer = client.get(f"{LIST}{second.pk}/download/")
    assert b"".join(answer.streaming_content) == PDF
    assert "attachment" in answer["Content-Disposition"]
    refused = client.post(f"{LIST}{second.pk}/withdraw/", follow=True)
    assert "该发票申请已处理或已取消" in refused.content.decode()


def test_others_do_not_find_it_and_colleagues_may_look(cast, order, client_for, finance):
    invoice = issue(request_for(cast, order), finance)
    download, withdraw = f"{LIST}{invoice.pk}/download/", f"{LIST}{invoice.pk}/withdraw/"
    ask = f"/support/orders/{order.number}/invoice/"

    other = client_for(cast.other_owner)
    assert [other.get(download).status_code, other.post(withdraw).status_code] == [404, 404]
    assert other.post(ask, FORM).status_code == 404
    admin = client_for(cast.administrator)
    assert (admin.get(LIST).status_code, admin.get(download).status_code) == (200, 200)
    assert [admin.post(withdraw).status_code, admin.get(ask).status_code] == [403, 403]
    assert client_for(cast.member).get(download).status_code == 403
    owner = client_for(cast.owner)
    assert [owner.get(withdraw).status_code, owner.post(download).status_code] == [405, 405]
    assert owner.get(f"{LIST}987654321/download/").status_code == 404


def test_what_a_free_return_gave_back_is_not_offered_for_an_invoice(cast):
    life = PlanLife(cast.huachen, cast.owner)
    at = clock.now()
    bought = life.buy("lite", at)
    with scope.customer(cast.huachen.pk):
        assert list(orders_to_invoice(cast.huachen.pk)) == [bought]

    life.do("unsubscription", at + timedelta(days=1))

    with scope.customer(cast.huachen.pk):
        assert not orders_to_invoice(cast.huachen.pk).exists()
