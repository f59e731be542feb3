"""Alipay as these tests need it: the gateway with its signed requests and replies, notifications, a day's bill."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.providers.counterpart import Answer, Counterpart, Keys, Pair, day_of, sorted_pairs, wall

APP_ID, SELLER_ID = "2021000122600000", "2088102146225135"
STATUSES = {"open": "WAIT_BUYER_PAY", "paid": "TRADE_SUCCESS", "closed": "TRADE_CLOSED"}
REFUSALS = {
    "window_over": "ACQ.TRADE_HAS_FINISHED",
    "account_gone": "ACQ.BUYER_NOT_EXIST",
    "no_funds": "ACQ.SELLER_BALANCE_NOT_ENOUGH",
    "not_paid": "ACQ.TRADE_NOT_EXIST",
    "too_much": "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL",
    "number_reused": "ACQ.DISCORDANT_REPEAT_REQUEST",
    "other": "ACQ.SOMETHING_ELSE",
    "transient": "ACQ.SYSTEM_ERROR",
}
END = (
    "#-----------------------------------------业务明细列表结束------------------------------------"
)
BILL_HEADS = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,"
    "订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,"
    "券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
)


def seal(fields: dict[str, str], pair: Pair, *, sign_type: str = "RSA2") -> bytes:
    """Return a notification: all fields but the signature and its way are signed."""
    signed = {key: value for key, value in fields.items() if key not in {"sign", "sign_type"}}
    # Empty fields are signed too in notifications.
    message = "&".join(f"{key}={value}" for key, value in sorted(signed.items())).encode()
    return urlencode({**signed, "sign_type": sign_type, "sign": pair.sign(message)}).encode()


def yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def fen(text: str) -> int:
    whole, _, part = text.partition(".")
    return int(whole) * 100 + int((part + "00")[:2])


class AlipayServer(Counterpart):
    def __init__(self, keys: Keys) -> None:
        super().__init__(keys)
        self.fails_with = ""  # an error of the gateway itself, not of the business

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        if urlsplit(target).path == "/bill.zip":
            return Answer(200, self.bill(dict(parse_qsl(urlsplit(target).query))["day"]))
        asked = dict(parse_qsl(urlsplit(target).query, keep_blank_values=True, strict_parsing=True))
        name = asked["method"].replace(".", "_") + "_response"
        if asked["app_id"] != APP_ID or not self.keys.ours.has_signed(
            sorted_pairs(asked), asked["sign"]
        ):
            refused = {
                "code": "40002",
                "msg": "Invalid Arguments",
                "sub_code": "isv.invalid-signature",
            }
            return Answer(200, json.dumps({name: refused}).encode())
        assert (asked["charset"], asked["sign_type"], asked["version"]) == ("utf-8", "RSA2", "1.0")
        content = json.loads(asked["biz_content"])
        if asked["method"] == "alipay.trade.page.pay":
            assert content["product_code"] == "FAST_INSTANT_TRADE_PAY"
            self.open_trade(
                content["out_trade_no"],
                fen(content["total_amount"]),
                content["subject"],
                asked["notify_url"],
                content["time_expire"],
            )
            return Answer(200, b"<html>Alipay</html>")
        if self.fails_with:
            return self._signed(name, {"code": "20000", "msg": "x", "sub_code": self.fails_with})
        reply = {
            "alipay.trade.query": self._query,
            "alipay.trade.close": self._close,
            "alipay.trade.refund": self._refund,
            "alipay.trade.fastpay.refund.query": self._refund_query,
            "alipay.data.dataservice.bill.downloadurl.query": self._bill_address,
        }[asked["method"]](content)
        return self._signed(name, reply)

    def _signed(self, name: str, reply: dict[str, Any]) -> Answer:
        text = json.dumps(reply, ensure_ascii=False, separators=(",", ":"))
        body = f'{{"{name}":{text},"sign":"{self.signs_as.sign(text.encode())}"}}'
        return Answer(200, body.encode(), {"Content-Type": "text/html;charset=utf-8"})

    def _query(self, content: dict[str, str]) -> dict[str, Any]:
        trade = self.trades.get(self.mistakes_for or content["out_trade_no"])
        if trade is None:
            return failed("ACQ.TRADE_NOT_EXIST", "交易不存在")
        paid = {"send_pay_date": wall(trade.paid_at)} if trade.paid_at else {}
        return {
            "code": "10000",
            "msg": "Success",
            "buyer_logon_id": "csq***@sandbox.com",
            "out_trade_no": trade.number,
            "total_amount": yuan(trade.fen),
            "trade_no": trade.trade_no or "2023120622001000000000",
            "trade_status": STATUSES[trade.status],
            **paid,
        }

    def _close(self, content: dict[str, str]) -> dict[str, Any]:
        trade = self.trades.get(content["out_trade_no"])
        if trade is None:
            return failed("ACQ.TRADE_NOT_EXIST", "交易不存在")
        if trade.status != "open":
            return failed("ACQ.REASON_TRADE_STATUS_INVALID", "交易状态异常")
        trade.status = "closed"
        return {"code": "10000", "msg": "Success", "out_trade_no": trade.number}

    def _refund(self, content: dict[str, str]) -> dict[str, Any]:
        before = self.refunds.get(content["out_request_no"])
        made = self.give_back(
            content["out_trade_no"], content["out_request_no"], fen(content["refund_amount"])
        )
        if isinstance(made, str):
            return failed(REFUSALS[made], "退款失败")
        return {
            "code": "10000",
            "msg": "Success",
            "fund_change": "N" if before or made.status == "pending" else "Y",
            "out_trade_no": made.number,
            "refund_fee": yuan(self.given_back(made.number)),
            "trade_no": self.trades[made.number].trade_no,
        }

    def _refund_query(self, content: dict[str, Any]) -> dict[str, Any]:
        refund = self.refunds.get(self.mistakes_for or content["out_request_no"])
        if content["out_trade_no"] not in self.trades:
            return failed("ACQ.TRADE_NOT_EXIST", "交易不存在")
        if refund is None or refund.status != "done" or refund.number != content["out_trade_no"]:
            return {"code": "10000", "msg": "Success"}
        assert content["query_options"] == ["gmt_refund_pay"]
        return {
            "code": "10000",
            "msg": "Success",
            "gmt_refund_pay": wall(refund.made_at),
            "out_request_no": refund.refund_number,
            "out_trade_no": refund.number,
            "refund_amount": yuan(refund.fen),
            "refund_status": "REFUND_SUCCESS",
            "trade_no": self.trades[refund.number].trade_no,
        }

    def _bill_address(self, content: dict[str, str]) -> dict[str, Any]:
        assert content["bill_type"] == "trade"
        if not self.has_bill:
            return failed("isp.bill_not_exist", "账单不存在")
        return {
            "code": "10000",
            "msg": "Success",
            "bill_download_url": f"{self.url}/bill.zip?day={content['bill_date']}",
        }

    def bill(self, day: str) -> bytes:
        lines = []
        for trade, refund in self.day(day):
            at, sign, amount = trade.paid_at, "", trade.fen
            if refund:
                at, sign, amount = refund.made_at, "-", refund.fen
            assert at is not None
            cells = [
                f"{trade.trade_no}\t",
                f"{trade.number}\t",
                "退款" if refund else "交易",
                trade.subject,
                f"{wall(at)}\t",
                f"{wall(at)}\t",
                *[""] * 4,
                "华*(hua***@example.com)",
                f"{sign}{yuan(amount)}",
                f"{sign}{yuan(amount)}",
                *["0.00"] * 5,
                "",
                *["0.00"] * 2,
                f"{refund.refund_number}\t" if refund else "",
                *["0.00"] * 2,
                "",
            ]
            lines.append(",".join(cells))
        return archive(lines)

    def notify(self, number: str) -> tuple[bytes, dict[str, str]]:
        trade = self.trades[number]
        assert trade.paid_at is not None
        fields = {
            "gmt_create": wall(trade.paid_at),
            "charset": "utf-8",
            "gmt_payment": wall(trade.paid_at),
            "notify_time": wall(trade.paid_at),
            "subject": trade.subject,
            "buyer_logon_id": "csq***@sandbox.com",
            "notify_id": f"{day_of(trade.paid_at)}{trade.number}",
            "notify_type": "trade_status_sync",
            "out_trade_no": number,
            "trade_status": "TRADE_SUCCESS",
            "total_amount": yuan(trade.fen),
            "receipt_amount": yuan(trade.fen),
            "trade_no": trade.trade_no,
            "app_id": APP_ID,
            "auth_app_id": APP_ID,
            "seller_id": SELLER_ID,
            "version": "1.0",
        }
        return seal(fields, self.keys.theirs), {}


def failed(sub_code: str, sub_msg: str) -> dict[str, str]:
    return {"code": "40004", "msg": "Business Failed", "sub_code": sub_code, "sub_msg": sub_msg}


class GbkNamed(zipfile.ZipInfo):
    """An entry whose name is in GBK without saying so, as Alipay's are."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.filename.encode("gbk"), self.flag_bits


def archive(lines: list[str], *, end: str = END) -> bytes:
    """Return a bill as Alipay packs it: names and lists in GBK, remarks behind hashes."""
    details = "\r\n".join(
        [
            "#支付宝业务明细查询",
            f"#账号：[{SELLER_ID}0156]",
            "#-----------------------------------------业务明细列表----------------------------------------",
            BILL_HEADS,
            *lines,
            end,
            f"#交易合计：{len(lines)}笔",
            "",
        ]
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        for name, text in (("业务明细", details), ("业务明细(汇总)", "#汇总\r\n")):
            opened.writestr(GbkNamed(f"20881021_20231206_{name}.csv"), text.encode("gbk"))
    return packed.getvalue()
