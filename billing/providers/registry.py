"""Which ways to pay the cashier shows, and which of them are configured here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.exceptions import ProviderUnavailable
from billing.providers.base import Provider
from billing.providers.local import LocalProvider


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
WALLETS = (
    ("bestpay", _("翼支付"), _("使用翼支付账户付款"), "wallet"),
    ("alipay", _("支付宝"), _("跳转支付宝完成付款"), "scan-line"),
    ("wechatpay", _("微信支付"), _("使用微信扫一扫付款"), "message-circle"),
)
LOCAL = Method("local", _("测试支付"), _("演示环境的模拟支付渠道，不产生真实扣款"), "flask-conical")
NAMES = {code: name for code, name, *_rest in WALLETS} | {
    "local": LOCAL.name,
    "transfer": _("对公转账"),
}


def methods() -> list[Method]:
    """Return the cashier's ways to pay, in the order in which it shows them."""
    configured = _configured()
    shown = [
        Method(code, name, hint, icon, "" if code in configured else NOT_CONFIGURED)
        for code, name, hint, icon in WALLETS
    ]
    return [LOCAL, *shown] if "local" in configured else shown


def provider_get(code: str) -> Provider:
    """Return the configured provider. Raises ProviderUnavailable."""
    try:
        return _configured()[code]
    except KeyError:
        raise ProviderUnavailable from None


def _configured() -> dict[str, Provider]:
    local = settings.PAYMENT_LOCAL
    return {"local": _local_provider(**local)} if local else {}


@lru_cache(maxsize=4)
def _local_provider(merchant: str, public_url: str, api_url: str, keys_dir: str) -> LocalProvider:
    return LocalProvider(
        merchant=merchant, public_url=public_url, api_url=api_url, keys_dir=Path(keys_dir)
    )
