"""A whole portal in processes of its own, for browser stories and benchmarks. Knows nothing of pytest."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from config.local import BASE_DIR, processes
from tests.databases import database_environment

PORTS = range(20000, 32768)
HEALTHY_WITHIN_SECONDS = 60
STOPPED_WITHIN_SECONDS = 60  # a worker finishes its tasks first, also on a crowded machine


def free_port() -> int:
    """Return a port of the loopback that nobody uses.

    Outside the range from which systems choose ports for connections that go out (32768 and up on Linux, 49152 and up
    on macOS): one of those could take it again before the server that it is meant for has started.
    """
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def running_portal(
    database: str, data_dir: Path, *, without: frozenset[str] = frozenset(), **settings: str
) -> Iterator[str]:
    """Run the portal with demo data on an empty ``database``; yield its address.

    ``without`` names processes that are not wanted. Raises RuntimeError with all logs when it does not become healthy.
    """
    port = free_port()
    # Static files and fonts are the same for every run of this checkout.
    made_once = Path(os.environ["DATA_DIR"])
    environment = {
        **os.environ,
        **database_environment(database),
        "DATA_DIR": str(data_dir),
        "STATIC_ROOT": str(made_once / "staticfiles"),
        "FONTS_ROOT": str(made_once / "fonts"),
        "REDIS_URL": os.environ["REDIS_URL"].rsplit("/", 1)[0] + "/9",
        "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        "SITE_URL": f"http://127.0.0.1:{port}",
        "PAYGATE_PORT": str(free_port()),
        "PYTHONWARNINGS": "ignore",
        **settings,
    }
    running: list[subprocess.Popen[bytes]] = []
    logs = data_dir / "logs"
    logs.mkdir(parents=True)
    try:
        for step in (["-m", "config.prepare"], ["manage.py", "load_demo"]):
            subprocess.run(
                [sys.executable, *step],
                env=environment,
                cwd=BASE_DIR,
                check=True,
                stdout=subprocess.DEVNULL,
            )
        for process, command in processes(port, data_dir).items():
            if process in without:
                continue
            with (logs / f"{process}.log").open("wb") as log:
                running.append(
                    subprocess.Popen(command, env=environment, cwd=BASE_DIR, stdout=log, stderr=log)
                )
        _wait_healthy(environment["SITE_URL"], logs)
        yield environment["SITE_URL"]
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(timeout=STOPPED_WITHIN_SECONDS)


def _wait_healthy(address: str, logs: Path) -> None:
    deadline = time.monotonic() + HEALTHY_WITHIN_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}/healthz/", timeout=3):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("\n".join(f"{log.name}\n{log.read_text()}" for log in logs.iterdir()))
