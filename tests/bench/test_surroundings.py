"""What benchmarks stand on: databases built once, programs and servers of their own, a peer's environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from psycopg2 import sql

from bench.harness import databases
from bench.harness.http import Page, WrongAnswer
from bench.harness.programs import peer_python, program, server
from tests.databases import as_owner, scratch_database
from tests.running import free_port

MINE = f"of_{os.getpid()}"  # other processes of a parallel run build theirs beside
COUNTING = """
from bench.harness.loop import serve
done = []
def operation():
    done.append(1)
    print("operation", len(done))
serve(operation)
"""


@pytest.fixture
def built(monkeypatch):
    """Build databases of this process without the portal's tables, which take half a minute; drop them after."""
    monkeypatch.setattr(databases, "PREPARING", [])
    names = []

    def build(name, filling):
        names.append(databases.built_database(f"{MINE}_{name}", filling))
        return names[-1]

    yield build
    for name in names:
        as_owner(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def rows(database, statement="SELECT number FROM kept"):
    return as_owner(sql.SQL(statement), database=database)


def exists(database):
    return as_owner(
        sql.SQL("SELECT 1 FROM pg_database WHERE datname = {}").format(sql.Literal(database))
    )


def test_a_database_is_built_once_until_its_filling_changes(built):
    first = built("trial", "CREATE TABLE kept AS SELECT 7 AS number")
    larger = built("trial_larger", "CREATE TABLE kept AS SELECT 70 AS number")
    rows(first, "UPDATE kept SET number = number + 1")
    assert built("trial", "CREATE TABLE kept AS SELECT 7 AS number") == first
    assert rows(first) == [(8,)]

    second = built("trial", "CREATE TABLE kept AS SELECT 9 AS number")
    assert rows(second) == [(9,)]
    assert not exists(first)
    assert rows(larger) == [(70,)]


def test_a_copy_is_written_and_the_built_database_stays(built):
    original = built("trial", "CREATE TABLE kept AS SELECT 7 AS number")
    with scratch_database(f"bench_{MINE}_copy", template=original) as copy:
        rows(copy, "DELETE FROM kept")
    assert rows(original) == [(7,)]


def test_an_interrupted_build_is_begun_again(built, monkeypatch):
    with pytest.raises(Exception, match="nowhere"):
        built("trial", "CREATE TABLE kept AS SELECT 7 AS number; SELECT * FROM nowhere")
    assert rows(built("trial", "CREATE TABLE kept AS SELECT 7 AS number")) == [(7,)]


def test_a_program_repeats_its_operation_and_tells_the_time(capfd):
    with program([sys.executable, "-c", COUNTING], 3) as per_second:
        assert per_second() > 0
        assert per_second() > 0

    # What it prints is no answer.
    assert capfd.readouterr().err.split()[1::2] == ["1", "2", "3", "4", "5", "6"]


def test_a_program_that_ends_is_an_error():
    with (
        program([sys.executable, "-c", "input()"], 1) as per_second,
        pytest.raises(RuntimeError, match="ended"),
    ):
        per_second()


def test_a_peer_has_an_environment_of_its_own_made_once(tmp_path, monkeypatch):
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "nothing.txt").write_text("# A peer that needs no packages.\n")

    python = peer_python("nothing", locks=tmp_path)
    made = Path(python).lstat().st_ctime_ns

    has_django = "import importlib.util as u; print(u.find_spec('django'))"
    assert subprocess.check_output([python, "-c", has_django], text=True) == "None\n"
    assert peer_python("nothing", locks=tmp_path) == python
    assert Path(python).lstat().st_ctime_ns == made


def test_only_the_page_that_is_meant_is_measured(tmp_path):
    (tmp_path / "index.html").write_text("the page")
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    serving = ["-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(tmp_path)]
    with server([sys.executable, *serving], address):
        assert Page(address, "/", "the page").requests_per_second(seconds=0.1, connections=2) > 0
        for wrong in (Page(address, "/", "another"), Page(address, "/nowhere", "")):
            with pytest.raises(WrongAnswer):
                wrong.requests_per_second(seconds=0.1, connections=1)


def test_a_server_that_does_not_come_up_is_an_error():
    nothing = server([sys.executable, "-c", ""], f"http://127.0.0.1:{free_port()}")
    with pytest.raises(RuntimeError, match="does not answer"), nothing:
        pytest.fail("nothing answers there")
