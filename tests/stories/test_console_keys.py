"""The console by keyboard alone: the palette, two keys after each other, and an input method that composes."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.stories.test_console import AGENT, open_ticket
from tests.stories.test_one_customer import sign_in, submit_urgent

pytestmark = pytest.mark.story


@pytest.fixture
def ticket(visitor, request) -> str:
    title = request.node.name
    submit_urgent(sign_in(visitor(), "owner@huachen.example"), title)
    return title


def compose(page: Page, text: str, commit: str) -> None:
    """Compose as an input method does: marked text first, then the words that are chosen."""
    tools = page.context.new_cdp_session(page)
    for length in range(1, len(text) + 1):
        # Each key that belongs to the composition reaches the page as "Process", code 229.
        key = {
            "windowsVirtualKeyCode": 229,
            "key": "Process",
            "code": f"Key{text[length - 1].upper()}",
        }
        tools.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **key})
        part = {"text": text[:length], "selectionStart": length, "selectionEnd": length}
        tools.send("Input.imeSetComposition", part)
    enter = {"windowsVirtualKeyCode": 229, "key": "Enter", "code": "Enter", "modifiers": 2}
    tools.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **enter})
    assert page.evaluate("window.composing")
    tools.send("Input.insertText", {"text": commit})


def watch(page: Page) -> None:
    page.evaluate(
        """() => {
          window.composing = false;
          document.addEventListener("compositionstart", () => { window.composing = true; });
        }"""
    )


def test_nothing_fires_while_an_input_method_composes(visitor, ticket):
    page = sign_in(visitor(), AGENT)
    open_ticket(page, ticket)
    watch(page)
    page.keyboard.press("r")
    compose(page, "nihao", "你好")
    expect(page.locator("#id_body")).to_have_value("你好")
    expect(page.locator(".bubble--mine")).to_have_count(0)  # Ctrl+Enter belonged to the composition
    page.keyboard.press("Escape")
    expect(page.locator("#id_body")).not_to_be_focused()

    # The key that an input method takes outside of fields is not ours either.
    tools = page.context.new_cdp_session(page)
    key = {"type": "rawKeyDown", "windowsVirtualKeyCode": 229, "key": "r", "code": "KeyR"}
    tools.send("Input.dispatchKeyEvent", key)
    expect(page.locator("#id_body")).not_to_be_focused()

    page.keyboard.press("Control+k")
    watch(page)
    compose(page, "huifu", "回复客户")
    expect(page.locator("#palette")).to_be_visible()
    expect(page.locator("#palette [role=option]").first).to_contain_text("回复客户")


def test_the_palette_runs_commands_and_finds_tickets(visitor, ticket):
    page = sign_in(visitor(), AGENT)
    page.goto("/console/")
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox")
    expect(box).to_be_focused()
    chosen = box.get_attribute("aria-activedescendant")
    page.keyboard.press("ArrowDown")
    expect(box).not_to_have_attribute("aria-activedescendant", chosen)
    page.keyboard.type(ticket)
    expect(page.locator("#palette [role=option]", has_text=ticket)).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#ticket-pane h1")).to_have_text(ticket)

    page.locator("body").focus()
    page.keyboard.press("Control+k")
    page.keyboard.type("写内部备注")
    expect(page.locator("#palette [role=option]")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#note_body")).to_be_focused()
    # Also from within a text; the text stays.
    page.keyboard.type("gm")
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()
    expect(page.locator("#note_body")).to_have_value("gm")


def test_two_keys_choose_a_view_and_shift_goes_through_the_tickets(visitor, ticket):
    page = sign_in(visitor(), AGENT)
    page.goto("/console/")
    page.locator(".queue-row").first.click()
    first = page.locator(".queue-row[aria-current]").get_attribute("data-number")
    page.keyboard.press("Shift+J")
    expect(page.locator("#ticket-pane")).not_to_have_attribute("data-number", first)
    page.keyboard.press("Shift+K")
    expect(page.locator("#ticket-pane")).to_have_attribute("data-number", first)
    for keys, view in (("gu", "unassigned"), ("gb", "breached"), ("gm", "mine")):
        page.keyboard.press(keys[0])
        page.keyboard.press(keys[1])
        page.wait_for_url(f"**view={view}**")
    # A key alone, too late after the first, means what it means alone.
    page.goto("/console/")
    open_ticket(page, ticket)
    page.keyboard.press("s")
    expect(page.get_by_role("button", name="标记已解决").first).to_be_focused()
