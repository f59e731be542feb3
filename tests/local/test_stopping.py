"""Ctrl-C and a crash: a task that has begun is finished, and nothing half written greets the next start."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress

import psutil
import pytest
from celery import Celery

from config.local import BASE_DIR, _clear_after_crash, processes

WITHIN_SECONDS = 30
BROKER = os.environ["REDIS_URL"].rsplit("/", 1)[0] + "/11"


def wait_for(path):
    deadline = time.monotonic() + WITHIN_SECONDS
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.05)


@pytest.fixture
def worker(tmp_path):
    """A worker with a slow task, started as script/server does: at the head of a group."""
    log = tmp_path / "log"
    command = [*processes(0, tmp_path)["worker"], "--include=tests.local.slow_task"]
    environment = {
        **os.environ,
        "REDIS_URL": BROKER,
        "DATA_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        "PYTHONWARNINGS": "ignore",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=BASE_DIR,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    everything = [psutil.Process(process.pid)]
    yield process
    everything += everything[0].children(recursive=True) if everything[0].is_running() else []
    for left in everything:
        with suppress(psutil.NoSuchProcess):
            left.kill()
    process.wait()


def test_a_signal_to_the_whole_group_lets_the_task_finish(tmp_path, worker):
    sender = Celery(broker=BROKER)
    sender.conf.broker_transport_options = {"global_keyprefix": "jobs:"}
    begun, done, log = tmp_path / "begun", tmp_path / "done", tmp_path / "log"
    sender.send_task("tests.slow", args=[str(begun), str(done)])
    wait_for(begun)
    pool = psutil.Process(worker.pid).children(recursive=True)

    os.killpg(worker.pid, signal.SIGTERM)
    worker.wait(WITHIN_SECONDS)

    assert done.exists(), log.read_text()
    assert "WorkerLostError" not in log.read_text()
    assert psutil.wait_procs(pool, timeout=WITHIN_SECONDS)[1] == []


def test_what_a_killed_beat_left_is_dropped(tmp_path):
    for name in ("beat.pid", "celerybeat-schedule", "celerybeat-schedule.db", "secrets.json"):
        (tmp_path / name).touch()

    _clear_after_crash(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["secrets.json"]


def test_after_a_clean_stop_the_schedule_stays(tmp_path):
    (tmp_path / "celerybeat-schedule.db").touch()

    _clear_after_crash(tmp_path)

    assert (tmp_path / "celerybeat-schedule.db").exists()
