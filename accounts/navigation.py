"""The desks' top navigation, by role."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models.users import StaffRole


@dataclass(frozen=True)
class NavigationItem:
    """A link: URL name, label, the roles that see it, and whether only the exact page counts as current."""

    url: str
    label: str | Promise
    roles: frozenset[StaffRole]
    exact: bool = False


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
NAVIGATION = (
    NavigationItem("accounts:operations", _("运营后台"), frozenset(), exact=True),
    NavigationItem("messaging:delivery_failed_list", _("投递失败"), frozenset()),
    NavigationItem("servicedesk:dashboard", _("工作台"), _DESK, exact=True),
    NavigationItem("servicedesk:desk_service_order_list", _("服务单"), _DESK),
    NavigationItem("reports:desk_report_list", _("月报"), _DESK),
    NavigationItem("tickets:console", _("工单队列"), _AGENTS),
    NavigationItem("billing:finance_payment_list", _("收款"), frozenset({StaffRole.FINANCE})),
)


def navigation_for(roles: set[str]) -> list[NavigationItem]:
    """Return what the holder of ``roles`` sees; operators see everything."""
    if StaffRole.OPERATOR in roles:
        return list(NAVIGATION)
    return [item for item in NAVIGATION if item.roles & roles]
