"""Notifications as the wallets send them, with everything that identifies anybody replaced and signed with test keys."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from billing.providers.base import TradeReport
from core.clock import SHANGHAI
from tests.providers import alipay_server, bestpay_server, houses, wechatpay_server

AT = datetime(2023, 12, 6, 10, 39, 30, tzinfo=SHANGHAI)
PAID_AT = datetime(2023, 12, 6, 10, 39, 27, tzinfo=SHANGHAI)
NUMBER = "20231206103915434625"
# Where each wallet keeps what is told of a payment, in its own words.
WORDS = {
    "alipay": {"amount": "total_amount", "number": "out_trade_no", "status": "trade_status"},
    "wechatpay": {"amount": "total", "number": "out_trade_no", "status": "trade_state"},
    "bestpay": {"amount": "tradeAmt", "number": "outTradeNo", "status": "tradeStatus"},
}


def recorded(name: str) -> dict[str, Any]:
    return json.loads((Path(__file__).parent / "samples" / f"{name}.json").read_text())


def sealed(
    house: houses.Wallet, at: datetime = AT, **changed: object
) -> tuple[bytes, dict[str, str]]:
    """Return the recorded notification with changes (None takes a field away), signed by the wallet itself."""
    match house.provider.code:
        case "alipay":
            fields = changed_in(recorded("alipay"), changed)
            return alipay_server.seal(fields, house.keys.theirs), {}
        case "bestpay":
            fields = changed_in(recorded("bestpay"), changed)
            return bestpay_server.seal(fields, house.keys.theirs), {}
    sample = recorded("wechatpay")
    money = {key: changed.pop(key) for key in ("total", "currency") if key in changed}
    resource = changed_in(sample["resource"], changed)
    if "amount" in resource:
        resource["amount"] = {**resource["amount"], **money}
    stamp = str(int(at.timestamp()))
    return wechatpay_server.seal(sample["envelope"], resource, house.keys.theirs, timestamp=stamp)


def changed_in(fields: dict[str, Any], changed: dict[str, object]) -> dict[str, Any]:
    merged = {**fields, **changed}
    return {name: value for name, value in merged.items() if value is not None}


def read(
    house: houses.Wallet, message: tuple[bytes, dict[str, str]], *, later: int = 0
) -> TradeReport:
    body, headers = message
    return house.provider.read_notification(body, headers, at=AT + timedelta(seconds=later))
