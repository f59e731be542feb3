"""A customer's way from the first word of a ticket to its end, in a real browser, on a wide screen and on a phone."""

from __future__ import annotations

import base64
import re

import pytest
from playwright.sync_api import Page, expect

from tests.stories.test_one_customer import sign_in, until

pytestmark = pytest.mark.story
# One red pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
)
PHONE_WIDTH = 390
# Buttons of the page's own parts that a thumb would miss; links inside a line of text may be as high as the line.
SMALL_TARGETS = """() => [...document.querySelectorAll("main button, main summary.btn, main a.btn, main select")]
  .filter((one) => one.checkVisibility() && !one.matches(".btn--link") && one.getBoundingClientRect().height < 43.5)
  .map((one) => one.outerHTML.slice(0, 120))"""
PASTE = """(bytes) => {
  const data = new DataTransfer();
  data.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], "截图.png", { type: "image/png" }));
  document.querySelector("#id_body").dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""


def paste_picture(page: Page) -> None:
    page.evaluate(PASTE, base64.b64encode(PNG).decode())
    expect(page.locator(".upload input[name=uploads]")).to_have_count(1)


def test_write_keep_send_and_follow(visitor):
    page = sign_in(visitor(), "zhao@huachen.example")
    page.goto("/support/tickets/new/")
    page.locator("label.option", has_text="一般咨询").click()
    page.locator("[name=product_line]").select_option(label="弹性云主机")
    expect(page.locator("#id_body")).to_have_value(re.compile("云主机实例 ID"))
    page.locator("[name=title]").fill("云主机无法连接，需要协助")
    expect(page.locator("#help-hints")).to_contain_text("云主机无法连接时先看什么")
    page.locator("[name=body]").fill("从 10 点起超时，密码：Hunter2@2026")
    expect(page.locator("#ticket-hints")).to_contain_text("密码")
    paste_picture(page)
    expect(page.locator("#ticket-hints")).to_contain_text("自动保存")
    expect(page).to_have_url(re.compile(r"\?draft="))
    page.wait_for_timeout(1500)  # the file belongs to the draft too

    page.reload()
    expect(page.locator("[name=title]")).to_have_value("云主机无法连接，需要协助")
    expect(page.locator(".upload")).to_contain_text("截图.png")
    page.get_by_role("button", name="提交工单").click()
    expect(page.locator(".secret-check")).to_contain_text("密码")
    page.locator("[name=acknowledged]").check()
    page.get_by_role("button", name="提交工单").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("云主机无法连接，需要协助")
    until(page, "#thread", "截图.png")
    expect(page.locator("#thread .file")).to_contain_text("未检测")

    recall_a_message(page)
    raise_and_watch(page)
    page.goto("/support/tickets/?turn=ours")
    expect(page.locator("main table")).to_contain_text("云主机无法连接，需要协助")


def recall_a_message(page: Page) -> None:
    page.locator("#id_body").fill("发错了")
    page.get_by_role("button", name="发送").click()
    expect(page.locator("#thread")).to_contain_text("发错了")
    page.locator("#thread .bubble", has_text="发错了").get_by_role("button", name="撤回").click()
    expect(page.locator("#thread")).to_contain_text("此消息已撤回")
    expect(page.locator("#thread")).not_to_contain_text("发错了")


def raise_and_watch(page: Page) -> None:
    page.locator("summary", has_text="升级为紧急").click()
    expect(page.locator(".raise__list")).to_contain_text("不能再降级")
    page.get_by_role("button", name="符合上述情况，升级为紧急").click()
    expect(page.locator("#ticket-head")).to_contain_text("紧急工单")
    expect(page.locator("#ticket-bar button:disabled")).to_contain_text("起可催单")
    page.locator("#watcher").select_option(label="王静")
    page.get_by_role("button", name="添加", exact=True).click()
    expect(page.locator(".people")).to_contain_text("王静")
    page.locator("summary", has_text="为什么是这个目标").click()
    expect(page.locator(".reasons")).to_contain_text("7×24 小时计算")


def test_on_a_phone_the_reply_bar_stays_and_targets_are_large_enough(visitor):
    page = sign_in(visitor(width=390, height=800), "owner@huachen.example")
    for path in ("/support/tickets/", "/support/tickets/new/"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE_WIDTH
    page.goto("/support/tickets/?turn=ours")
    page.locator("main table a").last.click()
    page.wait_for_url("**/support/tickets/2*/")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE_WIDTH
    page.evaluate("window.scrollTo(0, 300)")
    expect(page.locator(".card__foot--reply textarea")).to_be_in_viewport()
    small = page.evaluate(SMALL_TARGETS)
    assert small == [], small
