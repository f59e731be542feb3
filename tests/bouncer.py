"""A real PgBouncer before the test database, started by the script of deploy/."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from django.conf import settings

from tests.running import free_port

STARTS_WITHIN_SECONDS = 15


def pgbouncer_or_skip() -> str:
    """Return PgBouncer's path. Where there is none the test is skipped, in CI it fails."""
    path = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if path is None:
        reason = "PgBouncer is not on this machine and could not be installed"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return str(path)


@contextmanager
def running_bouncer(server: dict[str, object], *, pool_size: int) -> Iterator[int]:
    """Pool connections to ``server`` (Django's dictionary, as portal_app); yield the port."""
    program = pgbouncer_or_skip()
    run_dir = Path(tempfile.mkdtemp(prefix="bouncer-"))
    # PgBouncer refuses to be root; a private socket directory admits its owner only.
    user = None
    if os.geteuid() == 0:
        host = Path(str(server["HOST"]))
        user = host.owner() if host.is_absolute() else "nobody"
        shutil.chown(run_dir, user)
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "PGBOUNCER": program,
        "PG_HOST": str(server["HOST"]),
        "PG_PORT": str(server["PORT"] or 5432),
        "PG_DATABASE": str(server["NAME"]),
        "APP_DB_PASSWORD": str(server["PASSWORD"]),
        "LISTEN_ADDRESS": "127.0.0.1",
        "LISTEN_PORT": str(port),
        "POOL_SIZE": str(pool_size),
        "RUN_DIR": str(run_dir),
    }
    with (run_dir / "log").open("w+") as log:
        process = subprocess.Popen(
            [str(settings.BASE_DIR / "deploy" / "pgbouncer.sh")],
            env=environment,
            user=user,
            cwd="/",
            stdout=log,
            stderr=log,
        )
        try:
            _wait(port, server, process, run_dir / "log")
            yield port
        finally:
            process.terminate()
            process.wait(timeout=STARTS_WITHIN_SECONDS)
            shutil.rmtree(run_dir)


def _wait(
    port: int, server: dict[str, object], process: subprocess.Popen[bytes], log: Path
) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    while True:
        try:
            psycopg2.connect(
                host="127.0.0.1",
                port=port,
                dbname=server["NAME"],
                user="portal_app",
                password=server["PASSWORD"],
            ).close()
        except psycopg2.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{error}\n{log.read_text()}") from error
            time.sleep(0.1)
        else:
            return
