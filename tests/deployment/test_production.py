"""Every command of the containers, run with its own environment: production settings, two roles, PgBouncer between."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg2
import pytest

from config import env
from tests.bouncer import running_bouncer
from tests.deployment.compose import ROOT, environment_of, image_command, services
from tests.running import free_port

HOST = "support.example.com"
WITHIN_SECONDS = 60


class Production:
    """The services of docker-compose.yml as plain processes."""

    def __init__(self, tmp_path: Path) -> None:
        self.tmp_path = tmp_path
        self.app, self.owner = env.database("DATABASE_URL"), env.database("DATABASE_OWNER_URL")
        self.name = f"production_{os.getpid()}"
        self.web_port = free_port()
        self.bouncer_port = 0
        self.running: list[subprocess.Popen[bytes]] = []

    def environment(self, service: str) -> dict[str, str]:
        """Return a service's environment, with this machine's addresses for the containers' names."""
        values = {
            "PORTAL_HOST": HOST,
            "SECRET_KEY": "x9" * 40,
            "POSTGRES_PASSWORD": "unused",
            "APP_DB_PASSWORD": str(self.app["PASSWORD"]),
            "OWNER_DB_PASSWORD": str(self.owner["PASSWORD"]),
            "REDIS_PASSWORD": "unused",
        }
        given = environment_of(service, values)
        addresses = {
            "@pgbouncer:6432/portal": f"@127.0.0.1:{self.bouncer_port}/{self.name}",
            "@postgres:5432/portal": f"@/{self.name}?{self._server()}",
            "@postgres:5432/postgres": f"@/postgres?{self._server()}",
        }
        for container, here in addresses.items():
            given = {name: value.replace(container, here) for name, value in given.items()}
        if "REDIS_URL" in given:
            given["REDIS_URL"] = os.environ["REDIS_URL"].rsplit("/", 1)[0] + "/10"
        return {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOSTNAME": os.uname().nodename,
            "DJANGO_SETTINGS_MODULE": "config.settings.prod",
            "DATA_DIR": str(self.tmp_path),
            "STATIC_ROOT": str(self.tmp_path / "staticfiles"),
            "PORT": str(self.web_port),
            "PYTHONWARNINGS": "ignore",
            **given,
        }

    def _server(self) -> str:
        port = f"&port={self.app['PORT']}" if self.app["PORT"] else ""
        return f"host={quote(str(self.app['HOST']), safe='')}{port}"

    def run(self, service: str, command: list[str] | None = None, **more: str) -> None:
        """Run a command of a service to its end; it must succeed."""
        command = command or services()[service]["command"]
        environment = {**self.environment(service), **more}
        subprocess.run(command, env=environment, cwd=ROOT, check=True, timeout=120)

    def start(self, service: str, command: list[str]) -> None:
        """Start a service that stays."""
        log = (self.tmp_path / f"{service}.log").open("wb")
        self.running.append(
            subprocess.Popen(
                command, env=self.environment(service), cwd=ROOT, stdout=log, stderr=log
            )
        )

    def healthy(self, service: str) -> None:
        """Wait until a service's own health check is content."""
        kind, *command = services()[service]["healthcheck"]["test"]
        if kind == "CMD-SHELL":
            command = ["sh", "-c", command[0].replace("$$", "$")]
        deadline = time.monotonic() + WITHIN_SECONDS
        while subprocess.run(
            command, env=self.environment(service), cwd=ROOT, capture_output=True, check=False
        ).returncode:
            log = (self.tmp_path / f"{service}.log").read_text()
            assert time.monotonic() < deadline, log
            time.sleep(0.5)

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """Ask the web server as the proxy does; return status and body (or where it leads)."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.web_port}{path}",
            headers={"Host": HOST, **{k.replace("_", "-"): v for k, v in headers.items()}},
        )
        opener = urllib.request.build_opener(NoRedirect)
        try:
            with opener.open(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers.get("Location", "")

    def end(self) -> None:
        """Stop everything and drop the database."""
        for process in self.running:
            process.terminate()
        for process in self.running:
            process.wait(timeout=20)
        self._drop()

    def _drop(self) -> None:
        connection = psycopg2.connect(
            host=self.owner["HOST"],
            port=self.owner["PORT"] or None,
            user=self.owner["USER"],
            password=self.owner["PASSWORD"],
            dbname="postgres",
        )
        connection.autocommit = True
        connection.cursor().execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")
        connection.close()


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Leave redirects to the test."""

    def redirect_request(self, *_: object) -> None:
        return None


@pytest.fixture
def production(tmp_path) -> Iterator[Production]:
    shape = Production(tmp_path)
    if not str(shape.app["HOST"]).startswith("/"):
        pytest.skip("the roles' script needs a superuser: only on our own local server")
    try:
        yield shape
    finally:
        shape.end()


def test_the_containers_commands_bring_up_the_portal(production):
    production.run("roles", OWNER_MAY_CREATE_DATABASES="true")  # the other tests go on
    with running_bouncer({**production.app, "NAME": production.name}, pool_size=5) as port:
        production.bouncer_port = port
        production.run("release")
        production.run("release", [sys.executable, "-m", "config.prepare", "files"])
        web = [
            part.replace("0.0.0.0:8000", f"127.0.0.1:{production.web_port}")
            for part in image_command("portal")
        ]
        production.start("web-a", web)
        production.start("worker", services()["worker"]["command"])
        production.start("beat", services()["beat"]["command"])
        for service in ("web-a", "worker", "beat"):
            production.healthy(service)

        through_the_proxy = {"X_Forwarded_Proto": "https", "X_Forwarded_For": "203.0.113.7"}
        status, page = production.get("/", **through_the_proxy)
        assert status == 200
        assert "客户支持计划" in page
        # Plain HTTP is sent to TLS; a request that came past the proxy is refused.
        assert production.get("/", X_Forwarded_For="203.0.113.7") == (301, f"https://{HOST}/")
        assert production.get("/", X_Forwarded_Proto="https")[0] == 400
