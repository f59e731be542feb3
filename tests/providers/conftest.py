"""The four adapters, each against a counterpart over HTTP with keys that are made for the run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from billing.providers.signing import keys_of
from tests.billing.conftest import gateway_keys, mailbox  # noqa: F401  (fixtures)
from tests.providers import houses
from tests.providers.counterpart import Keys, make_pair

WALLETS = {"alipay": houses.Alipay, "wechatpay": houses.WeChatPay, "bestpay": houses.BestPay}


@pytest.fixture(scope="session")
def keys(tmp_path_factory) -> Keys:
    """Made once: RSA keys take a while."""
    directory = tmp_path_factory.mktemp("wallet-keys")
    return Keys(*(make_pair(directory / name) for name in ("ours", "theirs", "stranger")))


@pytest.fixture(scope="session")
def strangers(tmp_path_factory):
    directory = tmp_path_factory.mktemp("strangers-keys")
    keys_of("portal", directory)
    return directory


def _made(name: str, request: pytest.FixtureRequest) -> houses.House:
    if name in WALLETS:
        return WALLETS[name](request.getfixturevalue("keys"))
    directory = request.getfixturevalue("tmp_path")
    for key in request.getfixturevalue("gateway_keys").glob("*.pem"):
        (directory / key.name).write_bytes(key.read_bytes())
    return houses.Local(
        directory, request.getfixturevalue("strangers"), request.getfixturevalue("mailbox")
    )


@pytest.fixture(params=["local", *WALLETS])
def house(request) -> Iterator[houses.House]:
    """Any of the four."""
    made = _made(request.param, request)
    yield made
    made.stop()


@pytest.fixture(params=list(WALLETS))
def wallet(request) -> Iterator[houses.Wallet]:
    """Any of the three wallets."""
    made = WALLETS[request.param](request.getfixturevalue("keys"))
    yield made
    made.stop()


@pytest.fixture
def alipay(keys) -> Iterator[houses.Alipay]:
    made = houses.Alipay(keys)
    yield made
    made.stop()


@pytest.fixture
def wechatpay(keys) -> Iterator[houses.WeChatPay]:
    made = houses.WeChatPay(keys)
    yield made
    made.stop()


@pytest.fixture
def bestpay(keys) -> Iterator[houses.BestPay]:
    made = houses.BestPay(keys)
    yield made
    made.stop()
