"""A running portal for browser stories: real web server, worker, beat and payment gateway, and a real Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.databases import scratch_database
from tests.running import running_portal

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def live_portal(tmp_path_factory) -> Iterator[str]:
    """Start the portal's own processes against a database of their own, with demo data; yield its address."""
    data_dir = tmp_path_factory.mktemp("portal")
    with (
        scratch_database(f"story_{os.getpid()}") as database,
        running_portal(database, data_dir) as address,
    ):
        yield address


# Closed after its module: the browser's event loop would forbid later tests of the process to use the database.
@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    """A headless browser; where none can be had the test is skipped with the reason, in CI it fails."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        if os.environ.get("CI"):
            pytest.fail("no browser: CI must have one")
        pytest.skip("no Chromium on this machine and none could be installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visitor(chromium, live_portal):
    """Open a fresh browser window on the running portal; scripts' errors fail the test."""
    contexts = []
    problems: list[str] = []

    def open_window(*, width: int = 1440, height: int = 900, **options: object):
        context = chromium.new_context(
            base_url=live_portal,
            viewport={"width": width, "height": height},
            locale="zh-CN",
            **options,
        )
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "console",
            lambda line: (
                problems.append(line.text) if "Content Security Policy" in line.text else None
            ),
        )
        contexts.append(context)
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert not problems, problems
