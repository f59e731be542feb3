"""Template tags of the portal's components. They format and compose; they decide nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from django import template
from django.conf import settings
from django.core.paginator import Paginator
from django.http import QueryDict
from django.template.loader import get_template
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from lucide.templatetags.lucide import lucide

from core.clock import local

register = template.Library()
AMOUNT = re.compile(r"\d+\.\d{2}")
ICON_ATTRIBUTES: dict[str, Any] = {"class": "icon", "aria-hidden": "true"}


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """Draw a Lucide icon. It is hidden from screen readers: the word stands beside it or in the button's name.

    Each is drawn once: the library copies and writes its XML anew at every call.
    """
    return SafeString(lucide(name, size=24, **ICON_ATTRIBUTES))


@register.simple_tag
def kept(template_name: str) -> SafeString:
    """Include a template that shows everybody the same. It gets no context and is rendered once per language."""
    if settings.DEBUG:  # templates are being written
        _kept.cache_clear()
    return _kept(template_name, get_language() or "")


@cache
def _kept(template_name: str, _language: str) -> SafeString:
    return SafeString(get_template(template_name).render())


@register.filter
def money(amount: Decimal | None) -> str:
    """Return ¥6,000.00; a dash for nothing."""
    return "—" if amount is None else f"¥{Decimal(amount):,.2f}"


@register.filter
def amount(value: Decimal | None) -> str:
    """Return 6,000.00, without the sign of the currency."""
    return "—" if value is None else f"{Decimal(value):,.2f}"


@register.filter
def whole_money(value: Decimal | None) -> str:
    """Return 25,000 for list prices without cents, 25,000.50 otherwise."""
    if value is None:
        return "—"
    return f"{value:,.0f}" if value == value.to_integral_value() else f"{value:,.2f}"


@register.filter
def grouped(formula: str) -> str:
    """Return the amounts of a formula with thousands separators: 300,000.00 × 145 ÷ 365."""
    return AMOUNT.sub(lambda found: f"{Decimal(found[0]):,.2f}", str(formula))


@register.filter
def moment(at: datetime | None) -> str:
    """Return 2026-11-23 10:35:57 in Shanghai time; a dash for nothing."""
    return "—" if at is None else f"{local(at):%Y-%m-%d %H:%M:%S}"


@register.filter
def minute(at: datetime | None) -> str:
    """Return 2026-11-23 10:35 in Shanghai time."""
    return "—" if at is None else f"{local(at):%Y-%m-%d %H:%M}"


@register.filter
def clock_time(at: datetime | None) -> str:
    """Return 10:35:57 in Shanghai time."""
    return "—" if at is None else f"{local(at):%H:%M:%S}"


@register.filter
def day(at: datetime | None) -> str:
    """Return 2026-11-23 in Shanghai time."""
    return "—" if at is None else f"{local(at):%Y-%m-%d}"


@register.filter
def thread_time(at: datetime | None, now: datetime) -> str:
    """Return 10:35:57 for today, 11-22 10:35 for other days of the year, with the year before that (Shanghai time)."""
    if at is None:
        return "—"
    here, today = local(at), local(now)
    if here.date() == today.date():
        return f"{here:%H:%M:%S}"
    return f"{here:%m-%d %H:%M}" if here.year == today.year else f"{here:%Y-%m-%d %H:%M}"


@register.filter
def short_time(at: datetime | None, now: datetime) -> str:
    """Return 10:35 for today, 11-22 10:35 for other days (Shanghai time)."""
    if at is None:
        return "—"
    here = local(at)
    return f"{here:%H:%M}" if here.date() == local(now).date() else f"{here:%m-%d %H:%M}"


@register.filter
def iso(at: datetime | None) -> str:
    """Return an instant for scripts and ``<time datetime>``."""
    return "" if at is None else at.isoformat()


@register.filter
def duration(value: timedelta | None) -> str:
    """Return a time span in words: 6 分 12 秒, 2 小时 5 分, 3 天 4 小时."""
    if value is None:
        return "—"
    seconds = max(0, int(value.total_seconds()))
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    if days:
        return _("%(days)d 天 %(hours)d 小时") % {"days": days, "hours": hours}
    if hours:
        return _("%(hours)d 小时 %(minutes)d 分") % {"hours": hours, "minutes": minutes}
    if minutes:
        return _("%(minutes)d 分 %(seconds)d 秒") % {"minutes": minutes, "seconds": seconds}
    return ngettext("%(seconds)d 秒", "%(seconds)d 秒", seconds) % {"seconds": seconds}


@register.filter
def filesize(size: int) -> str:
    """Return 384 KB or 1.2 MB."""
    if size < 1024 * 1024:
        return f"{max(1, round(size / 1024))} KB"
    return f"{size / 1024 / 1024:.1f} MB"


@register.filter
def initial(name: str) -> str:
    """Return the first character of a name, for its avatar."""
    return str(name).strip()[:1].upper() or "·"


@register.filter
def in_language(text: str, english: str) -> str:
    """Return the Chinese text or, on English pages, the English one."""
    return english if (get_language() or "").startswith("en") and english else text


@register.simple_tag
def level_chip(code: str, label: str) -> SafeString:
    """Show a plan's level in its colour."""
    return format_html('<span class="chip chip--{}">{}</span>', code or "standard", label)


@register.simple_tag
def status_chip(label: str, colour: str = "") -> SafeString:
    """Show a state in words, with a dot in its colour (ok, warn, bad, info or none)."""
    return format_html(
        '<span class="chip chip--dot chip--{}">{}</span>', colour or "standard", label
    )


@register.simple_tag
def pips(total: int, used: int, held: int = 0) -> SafeString:
    """Show a counted quota as pips; the sentence for screen readers says it in words."""
    kinds = ["is-used"] * used + ["is-held"] * held
    kinds = (kinds + [""] * total)[: max(total, used + held)]
    spans = format_html_join("", '<span class="{}"></span>', ((kind,) for kind in kinds))
    words = _("共 %(total)d，已用 %(used)d，占用 %(held)d") % {
        "total": total,
        "used": used,
        "held": held,
    }
    return format_html('<span class="pips" role="img" aria-label="{}">{}</span>', words, spans)


@register.simple_tag
def meter(value: float, maximum: float, label: str, tone: str = "") -> SafeString:
    """Show a share of a whole; ``label`` is the sentence that says it."""
    return format_html(
        '<progress class="meter meter--{}" value="{}" max="{}" aria-label="{}"></progress>',
        tone,
        value,
        maximum,
        label,
    )


@register.simple_tag
def price(amount: Decimal | None) -> SafeString:
    """Show an amount that decides: ¥6,000.00 with the sign and the cents smaller."""
    if amount is None:
        return SafeString("—")
    whole, cents = f"{Decimal(amount):,.2f}".split(".")
    return format_html(
        '<span class="total"><small>¥</small>{}<small>.{}</small></span>', whole, cents
    )


@register.simple_tag
def stars_shown(score: float, word: str = "") -> SafeString:
    """Show a rating from 1 to 5 as stars; the sentence for screen readers says it in figures."""
    full = round(score)
    stars = format_html_join(
        "",
        '<span class="{}">{}</span>',
        (("is-on" if n < full else "", icon("star")) for n in range(5)),
    )
    words = _("%(score)s 分，共 5 分") % {"score": f"{score:g}"}
    return format_html(
        '<span class="row"><span class="stars stars--shown" role="img" aria-label="{}">{}</span>{}</span>',
        words,
        stars,
        word,
    )


@register.simple_tag
def proration_bar(used: int, left: int) -> SafeString:
    """Draw the days of a term, used and left, to scale; both parts stay wide enough for their words."""
    share = min(76.0, max(24.0, 100 * used / (used + left))) if used + left else 50.0
    used_words = _("已用 %(days)d 天") % {"days": used}
    left_words = _("剩余 %(days)d 天") % {"days": left}
    return format_html(
        '<svg class="proration__bar" role="img" aria-label="{0}，{1}" width="100%" height="32">'
        '<rect class="is-used" width="{2}%" height="100%"/>'
        '<rect class="is-left" x="{2}%" width="{3}%" height="100%"/>'
        '<text x="{4}%" y="50%">{0}</text><text class="on-brand" x="{5}%" y="50%">{1}</text></svg>',
        used_words,
        left_words,
        f"{share:.1f}",
        f"{100 - share:.1f}",
        f"{share / 2:.1f}",
        f"{50 + share / 2:.1f}",
    )


@register.filter
def pages_around(paginator: Paginator[Any], number: int) -> Iterable[int | str]:
    """Return the page numbers to offer around the current one, long stretches left out."""
    return paginator.get_elided_page_range(number, on_each_side=2, on_ends=1)


@register.simple_tag
def page_url(name: str, *args: Any, **kwargs: Any) -> str:
    """Return the path of a page, or nothing where this portal has no such page."""
    try:
        return reverse(name, args=args, kwargs=kwargs)
    except NoReverseMatch:
        return ""


@dataclass(frozen=True)
class NavigationLink:
    """A link as a page shows it: ``url`` is its path."""

    name: str
    url: str
    label: str
    icon: str
    is_current: bool


@register.simple_tag(takes_context=True)
def navigation(context: Mapping[str, Any], items: Iterable[Any]) -> list[NavigationLink]:
    """Return the links of ``items`` whose pages exist; the one whose path fits the page's path best is current.

    An item has ``url`` (a URL name), ``label``, ``icon``, ``exact`` and ``also`` (see ``accounts.navigation``).
    """
    request = context.get("request")
    found = [(item, path) for item in items if (path := page_url(item.url))]
    here = best_match(request.path if request else "", found)
    return [
        NavigationLink(item.url, path, str(item.label), item.icon, item is here)
        for item, path in found
    ]


def best_match(path: str, found: Sequence[tuple[Any, str]]) -> Any:
    """Return the item that a page's path belongs to: the one with the longest path that begins it, or None."""
    fits = [
        (len(start), item)
        for item, own in found
        for start in (own, *filter(None, (page_url(name) for name in item.also)))
        if path == start or (path.startswith(start) and not (item.exact and start == own))
    ]
    return max(fits, key=lambda fit: fit[0])[1] if fits else None


@register.simple_tag(takes_context=True)
def query(context: Mapping[str, Any], **changes: Any) -> str:
    """Return the current query string with some parameters changed; an empty value removes one."""
    request = context.get("request")
    params = request.GET.copy() if request else QueryDict(mutable=True)
    for name, value in changes.items():
        if value in {None, ""}:
            params.pop(name, None)
        else:
            params[name] = value
    return f"?{params.urlencode()}"


@register.simple_tag(takes_context=True)
def current(context: Mapping[str, Any], *prefixes: str) -> SafeString:
    """Return ``aria-current`` for a link of the navigation whose path the page's path begins with."""
    request = context.get("request")
    path = request.path if request else ""
    here = any(
        prefix and (path == prefix or path.startswith(prefix.rstrip("/") + "/"))
        for prefix in prefixes
    )
    return mark_safe(' aria-current="page"') if here else mark_safe("")


@register.filter
def split(words: str) -> list[str]:
    """Return the words of a text."""
    return words.split()


@register.simple_tag
def listed(*items: Any) -> list[Any]:
    """Return its arguments as a list, for components that take several labels or pairs."""
    return list(items)


@register.filter
def thousands(value: str | int) -> str:
    """Return a whole number with its thousands marked."""
    return f"{int(value):,}"


@register.filter
def fill(pattern: str, customer: str) -> str:
    """Put the customer's name into a configured pattern such as ``天翼云 VIP 客户-{customer}``."""
    return pattern.replace("{customer}", customer)


@register.filter
def headings(text: str) -> SafeString:
    """Lay out our own plain text: ``#`` and ``##`` begin headings, numbered lines lists, other lines paragraphs."""
    parts: list[SafeString] = []
    for line in filter(None, (raw.strip() for raw in text.splitlines())):
        if line.startswith("## "):
            parts.append(format_html("<h2>{}</h2>", line[3:]))
        elif line.startswith("# "):
            parts.append(format_html("<h1>{}</h1>", line[2:]))
        else:
            parts.append(format_html("<p>{}</p>", line))
    return mark_safe("".join(parts))  # noqa: S308  (each part is escaped above)
