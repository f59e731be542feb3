"""Finance's pages of invoices: issue, reverse, look at the document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import actor_of, staff_view
from accounts.models.users import StaffRole
from billing.finance_forms import FinanceInvoiceFilter, IssueForm, ReverseForm
from billing.models import Invoice
from billing.selectors.finance import invoice_get, invoices_found, page_of
from billing.selectors.invoices import invoiceable_amount
from billing.services.invoices import invoice_issue, invoice_reverse
from billing.states import InvoiceState
from billing.views.steps import Step, posted, refuse, step_answer
from core import clock
from core.exceptions import DomainError
from core.files import FileEmpty, FileTooLarge, FileTypeRefused, serve_private

OF_THE_FILE = (FileEmpty, FileTooLarge, FileTypeRefused)


@staff_view(StaffRole.FINANCE)
@require_safe
def finance_invoice_list(request: HttpRequest) -> HttpResponse:
    """Show all customers' invoices, those to issue first."""
    form = FinanceInvoiceFilter(request.GET)
    rows, next_after = page_of(invoices_found(**form.wanted()), form.key)
    context = {"form": form, "rows": rows, "next_after": next_after}
    return render(request, "billing/finance_invoice_list.html", context)


@staff_view(StaffRole.FINANCE)
@require_http_methods(["GET", "HEAD", "POST"])
def finance_invoice_detail(request: HttpRequest, invoice_id: int) -> HttpResponse:
    """Show one invoice; issue it with its number and its document."""
    invoice = _invoice(invoice_id)
    form = IssueForm(posted(request), request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            invoice_issue(
                invoice_id=invoice.pk,
                invoice_number=form.cleaned_data["invoice_number"],
                file=form.cleaned_data["file"],
                actor=actor_of(request),
                at=clock.now(),
            )
        except OF_THE_FILE as refused:
            form.add_error("file", str(refused.message))
        except DomainError as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("发票已开具"))
            return redirect("billing:finance_invoice_detail", invoice.pk)
    context = {
        "form": form,
        "invoice": invoice,
        "invoiceable": invoiceable_amount(invoice.order),
        "reversal": _reversal(invoice, None) if invoice.state == InvoiceState.ISSUED else None,
    }
    status = 422 if form.errors else 200
    return render(request, "billing/finance_invoice_detail.html", context, status=status)


@staff_view(StaffRole.FINANCE)
@require_http_methods(["GET", "HEAD", "POST"])
def finance_invoice_reverse(request: HttpRequest, invoice_id: int) -> HttpResponse:
    """Record the red-letter invoice; refunds that waited for it go on."""
    step = _reversal(_invoice(invoice_id), posted(request))

    def act(data: Mapping[str, Any]) -> None:
        number, actor = data["reversal_number"], actor_of(request)
        invoice_reverse(invoice_id=invoice_id, reversal_number=number, actor=actor, at=clock.now())

    return step_answer(request, step, act, done=_("发票已冲红"))


@staff_view(StaffRole.FINANCE)
@require_safe
def finance_invoice_download(_request: HttpRequest, invoice_id: int) -> HttpResponseBase:
    """Hand out the document of an invoice, a reversed one's too: finance keeps both."""
    invoice = _invoice(invoice_id)
    if not invoice.file:
        raise Http404
    return serve_private(invoice.file, name=invoice.file_name, content_type=invoice.content_type)


def _reversal(invoice: Invoice, data: Mapping[str, Any] | None) -> Step:
    return Step(
        id="reverse",
        title=_("冲红发票 %(number)s？") % {"number": invoice.invoice_number},
        text=_("客户不能再下载这张发票，等待冲红的退款随即进入处理，不能撤回。"),
        facts=[
            (_("客户"), str(invoice.tenant)),
            (_("发票抬头"), invoice.title),
            (_("订单号"), invoice.order.number),
            (_("开票金额"), f"¥{invoice.amount:,.2f}"),
        ],
        verb=_("确认冲红"),
        action=reverse("billing:finance_invoice_reverse", args=[invoice.pk]),
        back=reverse("billing:finance_invoice_detail", args=[invoice.pk]),
        form=ReverseForm(data, auto_id="reverse-%s"),
    )


def _invoice(invoice_id: int) -> Invoice:
    try:
        return invoice_get(invoice_id)
    except Invoice.DoesNotExist:
        raise Http404 from None
