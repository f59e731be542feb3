"""The tenant's people: who belongs, who is invited, joining."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import actor_of, customer_view, identity_of
from accounts.exceptions import InvitationNotUsable
from accounts.forms import InvitationForm, RoleForm
from accounts.middleware import TENANT_SESSION_KEY
from accounts.models import Invitation, Membership
from accounts.models.tenants import TenantRole
from accounts.services import memberships
from core import clock
from core.exceptions import DomainError
from core.jobs import enqueue

PEOPLE_SHOWN = 200


@customer_view()
@require_http_methods(["GET", "HEAD", "POST"])
def people_list(request: HttpRequest) -> HttpResponse:
    """Show people and open invitations; administrators invite."""
    identity = identity_of(request)
    manages = identity.has_tenant_role(TenantRole.ADMINISTRATOR)
    form = InvitationForm(request.POST or None, identity=identity)
    if request.method == "POST":
        if not manages:
            return redirect("accounts:people_list")
        if form.is_valid() and _invite(request, form):
            return redirect("accounts:people_list")
    now = clock.now()
    people = (
        Membership.objects.filter(tenant=identity.tenant, is_active=True)
        .select_related("user")
        .order_by("id")
    )
    invitations = Invitation.objects.filter(
        tenant=identity.tenant, accepted_at=None, revoked_at=None, expires_at__gt=now
    ).order_by("-id")
    return render(
        request,
        "accounts/people_list.html",
        {
            "people": people[:PEOPLE_SHOWN],
            "invitations": invitations[:PEOPLE_SHOWN],
            "form": form,
            "manages": manages,
            "roles": TenantRole.choices,
        },
    )


def _invite(request: HttpRequest, form: InvitationForm) -> bool:
    try:
        invitation, token = memberships.invitation_create(
            identity=identity_of(request),
            actor=actor_of(request),
            at=clock.now(),
            **form.cleaned_data,
        )
    except DomainError as error:
        form.add_error(error.field, str(error.message))
        return False
    enqueue("accounts.invitation_mail", invitation_id=invitation.pk, token=token)
    messages.success(request, f"{invitation.email} ✓")
    return True


@customer_view(least=TenantRole.ADMINISTRATOR)
@require_POST
def role_change(request: HttpRequest, membership_id: int) -> HttpResponse:
    """Give a person another role."""
    form = RoleForm(request.POST)
    if form.is_valid():
        try:
            memberships.membership_change_role(
                identity=identity_of(request),
                membership_id=membership_id,
                role=TenantRole(form.cleaned_data["role"]),
                actor=actor_of(request),
                at=clock.now(),
            )
        except Membership.DoesNotExist:
            raise Http404 from None
        except DomainError as error:
            messages.error(request, str(error.message))
    return redirect("accounts:people_list")


@customer_view(least=TenantRole.ADMINISTRATOR)
@require_POST
def member_remove(request: HttpRequest, membership_id: int) -> HttpResponse:
    """Take a person out of the tenant."""
    try:
        memberships.membership_remove(
            identity=identity_of(request),
            membership_id=membership_id,
            actor=actor_of(request),
            at=clock.now(),
        )
    except Membership.DoesNotExist:
        raise Http404 from None
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect("accounts:people_list")


@customer_view(least=TenantRole.ADMINISTRATOR)
@require_POST
def invitation_revoke(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Withdraw an invitation."""
    try:
        memberships.invitation_revoke(
            identity=identity_of(request),
            invitation_id=invitation_id,
            actor=actor_of(request),
            at=clock.now(),
        )
    except InvitationNotUsable:
        raise Http404 from None
    return redirect("accounts:people_list")


@require_http_methods(["GET", "HEAD", "POST"])
def invitation_accept(request: HttpRequest, token: str) -> HttpResponse:
    """Join a tenant: sign in (or up) with the invited address, then confirm. Runs as the login role."""
    now = clock.now()
    try:
        invitation = memberships.invitation_find(token=token, at=now)
        user = identity_of(request).user
        if request.method == "POST" and user is None:
            return redirect_to_login(request.path)
        if request.method == "POST" and user is not None:
            membership = memberships.invitation_accept(token=token, user=user, at=now)
            request.session[TENANT_SESSION_KEY] = membership.tenant_id
            return redirect("supportplans:overview")
    except InvitationNotUsable as error:
        return render(request, "accounts/invitation_invalid.html", {"error": error}, status=404)
    fits = user is not None and user.email.lower() == invitation.email
    return render(
        request,
        "accounts/invitation_accept.html",
        {"invitation": invitation, "fits": fits, "token": token},
    )
