"""Every URL of the portal, and the arguments that make a real address of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import Invitation, Membership, StaffMember, Tenant
from billing.models import Coupon, CouponGrant, Difference, Invoice, Order, Payment, Refund, Voucher
from billing.states import AccountKind
from core import clock
from messaging.models import Delivery, InboundMail
from onlineservice.models import Article
from reports.models import MonthlyReport
from servicedesk.models import Deliverable
from supportplans.models import AccountLink, Plan, TrialApplication
from supportplans.states import LinkSide
from tickets.models import Attachment, Incident, Macro, SavedView, Ticket

# Rooms of libraries have tests of their own: allauth's pages and Django's back office in tests/isolation.
ELSEWHERE = ("account_", "admin:")
# Arguments that name nobody's row.
FREE = {"key", "slug", "provider", "token", "action", "decision"}
NO_SUCH = {"int": 987_654_321, "str": "0000000000000000"}


@dataclass(frozen=True)
class Page:
    """A named URL and what its arguments are called."""

    name: str
    converters: tuple[tuple[str, str], ...]

    @property
    def room(self) -> str:
        """Return the app that the page belongs to."""
        return self.name.split(":")[0].removesuffix("_api")

    @property
    def names_rows(self) -> bool:
        """Return True if an argument leads to a tenant's row."""
        return any(argument not in FREE for argument, _ in self.converters)

    def address(self, tenant: Tenant) -> str:
        """Return the page's address for rows of ``tenant``."""
        known = ROWS[self.room](tenant) if self.converters else {}
        missing = [argument for argument, _ in self.converters if argument not in known]
        assert not missing, f"tell tests/sweep/urls.py about {missing} of {self.name}"
        return reverse(self.name, kwargs={name: known[name] for name, _ in self.converters})

    def address_of_nothing(self, tenant: Tenant) -> str:
        """Return the page's address for rows that do not exist."""
        known = ROWS[self.room](tenant)
        arguments = {
            name: known[name] if name in FREE else NO_SUCH[kind] for name, kind in self.converters
        }
        return reverse(self.name, kwargs=arguments)


def pages() -> list[Page]:
    """Return every page, by name."""
    return sorted(_walk(get_resolver(), ""), key=lambda page: page.name)


def _walk(resolver: URLResolver, namespace: str) -> Iterator[Page]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from _walk(entry, inner)
        elif isinstance(entry, URLPattern):
            name = f"{namespace}{entry.name}"
            if not name.startswith(ELSEWHERE):
                assert entry.name, f"{entry.pattern} has no name"
                kinds = {
                    argument: "int" if type(converter).__name__ == "IntConverter" else "str"
                    for argument, converter in entry.pattern.converters.items()
                }
                yield Page(name, tuple(kinds.items()))


def _newest(queryset: Any) -> Any:
    found = queryset.order_by("-pk").first()
    assert found is not None, f"the demo has no {queryset.model.__name__} for this tenant"
    return found


def _accounts(tenant: Tenant) -> dict[str, object]:
    return {
        "tenant_id": tenant.pk,
        "membership_id": _newest(Membership.objects.filter(tenant=tenant)).pk,
        "invitation_id": _invitation(tenant),
        "token": "nobody-was-sent-this",
    }


def _invitation(tenant: Tenant) -> int:
    made, _ = Invitation.objects.get_or_create(
        tenant=tenant,
        email="new@sweep.test",
        defaults={
            "token_digest": f"{tenant.pk:064}",
            "expires_at": clock.now() + timedelta(days=7),
            "created_at": clock.now(),
        },
    )
    return made.pk


def _messaging(tenant: Tenant) -> dict[str, object]:
    return {
        "delivery_id": _newest(Delivery.objects.filter(tenant=tenant)).pk,
        # Operators only, whoever's mail it is.
        "mail_id": _newest(InboundMail.objects.all()).pk,
    }


def _billing(tenant: Tenant) -> dict[str, object]:
    return {
        "number": _newest(Order.objects.filter(tenant=tenant)).number,
        "invoice_id": _newest(Invoice.objects.filter(tenant=tenant)).pk,
        "provider": "local",
        # Finance's pages: only staff opens them, whoever's rows they are.
        "payment_id": _newest(Payment.objects.filter(provider=AccountKind.TRANSFER)).pk,
        "refund_id": _newest(Refund.objects.all()).pk,
        "difference_id": _newest(Difference.objects.all()).pk,
        "coupon_id": _newest(Coupon.objects.all()).pk,
        "grant_id": _newest(CouponGrant.objects.all()).pk,
        "voucher_id": _newest(Voucher.objects.all()).pk,
    }


def _supportplans(tenant: Tenant) -> dict[str, object]:
    application = TrialApplication.objects.filter(tenant=tenant).order_by("-pk").first()
    if application is None:
        application = TrialApplication.objects.create(
            tenant=tenant,
            plan=Plan.objects.get(code="business"),
            created_at=clock.now(),
        )
    link = AccountLink.objects.filter(tenant=tenant).order_by("-pk").first()
    if link is None:
        link = AccountLink.objects.create(
            tenant=tenant,
            side=LinkSide.PRINCIPAL,
            pair=uuid.uuid4(),
            account_id=uuid.uuid4(),
            name="子公司",
            told=True,
            created_at=clock.now(),
        )
    return {"pk": application.pk, "link_id": link.pk, "decision": "grant", "action": "withdraw"}


def _tickets(tenant: Tenant) -> dict[str, object]:
    ticket = _newest(Ticket.objects.filter(tenant=tenant))
    attachment = Attachment.objects.filter(tenant=tenant).first() or Attachment.objects.create(
        tenant=tenant,
        message=ticket.messages.first(),
        file=ContentFile("日志".encode(), "a.txt"),
        name="日志.txt",
        size=6,
        content_type="text/plain",
        sha256="0" * 64,
        created_at=clock.now(),
    )
    return {
        "number": ticket.number,
        "attachment_id": attachment.pk,
        # Staff's pages: whoever's rows they are.
        "card_id": _newest(StaffMember.objects.all()).pk,
        "incident_id": _newest(Incident.objects.all()).pk,
        # The team's: only staff opens it.
        "macro_id": _newest(Macro.objects.filter(owner=None)).pk,
        "message_id": _newest(ticket.messages.all()).pk,
        "key": "nobody-wrote-this",
        "user_id": _newest(Membership.objects.filter(tenant=tenant)).user_id,
        "view_id": _newest(SavedView.objects.all()).pk,
    }


def _servicedesk(tenant: Tenant) -> dict[str, object]:
    deliverable = _newest(Deliverable.objects.filter(tenant=tenant))
    return {
        "number": deliverable.service_order.number,
        "pk": deliverable.pk,
        "action": "start",
    }


def _onlineservice(tenant: Tenant) -> dict[str, object]:
    return {"slug": _newest(Article.objects.all()).slug}


def _reports(tenant: Tenant) -> dict[str, object]:
    report = MonthlyReport.objects.filter(tenant=tenant).order_by("-pk").first()
    return {"pk": report.pk if report else NO_SUCH["int"], "tenant_id": tenant.pk}


# One consistent set of rows of a tenant for each app's URLs.
ROWS: dict[str, Callable[[Tenant], dict[str, object]]] = {
    "accounts": _accounts,
    "messaging": _messaging,
    "billing": _billing,
    "supportplans": _supportplans,
    "tickets": _tickets,
    "servicedesk": _servicedesk,
    "onlineservice": _onlineservice,
    "reports": _reports,
}
