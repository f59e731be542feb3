"""One customer served from order to report, in a real browser against real services."""

from __future__ import annotations

import time
from io import BytesIO

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from accounts.demo_people import PASSWORD

pytestmark = pytest.mark.story
PASSPHRASE = "a-long-pass-phrase-7"
QUEUE_SECONDS = 5
WORK_SECONDS = 60  # on a crowded machine
TITLE = "支付接口大面积超时"
FORGOTTEN = "运单同步任务中断"


def sign_in(page: Page, email: str, password: str = PASSWORD) -> Page:
    page.goto("/accounts/login/")
    page.locator("[name=login]").fill(email)
    page.locator("[name=password]").fill(password)
    page.get_by_role("main").get_by_role("button", name="登录").click()
    page.wait_for_url(lambda url: "/accounts/" not in url)
    return page


def until(page: Page, selector: str, text: str, *, seconds: float = WORK_SECONDS) -> None:
    """Reload until the workers have come so far that an element shows ``text``."""
    deadline = time.monotonic() + seconds
    while not page.locator(selector, has_text=text).count():
        assert time.monotonic() < deadline, f"no {text} within {seconds} s on {page.url}"
        page.wait_for_timeout(500)
        page.reload()


def submit_urgent(page: Page, title: str) -> None:
    page.goto("/support/tickets/new/")
    page.locator("label.option", has_text="紧急").first.click()
    page.locator("[name=product_line]").select_option(label="弹性负载均衡")
    page.locator("[name=title]").fill(title)
    page.locator("[name=body]").fill("10 点起全部请求返回 504，影响下单，请尽快处理。")
    page.get_by_role("button", name="提交工单").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def test_one_customer_from_order_to_report(visitor):
    customer = visitor()
    compare_and_sign_up(customer)
    order_and_pay(customer)

    submit_urgent_and_see_the_promise(customer)
    ticket_page = customer.url
    agent = sign_in(visitor(), "agent@portal.example")
    answer_in_the_console(agent)
    customer.goto(ticket_page)
    read_the_answer(customer)

    manager = sign_in(visitor(), "manager@portal.example")
    number = file_and_deliver_a_check(manager)
    download_and_rate(customer, number)

    open_the_monthly_report(sign_in(visitor(), "owner@huachen.example"))

    let_a_ticket_wait(sign_in(visitor(), "owner@yunfan.example"))
    take_it_without_answering(agent)
    move_the_clock(sign_in(visitor(), "operator@portal.example"))
    every_stage_is_told(agent, manager)


def compare_and_sign_up(page: Page) -> None:
    page.goto("/")
    matrix = page.locator(".matrix")
    expect(matrix.locator("tbody th[scope=row]")).to_have_count(23)
    expect(page.locator("#plans")).to_contain_text("25,000")
    page.get_by_role("link", name="注册", exact=True).click()
    page.get_by_label("客户名称").fill("海纳零售")
    page.get_by_label("您的姓名").fill("周洋")
    page.locator("[name=email]").fill("zhou@haina.example")
    page.locator("[name=password1]").fill(PASSPHRASE)
    page.get_by_role("main").get_by_role("button", name="注册").click()
    expect(page).to_have_url("/support/")
    expect(page.get_by_role("main")).to_contain_text("标准服务")


def order_and_pay(page: Page) -> None:
    page.goto("/support/order/new/?plan=lite")
    expect(page.locator("aside .total")).to_have_text("¥6,000.00")
    page.locator("#agreement").check()
    page.get_by_role("button", name="立即订购").first.click()
    expect(page.get_by_role("main")).to_contain_text("6,000.00")
    page.get_by_role("button", name="立即支付").click()
    expect(page.locator("[data-clock=cashier], .countdown")).to_be_visible()
    page.get_by_role("button", name="确认支付").click()
    # The provider's own page, on another server.
    page.get_by_role("button", name="确认支付").click()
    page.wait_for_url("**/support/orders/**")
    until(page, "main .chip", "已完成")
    page.goto("/support/plan/")
    expect(page.get_by_role("main")).to_contain_text("轻量级支持计划")
    expect(page.get_by_role("main")).to_contain_text("剩余 365 天")
    expect(page.get_by_role("main")).to_contain_text("最多 1 次三级重保")


def submit_urgent_and_see_the_promise(page: Page) -> None:
    page.goto("/support/tickets/new/")
    expect(page.locator("label.option", has_text="紧急").first).to_contain_text("10 分钟内响应")
    submit_urgent(page, TITLE)


def answer_in_the_console(page: Page) -> None:
    row = page.locator(".queue-row", has_text=TITLE)
    row.wait_for(timeout=QUEUE_SECONDS * 1000)
    row.scroll_into_view_if_needed()  # rows far below are not painted, and have no text then
    clock = row.locator("[data-deadline]").first
    before = clock.inner_text()
    page.wait_for_timeout(2100)
    assert clock.inner_text() != before, "the countdown stands still"
    row.click()
    page.locator("#id_body").fill("您好，已收到，正在检查支付网关的上游连接。")
    page.locator("button[data-send]").first.click()
    expect(page.locator("#ticket-pane")).to_contain_text("正在检查支付网关")


def read_the_answer(page: Page) -> None:
    expect(page.get_by_role("main")).to_contain_text("正在检查支付网关")
    expect(page.locator("#ticket-head")).to_contain_text("响应")
    expect(page.locator("#ticket-side")).to_contain_text("已达成")


def file_and_deliver_a_check(page: Page) -> str:
    page.goto("/desk/service-orders/new/")
    page.get_by_label("客户").select_option(label="海纳零售")
    page.get_by_label("服务项目").select_option("availability_check")
    page.get_by_label("提供场景").select_option("join")
    page.get_by_label("对接人名称").fill("周洋")
    page.get_by_role("button", name="提交服务单").click()
    number = page.url.rstrip("/").rsplit("/", 1)[-1]
    report = {
        "name": "海纳零售可用性检查建议书.pdf",
        "mimeType": "application/pdf",
        "buffer": a_pdf(),
    }
    page.get_by_label("文件").set_input_files(report)
    page.get_by_role("button", name="上传").click()
    page.get_by_role("button", name="完成服务单").click()
    expect(page.get_by_role("main")).to_contain_text("已完成")
    return number


def download_and_rate(page: Page, number: str) -> None:
    page.goto("/support/service-orders/")
    page.get_by_role("link", name=number).click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="下载").first.click()
    assert waiting.value.suggested_filename == "海纳零售可用性检查建议书.pdf"
    for dimension in ("speed", "quality"):
        page.locator(f"label[for={dimension}-5]").click()
    page.get_by_label("建议与反馈").fill("建议清楚，执行方便。")
    page.get_by_role("button", name="提交评价").click()
    expect(page.get_by_role("main")).to_contain_text("修改评价")


def open_the_monthly_report(page: Page) -> None:
    page.goto("/support/reports/")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="下载").first.click()
    with open(waiting.value.path(), "rb") as file:
        document = PdfReader(BytesIO(file.read()))
    text = "".join(sheet.extract_text() for sheet in document.pages)
    assert "华辰科技" in text
    assert "工单整体情况" in text


def let_a_ticket_wait(page: Page) -> None:
    submit_urgent(page, FORGOTTEN)


def take_it_without_answering(page: Page) -> None:
    page.goto("/console/?view=new")
    page.locator(".queue-row", has_text=FORGOTTEN).click()
    page.locator("[data-key=t]").click()
    expect(page.locator("[data-key=t]")).to_have_count(0)


def move_the_clock(page: Page) -> None:
    page.goto("/operations/")
    page.get_by_label("前移小时数").fill("1")
    page.get_by_role("button", name="前移时钟").click()
    expect(page.get_by_role("main")).to_contain_text("演示时钟已前移")


def every_stage_is_told(agent: Page, manager: Page) -> None:
    agent.goto("/console/?view=mine")
    expect(agent.locator(".queue-row", has_text=FORGOTTEN).locator(".clock")).to_contain_text("+")
    manager.goto("/messages/")
    until(manager, "main", FORGOTTEN)
    agent.goto("/messages/")
    until(agent, "main", FORGOTTEN)


def a_pdf() -> bytes:
    from weasyprint import HTML

    return HTML(string="<h1>可用性检查建议书</h1>").write_pdf()
