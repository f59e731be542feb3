"""An agent sorts the queue: many at once, tags by key, taking back, taking tickets, merging."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.stories.test_one_customer import sign_in, submit_urgent

pytestmark = pytest.mark.story
AGENT = "agent@portal.example"


@pytest.fixture
def tickets(visitor, request) -> list[str]:
    """Two fresh urgent tickets of the enterprise customer; their titles are the test's."""
    titles = [f"{request.node.name} {n}" for n in (1, 2)]
    customer = sign_in(visitor(), "owner@huachen.example")
    for title in titles:
        submit_urgent(customer, title)
    return titles


def row_of(page: Page, title: str):
    return page.locator(".queue-row", has_text=title)


def test_many_are_selected_and_handed_over_and_taken_back(visitor, tickets):
    page = sign_in(visitor(), AGENT)
    page.goto("/console/")
    for title in tickets:
        row_of(page, title).focus()
        page.keyboard.press("x")
    expect(page.locator("[data-bulk-count]")).to_have_text("2")
    expect(page.locator(".queue-row[data-picked]")).to_have_count(2)
    page.locator("#bulk-assign").select_option(label="林工 · 技术专家")
    page.locator("#bulk button[value=assign]").click()
    expect(page.locator("#bulk [role=status]")).to_contain_text("已处理 2 张工单")
    page.keyboard.press("Escape")
    expect(page.locator(".bulk-place")).to_be_hidden()
    page.reload()
    for title in tickets:
        expect(row_of(page, title)).to_contain_text("林工")
    page.keyboard.press("u")
    expect(page.locator(".toast")).to_contain_text("已撤销 2 张工单的分派")


def test_open_clocks_are_confirmed_by_their_number(visitor, tickets):
    page = sign_in(visitor(), AGENT)
    page.goto("/console/")
    page.locator("[data-pick-mode]").click()
    for title in tickets:
        row_of(page, title).click()
    expect(page.locator("[data-bulk-count]")).to_have_text("2")
    page.locator("#bulk summary").click()
    page.locator("#bulk-body").fill("故障已恢复，请验证。")
    page.locator("#bulk button[value=resolve]").click()
    expect(page.locator("#bulk [role=alert]")).to_contain_text("2 张工单的客户仍在等待回复")
    expect(page.locator("#bulk-body")).to_have_value("故障已恢复，请验证。")
    page.locator("#bulk [name=confirmed_clocks]").check()
    page.locator("#bulk button[value=resolve]").click()
    expect(page.locator("#bulk [role=status]")).to_contain_text("已处理 2 张工单")


def test_tags_by_their_key_and_the_queue_held_to_one(visitor, tickets):
    page = sign_in(visitor(), AGENT)
    page.goto("/console/")
    row_of(page, tickets[0]).click()
    expect(page.locator("#ticket-work .work__forms")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("l")
    page.locator("#ticket-work label", has_text="投诉风险").click()
    page.get_by_role("button", name="保存标签").click()
    expect(page.locator("#ticket-work .work__tags")).to_have_text("投诉风险")
    expect(row_of(page, tickets[0])).to_contain_text("投诉风险", timeout=10_000)
    page.locator(".tag-filter summary").click()
    page.locator(".tag-filter a", has_text="投诉风险").click()
    page.wait_for_url(re.compile(r"tag=\d+"))
    expect(row_of(page, tickets[0])).to_be_visible()
    expect(row_of(page, tickets[1])).to_have_count(0)


def test_who_begins_to_take_tickets_gets_what_waits(visitor, tickets):
    page = sign_in(visitor(), AGENT)
    page.goto("/console/")
    page.locator("#availability summary").click()
    page.locator("#capacity").fill("50")
    page.get_by_role("button", name="开始接单").click()
    expect(page.locator("#availability-chip")).to_contain_text("可接单")
    try:
        for title in tickets:
            expect(row_of(page, title)).to_contain_text("陈工", timeout=20_000)
    finally:
        page.locator("#availability summary").click()
        page.locator("#availability").get_by_role("button", name="暂停接单").click()
        expect(page.locator("#availability-chip")).to_contain_text("暂停接单")


def test_a_merged_ticket_leads_its_customer_on(visitor, tickets):
    page = sign_in(visitor(), AGENT)
    page.goto("/console/")
    old, new = (row_of(page, title).get_attribute("data-number") for title in tickets)
    row_of(page, tickets[0]).click()
    page.locator("#ticket-work summary", has_text="合并与关联").click()
    page.locator("#work-number").fill(new)
    page.get_by_role("button", name="合并到该工单").click()
    page.wait_for_url(f"**/console/tickets/{new}/**")
    expect(page.locator("#console-thread")).to_contain_text(f"将工单 {old} 合并至本工单")
    customer = sign_in(visitor(), "owner@huachen.example")
    customer.goto(f"/support/tickets/{old}/")
    expect(customer.locator("h1")).to_have_text(tickets[1])
