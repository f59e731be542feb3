"""Take pictures of a demo's pages: 1440 px wide, those of customers and visitors also 390 px."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from accounts.demo_people import PASSWORD
from tests.portal import CHROMIUM_FLAGS

TARGET = Path(__file__).resolve().parent.parent / "docs" / "pictures"
WIDE, PHONE = 1440, 390
# Name of the picture, path, or a link to follow on the page before.
VISITOR = (
    ("plan_compare", "/"),
    ("sign_up", "/accounts/signup/"),
    ("sign_in", "/accounts/login/"),
    ("agreement", "/agreement/"),
    ("help", "/help/"),
    ("help_article", "/help/event-assurance/"),
    ("api", "/api/v1/docs/"),
)
ENTERPRISE = (
    ("overview", "/support/"),
    ("plan_detail", "/support/plan/"),
    ("ticket_list", "/support/tickets/"),
    ("ticket_detail", "main a[href^='/support/tickets/2']"),
    ("ticket_new", "/support/tickets/new/"),
    ("own_figures", "/support/figures/"),
    ("service_order_list", "/support/service-orders/"),
    ("service_order_detail", "main tr:has-text('已完成') a"),
    ("links", "/support/links/"),
    ("report_list", "/support/reports/"),
    ("data_use", "/support/reports/data-use/"),
    ("order_list", "/support/orders/"),
    ("order_detail", "main a[href^='/support/orders/2']"),
    ("balance", "/support/balance/"),
    ("top_up", "/support/balance/top-up/"),
    ("coupons", "/support/coupons/"),
    ("vouchers", "/support/vouchers/"),
    ("invoices", "/support/invoices/"),
    ("people", "/support/people/"),
    ("messages", "/messages/"),
)
BUSINESS = (
    ("plan_change", "/support/plan/change/"),
    ("plan_change_down", "/support/plan/change/?plan=lite"),
    ("plan_renew", "/support/plan/renew/"),
    ("unsubscription_new", "/support/unsubscriptions/new/"),
)
# Its order waits to be paid: from the payment page on to the cashier.
PAYING = (
    ("order_pay", "/support/orders/"),
    ("order_pay", "main a:has-text('支付')"),
    ("cashier", "main button:has-text('立即支付')"),
)
STANDARD = (
    ("plan_detail_standard", "/support/plan/"),
    ("unsubscription_list", "/support/unsubscriptions/"),
    ("trial", "/support/plan/trial/"),
    ("order_new", "/support/order/new/?plan=lite"),
)
DESKS = {
    "agent@portal.example": (
        ("console", "/console/"),
        ("console_ticket", ".queue-row"),
        ("macros", "/console/macros/"),
        ("macro_new", "/console/macros/new/"),
    ),
    "lead@portal.example": (
        ("search", "/console/search/?q=%E7%99%BB%E5%BD%95"),
        ("figures", "/console/figures/"),
        ("wall", "/console/wall/"),
    ),
    "manager@portal.example": (
        ("desk", "/desk/"),
        ("desk_service_orders", "/desk/service-orders/"),
        ("desk_service_order", "main td a"),
        ("desk_service_order_new", "/desk/service-orders/new/"),
        ("desk_reports", "/desk/reports/"),
        ("desk_trials", "/desk/trials/"),
    ),
    "finance@portal.example": (
        ("finance", "/finance/"),
        ("finance_payments", "/finance/payments/"),
        ("finance_refunds", "/finance/refunds/"),
        ("finance_refund", "main tr:has-text('待审批') a"),
        ("finance_transfers", "/finance/transfers/"),
        ("finance_differences", "/finance/differences/"),
        ("finance_invoices", "/finance/invoices/"),
        ("finance_revenue", "/finance/revenue/"),
        ("finance_coupons", "/finance/coupons/"),
        ("finance_vouchers", "/finance/vouchers/"),
        ("finance_import", "/finance/import/"),
    ),
    "operator@portal.example": (
        ("operations", "/operations/"),
        ("deliveries", "/operations/deliveries/"),
        ("styleguide", "/styleguide/"),
    ),
}


def main(address: str) -> None:
    """Take all pictures."""
    TARGET.mkdir(parents=True, exist_ok=True)
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        for width in (WIDE, PHONE):
            take(browser, address, "", VISITOR, width)
            take(browser, address, "owner@huachen.example", ENTERPRISE, width)
            take(browser, address, "owner@yunfan.example", BUSINESS, width)
            take(browser, address, "owner@qiming.example", PAYING, width)
            take(browser, address, "owner@mumian.example", STANDARD, width)
        take(browser, address, "owner@huachen.example", ENTERPRISE[1:2], WIDE, theme="dark")
        for email, pages in DESKS.items():
            take(browser, address, email, pages, WIDE)
        agent = "agent@portal.example"
        take(browser, address, agent, DESKS[agent], WIDE, theme="dark")
        browser.close()


def take(
    browser: Browser,
    address: str,
    email: str,
    pages: tuple[tuple[str, str], ...],
    width: int,
    theme: str = "light",
) -> None:
    """Sign in and picture the pages one after the other."""
    context = browser.new_context(
        base_url=address, viewport={"width": width, "height": 900}, locale="zh-CN"
    )
    context.add_cookies([{"name": "theme", "value": theme, "url": address}])
    page = context.new_page()
    if email:
        page.goto("/accounts/login/")
        page.locator("[name=login]").fill(email)
        page.locator("[name=password]").fill(PASSWORD)
        page.locator("main button.btn--primary").click()
        page.wait_for_load_state()
    for name, place in pages:
        go(page, place)
        suffix = f"{width}-dark" if theme == "dark" else str(width)
        page.screenshot(path=TARGET / f"{name}-{suffix}.png", full_page=True)
    context.close()


def go(page: Page, place: str) -> None:
    """Open a path, or follow the first link that a selector finds."""
    if place.startswith("/"):
        page.goto(place)
    else:
        page.locator(place).first.click()
    page.wait_for_load_state("networkidle")
    # The console opens a ticket in place: the conversation first, then the customer beside it.
    if page.locator("#queue").count() and not place.startswith("/"):
        page.locator("#ticket-pane[data-number]").wait_for()
        page.locator("#ticket-context section").first.wait_for()


if __name__ == "__main__":
    main(sys.argv[1])
