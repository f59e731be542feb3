"""Demo data of the service desk: service orders in every state, with real PDF files."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.files.uploadedfile import InMemoryUploadedFile
from django.utils.html import format_html
from weasyprint import HTML

from accounts.access import SYSTEM, Actor
from accounts.models import StaffMember, Tenant, User
from core.tenancy import scope
from servicedesk.models import ServiceOrder
from servicedesk.services import service_orders
from servicedesk.states import DeliverableKind, DeliveryWay, Origin, Scenario, State
from supportplans.models import ServiceItem


@dataclass(frozen=True)
class Case:
    """One service order: whose, what, when filed (days ago), how it goes on, and its rating."""

    tenant: str
    item: str
    scenario: str
    days_ago: int
    state: State
    scope: str
    rating: tuple[int, int, str] | None = None
    reason: str = ""


CHECK, MONITORING = "availability_check", "monitoring_optimization"
CASES = (
    Case(
        "华辰科技",
        CHECK,
        Scenario.JOIN,
        260,
        State.COMPLETED,
        "云主机 14 台",
        (5, 5, "报告清楚，建议可执行"),
    ),
    Case(
        "华辰科技",
        MONITORING,
        Scenario.JOIN,
        255,
        State.COMPLETED,
        "云主机告警",
        (5, 4, "希望增加慢查询"),
    ),
    Case(
        "华辰科技",
        CHECK,
        Scenario.EVENT,
        42,
        State.COMPLETED,
        "大促链路：负载均衡、云主机、缓存",
        (4, 5, ""),
    ),
    Case("华辰科技", CHECK, Scenario.CHANGE, 6, State.IN_PROGRESS, "数据库版本升级前检查"),
    Case("云帆物流", CHECK, Scenario.JOIN, 215, State.COMPLETED, "运单系统全部资源", (4, 4, "")),
    Case("云帆物流", MONITORING, Scenario.EVENT, 3, State.REQUESTED, "大促期间的负载与告警"),
    Case(
        "云帆物流",
        CHECK,
        Scenario.CHANGE,
        31,
        State.REJECTED,
        "机房搬迁",
        reason="变更方案尚未确定，请确定后重新申请",
    ),
    Case("云帆物流", CHECK, Scenario.EVENT, 1, State.REQUESTED, "年货节链路"),
    Case("青禾教育", CHECK, Scenario.JOIN, 118, State.COMPLETED, "直播课堂云主机 6 台"),
    Case("启明医疗", CHECK, Scenario.JOIN, 10, State.IN_PROGRESS, "影像归档系统"),
    Case(
        "启明医疗",
        MONITORING,
        Scenario.JOIN,
        9,
        State.CANCELLED,
        "影像归档系统",
        reason="客户试用期内暂不接入监控",
    ),
)
FINDINGS = (
    ("订单库单可用区部署", "高", "升级为跨可用区主备"),
    ("系统盘未设自动备份", "高", "启用每日快照，保留 7 天"),
    ("健康检查间隔过长", "中", "由 30 秒调整为 5 秒"),
)


def load(at: datetime) -> None:
    """Make what is missing."""
    with scope.staff():
        tenants = {
            tenant.name: tenant for tenant in Tenant.objects.select_related("account_manager__user")
        }
        if ServiceOrder.objects.exclude(item__code="monthly_report").exists():
            return
        # The oldest first, as they would have come: lists go by id.
        for case in sorted(CASES, key=lambda case: -case.days_ago):
            _make(case, tenants[case.tenant], at - timedelta(days=case.days_ago, hours=3))


def _make(case: Case, tenant: Tenant, filed: datetime) -> None:
    manager = _actor(tenant.account_manager)
    person = User.objects.filter(memberships__tenant=tenant).order_by("id").first()
    customer = Actor(
        user=person, name=person.name if person else "", title="所有者", tenant_id=tenant.pk
    )
    by_customer = case.state in {State.REQUESTED, State.REJECTED}
    order = service_orders.service_order_file(
        tenant_id=tenant.pk,
        item_code=case.item,
        scenario=case.scenario,
        contact=customer.name,
        delivery=DeliveryWay.EMAIL,
        fields={"检查范围": case.scope},
        origin=Origin.CUSTOMER if by_customer else Origin.MANAGER,
        actor=customer if by_customer else manager,
        at=filed,
    )
    if case.state == State.REJECTED:
        service_orders.service_order_reject(
            order_id=order.pk, reason=case.reason, actor=manager, at=filed + timedelta(hours=5)
        )
    if case.state == State.CANCELLED:
        service_orders.service_order_cancel(
            order_id=order.pk, reason=case.reason, actor=manager, at=filed + timedelta(hours=5)
        )
    if case.state == State.COMPLETED:
        _deliver(case, order, tenant, manager, filed)
    if case.rating:
        speed, quality, suggestion = case.rating
        service_orders.service_order_rate(
            order_id=order.pk,
            speed=speed,
            quality=quality,
            suggestion=suggestion,
            actor=customer,
            at=filed + timedelta(days=3),
        )


def _deliver(
    case: Case, order: ServiceOrder, tenant: Tenant, manager: Actor, filed: datetime
) -> None:
    item = ServiceItem.objects.get(code=case.item).name
    files = (
        (DeliverableKind.DELIVERABLE, f"{tenant.name}{item}建议书.pdf", True),
        (DeliverableKind.PROOF, "推送凭证.pdf", False),
        (DeliverableKind.RISK_LETTER, "风险确认函.pdf", True),
    )
    for kind, name, with_findings in files:
        service_orders.deliverable_add(
            order_id=order.pk,
            kind=kind,
            upload=_pdf(name, tenant.name, with_findings=with_findings),
            actor=manager,
            at=filed + timedelta(days=2),
        )
    service_orders.service_order_complete(
        order_id=order.pk, actor=manager, at=filed + timedelta(days=2, minutes=8)
    )


def _pdf(name: str, customer: str, *, with_findings: bool) -> InMemoryUploadedFile:
    rows = "".join(
        format_html("<tr><td>{}</td><td>{}</td><td>{}</td></tr>", *finding) for finding in FINDINGS
    )
    table = (
        f"<table><tr><th>风险项</th><th>等级</th><th>建议</th></tr>{rows}</table>"
        if with_findings
        else ""
    )
    content = HTML(
        string=format_html("<h1>{}</h1><p>{}</p>", name.removesuffix(".pdf"), customer) + table
    ).write_pdf()
    return InMemoryUploadedFile(
        io.BytesIO(content), "file", name, "application/pdf", len(content), None
    )


def _actor(card: StaffMember | None) -> Actor:
    if card is None:
        return SYSTEM
    return Actor(user=card.user, name=card.display_name, title=card.title, is_staff=True)
