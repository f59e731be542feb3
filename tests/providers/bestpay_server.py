"""BestPay as the adapter assumes it: signed forms in, signed flat objects of texts out, notifications, a day's bill."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.providers.counterpart import Answer, Counterpart, Pair, sorted_pairs, wall

MERCHANT_NO = "3178034189555712"
STATUSES = {"open": "WAITFORPAY", "paid": "SUCCESS", "closed": "CLOSE"}
REFUSALS = {
    "window_over": "REFUND_EXPIRED",
    "account_gone": "ACCOUNT_ABNORMAL",
    "no_funds": "BALANCE_NOT_ENOUGH",
    "not_paid": "TRADE_NOT_PAID",
    "too_much": "REFUND_AMOUNT_EXCEEDED",
    "number_reused": "REQUEST_NO_REPEATED",
    "transient": "SYSTEM_ERROR",
}


def seal(fields: dict[str, str], pair: Pair) -> bytes:
    """Return a notification whose fields are all signed."""
    plain = {key: value for key, value in fields.items() if key != "sign"}
    return urlencode({**plain, "sign": pair.sign(sorted_pairs(plain))}).encode()


class BestPayServer(Counterpart):
    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        path, query = urlsplit(target).path, urlsplit(target).query
        asked = dict(parse_qsl(body.decode() or query, keep_blank_values=True, strict_parsing=True))
        if asked["merchantNo"] != MERCHANT_NO or not self.keys.ours.has_signed(
            sorted_pairs(asked), asked["sign"]
        ):
            return self._signed(error("SIGN_ERROR"))
        assert asked["signType"] == "RSA-SHA256"
        if path == "/cashier":
            assert asked["ccy"] == "156"
            fen, expires = int(asked["tradeAmt"]), asked["timeExpire"]
            self.open_trade(asked["outTradeNo"], fen, asked["subject"], asked["notifyUrl"], expires)
            return Answer(200, b"<html>BestPay</html>")
        return self._signed(
            {
                "/api/tradeQuery": self._query,
                "/api/tradeClose": self._close,
                "/api/tradeRefund": self._refund,
                "/api/refundQuery": self._refund_query,
                "/api/billQuery": self._bill,
            }[path](asked)
        )

    def _signed(self, reply: dict[str, str]) -> Answer:
        plain = {**reply, "merchantNo": MERCHANT_NO, "signType": "RSA-SHA256"}
        signed = {**plain, "sign": self.signs_as.sign(sorted_pairs(plain))}
        return Answer(200, json.dumps(signed).encode(), {"Content-Type": "application/json"})

    def facts(self, number: str) -> dict[str, str]:
        trade = self.trades[number]
        paid = (
            {"payFinishedDate": wall(trade.paid_at), "tradeNo": trade.trade_no}
            if trade.paid_at
            else {}
        )
        return {
            "merchantNo": MERCHANT_NO,
            "outTradeNo": number,
            "tradeAmt": str(trade.fen),
            "ccy": "156",
            "tradeStatus": STATUSES[trade.status],
            **paid,
        }

    def _query(self, asked: dict[str, str]) -> dict[str, str]:
        number = self.mistakes_for or asked["outTradeNo"]
        if number not in self.trades:
            return error("TRADE_NOT_EXIST")
        return {"success": "true", **self.facts(number)}

    def _close(self, asked: dict[str, str]) -> dict[str, str]:
        trade = self.trades.get(asked["outTradeNo"])
        if trade is None:
            return error("TRADE_NOT_EXIST")
        if trade.status == "paid":
            return error("TRADE_ALREADY_PAID")
        trade.status = "closed"
        return {"success": "true", "outTradeNo": trade.number}

    def _refund(self, asked: dict[str, str]) -> dict[str, str]:
        made = self.give_back(asked["outTradeNo"], asked["outRequestNo"], int(asked["refundAmt"]))
        if isinstance(made, str):
            return error(REFUSALS[made])
        assert int(asked["tradeAmt"]) == self.trades[made.number].fen
        return self._refund_of(made.refund_number)

    def _refund_of(self, refund_number: str) -> dict[str, str]:
        refund = self.refunds[refund_number]
        done = refund.status == "done"
        return {
            "success": "true",
            "outTradeNo": refund.number,
            "outRequestNo": refund_number,
            "refundAmt": str(refund.fen),
            "refundStatus": {"done": "SUCCESS", "pending": "PROCESSING"}.get(refund.status, "FAIL"),
            "refundErrorCode": "" if refund.status in {"done", "pending"} else refund.status,
            "refundNo": f"R{refund_number}",
            **({"refundFinishedDate": wall(refund.made_at)} if done else {}),
        }

    def _refund_query(self, asked: dict[str, str]) -> dict[str, str]:
        refund_number = self.mistakes_for or asked["outRequestNo"]
        if refund_number not in self.refunds:
            return error("REFUND_NOT_EXIST")
        return self._refund_of(refund_number)

    def _bill(self, asked: dict[str, str]) -> dict[str, str]:
        if not self.has_bill:
            return error("BILL_NOT_READY")
        lines = [
            {
                "tradeType": "REFUND" if refund else "PAY",
                "outTradeNo": trade.number,
                "tradeNo": trade.trade_no,
                "outRequestNo": refund.refund_number if refund else "",
                "amount": str(refund.fen if refund else trade.fen),
                "ccy": "156",
                "finishedDate": wall(refund.made_at if refund else trade.paid_at),
            }
            for trade, refund in self.day(asked["billDate"])
        ]
        return {"success": "true", "billDate": asked["billDate"], "records": json.dumps(lines)}

    def notify(self, number: str) -> tuple[bytes, dict[str, str]]:
        fields = {**self.facts(number), "notifyId": f"N{number}", "signType": "RSA-SHA256"}
        return seal(fields, self.keys.theirs), {}


def error(code: str) -> dict[str, str]:
    return {"success": "false", "errorCode": code, "errorMsg": "失败"}
