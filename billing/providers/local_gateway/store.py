"""The gateway's trades, refunds and notifications, in SQLite: they survive a restart, as a real gateway's do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS trade (
  id INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, merchant TEXT NOT NULL, number TEXT NOT NULL,
  amount TEXT NOT NULL, currency TEXT NOT NULL, subject TEXT NOT NULL, expires_at TEXT NOT NULL,
  notify_url TEXT NOT NULL, return_url TEXT NOT NULL, status TEXT NOT NULL, paid_at TEXT NOT NULL DEFAULT '',
  UNIQUE (merchant, number)
);
CREATE TABLE IF NOT EXISTS refund (
  merchant TEXT NOT NULL, refund_number TEXT NOT NULL, trade_id INTEGER NOT NULL REFERENCES trade (id),
  amount TEXT NOT NULL, PRIMARY KEY (merchant, refund_number)
);
CREATE TABLE IF NOT EXISTS notification (
  id TEXT PRIMARY KEY, trade_id INTEGER NOT NULL REFERENCES trade (id), body TEXT NOT NULL, url TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, next_at REAL, delivered_at REAL
);
CREATE INDEX IF NOT EXISTS notification_due ON notification (next_at) WHERE delivered_at IS NULL;
"""


class Store:
    """One SQLite file; every use opens its own connection, so threads share nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, timeout=10)
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(SCHEMA)
        db.close()

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
