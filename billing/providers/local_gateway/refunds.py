"""The gateway's refunds and its list of a day: what came in and what went back."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

from billing.providers.local_gateway.store import Store, Trouble
from billing.providers.local_gateway.trades import find_trade, trade_no

SHANGHAI = timezone(timedelta(hours=8))
CURRENCY = "CNY"


class Refunds:
    """Gives back parts of paid trades, once per refund number of a merchant; refusals are as final as successes."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def make(self, parameters: Mapping[str, str]) -> dict[str, str]:
        """Give money back, or say why not. Raises KeyError, ValueError, InvalidOperation for what cannot be read."""
        merchant, number = parameters["merchant"], parameters["refund_number"]
        amount = Decimal(parameters["amount"])
        told = {"number": parameters["number"], "refund_number": number, "amount": f"{amount:.2f}"}
        trouble = self.store.take_trouble("refund", Trouble.REFUSE_REFUND, Trouble.KEEP_PENDING)
        with self.store.transaction() as db:
            trade = find_trade(db, merchant, parameters["number"])
            _arrive(db)
            known = _find(db, merchant, number)
            if known is not None:
                asked = (trade["id"] if trade else None, amount)
                if (known["trade_id"], Decimal(known["amount"])) != asked:
                    return _no(told, "number_reused")
                return _told(known, parameters["number"])
            if trade is None or trade["status"] != "paid":
                return _no(told, "not_paid")
            if amount <= 0 or parameters["currency"] != trade["currency"]:
                return _no(told, "other")
            if _given_back(db, trade) + amount > Decimal(trade["amount"]):
                return _no(told, "too_much")
            return self._write(db, trade, parameters, trouble)

    def _write(
        self,
        db: sqlite3.Connection,
        trade: sqlite3.Row,
        parameters: Mapping[str, str],
        trouble: tuple[Trouble, str] | None,
    ) -> dict[str, str]:
        status, code, ready_at = "pending", "", time.time()
        match trouble:
            case (Trouble.REFUSE_REFUND, why):
                status, code = "refused", why
            case (Trouble.KEEP_PENDING, seconds):
                ready_at += float(seconds or 3600)
        merchant, number = parameters["merchant"], parameters["refund_number"]
        db.execute(
            "INSERT INTO refund (merchant, refund_number, trade_id, amount, status, code, ready_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [merchant, number, trade["id"], parameters["amount"], status, code, ready_at],
        )
        _arrive(db)
        written = _find(db, merchant, number)
        if written is None:
            raise KeyError(number)
        return _told(written, parameters["number"])

    def look(self, parameters: Mapping[str, str]) -> dict[str, str]:
        """Say what became of a refund."""
        with self.store.transaction() as db:
            _arrive(db)
            trade = find_trade(db, parameters["merchant"], parameters["number"])
            refund = _find(db, parameters["merchant"], parameters["refund_number"])
            if refund is None or trade is None or refund["trade_id"] != trade["id"]:
                return {
                    "number": parameters["number"],
                    "refund_number": parameters["refund_number"],
                    "status": "unknown",
                }
            return _told(refund, parameters["number"])


def day_records(store: Store, parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the payments and refunds of one day of Shanghai, in order of time."""
    day = date.fromisoformat(parameters["day"])
    lines: list[dict[str, str]] = []
    with store.transaction() as db:
        _arrive(db)
        trades = db.execute(
            "SELECT * FROM trade WHERE merchant = ? AND paid_at <> ''", [parameters["merchant"]]
        )
        lines += [
            _line(trade, kind="payment", amount=trade["amount"], at=trade["paid_at"])
            for trade in trades
        ]
        refunds = db.execute(
            "SELECT trade.*, refund.refund_number, refund.amount AS given, refund.refunded_at FROM refund"
            " JOIN trade ON trade.id = refund.trade_id WHERE refund.merchant = ? AND refund.refunded_at <> ''",
            [parameters["merchant"]],
        )
        lines += [
            _line(row, kind="refund", amount=row["given"], at=row["refunded_at"])
            | {"refund_number": row["refund_number"]}
            for row in refunds
        ]
    of_day = [line for line in lines if _day_of(line["at"]) == day]
    of_day.sort(key=lambda line: line["at"])
    return {"day": day.isoformat(), "records": json.dumps(of_day)}


def _find(db: sqlite3.Connection, merchant: str, number: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM refund WHERE merchant = ? AND refund_number = ?", [merchant, number]
    ).fetchone()
    return row


def _given_back(db: sqlite3.Connection, trade: sqlite3.Row) -> Decimal:
    rows = db.execute(
        "SELECT amount FROM refund WHERE trade_id = ? AND status <> 'refused'", [trade["id"]]
    )
    return sum((Decimal(row["amount"]) for row in rows), Decimal(0))


def _arrive(db: sqlite3.Connection) -> None:
    """Let the refunds whose time has come arrive."""
    db.execute(
        "UPDATE refund SET status = 'done', refunded_at = ? WHERE status = 'pending' AND ready_at <= ?",
        [datetime.now(UTC).isoformat(), time.time()],
    )


def _told(refund: sqlite3.Row, number: str) -> dict[str, str]:
    return {
        "number": number,
        "refund_number": refund["refund_number"],
        "amount": f"{Decimal(refund['amount']):.2f}",
        "status": refund["status"],
        "code": refund["code"],
        "refund_no": f"TESTR{refund['trade_id']:012d}{refund['refund_number'][-8:]}",
        "refunded_at": refund["refunded_at"],
    }


def _no(told: Mapping[str, str], code: str) -> dict[str, str]:
    return {**told, "status": "refused", "code": code}


def _line(trade: sqlite3.Row, *, kind: str, amount: str, at: str) -> dict[str, str]:
    return {
        "kind": kind,
        "number": trade["number"],
        "trade_no": trade_no(trade),
        "amount": f"{Decimal(amount):.2f}",
        "currency": CURRENCY,
        "at": at,
        "refund_number": "",
    }


def _day_of(at: str) -> date:
    return datetime.fromisoformat(at).astimezone(SHANGHAI).date()
