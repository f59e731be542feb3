"""What the environment says of the payment methods. A method is configured by its first variable; then it needs all.

The names are those of the adapters' arguments (``billing.providers``). Secrets stand in files, named by their paths.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from config import env

ALIPAY_GATEWAY = "https://openapi.alipay.com/gateway.do"
WECHATPAY_API = "https://api.mch.weixin.qq.com"


def alipay() -> dict[str, str]:
    """Return the facts of the application at Alipay; empty when ALIPAY_APP_ID is not set."""
    if not _wanted("ALIPAY", "APP_ID", "SELLER_ID", "PRIVATE_KEY_FILE", "PUBLIC_KEY_FILE"):
        return {}
    return {
        "app_id": env.text("ALIPAY_APP_ID"),
        "seller_id": env.text("ALIPAY_SELLER_ID"),
        "private_key_file": env.file("ALIPAY_PRIVATE_KEY_FILE"),
        "public_key_file": env.file("ALIPAY_PUBLIC_KEY_FILE"),
        "gateway_url": env.address("ALIPAY_GATEWAY_URL", ALIPAY_GATEWAY),
    }


def wechatpay() -> dict[str, str]:
    """Return the facts of the merchant at WeChat Pay; empty when WECHATPAY_MCHID is not set."""
    if not _wanted(
        "WECHATPAY",
        "MCHID",
        *("APP_ID", "SERIAL_NO", "PRIVATE_KEY_FILE", "APIV3_KEY_FILE"),
        *("PUBLIC_KEY_ID", "PUBLIC_KEY_FILE"),
    ):
        return {}
    return {
        "mchid": env.text("WECHATPAY_MCHID"),
        "app_id": env.text("WECHATPAY_APP_ID"),
        "serial_no": env.text("WECHATPAY_SERIAL_NO"),
        "private_key_file": env.file("WECHATPAY_PRIVATE_KEY_FILE"),
        "apiv3_key_file": env.file("WECHATPAY_APIV3_KEY_FILE"),
        "public_key_id": env.text("WECHATPAY_PUBLIC_KEY_ID"),
        "public_key_file": env.file("WECHATPAY_PUBLIC_KEY_FILE"),
        "api_url": env.address("WECHATPAY_API_URL", WECHATPAY_API),
    }


def bestpay() -> dict[str, str]:
    """Return the facts of the merchant at BestPay; empty when BESTPAY_MERCHANT_NO is not set."""
    if not _wanted(
        "BESTPAY",
        "MERCHANT_NO",
        *("PRIVATE_KEY_FILE", "PUBLIC_KEY_FILE", "PAGE_URL", "API_URL"),
    ):
        return {}
    return {
        "merchant_no": env.text("BESTPAY_MERCHANT_NO"),
        "private_key_file": env.file("BESTPAY_PRIVATE_KEY_FILE"),
        "public_key_file": env.file("BESTPAY_PUBLIC_KEY_FILE"),
        "page_url": env.address("BESTPAY_PAGE_URL"),
        "api_url": env.address("BESTPAY_API_URL"),
    }


def transfer() -> dict[str, str]:
    """Return the account that bank transfers go to; empty when TRANSFER_ACCOUNT is not set."""
    if not _wanted("TRANSFER", "ACCOUNT", "ACCOUNT_NAME", "BANK"):
        return {}
    return {
        "account": env.text("TRANSFER_ACCOUNT"),
        "account_name": env.text("TRANSFER_ACCOUNT_NAME"),
        "bank": env.text("TRANSFER_BANK"),
    }


def limits() -> Mapping[str, Decimal]:
    """Return the most that one payment by a method may be, in CNY, for the methods that have a limit."""
    found = {
        code: env.money(f"{code.upper()}_MAX_AMOUNT") for code in ("alipay", "wechatpay", "bestpay")
    }
    return {code: limit for code, limit in found.items() if limit is not None}


def _wanted(prefix: str, first: str, *others: str) -> bool:
    """Return True if the method is configured. Half a configuration stops the start."""
    if env.text(f"{prefix}_{first}", ""):
        return True
    if lonely := [name for name in others if env.text(f"{prefix}_{name}", "")]:
        raise env.EnvironmentInvalid(
            f"environment variable {prefix}_{lonely[0]} is set without {prefix}_{first}"
        )
    return False
