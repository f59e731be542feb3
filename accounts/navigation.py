"""Who is shown which links: the desks' top navigation by role, the customers' side navigation by topic."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models.users import StaffRole


@dataclass(frozen=True)
class NavigationItem:
    """A link: URL name, label, the roles that see it, the name of its icon.

    ``exact`` marks an index whose path begins the paths of other links: it is current on its own page only.
    ``also`` names pages elsewhere that belong to this link.
    """

    url: str
    label: str | Promise
    roles: frozenset[StaffRole] = frozenset()
    icon: str = ""
    exact: bool = False
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class NavigationGroup:
    """Links under one heading; the first group of a navigation has none."""

    label: str | Promise
    items: tuple[NavigationItem, ...]


_DESK = frozenset({StaffRole.ACCOUNT_MANAGER, StaffRole.FILING_STEWARD, StaffRole.TEAM_LEAD})
_AGENTS = frozenset(
    {
        StaffRole.CUSTOMER_SERVICE,
        StaffRole.VIP_AGENT,
        StaffRole.ENGINEER,
        StaffRole.TEAM_LEAD,
        StaffRole.DUTY_MANAGER,
        StaffRole.ACCOUNT_MANAGER,
    }
)
_LEADS = frozenset({StaffRole.TEAM_LEAD, StaffRole.DUTY_MANAGER})
_FINANCE = frozenset({StaffRole.FINANCE})
NAVIGATION = (
    NavigationItem("accounts:operations", _("运营后台"), frozenset(), "gauge", exact=True),
    NavigationItem("messaging:delivery_failed_list", _("投递失败"), frozenset(), "mail-warning"),
    NavigationItem("servicedesk:dashboard", _("工作台"), _DESK, "layout-dashboard", exact=True),
    NavigationItem("servicedesk:desk_service_order_list", _("服务单"), _DESK, "clipboard-list"),
    NavigationItem(
        "supportplans:desk_trial_list",
        _("试用审批"),
        frozenset({StaffRole.ACCOUNT_MANAGER, StaffRole.TEAM_LEAD}),
        "clipboard-check",
    ),
    NavigationItem(
        "supportplans:desk_link_list",
        _("关联账号"),
        frozenset({StaffRole.ACCOUNT_MANAGER, StaffRole.TEAM_LEAD}),
        "link",
    ),
    NavigationItem("reports:desk_report_list", _("月报"), _DESK, "chart-column"),
    NavigationItem("tickets:console", _("工单队列"), _AGENTS, "inbox", exact=True),
    NavigationItem("tickets:incidents", _("关联事件"), _AGENTS, "siren"),
    NavigationItem(
        "tickets:agents",
        _("接单状态"),
        frozenset({StaffRole.TEAM_LEAD, StaffRole.DUTY_MANAGER}),
        "users-round",
    ),
    NavigationItem("tickets:search", _("工单检索"), _AGENTS, "search"),
    NavigationItem("tickets:wall", _("时限墙"), _LEADS, "monitor"),
    NavigationItem("tickets:figures", _("工单报表"), _LEADS, "chart-column"),
    NavigationItem("billing:finance_overview", _("财务工作台"), _FINANCE, "wallet", exact=True),
    NavigationItem("billing:finance_payment_list", _("收款"), _FINANCE, "receipt-text"),
    NavigationItem("billing:finance_refund_list", _("退款"), _FINANCE, "undo-2"),
    NavigationItem(
        "billing:finance_transfer_list",
        _("对公转账"),
        _FINANCE,
        "landmark",
        also=("billing:finance_top_up",),
    ),
    NavigationItem("billing:finance_difference_list", _("对账差异"), _FINANCE, "scale"),
    NavigationItem("billing:finance_invoice_list", _("开票"), _FINANCE, "file-text"),
    NavigationItem("billing:finance_revenue", _("收入"), _FINANCE, "chart-column"),
    NavigationItem(
        "billing:finance_coupon_list",
        _("优惠券"),
        _FINANCE,
        "ticket-percent",
        also=("billing:finance_voucher_list", "billing:finance_import"),
    ),
)

# The customers' side navigation (design/README.md). A link is shown once its page exists.
PORTAL_NAVIGATION = (
    NavigationGroup(
        "", (NavigationItem("supportplans:overview", _("支持概览"), icon="house", exact=True),)
    ),
    NavigationGroup(
        _("工单"),
        (
            NavigationItem("tickets:ticket_list", _("我的工单"), icon="ticket"),
            NavigationItem("tickets:ticket_new", _("提交工单"), icon="plus"),
            NavigationItem("tickets:own_figures", _("工单报表"), icon="chart-column"),
        ),
    ),
    NavigationGroup(
        _("支持计划"),
        (
            NavigationItem(
                "supportplans:plan_detail",
                _("支持计划详情"),
                icon="shield-check",
                also=(
                    "billing:order_new",
                    "billing:plan_change",
                    "billing:plan_renew",
                    "supportplans:trial_apply",
                ),
            ),
            NavigationItem(
                "servicedesk:service_order_list", _("我的服务单"), icon="clipboard-list"
            ),
            NavigationItem("servicedesk:window_list", _("重保申请"), icon="calendar-days"),
            NavigationItem("reports:report_list", _("服务月报"), icon="file-chart-column"),
            NavigationItem("supportplans:link_list", _("关联账号"), icon="link"),
        ),
    ),
    NavigationGroup(
        _("费用"),
        (
            NavigationItem("billing:order_list", _("订单中心"), icon="receipt-text"),
            NavigationItem("billing:balance_detail", _("账户余额"), icon="wallet"),
            NavigationItem(
                "billing:coupon_list",
                _("优惠券与代金券"),
                icon="ticket-percent",
                also=("billing:voucher_list",),
            ),
            NavigationItem("billing:invoice_list", _("发票"), icon="file-text"),
            NavigationItem("billing:unsubscription_list", _("退订管理"), icon="undo-2"),
        ),
    ),
    NavigationGroup(
        _("账户"), (NavigationItem("accounts:people_list", _("授权员工"), icon="users-round"),)
    ),
    NavigationGroup(
        _("帮助"),
        (
            NavigationItem("onlineservice:article_list", _("帮助中心"), icon="book-open"),
            NavigationItem("api_docs", _("API 中心"), icon="braces"),
        ),
    ),
)


def navigation_for(roles: set[str]) -> list[NavigationItem]:
    """Return what the holder of ``roles`` sees; operators see everything."""
    if StaffRole.OPERATOR in roles:
        return list(NAVIGATION)
    return [item for item in NAVIGATION if item.roles & roles]
