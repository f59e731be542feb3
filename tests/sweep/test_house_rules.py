"""Rules of the house that no linter knows (docs: style, architecture)."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command

APPS = [
    config.name for config in apps.get_app_configs() if (settings.BASE_DIR / config.name).is_dir()
]
SOURCES = [path for app in APPS for path in (settings.BASE_DIR / app).rglob("*.py")]
MOST_LINES = 400


def named(path: Path) -> str:
    return str(path.relative_to(settings.BASE_DIR))


def trees(*patterns: str) -> list[tuple[str, ast.Module]]:
    """Return the parsed files of the apps whose path matches one of ``patterns``."""
    return [
        (named(path), ast.parse(path.read_text(encoding="utf-8")))
        for path in SOURCES
        if any(re.search(pattern, named(path)) for pattern in patterns)
    ]


def calls(tree: ast.Module, *names: str) -> list[int]:
    """Return the lines that call one of the dotted ``names``."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in names
    ]


@pytest.mark.django_db
def test_models_and_migrations_say_the_same():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_migrations_import_no_models():
    for name, tree in trees(r"/migrations/"):
        imported = {
            node.module
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module
        }
        assert [module for module in imported if module.split(".")[-1] == "models"] in (
            [],
            ["django.db.models"],
        ), name
        assert not {
            m for m in imported if re.match(rf"({'|'.join(APPS)})\.(models|services)", m)
        }, name


def test_the_clock_is_read_in_one_place_only():
    """architecture.md rule 5: one reading per operation, from core.clock."""
    reads = (
        "timezone.now",
        "datetime.now",
        "datetime.utcnow",
        "date.today",
        "time.time",
        "localdate",
    )
    allowed = {
        "core/clock.py",
        "accounts/tasks.py",
        "accounts/selectors.py",
    }  # the pulse is in real time
    found = {
        f"{name}:{line}"
        for name, tree in trees(r"\.py$")
        for line in calls(tree, *reads)
        if name not in allowed and not name.startswith("billing/providers/local")
    }
    assert found == set()


def test_services_and_models_are_handed_the_instant():
    found = {
        f"{name}:{line}"
        for name, tree in trees(r"/services/", r"/services\.py$", r"/models")
        for line in calls(tree, "clock.now", "now")
    }
    assert found == set()


def test_services_are_handed_their_actor_by_name():
    found = {
        f"{name}:{node.lineno}"
        for name, tree in trees(r"/services/", r"/services\.py$")
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and "actor" in {argument.arg for argument in node.args.args}
    }
    assert found == set()


def test_money_knows_no_floats():
    found = {
        f"{name}:{node.lineno}"
        for name, tree in trees(r"^billing/(?!demo|providers/local_gateway)", r"^core/money")
        for node in ast.walk(tree)
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Call) and ast.unparse(node.func) == "float")
    }
    assert found == set()


def test_sources_stay_short():
    long = {
        named(path): count
        for path in SOURCES
        if not re.search(r"/migrations/|/demo", named(path))
        and (count := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES
    }
    assert long == {}
