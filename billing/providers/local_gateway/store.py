"""The gateway's trades, refunds and notifications, in SQLite: they survive a restart, as a real gateway's do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Literal

SCHEMA = """
CREATE TABLE IF NOT EXISTS trade (
  id INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, merchant TEXT NOT NULL, number TEXT NOT NULL,
  amount TEXT NOT NULL, currency TEXT NOT NULL, subject TEXT NOT NULL, expires_at TEXT NOT NULL,
  notify_url TEXT NOT NULL, return_url TEXT NOT NULL, status TEXT NOT NULL, paid_at TEXT NOT NULL DEFAULT '',
  UNIQUE (merchant, number)
);
CREATE TABLE IF NOT EXISTS refund (
  merchant TEXT NOT NULL, refund_number TEXT NOT NULL, trade_id INTEGER NOT NULL REFERENCES trade (id),
  amount TEXT NOT NULL, status TEXT NOT NULL, code TEXT NOT NULL DEFAULT '', ready_at REAL NOT NULL,
  refunded_at TEXT NOT NULL DEFAULT '', PRIMARY KEY (merchant, refund_number)
);
CREATE TABLE IF NOT EXISTS trouble (
  id INTEGER PRIMARY KEY, action TEXT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS notification (
  id TEXT PRIMARY KEY, trade_id INTEGER NOT NULL REFERENCES trade (id), body TEXT NOT NULL, url TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, next_at REAL, delivered_at REAL
);
CREATE INDEX IF NOT EXISTS notification_due ON notification (next_at) WHERE delivered_at IS NULL;
"""

Action = Literal["query", "close", "refund", "refund_query", "records", "notify"]


class Trouble(StrEnum):
    """What can be made to go wrong, to see how the portal takes it."""

    LOSE_REPLY = "lose_reply"  # do it, then answer nothing that can be read, as after a time-out
    ANSWER_LATE = "answer_late"  # do it, then answer after ``detail`` seconds; for ``notify``: tell after them
    REFUSE_REFUND = "refuse_refund"  # ``detail``: a code of ``RefundRefusal``
    KEEP_PENDING = "keep_pending"  # take a refund on; it arrives after ``detail`` seconds
    NOTIFY_TWICE = "notify_twice"
    NOTIFY_NEVER = "notify_never"


class Store:
    """One SQLite file; every use opens its own connection, so threads share nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, timeout=10)
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(SCHEMA)
        db.close()

    def expect_trouble(self, action: Action, kind: Trouble, detail: str = "") -> None:
        """Let the next ``action`` go wrong in this way, once. What each kind needs as ``detail`` stands beside it."""
        with self.transaction() as db:
            db.execute(
                "INSERT INTO trouble (action, kind, detail) VALUES (?, ?, ?)",
                [action, kind, detail],
            )

    def take_trouble(self, action: str, *kinds: Trouble) -> tuple[Trouble, str] | None:
        """Return the trouble of one of ``kinds`` that the next ``action`` is to have, if any; it is then spent."""
        marks = ", ".join("?" * len(kinds))
        with self.transaction() as db:
            row = db.execute(
                f"DELETE FROM trouble WHERE id = (SELECT min(id) FROM trouble WHERE action = ? AND kind IN ({marks}))"  # noqa: S608
                " RETURNING kind, detail",
                [action, *kinds],
            ).fetchone()
        return (Trouble(row["kind"]), row["detail"]) if row else None

    def settle_refunds(self) -> None:
        """Let refunds on their way arrive at the next look."""
        with self.transaction() as db:
            db.execute("UPDATE refund SET ready_at = 0 WHERE status = 'pending'")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Open one writer's transaction: commit at the end, roll back on an error."""
        db = sqlite3.connect(self.path, timeout=10, isolation_level=None)
        db.row_factory = sqlite3.Row
        try:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")
        finally:
            db.close()  # rolls back what is still open
