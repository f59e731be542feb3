"""An agent at the console: keys, drafts, two tabs, a lost server, an ended session, no scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.stories.test_one_customer import sign_in, submit_urgent

pytestmark = pytest.mark.story
AGENT = "agent@portal.example"


@pytest.fixture
def ticket(visitor, request) -> str:
    """A fresh urgent ticket of the enterprise customer; its title is the test's."""
    title = request.node.name
    submit_urgent(sign_in(visitor(), "owner@huachen.example"), title)
    return title


def open_ticket(page: Page, title: str) -> None:
    page.goto("/console/")
    page.locator(".queue-row", has_text=title).click()
    expect(page.locator("#ticket-pane h1")).to_have_text(title)
    expect(page.locator("#ticket-context h2")).to_have_text("华辰科技")


def test_the_keyboard_does_it_all(visitor, ticket):
    page = sign_in(visitor(), AGENT)
    page.goto("/console/")
    row = page.locator(".queue-row", has_text=ticket)
    row.wait_for()
    while not row.evaluate("row => row === document.activeElement"):
        page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#ticket-pane h1")).to_have_text(ticket)

    page.keyboard.press("r")
    expect(page.locator("#id_body")).to_be_focused()
    page.keyboard.type("jknart?/e")
    expect(page.locator("#id_body")).to_have_value("jknart?/e")
    page.keyboard.press("Escape")
    expect(row).to_be_focused()

    page.keyboard.press("n")
    expect(page.locator("#note_body")).to_be_focused()
    page.keyboard.type("疑似端口异常")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".internal")).to_contain_text("疑似端口异常")

    page.keyboard.press("?")
    expect(page.locator("#keys-dialog")).to_be_visible()
    page.keyboard.press("r")
    expect(page.locator("#id_body")).not_to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#keys-dialog")).to_be_hidden()

    page.keyboard.press("a")
    expect(page.locator("#assignee")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#assignee")).to_be_hidden()

    page.keyboard.press("t")
    expect(page.locator("[data-key=t]")).to_have_count(0)
    page.keyboard.press("r")
    page.locator("#id_body").fill("请提供日志")
    page.keyboard.press("Control+Shift+Enter")
    expect(page.locator("#ticket-pane-head")).to_contain_text("待客户反馈，不计时")
    expect(page.locator("#id_body")).to_have_value("")


def test_no_key_fires_when_they_are_switched_off(visitor, ticket):
    page = sign_in(visitor(), AGENT)
    open_ticket(page, ticket)
    page.keyboard.press("?")
    page.locator("[data-keys-switch]").uncheck()
    page.locator("#keys-dialog [data-close]").click()
    page.keyboard.press("r")
    page.keyboard.press("a")
    expect(page.locator("#id_body")).not_to_be_focused()
    expect(page.locator("#assignee")).to_be_hidden()


def test_a_lost_server_loses_no_words(visitor, ticket):
    page = sign_in(visitor(), AGENT)
    open_ticket(page, ticket)
    page.locator("#id_body").fill("正在检查，请稍候")
    page.context.set_offline(True)
    page.locator("[data-send]:visible").click()
    expect(page.locator(".banner")).to_have_text("连接中断，正在重连")
    expect(page.locator("#id_body")).to_have_value("正在检查，请稍候")
    page.context.set_offline(False)
    expect(page.locator(".banner")).to_have_count(0)
    page.reload()
    expect(page.locator("#id_body")).to_have_value("正在检查，请稍候")

    page.route("**/reply/**", lambda route: route.fulfill(status=500, body="x"))
    page.locator("[data-send]:visible").click()
    expect(page.locator(".toast--error")).to_contain_text("没有丢失")
    expect(page.locator("#id_body")).to_have_value("正在检查，请稍候")
    page.unroute("**/reply/**")

    page.locator("[data-send]:visible").click()
    expect(page.locator("#console-thread")).to_contain_text("正在检查，请稍候")
    page.reload()
    expect(page.locator("#id_body")).to_have_value("")


def test_an_ended_session_leads_to_the_sign_in_and_back(visitor, ticket):
    page = sign_in(visitor(), AGENT)
    open_ticket(page, ticket)
    page.locator("#id_body").fill("稍候回复")
    place = page.url
    page.context.clear_cookies()
    page.wait_for_url("**/accounts/login/**")
    page.locator("[name=login]").fill(AGENT)
    page.locator("[name=password]").fill("demo-support-2026")
    page.get_by_role("main").get_by_role("button", name="登录").click()
    page.wait_for_url(place)
    expect(page.locator("#id_body")).to_have_value("稍候回复")


def test_a_colleagues_answer_appears_beside_what_is_typed(visitor, ticket):
    page = sign_in(visitor(), AGENT)
    open_ticket(page, ticket)
    page.locator("#id_body").fill("我先来")
    other = page.context.new_page()
    open_ticket(other, ticket)
    other.locator("#id_body").fill("同事已回复")
    other.locator("[data-send]:visible").dblclick()
    expect(other.locator(".bubble--mine")).to_have_count(1)
    expect(page.locator("#console-thread")).to_contain_text("同事已回复", timeout=5000)
    expect(page.locator(".bubble--mine")).to_have_count(1)
    expect(page.locator("#id_body")).to_have_value("我先来")


def test_the_customer_opens_as_a_drawer_on_a_narrow_screen(visitor, ticket):
    page = sign_in(visitor(width=1100), AGENT)
    page.goto("/console/")
    page.locator(".queue-row", has_text=ticket).click()
    pane = page.locator("#ticket-context")
    expect(pane).to_be_hidden()
    page.locator(".drawer-toggle").click()
    expect(pane).to_contain_text("响应时限")
    expect(pane).to_be_visible()
    page.keyboard.press("Escape")
    expect(pane).to_be_hidden()


def test_it_works_without_scripts(visitor, ticket):
    page = sign_in(visitor(java_script_enabled=False), AGENT)
    page.goto("/console/")
    page.locator(".queue-row", has_text=ticket).click()
    page.locator("label[for=mode-note]").click()
    page.locator("#note_body").fill("没有脚本的备注")
    page.get_by_role("button", name="保存备注").click()
    expect(page.locator(".internal")).to_contain_text("没有脚本的备注")
    page.locator("summary", has_text="转派").click()
    page.locator("#assignee").select_option(index=0)
    page.locator("details.menu button", has_text="转派").click()
    page.locator("#id_body").fill("您好，正在检查")
    page.locator("button[value=wait]").click()
    expect(page.locator("#ticket-pane-head")).to_contain_text("待客户反馈，不计时")
    page.locator("#id_body").fill("   ")
    page.locator("button[value=send]").click()
    expect(page.locator(".composer__error").first).to_be_visible()
