"""Pages that everybody opens, beside the least that a Django page can do on the same server."""

from __future__ import annotations

from collections.abc import Iterator

from accounts.demo_people import PASSWORD
from bench.harness import bare
from bench.harness.databases import built_database
from bench.harness.figures import Figure, Goal, at_least, side_by_side, within
from bench.harness.http import Page, signed_in
from bench.harness.portal import portal

CUSTOMER = "owner@huachen.example"
MOST_QUERIES = 15  # the budget of every page
PER_SECOND = "requests/s"


def run() -> Iterator[Figure]:
    """Measure the public plan page and a customer's ticket list."""
    with portal(built_database("demo")) as address:
        cookies = signed_in(address, CUSTOMER, PASSWORD)
        plans = Page(address, "/", "客户支持计划")
        nothing = Page(address, "/bare/", bare.ANONYMOUS)
        tickets = Page(address, "/support/tickets/", "table--stack", cookies)
        rows = Page(address, "/bare/rows/", bare.SIGNED_IN, cookies)
        yield _beside("plan page", plans, "bare anonymous page", nothing, at_least(0.015))
        yield _beside(
            "ticket list", tickets, "bare page of 50 rows, signed in", rows, at_least(0.2)
        )
        for name, page in {"plan page": plans, "ticket list": tickets}.items():
            yield within(f"queries of the {name}", page.queries(), "queries", limit=MOST_QUERIES)


def _beside(name: str, page: Page, against: str, peer: Page, goal: Goal) -> Figure:
    ours, theirs = side_by_side(page.requests_per_second, peer.requests_per_second)
    return Figure(name, ours, PER_SECOND, against, theirs, goal)
