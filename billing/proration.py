"""What things cost, and why: pure rules over figures (domain.md §3). Nothing here reads the database or the clock.

One function per action computes page, order, API and refund. A year is billed as 365 days: the daily price is
monthly × 12 / 365 and never rounded by itself. Multiply first, divide last, round half-up once; the parts that are
shown are made to add up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from billing import exceptions as errors
from billing.allocation import (
    Share,
    cash_carried,
    cash_room,
    common_denominator,
    refund_by_method,
    round_parts,
    share_closed,
    share_cut,
    share_kept,
)
from billing.explanation import (
    ExplanationLine,
    explain_downgrade,
    explain_term,
    explain_unused,
    explain_upgrade,
)
from billing.paid_lines import (
    MONTHS,
    PLAN_RANKS,
    YEAR_DAYS,
    Line,
    anchor_of,
    cash_cents,
    live_lines,
    remaining_days,
    term_end,
    top_lines,
    under_plan,
)
from billing.quotes import (
    FREE_RETURN_WITHIN,
    FREE_RETURNS,
    LONGEST_TERM,
    Closing,
    Quote,
    must_be_for_sale,
    must_be_offered,
    must_run,
    price_cents,
)
from core.clock import add_years
from core.money import ZERO, from_cents, half_up, split_cents, to_cents
from supportplans.exceptions import SubscriptionAlreadyActive


def quote_new(
    *,
    plan: str,
    monthly: Decimal,
    years: int,
    at: datetime,
    lines: Sequence[Line] = (),
    longest: int = LONGEST_TERM,
) -> Quote:
    """Return the price of a new term from ``at``: monthly list price (CNY) × 12 × years (domain.md §2).

    The term ends the same wall-clock time ``years`` calendar years later; it counts as 365 × years paid-for days, also
    where a leap day makes it one longer. ``longest`` is the longest term in years. Raises PlanNotForSale,
    TermNotOffered, SubscriptionAlreadyActive while ``lines`` of another plan run, ValueError for a price that is not
    money.
    """
    must_be_for_sale(plan)
    ends = add_years(at, must_be_offered(years, longest))
    if live_lines(lines, at):
        raise SubscriptionAlreadyActive
    line = _term(plan, monthly, years, starts=at, ends=ends, bought=at, kind="purchase")
    return _term_quote("new", line, years, kept=())


def quote_renewal(
    *,
    lines: Sequence[Line],
    monthly: Decimal,
    years: int,
    at: datetime,
    anchor: datetime | None = None,
    current: str | None = None,
    longest: int = LONGEST_TERM,
) -> Quote:
    """Return the price of another term of the plan in force, from the end of the last one (domain.md §2).

    ``monthly`` is today's list price in CNY; ``anchor`` is where calendar years are counted from and ``current`` the
    plan in force, where the lines do not tell; ``longest`` is the longest term in years. Raises NothingRuns,
    TermNotOffered, ValueError for a price that is not money.
    """
    live = must_run(lines, at)
    starts = live[-1].ends
    anchor = anchor or anchor_of(live, lines)
    ends = term_end(anchor=anchor, last_end=starts, years=must_be_offered(years, longest))
    plan = current or top_lines(live)[0].plan
    line = _term(plan, monthly, years, starts=starts, ends=ends, bought=at, kind="renewal")
    line = replace(line, anchor=anchor)
    return _term_quote("renew", line, years, kept=_marked(live))


def quote_upgrade(
    *,
    lines: Sequence[Line],
    plan: str,
    monthly: Decimal,
    at: datetime,
    current: str | None = None,
) -> Quote:
    """Return what going up to ``plan`` costs: over running and future terms, remaining days × (new daily list price −
    daily list price of the plan in force on those days), at least 0.00 (domain.md §3).

    ``monthly`` is the new plan's list price of today in CNY; the plan in force counts with the price at which it was
    bought. ``current`` names the plan in force where the lines do not. Raises PlanNotForSale, NothingRuns,
    PlanNotHigher, and RenewFirst when less than one full day is left in all.
    """
    must_be_for_sale(plan)
    live = must_run(lines, at)
    tops = top_lines(live)
    if PLAN_RANKS[plan] <= PLAN_RANKS[current or tops[0].plan]:
        raise errors.PlanNotHigher(field="plan")
    left = [remaining_days(top, at) for top in tops]
    if sum(left) < 1:
        raise errors.RenewFirst
    charge, parts = _upgrade_parts(tops, left, price_cents(monthly))
    added = tuple(
        Line(
            plan=plan,
            from_monthly=top.monthly,
            monthly=monthly,
            starts=max(at, top.starts),
            ends=top.ends,
            paid_days=days,
            list_amount=from_cents(part),
            kind="upgrade",
            bought=at,
            changed=True,
        )
        for top, days, part in zip(tops, left, parts, strict=True)
    )
    return Quote(
        action="upgrade",
        plan=plan,
        charge=from_cents(charge),
        refund=ZERO,
        days=sum(left),
        explanation=explain_upgrade(tops, left, monthly, parts),
        lines=tuple(live_lines([*_marked(live), *added], at)),
        added=added,
    )


def quote_downgrade(
    *,
    lines: Sequence[Line],
    plan: str,
    monthly: Decimal,
    at: datetime,
    current: str | None = None,
) -> Quote:
    """Return what going down to ``plan`` gives back, line by line (domain.md §3). It never charges.

    ``monthly`` is the plan's list price of today in CNY. A line above that price is closed and its unused cash
    refunded; one up to it is kept; one that is cut by it is replaced by what goes on below, paid first from the line's
    unused voucher money, then from its unused cash; the rest of the cash is refunded. A coupon's discount is not
    carried over. ``current`` names the plan in force where the lines do not. Raises PlanNotForSale, NothingRuns,
    PlanNotLower.
    """
    must_be_for_sale(plan)
    live = must_run(lines, at)
    tops = top_lines(live)
    if PLAN_RANKS[plan] >= PLAN_RANKS[current or tops[0].plan]:
        raise errors.PlanNotLower(field="plan")
    denominator = common_denominator(live)
    shares = [_downgrade_share(line, price_cents(monthly), at, denominator) for line in live]
    refund, parts = round_parts((share.refund for share in shares), denominator)
    refund_to = refund_by_method(refund, shares)
    closed = tuple(share.line for share in shares if not share.is_kept)
    room, anchor = cash_room(closed, refund_to), anchor_of(live, lines)
    below = Line(
        plan=plan,
        monthly=monthly,
        starts=at,
        ends=at,
        paid_days=0,
        list_amount=ZERO,
        kind="downgrade",
        bought=at,
        anchor=anchor,
        changed=True,
    )
    replacements = [
        _replacement(below, share, part, denominator, room) if share.is_cut else None
        for share, part in zip(shares, parts, strict=True)
    ]
    added = tuple(line for line in replacements if line is not None)
    kept = _marked(share.line for share in shares if share.is_kept)
    return Quote(
        action="downgrade",
        plan=plan,
        charge=ZERO,
        refund=from_cents(refund),
        refund_to=refund_to,
        days=sum(remaining_days(top, at) for top in tops),
        explanation=explain_downgrade(shares, parts, monthly, denominator),
        lines=tuple(under_plan(live_lines([*kept, *added], at), plan)),
        added=added,
        closings=tuple(
            Closing(share.line, from_cents(part), sum(new.cash.values(), ZERO) if new else ZERO)
            for share, part, new in zip(shares, parts, replacements, strict=True)
            if not share.is_kept
        ),
    )


def quote_unsubscription(
    *,
    lines: Sequence[Line],
    at: datetime,
    free_returns_used: int = 0,
    free_returns: int = FREE_RETURNS,
    free_within: timedelta = FREE_RETURN_WITHIN,
) -> Quote:
    """Return what leaving gives back: the unused cash of all lines (cash × remaining days / paid-for days).

    Less than ``free_within`` after a new purchase that was neither changed nor renewed since, everything is given back:
    cash, vouchers and the coupon, as long as ``free_returns_used`` is below ``free_returns`` (domain.md §3). Raises
    NothingRuns.
    """
    live = must_run(lines, at)
    days = sum(remaining_days(top, at) for top in top_lines(live))
    if free_returns_used < free_returns and is_returnable(live, at=at, within=free_within):
        return _free_return(live[0], days)
    denominator = common_denominator(live)
    shares = [share_closed(line, at=at, denominator=denominator) for line in live]
    refund, parts = round_parts((share.refund for share in shares), denominator)
    return Quote(
        action="unsubscribe",
        plan="standard",
        charge=ZERO,
        refund=from_cents(refund),
        refund_to=refund_by_method(refund, shares),
        days=days,
        explanation=explain_unused(shares, parts),
        lines=(),
        closings=tuple(
            Closing(line, from_cents(part)) for line, part in zip(live, parts, strict=True)
        ),
    )


def is_returnable(
    lines: Sequence[Line], *, at: datetime, within: timedelta = FREE_RETURN_WITHIN
) -> bool:
    """Return True while ``lines`` are one new purchase, neither changed nor renewed, less than ``within`` old."""
    return (
        len(lines) == 1
        and lines[0].kind == "purchase"
        and not lines[0].changed
        and at - lines[0].bought_at < within
    )


def _term(
    plan: str,
    monthly: Decimal,
    years: int,
    *,
    starts: datetime,
    ends: datetime,
    bought: datetime,
    kind: str,
) -> Line:
    """Return the line of a whole term, which covers 0 → its price."""
    price = price_cents(monthly)
    return Line(
        plan=plan,
        monthly=from_cents(price),
        starts=starts,
        ends=ends,
        paid_days=YEAR_DAYS * years,
        list_amount=from_cents(price * MONTHS * years),
        kind=kind,
        bought=bought,
    )


def _term_quote(action: str, line: Line, years: int, kept: Iterable[Line]) -> Quote:
    return Quote(
        action=action,
        plan=line.plan,
        charge=line.list_amount,
        refund=ZERO,
        days=line.paid_days,
        explanation=explain_term(f"{action}_term", line, years),
        lines=(*kept, line),
        added=(line,),
    )


def _upgrade_parts(
    tops: Sequence[Line], left: Sequence[int], new: int
) -> tuple[int, Sequence[int]]:
    """Return the charge in cents, and each term's part of it. ``new`` is the new monthly price in cents."""
    more = [
        days * (new - to_cents(top.monthly)) * MONTHS for top, days in zip(tops, left, strict=True)
    ]
    charge = half_up(max(0, sum(more)), YEAR_DAYS)
    if len(more) == 1 or not charge:
        return charge, [charge] * len(more) if charge else [0] * len(more)
    # A term whose plan in force cost more than the new one does today pays nothing, and lowers what the others pay.
    split = split_cents(charge, {f"{place:06}": max(0, part) for place, part in enumerate(more)})
    return charge, [split[name] for name in sorted(split)]


def _downgrade_share(line: Line, price: int, at: datetime, denominator: int) -> Share:
    """Return what a line has to do with a plan of ``price`` (a monthly price in cents): above, up to it, or cut."""
    if to_cents(line.from_monthly) >= price:
        return share_closed(line, at=at, denominator=denominator)
    if to_cents(line.monthly) <= price:
        return share_kept(line, at=at)
    return share_cut(line, price=price, at=at, denominator=denominator)


def _replacement(
    below: Line, share: Share, refunded: int, denominator: int, room: dict[str, int]
) -> Line:
    """Return the line that goes on below the new plan's price, in place of a line that was cut.

    Its money never exceeds what the old line holds beside its refund. What neither voucher nor cash pays of the list
    price is a discount of the new line.
    """
    line = share.line
    list_cents = half_up(share.needed, denominator)
    voucher = half_up(share.by_voucher, denominator)
    is_covered = share.by_voucher + share.by_cash == share.needed
    carried = list_cents - voucher if is_covered else half_up(share.by_cash, denominator)
    carried = min(carried, list_cents - voucher, sum(cash_cents(line).values()) - refunded)
    cash = cash_carried(line, carried, room)
    return replace(
        below,
        from_monthly=line.from_monthly,
        starts=max(below.starts, line.starts),
        ends=line.ends,
        paid_days=share.days,
        list_amount=from_cents(list_cents),
        voucher=from_cents(voucher),
        coupon=from_cents(list_cents - voucher) - sum(cash.values(), ZERO),
        cash=cash,
    )


def _free_return(line: Line, days: int) -> Quote:
    """Give back everything that was paid for a line: cash, vouchers and the coupon."""
    cash = {method: amount for method, amount in sorted(line.cash.items()) if amount}
    total = sum(cash.values(), ZERO)
    return Quote(
        action="unsubscribe",
        plan="standard",
        charge=ZERO,
        refund=total,
        refund_to=cash,
        days=days,
        explanation=(ExplanationLine("free_return", f"{total:.2f}", total),),
        lines=(),
        closings=(Closing(line, refunded=total),),
        voucher_back=line.voucher,
        coupon_back=line.coupon,
        is_free_return=True,
    )


def _marked(lines: Iterable[Line]) -> list[Line]:
    """Return lines that know that the plan was changed or renewed since they were bought."""
    return [line if line.changed else replace(line, changed=True) for line in lines]
