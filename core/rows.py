"""Rows by written SQL, where making the same statement from the models takes longer than the database needs for it.

The models still say what a row is: their fields read and prepare the values; policies, grants and constraints hold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections
from django.db.models import Field, ForeignKey, Model

Row = TypeVar("Row", bound=Model)
Fields = dict[str, Field[Any, Any]]
# What a statement is given; the driver says what it takes.
Values = Sequence[Any] | Mapping[str, Any]
Statement = tuple[str, list[Any]]


def select_rows(model: type[Row], sql: str, values: Values) -> list[Row]:
    """Return what ``sql`` finds. Columns that ``model`` does not have become attributes of its instances."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        places = {column.name: place for place, column in enumerate(cursor.description)}
        found = cursor.fetchall()
    fields = [field for field in model._meta.concrete_fields if field.column in places]
    names = [field.attname for field in fields]
    readers = [
        (places.pop(field.column), getattr(field, "from_db_value", None)) for field in fields
    ]
    rows = []
    for one in found:
        own = [read(one[at], None, connection) if read else one[at] for at, read in readers]
        row = model.from_db(connection.alias, names, own)
        vars(row).update({name: one[place] for name, place in places.items()})
        rows.append(row)
    return rows


def insert_new(*rows: Model) -> None:
    """Insert rows of one model; one that stands there already, by a unique key, stays as it is. No id is read."""
    sql, values = _insert(rows)
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} ON CONFLICT DO NOTHING", values)


def insert_together(first: Model, *others: Model) -> None:
    """Insert ``first``, which gets its id, and ``others``, which may refer to it, by one statement.

    Of the others those of one model are numbered in their order; their ids are not read.
    """
    first.pk = _run(_insert([first]), others, first)
    for row in (first, *others):
        row._state.adding, row._state.db = False, connection.alias
        for field in _fields(type(row)).values():
            if _refers(row, field, first):
                setattr(row, field.attname, first.pk)


def update_together(row: Model, changed: Sequence[str], *others: Model) -> None:
    """Write the fields of ``row`` named in ``changed`` and insert ``others``, as above, by one statement.

    Raises DatabaseError where there is no such row to be seen.
    """
    fields = [_fields(type(row))[name] for name in changed]
    columns = ", ".join(f'"{field.column}" = %s' for field in fields)
    values = [
        *(field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields),
        row.pk,
    ]
    update = f'UPDATE "{row._meta.db_table}" SET {columns} WHERE id = %s'
    if _run((update, values), others) is None:
        raise DatabaseError(f"{row._meta.label} {row.pk} cannot be updated")


def _run(first: Statement, others: Sequence[Model], new: Model | None = None) -> Any:
    """Run ``first`` and the inserts of ``others`` as one and return the id of the row that ``first`` wrote, if any."""
    alike: dict[type[Model], list[Model]] = defaultdict(list)
    for row in others:
        alike[type(row)].append(row)
    beside = [_insert(rows, new) for rows in alike.values()]
    parts = [f"written AS ({first[0]} RETURNING id)"]
    parts += [f"beside_{place} AS ({sql})" for place, (sql, _values) in enumerate(beside)]
    values = [value for _sql, part in (first, *beside) for value in part]
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {', '.join(parts)} SELECT id FROM written", values)
        found = cursor.fetchone()
    return found and found[0]


def _insert(rows: Sequence[Model], new: Model | None = None) -> Statement:
    """Return the insertion of rows of one model; where they hold ``new`` stands the id that ``written`` gave it."""
    fields, database = _fields(type(rows[0])).values(), connections[DEFAULT_DB_ALIAS]
    values, tuples = [], []
    for row in rows:
        places = []
        for field in fields:
            if new is not None and _refers(row, field, new):
                places.append("(SELECT id FROM written)")
            else:
                places.append("%s")
                values.append(field.get_db_prep_save(getattr(row, field.attname), database))
        tuples.append(f"({', '.join(places)})")
    columns = ", ".join(f'"{field.column}"' for field in fields)
    table = rows[0]._meta.db_table
    return f'INSERT INTO "{table}" ({columns}) VALUES {", ".join(tuples)}', values


def _refers(row: Model, field: Field[Any, Any], new: Model) -> bool:
    """Return True if a foreign key of ``row`` holds ``new`` itself."""
    return isinstance(field, ForeignKey) and row._state.fields_cache.get(field.name) is new


@cache
def _fields(model: type[Model]) -> Fields:
    """Return the fields that are written, by name: all but the id, which the database gives."""
    return {field.name: field for field in model._meta.concrete_fields if not field.primary_key}
