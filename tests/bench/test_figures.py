"""What script/bench prints: one line of JSON for each figure, goals as ratios, an exit code that tells."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from types import ModuleType

import pytest
from django.conf import settings

import bench.__main__ as command
from bench.harness.figures import Figure, at_least, at_most, side_by_side, within

KEYS = ["bench", "figure", "value", "unit", "against", "against_value", "ratio", "goal", "met"]


def figure(value, against, goal=None):
    return Figure("plan page", value, "requests/s", "bare page", against, goal)


@pytest.fixture
def add(monkeypatch):
    """Add a benchmark that yields what it is given, or raises it."""

    def add(name, *outcomes):
        def run():
            for outcome in outcomes:
                if isinstance(outcome, Exception):
                    raise outcome
                yield outcome

        module = ModuleType(f"bench.{name}")
        module.run = run
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return name

    return add


def test_a_line_holds_the_value_its_peer_and_their_ratio():
    line = figure(250.123456, 1000, at_least(0.25)).line("pages")

    assert list(json.loads(line)) == KEYS
    assert json.loads(line) == {
        "bench": "pages",
        "figure": "plan page",
        "value": 250.1,
        "unit": "requests/s",
        "against": "bare page",
        "against_value": 1000,
        "ratio": 0.2501,
        "goal": "ratio >= 0.25",
        "met": True,
    }


@pytest.mark.parametrize(
    ("value", "goal", "met"),
    [
        (25, at_least(0.25), True),
        (24.9999, at_least(0.25), False),
        (25, at_most(0.25), True),
        (25.0001, at_most(0.25), False),
        (1, None, None),
    ],
)
def test_a_goal_is_met_by_the_exact_ratio(value, goal, met):
    assert figure(value, 100, goal).met is met


def test_a_limit_may_be_reached_and_not_passed():
    assert within("queries", 15, "queries", limit=15).met is True
    assert within("queries", 16, "queries", limit=15).met is False


def test_a_value_that_json_does_not_know_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        figure(float("nan"), 1).line("pages")


def test_rounds_alternate_and_the_medians_leave_out_the_first():
    called = []
    values = {"ours": iter([1000, 5, 1, 3]), "theirs": iter([0, 20, 90, 10])}

    def measure(who):
        called.append(who)
        return next(values[who])

    medians = side_by_side(lambda: measure("ours"), lambda: measure("theirs"), rounds=3)

    assert medians == (3, 20)
    assert called == ["ours", "theirs", "theirs", "ours"] * 2


def test_the_exit_code_tells_of_a_missed_goal_and_of_a_broken_benchmark(add, capsys):
    good = add("good", figure(2, 1, at_least(1)), figure(1, 1))
    missed = add("missed", figure(1, 2, at_least(1)), figure(1, 1))
    broken = add("broken", figure(1, 1), RuntimeError("no such table"))

    def measured(*chosen):
        out = io.StringIO()
        code = command.measure(chosen, out)
        return code, [json.loads(line)["bench"] for line in out.getvalue().splitlines()]

    assert measured(good) == (0, ["good", "good"])
    assert measured(missed, good) == (1, ["missed", "missed", "good", "good"])
    assert measured(broken, missed) == (2, ["broken", "missed", "missed"])
    assert "no such table" in capsys.readouterr().err


def test_the_list_names_every_module_of_the_directory():
    modules = {path.stem for path in (settings.BASE_DIR / "bench").glob("[!_]*.py")}
    listed = subprocess.run(
        [settings.BASE_DIR / "script/bench", "--list"], capture_output=True, text=True, check=True
    )

    assert listed.stdout.split() == sorted(modules)
    assert "pages" in modules


def test_a_name_that_is_none_is_refused_with_those_that_are(capsys):
    with pytest.raises(SystemExit) as refused:
        command.main(["nothing"])

    assert refused.value.code == 2
    assert "pages" in capsys.readouterr().err
