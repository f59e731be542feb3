"""docker-compose.yml and Dockerfile as data, and the way to run a service's command without Docker."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

ROOT: Path = settings.BASE_DIR
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")
ONE_SHOT = {"roles", "release"}


def services() -> dict[str, dict[str, Any]]:
    """Return the services by name, YAML's merges applied."""
    return dict(
        yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    )


def environment_of(service: str, values: dict[str, str]) -> dict[str, str]:
    """Return a service's environment with ``values`` filled in, as compose does."""

    def fill(match: re.Match[str]) -> str:
        default = match["rest"] if match["kind"] == "-" else ""
        return values.get(match["name"], default)

    found = services()[service].get("environment", {})
    return {name: VARIABLE.sub(fill, value) for name, value in found.items()}


def image_stages() -> dict[str, list[str]]:
    """Return the instructions of each named stage of the Dockerfile, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    stages: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("FROM "):
            stages[line.split(" AS ")[1]] = []
        elif line and not line.startswith("#"):
            stages[list(stages)[-1]].append(line)
    return stages


def image_command(stage: str) -> list[str]:
    """Return the command that a stage's image runs by itself."""
    (line,) = (line for line in image_stages()[stage] if line.startswith("CMD "))
    return list(json.loads(line.removeprefix("CMD ")))
