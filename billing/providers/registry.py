"""Which ways to pay the cashier shows, which of them are configured here, and how much one payment may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from billing.exceptions import ProviderUnavailable
from billing.providers.alipay import AlipayProvider
from billing.providers.base import Provider
from billing.providers.bestpay import BestPayProvider
from billing.providers.local import LocalProvider
from billing.providers.wechatpay import WeChatPayProvider


@dataclass(frozen=True)
class Method:
    """One way to pay at the cashier. ``reason`` says why it cannot be used; empty when it can."""

    code: str
    name: str | Promise
    hint: str | Promise
    icon: str
    reason: str | Promise = ""

    @property
    def is_usable(self) -> bool:
        """Return True if the customer can choose it."""
        return not self.reason


NOT_CONFIGURED = _("商户尚未开通此支付方式")
ABOVE_LIMIT = _("单笔不超过 {limit} 元，大额订单建议使用对公转账")
LOCAL = Method("local", _("测试支付"), _("演示环境的模拟支付渠道，不产生真实扣款"), "flask-conical")
WALLETS = (
    Method("bestpay", _("翼支付"), _("使用翼支付账户付款"), "wallet"),
    Method("alipay", _("支付宝"), _("跳转支付宝完成付款"), "scan-line"),
    Method("wechatpay", _("微信支付"), _("使用微信扫一扫付款"), "message-circle"),
)
TRANSFER = Method(
    "transfer", _("对公转账"), _("通过企业网银汇款，不限金额，财务确认到账后开通"), "landmark"
)
NAMES = {method.code: method.name for method in (LOCAL, *WALLETS, TRANSFER)}


def methods(amount: Decimal | None = None) -> list[Method]:
    """Return the cashier's ways to pay ``amount`` (CNY), in the order in which it shows them."""
    shown = [replace(method, reason=_reason(method.code, amount)) for method in WALLETS]
    shown.append(replace(TRANSFER, reason="" if settings.PAYMENT_TRANSFER else NOT_CONFIGURED))
    local = replace(LOCAL, reason=_reason(LOCAL.code, amount))
    return [local, *shown] if LOCAL.code in configured() else shown


def limit_of(code: str) -> Decimal | None:
    """Return the most that one payment by this method may be, in CNY; None without a limit."""
    limits: Mapping[str, Decimal] = settings.PAYMENT_LIMITS
    return limits.get(code)


def provider_get(code: str) -> Provider:
    """Return the configured provider. Raises ProviderUnavailable."""
    try:
        facts = configured()[code]
    except KeyError:
        raise ProviderUnavailable from None
    return _made(code, tuple(sorted(facts.items())))


def configured() -> dict[str, dict[str, str]]:
    """Return what the settings say of each method that is configured, by its code."""
    known = {
        "local": settings.PAYMENT_LOCAL,
        "alipay": settings.PAYMENT_ALIPAY,
        "wechatpay": settings.PAYMENT_WECHATPAY,
        "bestpay": settings.PAYMENT_BESTPAY,
    }
    return {code: facts for code, facts in known.items() if facts}


def _reason(code: str, amount: Decimal | None) -> str | Promise:
    if code not in configured():
        return NOT_CONFIGURED
    limit = limit_of(code)
    if limit is not None and amount is not None and amount > limit:
        return format_lazy(ABOVE_LIMIT, limit=f"{limit:,.2f}")
    return ""


@lru_cache(maxsize=16)
def _made(code: str, facts: tuple[tuple[str, str], ...]) -> Provider:
    """Keep an adapter as long as its settings stay the same: reading keys costs time."""
    makers: dict[str, Callable[..., Provider]] = {
        "local": LocalProvider,
        "alipay": AlipayProvider,
        "wechatpay": WeChatPayProvider,
        "bestpay": BestPayProvider,
    }
    arguments = {
        name: Path(value) if name.endswith(("_file", "_dir")) else value for name, value in facts
    }
    return makers[code](**arguments)
