"""What staff searches tickets by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from accounts.access import Identity
from core.exports import ExportFormat
from supportplans.models import ProductLine
from supportplans.states import PlanCode, Severity
from tickets.selectors.queue import assignees, desks_of
from tickets.selectors.search import NOBODY, OPEN, Filters
from tickets.selectors.tags import tag_choices
from tickets.states import Desk, TicketState

_DAY = {"type": "date"}


@dataclass(frozen=True)
class Offer:
    """What there is to choose from: the desks that the person may see; people, products and tags as (id, name)."""

    desks: Sequence[str]
    people: Sequence[tuple[str, str]]
    products: Sequence[tuple[str, str]]
    tags: Sequence[tuple[str, str]]


def offer_for(identity: Identity) -> Offer:
    """Return what a person may choose from. Three queries, for any number of forms."""
    return Offer(
        desks_of(identity),
        [(str(person.pk), person.display_name) for person in assignees()],
        [(str(line.pk), str(line)) for line in ProductLine.objects.order_by("position")],
        [(str(tag.pk), str(tag)) for tag in tag_choices()],
    )


class SearchForm(forms.Form):
    """Words and filters; each is left open by default."""

    q = forms.CharField(label=_("关键词"), max_length=100, required=False, strip=True)
    state = forms.ChoiceField(
        label=_("状态"),
        required=False,
        choices=[("", _("全部状态")), (OPEN, _("未解决")), *TicketState.choices],
    )
    severity = forms.ChoiceField(
        label=_("级别"), required=False, choices=[("", _("全部级别")), *Severity.choices]
    )
    plan = forms.ChoiceField(
        label=_("支持计划"), required=False, choices=[("", _("全部计划")), *PlanCode.choices]
    )
    desk = forms.ChoiceField(label=_("服务台"), required=False)
    assignee = forms.ChoiceField(label=_("处理人"), required=False)
    product = forms.ChoiceField(label=_("产品"), required=False)
    tag = forms.ChoiceField(label=_("标签"), required=False)
    since = forms.DateField(
        label=_("提交不早于"), required=False, widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d")
    )
    until = forms.DateField(
        label=_("提交不晚于"), required=False, widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d")
    )
    format = forms.ChoiceField(
        choices=ExportFormat.choices, required=False, widget=forms.HiddenInput
    )

    def __init__(self, data: Any, offer: Offer) -> None:
        super().__init__(data)
        self.desks = offer.desks
        fields: Any = self.fields
        fields["desk"].choices = [
            (desk, Desk(desk).label if desk else _("全部服务台")) for desk in offer.desks
        ]
        everybody, nobody = ("", _("全部人员")), (NOBODY, _("未分派"))
        fields["assignee"].choices = [everybody, nobody, *offer.people]
        fields["product"].choices = [("", _("全部产品")), *offer.products]
        fields["tag"].choices = [("", _("全部标签")), *offer.tags]

    @override
    def clean(self) -> dict[str, Any]:
        """Refuse days that run backwards."""
        data = super().clean() or {}
        since, until = data.get("since"), data.get("until")
        if since and until and until < since:
            self.add_error("until", _("截止日期不能早于起始日期"))
        return data

    def filters(self) -> Filters:
        """Return what is searched by. What cannot be read is left open, never the desk of somebody else."""
        self.is_valid()
        data = self.cleaned_data
        return Filters(
            text=data.get("q", ""),
            state=data.get("state", ""),
            severity=data.get("severity", ""),
            plan=data.get("plan", ""),
            desk=data.get("desk") or self.desks[0],
            assignee=data.get("assignee", ""),
            product=data.get("product", ""),
            tag=data.get("tag", ""),
            since=data.get("since"),
            until=data.get("until"),
        )

    @property
    def chosen(self) -> dict[str, str]:
        """Return the parameters that are set, as the address has them."""
        names = [name for name in self.fields if name != "format"]
        return {name: str(self.data[name]) for name in names if self.data.get(name)}


class SavedViewForm(forms.Form):
    """A name for the present filters."""

    name = forms.CharField(label=_("视图名称"), max_length=40)
    is_shared = forms.BooleanField(label=_("团队共用"), required=False)
