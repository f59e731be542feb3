"""The containers: a valid compose file, nobody is root, everything that runs is watched."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from django.conf import settings

from config.local import processes
from tests.deployment.compose import (
    ONE_SHOT,
    ROOT,
    VARIABLE,
    image_command,
    image_stages,
    services,
)


def test_the_file_keeps_to_the_schema_of_compose():
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    checked = subprocess.run(
        [*check, "docker-compose.yml"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_server_has_a_health_check_and_comes_back():
    watched = {name for name, service in services().items() if "healthcheck" in service}
    assert set(services()) - watched == ONE_SHOT
    assert {name for name, s in services().items() if s["restart"] == "no"} == ONE_SHOT


def test_two_web_servers_stand_behind_the_proxy():
    config = (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")
    behind = re.search(r"reverse_proxy (.+) \{", config)[1].split()
    assert behind == ["web-a:8000", "web-b:8000"]
    assert {name.split(":")[0] for name in behind} <= set(services())
    published = [name for name, service in services().items() if "ports" in service]
    assert published == ["proxy"]


def test_what_runs_locally_runs_in_containers_too(tmp_path):
    local = {name: " ".join(command) for name, command in processes(8000, tmp_path).items()}
    assert "celery" in services()["worker"]["command"][0]
    assert "beat" in services()["beat"]["command"]
    assert image_command("portal")[:2] == ["gunicorn", "config.wsgi"]
    # The local payment gateway is for tests and demos only.
    assert set(local) - {"web", "worker", "timers", "beat"} == {"paygate"}


def test_the_sweep_has_a_worker_to_itself(tmp_path):
    queues = {task["queue"] for task in settings.CELERY_TASK_ROUTES.values()}
    assert queues == {"timers"}
    for command in (processes(8000, tmp_path)["timers"], services()["timers"]["command"]):
        assert {"--queues=timers", "--pool=solo"} <= set(command)


def test_no_web_server_shares_a_control_socket_with_another_copy(tmp_path):
    for command in (processes(8000, tmp_path)["web"], image_command("portal")):
        assert "--no-control-socket" in command


def test_waits_name_services_and_reach_a_state_that_exists():
    for name, service in services().items():
        for other, wanted in service.get("depends_on", {}).items():
            condition = wanted["condition"]
            assert other in services(), (name, other)
            assert (condition == "service_completed_successfully") == (other in ONE_SHOT)


def test_every_value_to_fill_in_is_in_the_example():
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    wanted = {match["name"] for match in VARIABLE.finditer(text) if match["kind"] == "?"}
    example = (ROOT / "deploy" / "env.example").read_text(encoding="utf-8")
    assert wanted <= set(re.findall(r"^(\w+)=", example, re.MULTILINE))


@pytest.mark.parametrize("stage", ["portal", "pgbouncer"])
def test_no_image_of_ours_runs_as_root(stage):
    users = [line.split()[1] for line in image_stages()[stage] if line.startswith("USER ")]
    assert users, stage
    assert int(users[-1].split(":")[0]) > 0


def test_our_containers_gain_no_rights_and_write_only_where_they_must():
    for name, service in services().items():
        if "build" in service:
            assert service["cap_drop"] == ["ALL"], name
            assert service["read_only"] is True, name
            assert service["security_opt"] == ["no-new-privileges:true"], name


def test_the_image_holds_every_app_and_no_tests():
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    kept = {line.removeprefix("!") for line in allowed if line.startswith("!")}
    packages = {path.parent.name for path in ROOT.glob("*/apps.py")} | {
        "config",
        "templates",
        "static",
    }
    assert packages <= kept
    assert not kept & {"tests", "bench", "docs", ".git", ".local", ".venv"}
    assert allowed[1] == "*"
