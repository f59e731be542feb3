"""Payment methods come from the environment: whole, or not at all, and loudly."""

from __future__ import annotations

from decimal import Decimal

import pytest

from config import env, payments

WHOLE = {
    "alipay": {
        "ALIPAY_APP_ID": "2021000122600000",
        "ALIPAY_SELLER_ID": "2088102146225135",
        "ALIPAY_PRIVATE_KEY_FILE": "key.pem",
        "ALIPAY_PUBLIC_KEY_FILE": "key.pem",
    },
    "wechatpay": {
        "WECHATPAY_MCHID": "1900000109",
        "WECHATPAY_APP_ID": "wxd678efh567hg6787",
        "WECHATPAY_SERIAL_NO": "444F4864EA9B34415",
        "WECHATPAY_PRIVATE_KEY_FILE": "key.pem",
        "WECHATPAY_APIV3_KEY_FILE": "key.pem",
        "WECHATPAY_PUBLIC_KEY_ID": "PUB_KEY_ID_0119000001092024",
        "WECHATPAY_PUBLIC_KEY_FILE": "key.pem",
    },
    "bestpay": {
        "BESTPAY_MERCHANT_NO": "3178034189555712",
        "BESTPAY_PRIVATE_KEY_FILE": "key.pem",
        "BESTPAY_PUBLIC_KEY_FILE": "key.pem",
        "BESTPAY_PAGE_URL": "https://pay.example/cashier",
        "BESTPAY_API_URL": "https://pay.example/api/",
    },
}
METHODS = {"alipay": payments.alipay, "wechatpay": payments.wechatpay, "bestpay": payments.bestpay}


@pytest.fixture
def whole(monkeypatch, tmp_path):
    """Set everything that a method needs."""
    (tmp_path / "key.pem").write_text("a key")

    def set_all(method: str) -> dict[str, str]:
        for name, value in WHOLE[method].items():
            monkeypatch.setenv(name, str(tmp_path / value) if name.endswith("_FILE") else value)
        return WHOLE[method]

    return set_all


@pytest.mark.parametrize("method", METHODS)
def test_a_method_of_which_nothing_is_said_is_not_configured(method):
    assert METHODS[method]() == {}


@pytest.mark.parametrize("method", METHODS)
def test_a_whole_configuration_is_read(method, whole, tmp_path):
    whole(method)

    facts = METHODS[method]()

    assert facts["private_key_file"] == str(tmp_path / "key.pem")
    assert all(not value.endswith("/") for value in facts.values())


@pytest.mark.parametrize("method", METHODS)
def test_half_a_configuration_stops_the_start(method, whole, monkeypatch):
    for name in whole(method):
        with monkeypatch.context() as without:
            without.delenv(name)
            with pytest.raises(env.EnvironmentInvalid, match=method.upper()):
                METHODS[method]()


@pytest.mark.parametrize("content", [None, ""])
def test_a_key_file_that_is_missing_or_empty_stops_the_start(whole, monkeypatch, tmp_path, content):
    whole("alipay")
    if content is not None:
        (tmp_path / "other.pem").write_text(content)
    monkeypatch.setenv("ALIPAY_PUBLIC_KEY_FILE", str(tmp_path / "other.pem"))

    with pytest.raises(env.EnvironmentInvalid, match="ALIPAY_PUBLIC_KEY_FILE"):
        payments.alipay()


@pytest.mark.parametrize(
    "address", ["http://pay.example/api", "pay.example", "ftp://pay.example", "https://", "//x"]
)
def test_money_travels_encrypted(whole, monkeypatch, address):
    whole("bestpay")
    monkeypatch.setenv("BESTPAY_API_URL", address)

    with pytest.raises(env.EnvironmentInvalid, match="BESTPAY_API_URL"):
        payments.bestpay()
    monkeypatch.setenv("BESTPAY_API_URL", "http://127.0.0.1:8001/api")
    assert payments.bestpay()["api_url"] == "http://127.0.0.1:8001/api"


def test_limits_are_amounts(monkeypatch):
    assert payments.limits() == {}
    monkeypatch.setenv("ALIPAY_MAX_AMOUNT", "50000")
    monkeypatch.setenv("WECHATPAY_MAX_AMOUNT", "49999.99")
    assert payments.limits() == {"alipay": Decimal(50000), "wechatpay": Decimal("49999.99")}
    for rubbish in ("0", "0.00", "-1", "1e5", "50,000", "1.001", "viel", "５００００"):
        monkeypatch.setenv("BESTPAY_MAX_AMOUNT", rubbish)
        with pytest.raises(env.EnvironmentInvalid, match="BESTPAY_MAX_AMOUNT"):
            payments.limits()
