"""What the gateway knows of a trade."""

from __future__ import annotations

import sqlite3


def find_trade(db: sqlite3.Connection, merchant: str, number: str) -> sqlite3.Row | None:
    """Return the merchant's trade of this number, if there is one."""
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM trade WHERE merchant = ? AND number = ?", [merchant, number]
    ).fetchone()
    return row


def trade_of(db: sqlite3.Connection, merchant: str, number: str) -> sqlite3.Row:
    """Return the merchant's trade of this number. Raises KeyError."""
    trade = find_trade(db, merchant, number)
    if trade is None:
        raise KeyError(number)
    return trade


def facts(trade: sqlite3.Row) -> dict[str, str]:
    """Return what the gateway says of a trade; its number is made of the row's id."""
    told = {
        key: str(trade[key])
        for key in ("merchant", "number", "amount", "currency", "status", "paid_at")
    }
    return {**told, "trade_no": trade_no(trade)}


def trade_no(trade: sqlite3.Row) -> str:
    """Return the gateway's own number of a trade."""
    return f"TEST{trade['id']:016d}{trade['token'][:6]}"
