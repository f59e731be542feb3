"""Databases that take long to fill: built once by SQL, kept for later runs in the data directory of script/bench."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from psycopg2 import sql

from config.local import BASE_DIR
from config.roles import LOCALE
from tests.databases import as_owner, database_environment

DIGEST_LENGTH = 12
PREPARING = [["-m", "config.prepare"], ["manage.py", "load_demo"]]


def built_database(name: str, filling: str = "") -> str:
    """Return the name of a database with the portal's tables, the demo data and what the SQL ``filling`` adds to them.

    It is built at the first call and again when the migrations, the catalogue, the demo or ``filling`` changed since;
    the one before goes. A benchmark that writes to it takes a copy: ``scratch_database(…, template=…)``.
    """
    return kept_database(name, _digest(filling), partial(_prepare, filling=filling))


def kept_database(name: str, digest: str, fill: Callable[[str], None]) -> str:
    """Return the name of a database that ``fill`` made, also in an earlier run, for what ``digest`` stands for.

    ``fill`` gets the name of an empty one. The database of another digest goes.
    """
    database = f"bench_{name}_{digest[:DIGEST_LENGTH]}"
    pattern = sql.Literal(f"^bench_{name}_[0-9a-f]{{{DIGEST_LENGTH}}}(_new)?$")
    find = sql.SQL("SELECT datname FROM pg_database WHERE datname ~ {}").format(pattern)
    kept = {row[0] for row in as_owner(find)}
    for stale in kept - {database}:
        as_owner(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(stale)))
    if database not in kept:
        _build(database, fill)
    return database


def _build(database: str, fill: Callable[[str], None]) -> None:
    """Fill it under another name: an interrupted build leaves no half of one."""
    unfinished = f"{database}_new"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE template1 " + LOCALE)
    as_owner(create.format(sql.Identifier(unfinished)))
    fill(unfinished)
    as_owner(sql.SQL("VACUUM ANALYZE"), database=unfinished)
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    as_owner(rename.format(sql.Identifier(unfinished), sql.Identifier(database)))


def _prepare(database: str, *, filling: str) -> None:
    """Make the portal's tables and demo data, then what ``filling`` adds."""
    environment = {**os.environ, **database_environment(database)}
    for step in PREPARING:
        subprocess.run([sys.executable, *step], env=environment, cwd=BASE_DIR, check=True)
    if filling:
        as_owner(sql.SQL(filling), database=database)


def _digest(filling: str) -> str:
    """Return a digest of all that decides what the database holds."""
    digest = hashlib.sha256(filling.encode())
    for pattern in ("*/migrations/*.py", "*/data/*", "*/demo*.py"):
        for path in sorted(BASE_DIR.glob(pattern)):
            digest.update(_content(path))
    return digest.hexdigest()


def _content(path: Path) -> bytes:
    return str(path.relative_to(BASE_DIR)).encode() + path.read_bytes()
