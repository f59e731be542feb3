"""Databases of their own for what must not meet the tests' database: a running portal, demo data, a benchmark."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from psycopg2 import sql

from config import env
from config.roles import LOCALE


@contextmanager
def scratch_database(name: str, *, template: str = "") -> Iterator[str]:
    """Make a database as ``portal_owner``, empty or a copy of ``template`` (which nobody may be using); drop it after."""
    made_like = (
        sql.SQL("TEMPLATE {}").format(sql.Identifier(template))
        if template
        else sql.SQL("TEMPLATE template1 " + LOCALE)
    )
    database = sql.Identifier(name)
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database)
    as_owner(drop)
    as_owner(sql.SQL("CREATE DATABASE {} ").format(database) + made_like)
    try:
        yield name
    finally:
        as_owner(drop)


def database_environment(name: str) -> dict[str, str]:
    """Return the environment's database URLs with another database in them."""
    return {
        variable: urlunsplit(urlsplit(os.environ[variable])._replace(path=f"/{name}"))
        for variable in ("DATABASE_URL", "DATABASE_OWNER_URL")
    }


def as_owner(statement: sql.Composable, *, database: str = "postgres") -> list[tuple[Any, ...]]:
    """Run one statement as ``portal_owner`` outside any transaction and return its rows, if it has any."""
    owner = env.database("DATABASE_OWNER_URL")
    connection = psycopg2.connect(
        dbname=database,
        user=owner["USER"],
        password=owner["PASSWORD"],
        host=owner["HOST"],
        port=owner["PORT"] or None,
    )
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()
