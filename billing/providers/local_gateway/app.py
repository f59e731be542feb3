"""The gateway's WSGI application: signed requests in, pages and signed replies out."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl, urlencode

from billing.providers.local_gateway import pages
from billing.providers.local_gateway.notifier import Notifier
from billing.providers.local_gateway.refunds import Refunds, day_records
from billing.providers.local_gateway.store import Store, Trouble
from billing.providers.local_gateway.trades import facts, find_trade, trade_of
from billing.providers.signing import Keys, SignatureInvalid, sign, verify

BODY_MAX_BYTES = 64 * 1024
SHANGHAI = timezone(timedelta(hours=8))
StartResponse = Callable[..., Any]
ACTIONS = ("query", "close", "refund", "refund_query", "records")


@dataclass(frozen=True)
class Response:
    """What goes back to the browser or the merchant."""

    status: str
    body: str
    content_type: str = "text/html; charset=utf-8"
    location: str = ""


class RequestRefused(Exception):
    """The request is not the merchant's, or cannot be read."""


class Gateway:
    """``merchants`` holds the public key of each merchant by its id."""

    def __init__(self, *, store: Store, notifier: Notifier, keys: Keys, merchant: str) -> None:
        self.store, self.notifier, self.keys, self.merchant = store, notifier, keys, merchant
        self.refunds = Refunds(store)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        response = self.answer(environ)
        headers = [("Content-Type", response.content_type), *pages.HEADERS]
        if response.location:
            headers.append(("Location", response.location))
        start_response(response.status, headers)
        return [response.body.encode()]

    def answer(self, environ: dict[str, Any]) -> Response:
        """Route one request."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        parts = path.strip("/").split("/")
        match method, parts:
            case "GET", ["healthz"]:
                return Response("200 OK", "ok", "text/plain")
            case "GET", ["style.css"]:
                return Response("200 OK", pages.STYLE, "text/css; charset=utf-8")
            case "GET", ["pay"]:
                return self._pay_page(dict(parse_qsl(environ.get("QUERY_STRING", ""))))
            case "POST", ["trades", token, ("pay" | "fail") as action]:
                return self._decide(token, "paid" if action == "pay" else "failed")
            case "POST", ["api", action] if action in ACTIONS:
                return self._api(action, environ)
        return Response("404 Not Found", pages.notice("页面不存在", "请从商户页面重新进入。"))

    # The customer's browser

    def _pay_page(self, parameters: dict[str, str]) -> Response:
        """Open the trade of a signed address (again) and show it."""
        try:
            self._check(parameters)
            trade = self._open(parameters)
        except (RequestRefused, KeyError, ValueError, InvalidOperation):
            return Response(
                "400 Bad Request", pages.notice("无法支付", "支付请求无效，请返回商户重新发起。")
            )
        if trade["status"] != "open":
            words = {
                "paid": "该笔交易已支付。",
                "failed": "该笔交易支付失败。",
                "closed": "该笔交易已关闭。",
            }
            return Response(
                "200 OK", pages.notice("交易已结束", words[trade["status"]], trade["return_url"])
            )
        expires = datetime.fromisoformat(trade["expires_at"]).astimezone(SHANGHAI)
        return Response("200 OK", pages.cashier(dict(trade), f"{expires:%Y-%m-%d %H:%M:%S}"))

    def _open(self, parameters: dict[str, str]) -> sqlite3.Row:
        amount = Decimal(parameters["amount"])
        if amount <= 0 or not parameters["return_url"].startswith(("http://", "https://")):
            raise RequestRefused
        datetime.fromisoformat(parameters["expires_at"])
        with self.store.transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO trade (token, merchant, number, amount, currency, subject, expires_at,"
                " notify_url, return_url, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'open')",
                [
                    secrets.token_urlsafe(24),
                    *(
                        parameters[k]
                        for k in ("merchant", "number", "amount", "currency", "subject")
                    ),
                    *(parameters[k] for k in ("expires_at", "notify_url", "return_url")),
                ],
            )
            trade = trade_of(db, parameters["merchant"], parameters["number"])
            if trade["status"] == "closed" and not trade["return_url"]:
                db.execute(
                    "UPDATE trade SET return_url = ? WHERE id = ?",
                    [parameters["return_url"], trade["id"]],
                )
                trade = trade_of(db, parameters["merchant"], parameters["number"])
        if trade["status"] != "closed" and Decimal(trade["amount"]) != amount:
            raise RequestRefused
        return trade

    def _decide(self, token: str, outcome: str) -> Response:
        """Take the customer's decision once; send them back and tell the merchant."""
        now = datetime.now(UTC)
        trouble = self.store.take_trouble(
            "notify", Trouble.NOTIFY_NEVER, Trouble.NOTIFY_TWICE, Trouble.ANSWER_LATE
        )
        with self.store.transaction() as db:
            trade = db.execute("SELECT * FROM trade WHERE token = ?", [token]).fetchone()
            if trade is None:
                return Response(
                    "404 Not Found", pages.notice("交易不存在", "请从商户页面重新进入。")
                )
            if trade["status"] == "open" and datetime.fromisoformat(trade["expires_at"]) <= now:
                outcome = "closed"
            if trade["status"] == "open":
                db.execute(
                    "UPDATE trade SET status = ?, paid_at = ? WHERE id = ?",
                    [outcome, now.isoformat() if outcome == "paid" else "", trade["id"]],
                )
                self._notify(db, trade_of(db, trade["merchant"], trade["number"]), trouble)
        self.notifier.wake()
        return Response("303 See Other", "", location=trade["return_url"])

    def _notify(
        self, db: sqlite3.Connection, trade: sqlite3.Row, trouble: tuple[Trouble, str] | None
    ) -> None:
        identity = secrets.token_hex(16)
        body = urlencode(sign({**facts(trade), "notify_id": identity}, self.keys.private))
        copies, at = [identity], time.time()
        match trouble:
            case (Trouble.NOTIFY_NEVER, _):
                return
            case (Trouble.NOTIFY_TWICE, _):
                copies.append(f"{identity} again")
            case (Trouble.ANSWER_LATE, seconds):
                at += float(seconds)
        db.executemany(
            "INSERT INTO notification (id, trade_id, body, url, next_at) VALUES (?, ?, ?, ?, ?)",
            [(copy, trade["id"], body, trade["notify_url"], at) for copy in copies],
        )

    # The merchant's servers

    def _api(self, action: str, environ: dict[str, Any]) -> Response:
        try:
            length = min(int(environ.get("CONTENT_LENGTH") or 0), BODY_MAX_BYTES)
            parameters = dict(parse_qsl(environ["wsgi.input"].read(length).decode()))
            self._check(parameters)
            if parameters.get("action") != action:
                raise RequestRefused
            reply = self._do(action, parameters)
        except (RequestRefused, KeyError, ValueError, InvalidOperation):
            return Response("400 Bad Request", '{"result": "refused"}', "application/json")
        match self.store.take_trouble(action, Trouble.LOSE_REPLY, Trouble.ANSWER_LATE):
            case (Trouble.LOSE_REPLY, _):
                return Response("504 Gateway Timeout", "", "text/plain")
            case (Trouble.ANSWER_LATE, seconds):
                time.sleep(float(seconds))
        signed = sign({**reply, "nonce": parameters.get("nonce", "")}, self.keys.private)
        return Response("200 OK", json.dumps(signed), "application/json")

    def _do(self, action: str, parameters: Mapping[str, str]) -> dict[str, str]:
        match action:
            case "query":
                return self._query(parameters)
            case "close":
                return self._close(parameters)
            case "refund":
                return self.refunds.make(parameters)
            case "refund_query":
                return self.refunds.look(parameters)
        return day_records(self.store, parameters)

    def _check(self, parameters: Mapping[str, str]) -> None:
        if parameters.get("merchant") != self.merchant:
            raise RequestRefused
        try:
            verify(parameters, self.keys.public)
        except SignatureInvalid:
            raise RequestRefused from None

    def _query(self, parameters: Mapping[str, str]) -> dict[str, str]:
        with self.store.transaction() as db:
            trade = find_trade(db, parameters["merchant"], parameters["number"])
            return facts(trade) if trade else _unknown(parameters, "unknown")

    def _close(self, parameters: Mapping[str, str]) -> dict[str, str]:
        """Close what is open; a number never seen is remembered as closed: its page cannot be opened later."""
        with self.store.transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO trade (token, merchant, number, amount, currency, subject, expires_at,"
                " notify_url, return_url, status) VALUES (?, ?, ?, '', '', '', '', '', '', 'closed')",
                [secrets.token_urlsafe(24), parameters["merchant"], parameters["number"]],
            )
            db.execute(
                "UPDATE trade SET status = 'closed' WHERE merchant = ? AND number = ? AND status = 'open'",
                [parameters["merchant"], parameters["number"]],
            )
            return facts(trade_of(db, parameters["merchant"], parameters["number"]))


def _unknown(parameters: Mapping[str, str], status: str) -> dict[str, str]:
    return {"merchant": parameters["merchant"], "number": parameters["number"], "status": status}
