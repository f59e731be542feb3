"""Visitors' and customers' pages as a checker of accessibility sees them, and on the narrowest screens (WCAG 2.2 AA)."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.stories.test_one_customer import sign_in

pytestmark = pytest.mark.story
# Reflow (1.4.10): 320 px, which is also 1280 px at 400 %.
NARROW = 320
STANDARDS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
PUBLIC = (
    "/",
    "/agreement/",
    "/help/",
    "/help/event-assurance/",
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/no-such-page/",
)
# A selector follows the first link that it finds.
ENTERPRISE = (
    "/support/",
    "/support/plan/",
    "/support/tickets/",
    "main td a",
    "/support/tickets/new/",
    "/support/service-orders/?state=unrated",
    "main td a",
    "/support/reports/",
    "/support/reports/data-use/",
    "/support/orders/",
    "main td a",
    "/support/balance/",
    "/support/balance/top-up/",
    "/support/coupons/",
    "/support/vouchers/",
    "/support/invoices/",
    "/support/people/",
    "/messages/",
)
STANDARD = (
    "/support/plan/",
    "/support/reports/",
    "/support/service-orders/",
    "/support/order/new/?plan=lite",
)
# Coupons that apply and one that does not, vouchers, and the balance.
PAYING = ("/support/orders/?state=pending", "main td a[href$='/pay/']")


def checked(page: Page, rules: dict[str, list[str]]) -> list[str]:
    """Return what the checker finds."""
    return [
        f"{page.url} {fault['id']}: {[node['target'] for node in fault['nodes'][:3]]}"
        for fault in Axe().run(page, options=rules).response["violations"]
    ]


def faults(page: Page) -> list[str]:
    """Return what is wrong with a page: in light, the contrasts in dark too, sideways scroll on a narrow screen."""
    found = checked(page, STANDARDS)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    found += [f"dark: {fault}" for fault in checked(page, {"runOnly": ["color-contrast"]})]
    size = page.viewport_size
    page.set_viewport_size({"width": NARROW, "height": 800})
    wide = page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size(size)
    return found if wide <= NARROW else [*found, f"{page.url} is {wide} px wide"]


def look_at(page: Page, places: tuple[str, ...]) -> list[str]:
    """Go through pages and return all that is wrong with them."""
    found: list[str] = []
    for place in places:
        if place.startswith("/"):
            page.goto(place)
        else:
            page.locator(place).first.click()
            page.wait_for_load_state()
        found += faults(page)
    return found


@pytest.mark.parametrize(
    ("email", "places"),
    [
        ("", PUBLIC),
        ("owner@huachen.example", ENTERPRISE),
        ("owner@mumian.example", STANDARD),
        ("owner@qiming.example", PAYING),
    ],
    ids=["visitor", "enterprise", "standard", "paying"],
)
def test_pages_can_be_used_by_everybody(visitor, email, places):
    page = visitor()
    # No colour is measured on its way to another.
    page.emulate_media(reduced_motion="reduce")
    if email:
        sign_in(page, email)
    assert look_at(page, places) == []
