"""Staff's pages in a real browser, read by axe: WCAG 2.2 AA and its best practices, light and dark, wide and narrow."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.stories.test_one_customer import sign_in

pytestmark = pytest.mark.story
# Who looks at which pages; a path, or a link of the page before.
DESKS = {
    "agent@portal.example": (
        "/console/",
        ".queue-row",
        "/console/macros/",
        "main td a",
        "/console/macros/new/",
        "/messages/",
    ),
    "manager@portal.example": (
        "/desk/",
        "/desk/service-orders/",
        "main tr:has-text('待审批') a",
        "/desk/service-orders/new/",
        "/desk/reports/",
    ),
    "finance@portal.example": (
        "/finance/",
        "/finance/payments/",
        "/finance/top-ups/new/",
        "/finance/refunds/",
        "main tr:has-text('待审批') a",
        "/finance/transfers/",
        "main .is-action a",
        "/finance/differences/",
        "main td a",
        "/finance/proofs/",
        "/finance/invoices/?state=all",
        "main .is-action a",
        "/finance/revenue/",
        "/finance/coupons/",
        "main td a",
        "/finance/coupons/new/",
        "/finance/vouchers/",
        "main .is-action a",
        "/finance/vouchers/new/",
        "/finance/import/",
    ),
    "operator@portal.example": ("/operations/", "/operations/deliveries/", "/styleguide/"),
}
# The guide shows every component twice, once in each theme.
EXPECTED_TWICE = {"/styleguide/": {"landmark-unique"}}


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 1280), ("dark", 1100)])
@pytest.mark.parametrize("email", DESKS)
def test_staffs_pages_are_accessible(visitor, live_portal, email, theme, width):
    page = visitor(width=width)
    page.context.add_cookies([{"name": "theme", "value": theme, "url": live_portal}])
    sign_in(page, email)
    found = []
    for place in DESKS[email]:
        go(page, place)
        found += violations(page, without=EXPECTED_TWICE.get(place, set()))
        assert not overflows(page), f"{place} scrolls sideways at {width} px"
    assert found == []


def go(page: Page, place: str) -> None:
    if place.startswith("/"):
        page.goto(place)
    else:
        page.locator(place).first.click()
        page.wait_for_load_state("networkidle")
    if page.locator("#ticket-pane[data-number]").count():
        page.locator("#ticket-context section").first.wait_for(state="attached")


def violations(page: Page, *, without: set[str]) -> list[str]:
    """Return one line per rule that is broken, with the first element that breaks it."""
    answer = Axe().run(page).response["violations"]
    return [
        f"{page.url}: {rule['id']}: {rule['nodes'][0]['html'][:200]}"
        for rule in answer
        if rule["id"] not in without
    ]


def overflows(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
