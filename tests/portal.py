"""A running portal for browser stories: real web server, worker, beat and payment gateway, and a real Chromium."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import env
from config.local import processes

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HEALTHY_WITHIN_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def live_portal(tmp_path_factory) -> Iterator[str]:
    """Start the portal's own processes against a database of their own, with demo data; yield its address."""
    from config.roles import LOCALE  # the same locale as the real database

    data_dir = tmp_path_factory.mktemp("portal")
    name = f"story_{os.getpid()}"
    owner = env.database("DATABASE_OWNER_URL")
    _admin(owner, f"CREATE DATABASE {name} OWNER portal_owner TEMPLATE template0 {LOCALE}", name)
    port = free_port()
    environment = {
        **os.environ,
        "DATA_DIR": str(data_dir),
        "DATABASE_URL": _renamed(os.environ["DATABASE_URL"], name),
        "DATABASE_OWNER_URL": _renamed(os.environ["DATABASE_OWNER_URL"], name),
        "REDIS_URL": os.environ["REDIS_URL"].rsplit("/", 1)[0] + "/9",
        "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        "SITE_URL": f"http://127.0.0.1:{port}",
        "PAYGATE_PORT": str(free_port()),
        "PYTHONWARNINGS": "ignore",
    }
    running: list[subprocess.Popen[bytes]] = []
    logs = data_dir / "logs"
    logs.mkdir()
    try:
        for command in (["-m", "config.prepare"], ["manage.py", "load_demo"]):
            subprocess.run([sys.executable, *command], env=environment, check=True)
        for process, command in processes(port, data_dir).items():
            log = (logs / f"{process}.log").open("wb")
            running.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
        _wait_healthy(environment["SITE_URL"], logs)
        yield environment["SITE_URL"]
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(timeout=20)
        _admin(owner, f"DROP DATABASE {name} WITH (FORCE)", name)


def _admin(owner: dict[str, object], statement: str, name: str) -> None:
    import psycopg2

    connection = psycopg2.connect(
        dbname="postgres",
        user=owner["USER"],
        password=owner["PASSWORD"],
        host=owner["HOST"],
        port=owner["PORT"] or None,
    )
    connection.autocommit = True
    connection.cursor().execute(statement)
    connection.close()


def _renamed(url: str, name: str) -> str:
    from urllib.parse import urlsplit, urlunsplit

    parts = urlsplit(url)
    # urlunsplit drops the empty host of a socket URL that has only user and password before the "@".
    return urlunsplit(parts._replace(path=f"/{name}"))


def _wait_healthy(address: str, logs: Path) -> None:
    deadline = time.monotonic() + HEALTHY_WITHIN_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}/healthz/", timeout=3):
                return
        except OSError:
            time.sleep(0.3)
    raise RuntimeError("\n".join(f"{log.name}\n{log.read_text()}" for log in logs.iterdir()))


@pytest.fixture(scope="session")
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

    def open_window(*, width: int = 1440, height: int = 900):
        context = chromium.new_context(
            base_url=live_portal, viewport={"width": width, "height": height}, locale="zh-CN"
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
