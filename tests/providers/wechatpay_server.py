"""WeChat Pay as these tests need it: the v3 interface with its signed requests and replies, notifications, a day's bill."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import secrets
import time
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core import clock
from tests.providers.counterpart import Answer, Counterpart, Keys, Pair, wall

MCHID, APP_ID, SERIAL_NO = "1900000109", "wxd678efh567hg6787", "444F4864EA9B34415AAC2BDD"
APIV3_KEY, PUBLIC_KEY_ID = "0123456789abcdef0123456789abcdef", "PUB_KEY_ID_0119000001092024"
SIGNATURE_TYPE = "WECHATPAY2-SHA256-RSA2048"
STATES = {"open": "NOTPAY", "paid": "SUCCESS", "closed": "CLOSED"}
REFUSALS = {
    "window_over": (400, "INVALID_REQUEST", "订单已超过可退款的最大期限"),
    "account_gone": (403, "USER_ACCOUNT_ABNORMAL", "用户帐户注销"),
    "no_funds": (403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起"),
    "not_paid": (404, "RESOURCE_NOT_EXISTS", "订单不存在"),
    "too_much": (400, "INVALID_REQUEST", "退款金额大于支付金额"),
    "number_reused": (400, "INVALID_REQUEST", "同一退款单号参数不一致"),
    "other": (400, "INVALID_REQUEST", "不符合业务规则"),
    "transient": (500, "SYSTEM_ERROR", "系统超时"),
}
BILL_HEADS = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,"
    "货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,"
    "商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"
)


def signed_headers(pair: Pair, body: str, *, timestamp: str = "") -> dict[str, str]:
    """Return the headers that prove a body."""
    timestamp, nonce = timestamp or str(int(time.time())), secrets.token_hex(16)
    return {
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Serial": PUBLIC_KEY_ID,
        "Wechatpay-Signature": pair.sign(f"{timestamp}\n{nonce}\n{body}\n".encode()),
        "Wechatpay-Signature-Type": SIGNATURE_TYPE,
        "Wechatpay-Timestamp": timestamp,
    }


def seal(
    envelope: dict[str, Any],
    resource: dict[str, Any],
    pair: Pair,
    *,
    apiv3_key: str = APIV3_KEY,
    timestamp: str = "",
) -> tuple[bytes, dict[str, str]]:
    """Return a notification: the resource encrypted into its envelope, the whole body signed."""
    nonce, extra = secrets.token_hex(6), "transaction"
    plain = json.dumps(resource, ensure_ascii=False).encode()
    cipher = AESGCM(apiv3_key.encode()).encrypt(nonce.encode(), plain, extra.encode())
    sealed = {
        "original_type": "transaction",
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(cipher).decode(),
        "associated_data": extra,
        "nonce": nonce,
        **envelope.pop("resource", {}),
    }
    body = json.dumps({**envelope, "resource": sealed}, ensure_ascii=False)
    return body.encode(), signed_headers(pair, body, timestamp=timestamp)


class WeChatPayServer(Counterpart):
    def __init__(self, keys: Keys) -> None:
        super().__init__(keys)
        self.code = "weixin://wxpay/bizpayurl?pr=bIWSvLezz"
        self.bill_sha1 = ""

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        assert headers["wechatpay-serial"] == PUBLIC_KEY_ID
        if not self._is_ours(method, target, headers["authorization"], body.decode()):
            return self._error(401, "SIGN_ERROR", "签名错误")
        path, asked = urlsplit(target).path, dict(parse_qsl(urlsplit(target).query))
        content = json.loads(body) if body else {}
        trades, refunds = "/v3/pay/transactions/out-trade-no/", "/v3/refund/domestic/refunds"
        match method, path:
            case "POST", "/v3/pay/transactions/native":
                return self._native(content)
            case "POST", _ if path.startswith(trades) and path.endswith("/close"):
                return self._close(path.split("/")[-2], content)
            case "GET", _ if path.startswith(trades):
                assert asked == {"mchid": MCHID}
                return self._query(path.split("/")[-1])
            case "POST", _ if path == refunds:
                return self._refund(content)
            case "GET", _ if path.startswith(refunds):
                return self._refund_query(path.split("/")[-1])
            case "GET", "/v3/bill/tradebill":
                return self._bill_address(asked)
            case "GET", "/v3/billdownload/file":
                return Answer(
                    200,
                    gzip.compress(self.bill(asked["token"]).encode()),
                    {"Content-Type": "text/plain"},
                )
        return self._error(404, "NOT_FOUND", path)

    def _is_ours(self, method: str, target: str, authorization: str, body: str) -> bool:
        kind, _, rest = authorization.partition(" ")
        said = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        message = f"{method}\n{target}\n{said['timestamp']}\n{said['nonce_str']}\n{body}\n"
        return (
            (kind, said["mchid"], said["serial_no"]) == (SIGNATURE_TYPE, MCHID, SERIAL_NO)
            and abs(time.time() - int(said["timestamp"])) < 300
            and self.keys.ours.has_signed(message.encode(), said["signature"])
        )

    def _signed(self, reply: dict[str, Any] | None) -> Answer:
        if reply is None:
            return Answer(204, b"", signed_headers(self.signs_as, ""))
        body = json.dumps(reply, ensure_ascii=False)
        headers = signed_headers(self.signs_as, body)
        return Answer(
            200, body.encode(), {"Content-Type": "application/json; charset=utf-8", **headers}
        )

    def _error(self, status: int, code: str, message: str) -> Answer:
        body = json.dumps({"code": code, "message": message}, ensure_ascii=False).encode()
        return Answer(status, body, {"Content-Type": "application/json; charset=utf-8"})

    def _native(self, content: dict[str, Any]) -> Answer:
        assert (content["mchid"], content["appid"]) == (MCHID, APP_ID)
        assert content["amount"]["currency"] == "CNY"
        known = self.trades.get(content["out_trade_no"])
        if known and known.status == "paid":
            return self._error(400, "ORDERPAID", "该订单已支付")
        trade = self.open_trade(
            content["out_trade_no"],
            content["amount"]["total"],
            content["description"],
            content["notify_url"],
            content["time_expire"],
        )
        if (trade.fen, trade.expires) != (content["amount"]["total"], content["time_expire"]):
            return self._error(400, "INVALID_REQUEST", "请求重入时，参数与首次请求时不一致")
        return self._signed({"code_url": self.code})

    def _trade(self, number: str) -> dict[str, Any]:
        trade = self.trades[number]
        paid = (
            {
                "transaction_id": trade.trade_no,
                "trade_type": "NATIVE",
                "bank_type": "OTHERS",
                "success_time": clock.local(trade.paid_at).isoformat(),
                "payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
            }
            if trade.paid_at
            else {}
        )
        state = "REFUND" if trade.paid_at and self.given_back(number) else STATES[trade.status]
        return {
            "appid": APP_ID,
            "mchid": MCHID,
            "out_trade_no": number,
            "trade_state": state,
            "trade_state_desc": "",
            "amount": {
                "total": trade.fen,
                "payer_total": trade.fen,
                "currency": "CNY",
                "payer_currency": "CNY",
            },
            **paid,
        }

    def _query(self, number: str) -> Answer:
        number = self.mistakes_for or number
        if number not in self.trades:
            return self._error(404, "ORDER_NOT_EXIST", "订单不存在")
        return self._signed(self._trade(number))

    def _close(self, number: str, content: dict[str, str]) -> Answer:
        assert content == {"mchid": MCHID}
        trade = self.trades.get(number)
        if trade is None:
            return self._error(404, "RESOURCE_NOT_EXISTS", "订单不存在")
        if trade.status == "paid":
            return self._error(400, "ORDERPAID", "订单已支付")
        trade.status = "closed"
        return self._signed(None)

    def _refund(self, content: dict[str, Any]) -> Answer:
        money = content["amount"]
        assert money["currency"] == "CNY"
        assert type(money["refund"]) is type(money["total"]) is int
        made = self.give_back(content["out_trade_no"], content["out_refund_no"], money["refund"])
        if isinstance(made, str):
            return self._error(*REFUSALS[made])
        assert money["total"] == self.trades[made.number].fen
        return self._signed(self._refund_of(made.refund_number))

    def _refund_of(self, refund_number: str) -> dict[str, Any]:
        refund = self.refunds[refund_number]
        done = refund.status == "done"
        arrived = {"success_time": clock.local(refund.made_at).isoformat()} if done else {}
        return {
            "refund_id": f"5030{refund.refund_number}",
            "out_refund_no": refund.refund_number,
            "transaction_id": self.trades[refund.number].trade_no,
            "out_trade_no": refund.number,
            "channel": "ORIGINAL",
            "user_received_account": "支付用户零钱",
            "status": {"done": "SUCCESS", "pending": "PROCESSING"}.get(
                refund.status, refund.status
            ),
            "amount": {
                "total": self.trades[refund.number].fen,
                "refund": refund.fen,
                "currency": "CNY",
            },
            **arrived,
        }

    def _refund_query(self, refund_number: str) -> Answer:
        refund_number = self.mistakes_for or refund_number
        if refund_number not in self.refunds:
            return self._error(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
        return self._signed(self._refund_of(refund_number))

    def _bill_address(self, asked: dict[str, str]) -> Answer:
        assert (asked["bill_type"], asked["tar_type"]) == ("ALL", "GZIP")
        if not self.has_bill:
            return self._error(400, "STATEMENT_CREATING", "账单生成中")
        if not self.day(asked["bill_date"]):
            return self._error(400, "NO_STATEMENT_EXIST", "账单文件不存在")
        digest = hashlib.sha1(self.bill(asked["bill_date"]).encode()).hexdigest()
        return self._signed(
            {
                "hash_type": "SHA1",
                "hash_value": self.bill_sha1 or digest,
                "download_url": f"{self.url}/v3/billdownload/file?token={asked['bill_date']}",
            }
        )

    def bill(self, day: str) -> str:
        lines = []
        for trade, refund in self.day(day):
            at, amount = (refund.made_at, refund.fen) if refund else (trade.paid_at, 0)
            assert at is not None
            cells = [
                *(
                    wall(at),
                    APP_ID,
                    MCHID,
                    "0",
                    "",
                    trade.trade_no,
                    trade.number,
                    "oUpF8uMuAJO_M2px",
                ),
                *("NATIVE", "REFUND" if refund else "SUCCESS", "OTHERS", "CNY"),
                *("0.00" if refund else yuan(trade.fen), "0.00"),
                *(
                    f"5030{refund.refund_number}" if refund else "0",
                    refund.refund_number if refund else "0",
                ),
                *(yuan(amount), "0.00", "ORIGINAL" if refund else "", "SUCCESS" if refund else ""),
                *(trade.subject, "", "0.00000", "0.60%", yuan(trade.fen), yuan(amount), ""),
            ]
            lines.append(",".join(f"`{cell}" for cell in cells))
        return bill_of(lines)

    def notify(self, number: str) -> tuple[bytes, dict[str, str]]:
        trade = self.trades[number]
        assert trade.paid_at is not None
        envelope = {
            "id": f"EV-{number}",
            "create_time": clock.local(trade.paid_at).isoformat(),
            "resource_type": "encrypt-resource",
            "event_type": "TRANSACTION.SUCCESS",
            "summary": "支付成功",
        }
        return seal(envelope, self._trade(number), self.keys.theirs)


def yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def bill_of(lines: list[str]) -> str:
    """Return a bill as WeChat writes it: a byte order mark, heads, lines, totals."""
    totals = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
    return "\r\n".join(
        [
            "\ufeff" + BILL_HEADS,
            *lines,
            totals,
            f"`{len(lines)},`0.00,`0.00,`0.00,`0.00,`0.00,`0.00",
            "",
        ]
    )
