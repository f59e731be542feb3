"""What the wallets' counterparts in these tests have in common: a book of trades behind a real HTTP server.

They share no code with the adapters: signatures are checked and made with ``cryptography`` alone.
"""

from __future__ import annotations

import base64
import threading
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from core import clock


@dataclass
class Pair:
    """A party's keys, in memory and as PEM files."""

    private: rsa.RSAPrivateKey
    directory: Path

    @property
    def private_file(self) -> Path:
        return self.directory / "private.pem"

    @property
    def public_file(self) -> Path:
        return self.directory / "public.pem"

    def sign(self, message: bytes) -> str:
        return base64.b64encode(
            self.private.sign(message, padding.PKCS1v15(), hashes.SHA256())
        ).decode()

    def has_signed(self, message: bytes, signature: str) -> bool:
        try:
            self.private.public_key().verify(
                base64.b64decode(signature), message, padding.PKCS1v15(), hashes.SHA256()
            )
        except InvalidSignature:
            return False
        return True


def make_pair(directory: Path) -> Pair:
    directory.mkdir(parents=True)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pair = Pair(key, directory)
    pair.private_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    pair.public_file.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return pair


@dataclass
class Keys:
    """Ours, the wallet's, and those of somebody else."""

    ours: Pair
    theirs: Pair
    stranger: Pair


@dataclass
class Trade:
    number: str
    fen: int
    subject: str
    notify_url: str
    expires: str
    status: str = "open"
    trade_no: str = ""
    paid_at: datetime | None = None


@dataclass
class Refund:
    number: str
    refund_number: str
    fen: int
    status: str = "done"
    made_at: datetime = field(default_factory=lambda: clock.now().replace(microsecond=0))


@dataclass
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def spoiled(answer: Answer, how: str) -> Answer:
    """Return an answer that must not be believed."""
    bodies = {
        "empty": b"",
        "html": b"<html>502</html>",
        "list": b"[]",
        "text": b'"paid"',
        "cut": answer.body[: len(answer.body) // 2],
        "deep": b"[" * 100_000,
    }
    return Answer(answer.status, bodies[how], answer.headers)


class Counterpart:
    """One wallet's servers. ``answer`` is each wallet's own; what can go wrong is told beforehand and happens once."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self.trades: dict[str, Trade] = {}
        self.refunds: dict[str, Refund] = {}
        self.refuses: str = ""  # the next refund, with this word of ``RefundRefusal``
        self.delays = False  # the next refund is on its way for a while
        self.loses_reply = False
        self.signs_as: Pair = keys.theirs
        self.spoils = ""
        self.tampers: tuple[bytes, bytes] | None = None
        self.has_bill = True
        self.mistakes_for = ""  # the number of the trade or refund that it answers about instead
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        raise NotImplementedError

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    # The book

    def open_trade(
        self, number: str, fen: int, subject: str, notify_url: str, expires: str
    ) -> Trade:
        trade = Trade(number, fen, subject, notify_url, expires)
        return self.trades.setdefault(number, trade)

    def pay(self, number: str) -> Trade:
        trade = self.trades[number]
        assert trade.status == "open"
        trade.status, trade.trade_no = "paid", f"2023120622001{len(self.trades):010d}"
        trade.paid_at = clock.now().replace(microsecond=0)
        return trade

    def give_back(self, number: str, refund_number: str, fen: int) -> Refund | str:
        """Return the refund, or the word of ``RefundRefusal`` that it is refused with."""
        trade, known = self.trades.get(number), self.refunds.get(refund_number)
        if known is not None:
            return known if (known.number, known.fen) == (number, fen) else "number_reused"
        if trade is None or trade.status != "paid":
            return "not_paid"
        given = sum(r.fen for r in self.refunds.values() if r.number == number)
        if given + fen > trade.fen:
            return "too_much"
        if word := self.refuses:
            self.refuses = ""
            return word
        made = Refund(number, refund_number, fen, "pending" if self.delays else "done")
        self.delays = False
        self.refunds[refund_number] = made
        return made

    def settle(self) -> None:
        for refund in self.refunds.values():
            refund.status = "done"

    def given_back(self, number: str) -> int:
        return sum(r.fen for r in self.refunds.values() if r.number == number)

    def day(self, iso: str) -> list[tuple[Trade, Refund | None]]:
        """Return what came and went on a day of Shanghai, unsorted."""
        paid = [(t, None) for t in self.trades.values() if t.paid_at and day_of(t.paid_at) == iso]
        back = [
            (self.trades[r.number], r)
            for r in self.refunds.values()
            if r.status == "done" and day_of(r.made_at) == iso
        ]
        return [*back, *paid]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        counterpart = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                self.send(counterpart.answer(self.command, self.path, headers, body))

            do_POST = do_GET

            def send(self, answer: Answer) -> None:
                if counterpart.loses_reply:
                    counterpart.loses_reply = False
                    self.close_connection = True
                    self.connection.close()
                    return
                if counterpart.spoils:
                    answer = spoiled(answer, counterpart.spoils)
                if counterpart.tampers:
                    answer.body = answer.body.replace(*counterpart.tampers)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_: object) -> None:
                """Stay silent."""

            def handle(self) -> None:
                try:
                    super().handle()
                except (OSError, ValueError):
                    return  # the connection that was cut on purpose

        return Handler


def day_of(at: datetime) -> str:
    return clock.local(at).date().isoformat()


def wall(at: datetime) -> str:
    """Return an instant as the wallets write it."""
    return clock.local(at).strftime("%Y-%m-%d %H:%M:%S")


def sorted_pairs(fields: dict[str, str]) -> bytes:
    """Return what Alipay and BestPay sign."""
    return "&".join(f"{k}={v}" for k, v in sorted(fields.items()) if k != "sign" and v).encode()
