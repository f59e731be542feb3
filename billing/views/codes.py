"""The page on which the customer scans a wallet's code. A worker has it made; the page waits for it and the money."""

from __future__ import annotations

import segno
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import customer_view
from accounts.models.tenants import TenantRole
from billing.models import Payment
from billing.providers.registry import NAMES
from billing.selectors.payments import payment_open
from billing.views.orders import order_of
from core import clock

# A scanner needs the quiet zone and reads through a smudge on the screen.
QUIET_ZONE, ERROR_LEVEL = 4, "m"


@customer_view(least=TenantRole.OWNER)
@require_safe
def payment_code(request: HttpRequest, number: str) -> HttpResponse:
    """Show the code of the open attempt once it is there; answer 204 while nothing has changed (``version``).

    When the attempt is over, in whatever way, the browser goes on to where the order says how it stands.
    """
    order, now = order_of(request, number), clock.now()
    payment = payment_open(order)
    asks_again = bool(request.headers.get("HX-Request"))
    if payment is None or not order.is_payable:
        onward = reverse("billing:payment_return", args=[order.number])
        return HttpResponseClientRedirect(onward) if asks_again else redirect(onward)
    has_code = payment.has_code(now)
    version = f"{payment.pk}-{has_code:d}-{bool(payment.error):d}"
    if asks_again and request.GET.get("version") == version:
        return HttpResponse(status=204)
    context = {
        "order": order,
        "payment": payment,
        "step": 2,
        "image": _image(payment) if has_code else "",
        "is_over": bool(payment.code_text) and not has_code,
        "version": version,
        "wallet": NAMES.get(payment.provider, payment.provider),
    }
    template = "billing/payment_code.html"
    return render(request, f"{template}#payment-code" if asks_again else template, context)


def _image(payment: Payment) -> str:
    """Return the code as an SVG image in an address, which needs no file and no inline style."""
    code = segno.make(payment.code_text, error=ERROR_LEVEL, micro=False)
    return code.svg_data_uri(border=QUIET_ZONE, scale=6)
