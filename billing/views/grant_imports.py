"""Granting coupons and vouchers by a file: shown line by line first, granted on a second word."""

from __future__ import annotations

from decimal import Decimal

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.access import actor_of, staff_view
from accounts.models.users import StaffRole
from billing.finance_forms import ImportForm
from billing.grant_files import (
    HEADER,
    MOST_BYTES,
    MOST_LINES,
    GrantFileInvalid,
    grant_file_text,
    grant_lines,
)
from billing.services.grant_imports import PlannedGrant, grants_import, grants_plan
from billing.views.steps import posted
from core import clock
from core.exceptions import DomainError
from core.money import ZERO

EXAMPLE = (
    HEADER,
    ("华辰科技", "优惠券", "NEW500", "", "", "", ""),
    ("华辰科技", "代金券", "服务补偿", "1000.00", "2026-12-01", "2027-02-28", ""),
)


@staff_view(StaffRole.FINANCE)
@require_http_methods(["GET", "HEAD", "POST"])
def finance_import(request: HttpRequest) -> HttpResponse:
    """Take a file and show what it would grant; take what was shown and grant it."""
    form = ImportForm(posted(request), request.FILES or None)
    planned: list[PlannedGrant] = []
    text = ""
    if request.method == "POST" and form.is_valid():
        is_confirmed = bool(form.cleaned_data["content"])
        try:
            text = form.cleaned_data["content"] or _uploaded(form)
            lines = grant_lines(text)
            planned = grants_plan(lines, clock.now())
            if is_confirmed:
                count = grants_import(lines=lines, actor=actor_of(request), at=clock.now())
                done = ngettext("已发放 %(count)d 条", "已发放 %(count)d 条", count)
                messages.success(request, done % {"count": count})
                return redirect("billing:finance_coupon_list")
        except GrantFileInvalid as refused:
            form.add_error("file", str(refused.message))
        except DomainError as refused:
            form.add_error(None, str(refused.message))
    wrong = [grant for grant in planned if grant.errors]
    due = [grant for grant in planned if not grant.errors and not grant.is_done]
    context = {
        "form": form,
        "planned": planned,
        "wrong": len(wrong),
        "due": len(due),
        "total": sum((_worth(grant) for grant in due), ZERO),
        "text": text,
        "example": EXAMPLE,
        "most_lines": MOST_LINES,
        "most_kilobytes": MOST_BYTES // 1024,
    }
    status = 422 if form.errors or wrong else 200
    return render(request, "billing/finance_import.html", context, status=status)


def _uploaded(form: ImportForm) -> str:
    """Return the text of the uploaded file. Raises GrantFileInvalid."""
    upload = form.cleaned_data["file"]
    if not upload:
        raise GrantFileInvalid(_("请选择文件"))
    # One byte more than is allowed says that it is too large.
    return grant_file_text(upload.read(MOST_BYTES + 1))


def _worth(grant: PlannedGrant) -> Decimal:
    return grant.coupon.most if grant.coupon else grant.line.amount or ZERO
