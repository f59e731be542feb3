"""Run the portal on one machine: ``python -m config.local serve|manage …|environment``.

``serve`` starts the servers it needs (``config.services``), migrates, loads the catalogue and, at the first start, demo
data, then runs web, worker, beat and the local payment gateway under one process manager until Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import threading
import time
import urllib.request
from http import HTTPStatus
from pathlib import Path

from honcho.manager import Manager

from config.services import LocalServices

BASE_DIR = Path(__file__).resolve().parent.parent
HEALTHY_WITHIN_SECONDS = 90


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
    services = LocalServices(data_dir)
    try:
        environment = {**os.environ, **services.environment()}
        environment.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
        if options.command == "serve":
            return serve(environment, data_dir)
        command = options.arguments
        if options.command == "manage":
            command = [sys.executable, "manage.py", *command]
        return subprocess.run(command, env=environment, cwd=BASE_DIR, check=False).returncode  # noqa: S603
    except KeyboardInterrupt:
        return 130
    finally:
        services.stop()


def serve(environment: dict[str, str], data_dir: Path) -> int:
    """Prepare the database, run all processes until one stops or Ctrl-C, and return the exit code."""
    port = int(environment.get("PORT") or 8000)
    environment.setdefault("SITE_URL", f"http://localhost:{port}")
    environment.setdefault("PAYGATE_PORT", str(port + 1))
    environment["PYTHONUNBUFFERED"] = "1"
    if code := _prepare(environment, data_dir):
        return code
    manager = Manager()
    for name, command in processes(port, data_dir).items():
        manager.add_process(name, shlex.join(command), env=environment, cwd=str(BASE_DIR))
    threading.Thread(target=_announce, args=(environment["SITE_URL"], port), daemon=True).start()
    manager.loop()
    return 0 if manager.returncode in {130, 143} else int(manager.returncode or 0)


def processes(port: int, data_dir: Path) -> dict[str, list[str]]:
    """Return the portal's processes by name, as argument lists. The same commands stand in docker-compose.yml."""
    python = sys.executable
    celery = [python, "-m", "celery", "-A", "config"]
    gunicorn = [
        python,
        "-m",
        "gunicorn",
        "config.wsgi",
        "--worker-class=gthread",
        "--workers=2",
        "--threads=8",
    ]
    return {
        "web": [
            *gunicorn,
            f"--bind={os.environ.get('HOST', '127.0.0.1')}:{port}",
            "--log-level=warning",
        ],
        "worker": [
            *celery,
            "worker",
            "--concurrency=2",
            "--loglevel=WARNING",
            "--without-gossip",
            "--without-mingle",
        ],
        "beat": [*celery, "beat", "--loglevel=WARNING", f"--pidfile={data_dir / 'beat.pid'}"],
        "paygate": [python, "-m", "billing.providers.local_gateway"],
    }


def _prepare(environment: dict[str, str], data_dir: Path) -> int:
    """Bring database and files to this version; load demo data once."""
    (data_dir / "beat.pid").unlink(missing_ok=True)  # of a copy that was killed
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
