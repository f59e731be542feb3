"""What customers of the demo do between replies: files, a watcher, an urge, a draft; and mail that was no reply."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from email.message import EmailMessage

from django.core.files.base import ContentFile
from PIL import Image, ImageDraw

from accounts.access import Actor
from accounts.models import Membership, Tenant
from core.files import validate_upload
from core.tenancy import scope
from messaging import receiving
from messaging.states import InboundWay
from supportplans.models import ProductLine
from tickets.models import Ticket
from tickets.services.attachments import attachment_store
from tickets.services.drafts import draft_save
from tickets.services.urges import ticket_urge
from tickets.services.watchers import watcher_add
from tickets.states import TicketState

CUSTOMER = "华辰科技"
LOG = """2026-11-23 10:02:11 ERROR pool timeout after 5000 ms (active=200, idle=0, waiting=412)
2026-11-23 10:02:12 WARN  retry 1/3 upstream=10.0.2.15:3306
2026-11-23 10:02:17 ERROR upstream closed the connection
"""
REASONS = {5: ["fast", "skilled"], 4: ["clear"], 3: ["slow"], 2: ["slow", "unclear"]}
DRAFT = {
    "effect": "impaired",
    "kind": "technical",
    "title": "负载均衡后端偶发 502",
    "body": "首次出现时间：昨晚 20 点后\n负载均衡实例 ID 和监听端口：\n影响范围：约 3% 请求\n",
}


def load(at: datetime) -> None:
    """Add to the open tickets of one customer. The caller is in staff's scope and loads once."""
    tenant = Tenant.objects.get(name=CUSTOMER)
    places = list(Membership.objects.filter(tenant=tenant).select_related("user").order_by("pk"))
    owner, colleague = _actor(places[0]), places[-1].user
    working = Ticket.objects.filter(
        tenant=tenant, state=TicketState.PROCESSING, due_at=None
    ).order_by("created_at")
    waiting = Ticket.objects.filter(
        tenant=tenant, state=TicketState.PROCESSING, due_at__isnull=False
    ).order_by("created_at")
    for ticket in working[:1]:
        _add_files(ticket, at)
        watcher_add(ticket_id=ticket.pk, user_id=colleague.pk, actor=owner, at=at)
    for ticket in waiting[:1]:
        ticket_urge(ticket_id=ticket.pk, actor=owner, at=at - timedelta(minutes=1))
    line = ProductLine.objects.get(code="elb")
    with scope.customer(tenant.pk):
        draft_save(
            tenant_id=tenant.pk,
            key="demo-draft",
            content={**DRAFT, "product_line": line.pk},
            actor=owner,
            at=at - timedelta(hours=2),
        )
    _receive_mail(at)


def _actor(place: Membership) -> Actor:
    return Actor(
        user=place.user,
        name=str(place.user),
        title=str(place.get_role_display()),
        tenant_id=place.tenant_id,
    )


def _add_files(ticket: Ticket, at: datetime) -> None:
    message = ticket.messages.order_by("pk")[0]
    actor = Actor(user=message.actor, name=message.actor_name, tenant_id=ticket.tenant_id)
    for name, content in (("app-error.log", LOG.encode()), ("监控截图.png", _chart())):
        upload = ContentFile(content, name=name)
        attachment_store(
            tenant_id=ticket.tenant_id,
            upload=upload,
            facts=validate_upload(upload),
            actor=actor,
            at=at,
            message=message,
        )


def _chart() -> bytes:
    """Draw what a monitoring page looks like."""
    image = Image.new("RGB", (960, 360), "white")
    draw = ImageDraw.Draw(image)
    for level in range(1, 6):
        draw.line([(40, 60 * level), (930, 60 * level)], fill="#e3e8f0")
    points = [(40 + 30 * n, 260 - (12 * n % 37) - (150 if n > 19 else 0)) for n in range(30)]  # noqa: PLR2004
    draw.line(points, fill="#1a56db", width=4, joint="curve")
    made = io.BytesIO()
    image.save(made, "PNG")
    return made.getvalue()


def _receive_mail(at: datetime) -> None:
    """Let an absence note and a mail to nobody in particular come in."""
    for number, (subject, headers) in enumerate(
        (("自动回复：工单有新的回复", {"Auto-Submitted": "auto-replied"}), ("咨询合作", {}))
    ):
        mail = EmailMessage()
        mail["From"], mail["To"] = "wang@huachen.example", "reply@portal.example"
        mail["Subject"], mail["Message-ID"] = subject, f"<demo-{number}@huachen.example>"
        for name, value in headers.items():
            mail[name] = value
        mail.set_content("我正在休假，将于周一回复。")
        receiving.mail_receive(raw=mail.as_bytes(), way=InboundWay.IMAP, at=at)
        receiving.mail_process_next(at=at)
