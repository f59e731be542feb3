"""Finance's pages of what the nightly checks found: differences of reconciliation, proofs of the book."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import actor_of, staff_view
from accounts.models.users import StaffRole
from billing.finance_forms import DifferenceFilter, NoteForm
from billing.models import Difference
from billing.providers.registry import NAMES
from billing.selectors.finance import difference_get, differences_found, page_of
from billing.selectors.reconciliation import proof_list, reconciliation_list
from billing.services.reconciliation import difference_settle
from billing.views.steps import posted, refuse
from core import clock
from core.exceptions import DomainError

DAYS_SHOWN = 14


@staff_view(StaffRole.FINANCE)
@require_safe
def finance_difference_list(request: HttpRequest) -> HttpResponse:
    """Show what providers and we do not have alike, and the days that were compared."""
    form = DifferenceFilter(request.GET)
    rows, next_after = page_of(differences_found(**form.chosen()), form.key)
    context = {
        "form": form,
        "rows": [(row, _provider(row.reconciliation.provider)) for row in rows],
        "next_after": next_after,
        "days": [(row, _provider(row.provider)) for row in reconciliation_list(DAYS_SHOWN)],
    }
    return render(request, "billing/finance_difference_list.html", context)


@staff_view(StaffRole.FINANCE)
@require_http_methods(["GET", "HEAD", "POST"])
def finance_difference_settle(request: HttpRequest, difference_id: int) -> HttpResponse:
    """Show one difference; record what finance found out about it."""
    try:
        difference = difference_get(difference_id)
    except Difference.DoesNotExist:
        raise Http404 from None
    form = NoteForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            difference_settle(
                difference_id=difference.pk,
                note=form.cleaned_data["note"],
                actor=actor_of(request),
                at=clock.now(),
            )
        except DomainError as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("差异已处理"))
            return redirect("billing:finance_difference_list")
    context = {
        "form": form,
        "difference": difference,
        "provider": _provider(difference.reconciliation.provider),
    }
    status = 422 if form.errors else 200
    return render(request, "billing/finance_difference_settle.html", context, status=status)


@staff_view(StaffRole.FINANCE)
@require_safe
def finance_proof_list(request: HttpRequest) -> HttpResponse:
    """Show the newest proofs of the book, and what the last one found."""
    proofs = proof_list()
    return render(request, "billing/finance_proof_list.html", {"proofs": proofs})


def _provider(code: str) -> str:
    return str(NAMES.get(code, code))
