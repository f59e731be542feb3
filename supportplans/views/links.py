"""Linked accounts: both sides' page, and the account managers' decisions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import actor_of, customer_view, identity_of, staff_view
from accounts.models.tenants import TenantRole
from accounts.models.users import StaffRole
from core import clock
from core.exceptions import DomainError
from supportplans.forms import LinkForm
from supportplans.models import AccountLink
from supportplans.selectors.links import (
    PAGE,
    link_room,
    links_of,
    links_running,
    links_to_decide,
    offer_ends,
)
from supportplans.services import links
from supportplans.states import LinkSide

ROLES = (StaffRole.ACCOUNT_MANAGER, StaffRole.TEAM_LEAD)
TURNS: dict[str, Callable[..., AccountLink]] = {
    "accept": links.link_accept,
    "refuse": links.link_refuse,
    "withdraw": links.link_withdraw,
    "end": links.link_end,
}
DECISIONS = ("grant", "refuse", "end")


@customer_view()
@require_http_methods(["GET", "HEAD", "POST"])
def link_list(request: HttpRequest) -> HttpResponse:
    """Show the account's links of both sides to everyone in it; administrators propose another one."""
    identity, now = identity_of(request), clock.now()
    tenant, manages = identity.tenant, identity.has_tenant_role(TenantRole.ADMINISTRATOR)
    if tenant is None:
        raise Http404
    if request.method == "POST" and not manages:
        raise PermissionDenied
    form = LinkForm(request.POST or None)
    error = ""
    if request.method == "POST" and form.is_valid():
        try:
            links.link_propose(
                tenant_id=tenant.pk, **form.cleaned_data, actor=actor_of(request), at=now
            )
        except DomainError as refused:
            error = str(refused.message)
        else:
            messages.success(request, _("邀请已发出，对方确认后由客户经理审批"))
            return redirect("supportplans:link_list")
    found = links_of(tenant.pk)
    context: dict[str, Any] = {
        "form": form,
        "error": error,
        "account": tenant,
        "manages": manages,
        "room": link_room(tenant.pk, now),
        "offer_ends": offer_ends(now),
        "own": [link for link in found if link.side == LinkSide.PRINCIPAL],
        "principals": [link for link in found if link.side == LinkSide.LINKED],
    }
    status = 409 if error else 422 if form.errors else 200
    return render(request, "supportplans/link_list.html", context, status=status)


@customer_view(least=TenantRole.ADMINISTRATOR)
@require_POST
def link_turn(request: HttpRequest, link_id: int, action: str) -> HttpResponse:
    """Accept or refuse an invitation, take a proposal back, end a link: on the account's own side."""
    tenant = identity_of(request).tenant
    if action not in TURNS or not AccountLink.objects.filter(tenant=tenant, pk=link_id).exists():
        raise Http404
    try:
        link = TURNS[action](link_id=link_id, actor=actor_of(request), at=clock.now())
    except DomainError as refused:
        messages.error(request, str(refused.message))
    else:
        words = {
            "accept": _("已接受，等待客户经理审批"),
            "refuse": _("已拒绝关联邀请"),
            "withdraw": _("已取消邀请"),
            "end": _("已解除与 %(name)s 的关联") % {"name": link.name},
        }
        messages.success(request, words[action])
    return redirect("supportplans:link_list")


@staff_view(*ROLES)
@require_safe
def desk_link_list(request: HttpRequest) -> HttpResponse:
    """Show what waits for a decision, the oldest first, and what runs."""
    return _desk_list(request, status=200)


@staff_view(*ROLES)
@require_POST
def desk_link_decide(request: HttpRequest, link_id: int, decision: str) -> HttpResponse:
    """Approve, reject or end a link; a refusal by the rules stands beside its row and loses nothing typed."""
    principal = AccountLink.objects.filter(pk=link_id, side=LinkSide.PRINCIPAL)
    if decision not in DECISIONS or not principal.exists():
        raise Http404
    common: dict[str, Any] = {"link_id": link_id, "actor": actor_of(request), "at": clock.now()}
    try:
        if decision == "grant":
            links.link_approve(**common)
        elif decision == "end":
            links.link_end_by_staff(**common)
        else:
            links.link_reject(**common, answer=request.POST.get("answer", "")[:500])
    except DomainError as refused:
        return _desk_list(request, status=422, wrong=link_id, error=str(refused.message))
    messages.success(request, _("关联账号已处理"))
    return redirect("supportplans:desk_link_list")


def _desk_list(
    request: HttpRequest, *, status: int, wrong: int | None = None, error: str = ""
) -> HttpResponse:
    after = request.GET.get("after", "")
    key = int(after) if after.isdecimal() else None
    view = "running" if request.GET.get("view") == "running" else "waiting"
    found = links_running(key) if view == "running" else links_to_decide(key)
    context = {
        "view": view,
        "account_links": found[:PAGE],
        "next_after": found[PAGE - 1].pk if len(found) > PAGE else None,
        "wrong": wrong,
        "error": error,
        "typed": request.POST,
    }
    return render(request, "supportplans/desk_link_list.html", context, status=status)
