"""The cast of the demo: plain data, also read by the local launcher. Names of customers and people are invented."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "demo-support-2026"  # noqa: S105  (printed at every start of a demo)


@dataclass(frozen=True)
class DemoTenant:
    """A customer account: name, mail domain, its people as (local part, name, role)."""

    name: str
    domain: str
    people: tuple[tuple[str, str, str], ...]
    account_manager: str
    service_manager: str = ""


@dataclass(frozen=True)
class DemoStaff:
    """A person of staff."""

    email: str
    name: str
    display_name: str
    title: str
    roles: tuple[str, ...]
    tier: str = ""
    phone: str = ""


TENANTS = (
    DemoTenant(
        "华辰科技",
        "huachen.example",
        (("owner", "李明", "owner"), ("wang", "王静", "administrator"), ("zhao", "赵磊", "member")),
        "manager@portal.example",
        "manager@portal.example",
    ),
    DemoTenant(
        "云帆物流",
        "yunfan.example",
        (("owner", "王海", "owner"), ("sun", "孙悦", "member")),
        "manager@portal.example",
        "manager2@portal.example",
    ),
    DemoTenant(
        "青禾教育",
        "qinghe.example",
        (("owner", "陈露", "owner"), ("gao", "高翔", "member")),
        "manager@portal.example",
    ),
    DemoTenant(
        "木棉传媒", "mumian.example", (("owner", "何佳", "owner"),), "manager2@portal.example"
    ),
    DemoTenant(
        "启明医疗",
        "qiming.example",
        (("owner", "周岚", "owner"), ("ding", "丁浩", "administrator")),
        "manager@portal.example",
        "manager@portal.example",
    ),
)

STAFF = (
    DemoStaff("agent@portal.example", "陈立", "陈工", "VIP 专席", ("vip_agent",)),
    DemoStaff("agent2@portal.example", "刘洋", "刘工", "VIP 专席", ("vip_agent",)),
    DemoStaff("service@portal.example", "何晓", "小何", "客服", ("customer_service",)),
    DemoStaff("engineer@portal.example", "林峰", "林工", "技术专家", ("engineer",), "expert"),
    DemoStaff("engineer2@portal.example", "许诺", "许工", "技术工程师", ("engineer",), "technical"),
    DemoStaff("lead@portal.example", "吴敏", "吴敏", "专席组长", ("team_lead",)),
    DemoStaff("duty@portal.example", "郑浩", "郑浩", "值班经理", ("duty_manager",)),
    DemoStaff(
        "manager@portal.example",
        "周敏",
        "周敏",
        "资深技术专家",
        ("account_manager",),
        phone="021-5555-0101",
    ),
    DemoStaff(
        "manager2@portal.example",
        "赵岩",
        "赵岩",
        "资深技术工程师",
        ("account_manager",),
        phone="021-5555-0102",
    ),
    DemoStaff("filing@portal.example", "冯雪", "冯雪", "备案管家", ("filing_steward",)),
    DemoStaff("finance@portal.example", "孙丽", "孙丽", "财务", ("finance",)),
    DemoStaff("operator@portal.example", "何静", "何静", "运营", ("operator",)),
)

# What the launcher prints: role, address.
SIGN_INS = (
    ("客户所有者（企业级）", "owner@huachen.example"),
    ("客户所有者（标准服务）", "owner@mumian.example"),
    ("VIP 专席", "agent@portal.example"),
    ("客户经理", "manager@portal.example"),
    ("财务", "finance@portal.example"),
    ("运营", "operator@portal.example"),
)
