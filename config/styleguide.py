"""The style guide: every component in every state, in both themes, for staff. Its figures are samples."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import staff_view
from accounts.models import Tenant
from core import clock
from servicedesk.calendar import CalendarWeek, month_weeks
from supportplans.models import AssuranceWindow
from supportplans.states import WindowState

LEVELS = (
    ("standard", "标准服务"),
    ("lite", "轻量级"),
    ("business", "商业级"),
    ("enterprise", "企业级"),
)
STATUSES = (
    ("待响应", "warn"),
    ("处理中", "info"),
    ("已完成", "ok"),
    ("驳回", "bad"),
    ("已取消", ""),
)
TOKENS = (
    "bg",
    "surface",
    "surface-2",
    "surface-3",
    "line",
    "line-2",
    "control",
    "ink",
    "ink-2",
    "ink-3",
    "brand",
    "link",
    "brand-soft",
    "ok-fill",
    "ok-soft",
    "warn-fill",
    "warn-soft",
    "bad-fill",
    "bad-soft",
)
CLOCKS = (
    ("calm", 420, "07:00"),
    ("warm", 280, "04:40"),
    ("hot", 72, "01:12"),
    ("breached", -151, "+02:31"),
)


class SampleForm(forms.Form):
    """One field of every kind."""

    event = forms.CharField(label="活动名称", help_text="例如：双十二促销", max_length=50)
    starts = forms.DateField(
        label="重保开始日期", widget=forms.DateInput(attrs={"type": "date"}), initial="2026-11-30"
    )
    level = forms.ChoiceField(
        label="重保级别",
        choices=(("2", "二级重保，一个周期最长 5 天"), ("3", "三级重保，一个周期最长 10 天")),
    )
    way = forms.ChoiceField(
        label="提供方式",
        choices=(("mail", "邮件"), ("call", "电话")),
        widget=forms.RadioSelect,
        initial="mail",
    )
    goal = forms.CharField(
        label="业务目标", required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )
    plan = forms.FileField(label="保障方案", required=False, help_text="单个文件不超过 20 MB")
    agreed = forms.BooleanField(label="我已确认联系人在保障期间可随时联系")


@staff_view()
@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """Show the guide. ``?page=`` turns the sample list's pages."""
    at = clock.now()
    context = {
        "themes": [(theme, _forms(theme)) for theme in ("light", "dark")],
        "tokens": TOKENS,
        "levels": LEVELS,
        "statuses": STATUSES,
        "clocks": [(state, at + timedelta(seconds=left), text) for state, left, text in CLOCKS],
        "deadline": at + timedelta(minutes=28, seconds=46),
        "page": Paginator(range(1, 118), 10).get_page(request.GET.get("page")),
        "weeks": _weeks(at),
        "weekday_names": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
        **_records(at),
        **_money(at),
    }
    return render(request, "styleguide/page.html", context)


def _forms(theme: str) -> dict[str, forms.Form]:
    """Return a fresh and a refused form, with ids of their own in each theme."""
    refused = SampleForm({"starts": "2026-11-27", "level": "2"}, auto_id=f"{theme}-refused-%s")
    refused.add_error("starts", "二级重保需至少提前 7 天申请，最早可选 2026-11-30")
    return {"fresh": SampleForm(auto_id=f"{theme}-%s"), "refused": refused}


def _records(at: datetime) -> dict[str, Any]:
    """Return facts, figures, steps and files."""
    minutes = [at - timedelta(minutes=n) for n in (40, 36, 28, 0)]
    labels = ("提交工单", "VIP 专席响应", "转技术专家", "恢复中", "确认解决")
    states = ("done", "done", "done", "now", "next")
    people = (
        "华辰科技 · 李工",
        "陈工 · 用时 3 分 36 秒",
        "林工 · 第一优先级恢复",
        "预计 10:25 前恢复",
        "由您确认后关闭，可评价",
    )
    return {
        "facts": [
            ("服务单号", "2309041128110000093"),
            ("服务状态", "已完成"),
            ("对接人", "杨亮庭"),
            ("完成时间", ""),
        ],
        "stats": [
            {"label": "负责客户", "value": 18, "hint": "企业级 6 · 商业级 12"},
            {"label": "待审批", "value": 4, "hint": "1 项不满足提前天数", "tone": "bad"},
            {
                "label": "本月响应达成率",
                "value": "99.4%",
                "hint": "较上月 +0.3 个百分点",
                "tone": "ok",
            },
            {"label": "30 天内到期", "value": 3, "hint": "合计 ¥1,200,000.00", "tone": "warn"},
        ],
        "steps": [
            {"label": label, "state": state, "detail": who, "at": when}
            for label, state, who, when in zip(
                labels, states, people, [*minutes[:3], None, None], strict=True
            )
        ],
        "tabs": [
            {"label": label, "href": "#tabs", "count": count, "is_current": label == "全部"}
            for label, count in (("全部", 12), ("处理中", 4), ("已完成", 7), ("驳回", None))
        ],
        "at": at,
        "megabytes": 2_726_297,
    }


def _money(at: datetime) -> dict[str, Any]:
    """Return the guide's own upgrade: lite to business with 168 of 365 days left."""
    return {
        "amount": Decimal("6000.00"),
        "lines": [
            ("支持计划", "轻量级"),
            ("单价", "¥500.00 / 月"),
            ("购买时长", "1 年（12 个月）"),
        ],
        "starts": at - timedelta(days=197),
        "ends": at + timedelta(days=168),
        "used": 197,
        "left": 168,
        "terms": [
            {
                "label": "剩余时间商业级所需费用",
                "amount": Decimal("138082.19"),
                "formula": "年费 300,000.00 × 168 ÷ 365 天",
            },
            {
                "label": "轻量级结余费用",
                "amount": Decimal("2761.64"),
                "formula": "已付 6,000.00 × 168 ÷ 365 天",
            },
            {
                "label": "需补交费用",
                "amount": Decimal("135320.55"),
                "formula": "四舍五入到分，以实收为准",
            },
        ],
        "refund": [
            ("产品金额", "¥600,000.00"),
            ("未使用天数", "98 / 365 天"),
            ("退订金额", "¥161,095.89"),
        ],
    }


def _weeks(at: datetime) -> list[CalendarWeek]:
    """Return two weeks with windows of every level, approved and waiting."""
    first = clock.local(at).replace(hour=0, minute=0, second=0, microsecond=0)
    first -= timedelta(days=first.weekday())

    samples = (
        (3, WindowState.APPROVED, 1, 8, "蓝湾游戏", "周年服"),
        (2, WindowState.APPROVED, 3, 3, "启明医疗", "系统割接"),
        (2, WindowState.REQUESTED, 8, 5, "海纳零售", "周年庆"),
        (1, WindowState.REQUESTED, 10, 3, "华辰科技", "双十二"),
    )
    windows = [
        AssuranceWindow(
            level=level,
            state=state,
            title=title,
            tenant=Tenant(name=customer),
            starts=first + timedelta(days=start),
            ends=first + timedelta(days=start + days),
        )
        for level, state, start, days, customer, title in samples
    ]
    return month_weeks(first, 2, windows, at)
