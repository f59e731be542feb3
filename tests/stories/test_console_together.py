"""Several agents and devices at once: drafts that follow, answers that are not missed, rows that hold still."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.stories.test_console import AGENT, open_ticket
from tests.stories.test_one_customer import sign_in, submit_urgent

pytestmark = pytest.mark.story
COLLEAGUE = "agent2@portal.example"
SOON = 15_000  # on a crowded machine; a poll comes every second


@pytest.fixture
def ticket(visitor, request) -> str:
    title = request.node.name
    submit_urgent(sign_in(visitor(), "owner@huachen.example"), title)
    return title


def saved(page: Page) -> None:
    expect(page.locator("[data-draft-state]")).to_contain_text("草稿已保存", timeout=SOON)


def reply(page: Page) -> str:
    return page.locator("#id_body").input_value()


def test_a_draft_follows_to_another_device_and_through_changes(visitor, ticket):
    desk = sign_in(visitor(), AGENT)
    open_ticket(desk, ticket)
    desk.locator("#id_body").fill("正在排查")
    saved(desk)
    phone = sign_in(visitor(), AGENT)
    open_ticket(phone, ticket)
    assert reply(phone) == "正在排查"
    # A new owner and a reload change nothing of it.
    phone.keyboard.press("Escape")
    phone.locator("[data-key=t]").click()
    expect(phone.locator("[data-key=t]")).to_have_count(0)
    phone.reload()
    assert reply(phone) == "正在排查"

    phone.locator("#id_body").fill("手机上写的")
    saved(phone)
    desk.locator("#id_body").press_sequentially("，请稍候")
    hint = desk.locator("[data-draft-hint=reply]")
    expect(hint).to_be_visible(timeout=SOON)
    assert reply(desk) == "正在排查，请稍候"
    hint.locator("[data-hint-take]").click()
    assert reply(desk) == "手机上写的"
    desk.locator("[data-send]:visible").click()
    expect(desk.locator(".bubble--mine")).to_contain_text("手机上写的")
    phone.reload()
    assert reply(phone) == ""


def test_somebody_answers_first(visitor, ticket):
    slow, quick = sign_in(visitor(), AGENT), sign_in(visitor(), COLLEAGUE)
    open_ticket(slow, ticket)
    open_ticket(quick, ticket)
    slow.locator("#id_body").fill("我来答")
    expect(quick.locator("#ticket-pane-head .viewer--writing")).to_have_attribute(
        "title", "陈工 正在写回复", timeout=SOON
    )
    quick.locator("#id_body").fill("同事先答了")
    quick.locator("[data-send]:visible").click()
    expect(slow.locator("#console-thread")).to_contain_text("同事先答了", timeout=SOON)
    slow.locator("[data-send]:visible").click()
    expect(slow.locator(".unseen")).to_contain_text("同事先答了")
    assert reply(slow) == "我来答"
    expect(slow.locator(".bubble--mine")).to_have_count(1)
    slow.locator("[data-send]:visible").dblclick()
    expect(slow.locator(".bubble--mine")).to_have_count(2)
    expect(slow.locator("#id_body")).to_have_value("")
    # Who closes the page is gone at once.
    slow.close()
    expect(quick.locator("#ticket-pane-head .viewer")).to_have_count(0, timeout=SOON)


def test_rows_enter_and_move_but_not_under_the_pointer(visitor, ticket):
    page = sign_in(visitor(), AGENT)
    page.goto("/console/")
    row = page.locator(".queue-row", has_text=ticket)
    row.hover()
    place = row.bounding_box()
    customer = sign_in(visitor(), "owner@huachen.example")
    submit_urgent(customer, f"{ticket}-新")
    pill = page.locator("[data-queue-news]")
    expect(pill).to_be_visible(timeout=SOON)
    expect(pill).to_contain_text("1 条更新")
    expect(page.locator(".queue-row", has_text=f"{ticket}-新")).to_have_count(0)
    # The pill takes its line above the list; inside the list nothing moved.
    assert row.bounding_box()["x"] == place["x"]
    page.mouse.move(900, 400)
    fresh = page.locator(".queue-row", has_text=f"{ticket}-新")
    expect(fresh).to_have_count(1)
    expect(pill).to_be_hidden()
    # A row that came with the poll opens as the others do, and the keyboard holds the list still as well.
    fresh.click()
    expect(page.locator("#ticket-pane h1")).to_have_text(f"{ticket}-新")
    page.keyboard.press("j")
    page.keyboard.press("k")
    submit_urgent(customer, f"{ticket}-再新")
    expect(pill).to_be_visible(timeout=SOON)
    focused = "document.activeElement.className"
    assert page.evaluate(focused) == "queue-row"
    pill.get_by_role("button").click()
    expect(page.locator(".queue-row", has_text=f"{ticket}-再新")).to_have_count(1)


def test_a_lost_connection_is_said_and_made_good(visitor, ticket):
    page = sign_in(visitor(), AGENT)
    page.goto("/console/")
    row = page.locator(".queue-row", has_text=ticket)
    row.wait_for()
    page.context.set_offline(True)
    expect(page.locator(".banner")).to_be_visible(timeout=5000)
    left = row.locator("[data-left]")
    before = left.text_content()
    expect(left).not_to_have_text(before)  # the chips tick on, marked
    assert (
        page.evaluate(
            "getComputedStyle(document.querySelector('.queue-row .clock'), '::after').content"
        )
        == '"?"'
    )
    submit_urgent(sign_in(visitor(), "owner@huachen.example"), f"{ticket}-新")
    page.context.set_offline(False)
    expect(page.locator(".banner")).to_have_count(0)
    expect(page.locator(".queue-row", has_text=f"{ticket}-新")).to_have_count(1)


def test_retries_become_slower(visitor, ticket):
    page = sign_in(visitor(), AGENT)
    page.clock.install()
    asked: list[int] = []
    page.route("**/console/live/**", lambda route: (asked.append(1), route.fulfill(status=503)))
    page.goto("/console/")
    for _ in range(60):
        page.clock.run_for(1000)
        page.wait_for_timeout(50)  # the answer comes in real time
    # A minute at the usual pace would be sixty.
    assert 3 <= len(asked) <= 12
    expect(page.locator(".banner")).to_be_visible()


def test_a_macro_shows_what_it_would_do_and_does_it(visitor, ticket):
    page = sign_in(visitor(), AGENT)
    open_ticket(page, ticket)
    page.keyboard.press("r")
    page.keyboard.type("/收到")
    expect(page.locator("[data-slash] [role=option]")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#id_body")).to_have_value(
        "您好，工单 "
        + page.locator("#ticket-pane").get_attribute("data-number")
        + " 已收到，我是VIP 专席陈工，正在排查，10 分钟内向您同步进展。"
    )
    page.locator("#id_body").fill("")
    page.keyboard.press("Escape")
    page.keyboard.press("m")
    page.keyboard.type("日志")
    expect(page.locator("#palette [role=option]")).to_have_count(1)
    page.keyboard.press("Enter")
    preview = page.locator("#macro-preview")
    expect(preview).to_contain_text("弹性负载均衡")
    expect(preview.locator("dl")).to_contain_text("待客户反馈")
    expect(preview.get_by_role("button", name="取消")).to_be_focused()
    preview.get_by_role("button", name="应用并发送").click()
    expect(page.locator("#ticket-pane-head")).to_contain_text("待客户反馈，不计时")
    expect(page.locator(".bubble--mine")).to_contain_text("请补充问题发生时段的系统日志")
