"""Run the portal on one machine: ``python -m config.local serve|manage …|run …``.

``serve`` starts the servers it needs (``config.services``), migrates, loads the catalogue and, at the first start, demo
data, then runs web, workers, beat and the local payment gateway under one process manager until Ctrl-C. ``manage`` and
``run`` give one command the same servers.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import NoReturn

import psutil
from honcho.manager import Manager

from config.services import LocalServices, port_is_free

BASE_DIR = Path(__file__).resolve().parent.parent
HEALTHY_WITHIN_SECONDS = 90
STOP_SECONDS = 10
# Stands in the environment of every process of a running portal, so that the next start finds what a killed one left.
COPY = "PORTAL_COPY"


def main() -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(prog="config.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="run the whole portal")
    manage = commands.add_parser("manage", help="run manage.py with the local servers")
    manage.add_argument("arguments", nargs=argparse.REMAINDER)
    run = commands.add_parser(
        "run", help="run any program with the local servers in its environment"
    )
    run.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()

    data_dir = Path(os.environ.get("DATA_DIR") or BASE_DIR / ".local").expanduser().resolve()
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _leave)
    services = LocalServices(data_dir)
    try:
        environment = {**os.environ, **services.environment()}
        environment.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
        if options.command == "serve":
            return serve(environment, services)
        command = options.arguments
        if options.command == "manage":
            command = [sys.executable, "manage.py", *command]
        return subprocess.run(command, env=environment, cwd=BASE_DIR, check=False).returncode  # noqa: S603
    except KeyboardInterrupt:
        return 130
    finally:
        signal.signal(
            signal.SIGINT, signal.SIG_IGN
        )  # a second Ctrl-C must not cut the servers short
        services.stop()


def serve(environment: dict[str, str], services: LocalServices) -> int:
    """Prepare the database, run all processes until one stops or Ctrl-C, and return the exit code."""
    data_dir = services.data_dir
    port = int(environment.get("PORT") or 8000)
    with _alone(data_dir):
        _end_leftovers(data_dir)
        if not port_is_free(port):
            print(
                f"Port {port} is in use. Choose another: PORT={port + 100} script/server",
                file=sys.stderr,
            )
            return 1
        environment[COPY] = str(data_dir)
        environment.setdefault("SITE_URL", f"http://localhost:{port}")
        environment.setdefault("PAYGATE_PORT", str(services.port("paygate")))
        environment["PYTHONUNBUFFERED"] = "1"
        # As root everything here is root's anyway; in production the image brings a user of its own.
        environment.setdefault("PYTHONWARNINGS", "ignore:You're running the worker with superuser")
        if code := _prepare(environment, data_dir):
            return code
        manager = Manager()
        for name, command in processes(port, data_dir).items():
            manager.add_process(name, shlex.join(command), env=environment, cwd=str(BASE_DIR))
        address = environment["SITE_URL"]
        threading.Thread(target=_announce, args=(address, port), daemon=True).start()
        # The manager ends everything on SIGTERM; a closed terminal means the same.
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        manager.loop()
        _end_leftovers(data_dir)
        return 0 if manager.returncode in {130, 143} else int(manager.returncode or 0)


def _leave(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """Be the only portal on this directory. The lock goes with this very process, however it ends."""
    with (data_dir / "server.lock").open("w") as handle:
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SystemExit(
                f"A portal with its data in {data_dir} runs already. "
                "Stop it, or choose another directory: DATA_DIR=… PORT=… script/server"
            ) from None
        yield


def _end_leftovers(data_dir: Path) -> None:
    """End what a portal of this directory left behind, killed or killing in haste: it holds port and work."""
    left = [process for process in psutil.process_iter() if _belongs_to(process, data_dir)]
    for process in left:
        process.terminate()
    _, stubborn = psutil.wait_procs(left, timeout=STOP_SECONDS)
    for process in stubborn:
        process.kill()
    psutil.wait_procs(stubborn, timeout=STOP_SECONDS)


def _belongs_to(process: psutil.Process, data_dir: Path) -> bool:
    try:
        return bool(process.environ().get(COPY) == str(data_dir))
    except psutil.Error:
        return False  # gone meanwhile, or another user's


def processes(port: int, data_dir: Path) -> dict[str, list[str]]:
    """Return the portal's processes by name, as argument lists. docker-compose.yml runs the same programs."""
    python = sys.executable
    celery = [python, "-m", "celery", "--quiet", "-A", "config"]
    gunicorn = [python, "-m", "gunicorn", "config.wsgi", "--preload", "--worker-class=gthread"]
    gunicorn.append("--config=python:config.web")
    # Its control socket would stand in the home directory, one for all copies of a user, and outlive the server.
    gunicorn.append("--no-control-socket")
    bind = f"--bind={os.environ.get('HOST', '127.0.0.1')}:{port}"
    work = ["--concurrency=2", "--loglevel=WARNING", "--without-gossip", "--without-mingle"]
    timers = ["--queues=timers", "--pool=solo", "--hostname=timers@%h", *work[1:]]
    return {
        "web": [*gunicorn, "--workers=2", "--threads=8", bind, "--log-level=warning"],
        "worker": [*celery, "worker", *work],
        "timers": [*celery, "worker", *timers],
        "beat": [*celery, "beat", "--loglevel=WARNING", f"--pidfile={data_dir / 'beat.pid'}"],
        "paygate": [python, "-m", "billing.providers.local_gateway"],
    }


def _prepare(environment: dict[str, str], data_dir: Path) -> int:
    """Bring database and files to this version; load demo data once."""
    _clear_after_crash(data_dir)
    prepared = subprocess.run(
        [sys.executable, "-m", "config.prepare"], env=environment, cwd=BASE_DIR, check=False
    )
    if prepared.returncode:
        return prepared.returncode
    marker = data_dir / "demo-loaded"
    if environment.get("DEMO_DATA", "true") == "true" and not marker.exists():
        loaded = subprocess.run(
            [sys.executable, "manage.py", "load_demo"], env=environment, cwd=BASE_DIR, check=False
        )
        if loaded.returncode:
            return loaded.returncode
        marker.touch()
    return 0


def _clear_after_crash(data_dir: Path) -> None:
    """Drop what a killed beat leaves: a number that may be somebody else's now, a schedule that may be half written.

    The schedule only says when each sweep ran last; the deadlines stand in the database.
    """
    if not (data_dir / "beat.pid").exists():
        return
    for left in ("beat.pid", "celerybeat-schedule*"):
        for path in data_dir.glob(left):
            path.unlink()


def _announce(site_url: str, port: int) -> None:
    """Wait until the portal is healthy, then say where it is and who can sign in."""
    health = f"http://127.0.0.1:{port}/healthz/"
    deadline = time.monotonic() + HEALTHY_WITHIN_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(health, timeout=3) as answer:
                if answer.status == HTTPStatus.OK:
                    break
        except OSError:
            time.sleep(0.3)
    else:
        print(
            f"the portal is not healthy after {HEALTHY_WITHIN_SECONDS} s, see the output above",
            flush=True,
        )
        return
    from accounts.demo_people import PASSWORD, SIGN_INS  # noqa: PLC0415  (plain data, needs no Django)

    width = max(len(email) for _, email in SIGN_INS)
    lines = [f"  {email:<{width}}  {role}" for role, email in SIGN_INS]
    print(
        "\n".join(
            [
                "",
                f"The portal runs at {site_url}",
                f"Demo sign-ins, password {PASSWORD}:",
                *lines,
                "",
            ]
        ),
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
