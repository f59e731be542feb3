"""What is believed of a notification: recorded shapes, good and spoiled in every way that we could think of."""

from __future__ import annotations

import re
from decimal import Decimal
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from billing.providers.base import NotificationInvalid, TradeStatus
from tests.providers import alipay_server, bestpay_server, wechatpay_server
from tests.providers.counterpart import sorted_pairs
from tests.providers.houses import Alipay, BestPay, Wallet, WeChatPay
from tests.providers.samples import AT, NUMBER, PAID_AT, WORDS, read, recorded, sealed

FAR = 10**7


@pytest.fixture(autouse=True)
def nobody_is_asked(request):
    """Reading a notification asks nobody: the wallet's servers are gone before it starts."""
    for name in ("wallet", "alipay", "wechatpay", "bestpay"):
        if name in request.fixturenames:
            request.getfixturevalue(name).stop()


def refused(house: Wallet, message: tuple[bytes, dict[str, str]], *, later: int = 0) -> str:
    with pytest.raises(NotificationInvalid) as error:
        read(house, message, later=later)
    return str(error.value)


def test_a_genuine_notification_is_read_exactly(wallet: Wallet):
    report = read(wallet, sealed(wallet))

    assert report.status == TradeStatus.PAID
    assert report.merchant == wallet.provider.merchant
    assert (report.number, report.amount, report.currency) == (NUMBER, Decimal("6000.00"), "CNY")
    assert report.paid_at == PAID_AT
    assert report.trade_no.startswith(("2023", "4200"))
    assert report.reference


def test_the_same_notification_again_has_the_same_id(wallet: Wallet):
    assert read(wallet, sealed(wallet)).reference == read(wallet, sealed(wallet)).reference


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"6000.00", b"0.01"),
        (b"600000", b"1"),
        (NUMBER.encode(), b"20231206103915434626"),
        (b"SUCCESS", b"CLOSED"),
        (b"2023-12-06", b"2023-12-05"),
        (b"1900000109", b"1900000110"),
    ],
)
def test_a_changed_field_is_refused(wallet: Wallet, old, new):
    body, headers = sealed(wallet)
    if old in body:
        refused(wallet, (body.replace(old, new), headers))


def test_any_single_changed_byte_is_refused(wallet: Wallet):
    # An empty field is not signed by BestPay: its name may change.
    body, headers = sealed(
        wallet, **({"remark": None} if wallet.provider.code == "bestpay" else {})
    )
    signature = body.find(b"sign=") if wallet.provider.code != "wechatpay" else len(body)

    for place in range(0, len(body), 23):
        if signature <= place:
            continue
        other = b"0" if body[place : place + 1] != b"0" else b"1"
        refused(wallet, (body[:place] + other + body[place + 1 :], headers))


@pytest.mark.parametrize("part", [0, 1, 10, 100, 400, -1, -20])
def test_a_truncated_notification_is_refused(wallet: Wallet, part):
    body, headers = sealed(wallet)
    refused(wallet, (body[:part], headers))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"\xff\xfe\x00",
        b"{}",
        b"[]",
        b"null",
        b"<xml><return_code>SUCCESS</return_code></xml>",
        b"sign=&sign_type=RSA2&signType=RSA-SHA256&charset=utf-8",
        b"a=1&" * 70 + b"b=1",
        b"[" * 50_000,
    ],
)
def test_rubbish_is_refused(wallet: Wallet, body):
    _body, headers = sealed(wallet)
    refused(wallet, (body, headers))
    refused(wallet, (body, {}))


def test_what_a_stranger_signed_is_refused(wallet: Wallet):
    wallet.keys = type(wallet.keys)(wallet.keys.ours, wallet.keys.stranger, wallet.keys.stranger)
    refused(wallet, sealed(wallet))


def test_what_we_signed_ourselves_is_refused(wallet: Wallet):
    wallet.keys = type(wallet.keys)(wallet.keys.ours, wallet.keys.ours, wallet.keys.stranger)
    refused(wallet, sealed(wallet))


@pytest.mark.parametrize("state", ["", "PAID", "success", "TRADE_SUCCES", None])
def test_a_state_that_is_not_known_is_refused(wallet: Wallet, state):
    refused(wallet, sealed(wallet, **{WORDS[wallet.provider.code]["status"]: state}))


@pytest.mark.parametrize("word", ["amount", "number"])
def test_a_notification_without_its_facts_is_refused(wallet: Wallet, word):
    if (name := WORDS[wallet.provider.code][word]) != "total":
        refused(wallet, sealed(wallet, **{name: None}))


FOREIGN = [
    ("alipay", "app_id", "2021000122600001"),
    ("alipay", "seller_id", "2088102146225136"),
    ("wechatpay", "mchid", "1900000110"),
    ("wechatpay", "appid", "wxd678efh567hg6788"),
    ("bestpay", "merchantNo", "3178034189555713"),
]


@pytest.mark.parametrize(("code", "field", "value"), FOREIGN)
def test_money_of_another_merchant_is_not_ours(request, code, field, value):
    house = request.getfixturevalue(code)
    house.stop()

    assert read(house, sealed(house, **{field: value})).merchant != house.provider.merchant


@pytest.mark.parametrize(
    ("code", "field", "value"),
    [
        ("alipay", "trans_currency", "USD"),
        ("wechatpay", "currency", "USD"),
        ("bestpay", "ccy", "840"),
    ],
)
def test_another_currency_is_told(request, code, field, value):
    house = request.getfixturevalue(code)
    house.stop()

    assert read(house, sealed(house, **{field: value})).currency == value


@pytest.mark.parametrize(
    ("code", "value"),
    [
        *[
            ("alipay", value)
            for value in (
                "6000.001",
                "6e3",
                " 6000.00",
                "+6000",
                "-6000.00",
                "6,000.00",
                "",
                "６０００",
                "NaN",
                "06000",
            )
        ],
        *[
            ("wechatpay", value)
            for value in ("6000.00", "600000", 600000.0, 6000.5, True, None, -600000, [600000])
        ],
        *[
            ("bestpay", value)
            for value in ("6000.00", "6e5", "-600000", "", " 600000", "６０００００", "0600000")
        ],
    ],
)
def test_an_amount_in_another_unit_or_form_is_refused(request, code, value):
    house = request.getfixturevalue(code)
    house.stop()

    refused(house, sealed(house, **{WORDS[code]["amount"]: value}))


@pytest.mark.parametrize(
    ("code", "value", "amount"),
    [("alipay", "600000", "600000.00"), ("wechatpay", 6000, "60.00"), ("bestpay", "6000", "60.00")],
)
def test_yuan_and_fen_are_never_guessed(request, code, value, amount):
    house = request.getfixturevalue(code)
    house.stop()

    report = read(house, sealed(house, **{WORDS[code]["amount"]: value}))

    assert report.amount == Decimal(amount)  # not the payment's: its service refuses it


@pytest.mark.parametrize(
    ("code", "missing"),
    [
        ("alipay", "gmt_payment"),
        ("alipay", "trade_no"),
        ("alipay", "notify_id"),
        ("alipay", "app_id"),
        ("wechatpay", "success_time"),
        ("wechatpay", "transaction_id"),
        ("wechatpay", "amount"),
        ("bestpay", "payFinishedDate"),
        ("bestpay", "tradeNo"),
        ("bestpay", "notifyId"),
        ("bestpay", "ccy"),
    ],
)
def test_paid_needs_its_instant_its_number_and_its_id(request, code, missing):
    house = request.getfixturevalue(code)
    house.stop()
    message = sealed(house, **{missing: None})

    refused(house, message)


# Alipay


@pytest.mark.parametrize("sign_type", ["RSA", "MD5", "", "rsa2"])
def test_alipay_another_way_of_signing_is_refused(alipay: Alipay, sign_type):
    fields = recorded("alipay")
    refused(alipay, (alipay_server.seal(fields, alipay.keys.theirs, sign_type=sign_type), {}))
    sha1 = alipay.keys.theirs.private.sign(sorted_pairs(fields), padding.PKCS1v15(), hashes.SHA1())
    weak = {**fields, "sign_type": sign_type, "sign": sha1.hex()}
    refused(alipay, (urlencode(weak).encode(), {}))


def test_alipay_without_a_way_of_signing_is_refused(alipay: Alipay):
    body = re.sub(rb"&sign_type=RSA2", b"", sealed(alipay)[0])
    assert "way of signing" in refused(alipay, (body, {}))


def test_alipay_in_another_charset_is_refused(alipay: Alipay):
    refused(alipay, sealed(alipay, charset="GBK"))
    fields = {**recorded("alipay"), "charset": "GBK", "sign_type": "RSA2"}
    body = "&".join(f"{name}={quote(value.encode('gbk'))}" for name, value in fields.items())
    refused(alipay, (body.encode(), {}))
    refused(alipay, (b"\xef\xbb\xbf" + sealed(alipay)[0], {}))


def test_alipay_a_field_that_comes_twice_is_refused(alipay: Alipay):
    body, _ = sealed(alipay)
    for more in (b"&total_amount=6000.00", b"&total_amount=0.01", b"&sign_type=RSA2"):
        assert "twice" in refused(alipay, (body + more, {}))


def test_alipay_about_something_else_is_refused(alipay: Alipay):
    refused(alipay, sealed(alipay, notify_type="batch_refund_notify"))


def test_alipay_of_a_refund_of_all_is_a_closed_trade_and_of_a_part_a_paid_one(alipay: Alipay):
    told = {"refund_fee": "6000.00", "gmt_refund": "2023-12-07 09:00:00.123", "out_biz_no": "r1"}

    whole = read(alipay, sealed(alipay, trade_status="TRADE_CLOSED", **told))
    part = read(alipay, sealed(alipay, **{**told, "refund_fee": "1.00"}))

    assert (whole.status, whole.paid_at) == (TradeStatus.CLOSED, None)
    assert (part.status, part.amount) == (TradeStatus.PAID, Decimal("6000.00"))


# BestPay


@pytest.mark.parametrize("sign_type", ["MD5", "RSA", "", None])
def test_bestpay_another_way_of_signing_is_refused(bestpay: BestPay, sign_type):
    refused(bestpay, sealed(bestpay, signType=sign_type))


def test_bestpay_a_field_that_comes_twice_is_refused(bestpay: BestPay):
    body, _ = sealed(bestpay)
    assert "twice" in refused(bestpay, (body + b"&tradeAmt=600000", {}))


def test_bestpay_signature_must_be_base64(bestpay: BestPay):
    fields = dict(parse_qsl(sealed(bestpay)[0].decode(), keep_blank_values=True))
    for signature in ("", "!!!!", fields["sign"] + "!", fields["sign"][:-8]):
        refused(bestpay, (urlencode({**fields, "sign": signature}).encode(), {}))


def test_bestpay_empty_fields_are_not_signed(bestpay: BestPay):
    body = bestpay_server.seal({**recorded("bestpay"), "remark": ""}, bestpay.keys.theirs)
    assert read(bestpay, (body.replace(b"remark=&", b""), {})).status == TradeStatus.PAID


# WeChat Pay


def wechat_sealed(house: WeChatPay, *, envelope=None, resource=None, **options):
    sample = recorded("wechatpay")
    return wechatpay_server.seal(
        {**sample["envelope"], **(envelope or {})},
        {**sample["resource"], **(resource or {})},
        house.keys.theirs,
        timestamp=str(int(AT.timestamp())),
        **options,
    )


@pytest.mark.parametrize("kind", ["WECHATPAY2-SM2-WITH-SM3", "WECHATPAY2-SHA256-RSA", "", None])
def test_wechatpay_another_way_of_signing_is_refused(wechatpay: WeChatPay, kind):
    body, headers = sealed(wechatpay)
    headers = {**headers, "Wechatpay-Signature-Type": kind or ""}
    if kind is None:
        del headers["Wechatpay-Signature-Type"]
    assert "way of signing" in refused(wechatpay, (body, headers))


@pytest.mark.parametrize(
    "serial", ["PUB_KEY_ID_0119000001092025", "5157F09EFDC096DE15EBE81A47057A72", "", "zz"]
)
def test_wechatpay_another_key_is_refused_without_looking_for_it(wechatpay: WeChatPay, serial):
    body, headers = sealed(wechatpay)
    assert "key" in refused(wechatpay, (body, {**headers, "Wechatpay-Serial": serial}))


def test_wechatpay_is_read_for_five_minutes_and_no_longer(wechatpay: WeChatPay):
    message = sealed(wechatpay)

    for later in (-300, 0, 300):
        assert read(wechatpay, message, later=later).status == TradeStatus.PAID
    for later in (-301, 301, 86_400, FAR):
        assert "ago" in refused(wechatpay, message, later=later)


@pytest.mark.parametrize(
    "stamp", ["", "abc", "-5", "１７０１８３０３７０", "1701830370.5", "9" * 30]
)
def test_wechatpay_a_timestamp_that_is_none_is_refused(wechatpay: WeChatPay, stamp):
    body, _ = sealed(wechatpay)
    headers = wechatpay_server.signed_headers(wechatpay.keys.theirs, body.decode(), timestamp=stamp)
    refused(wechatpay, (body, {**headers, "Wechatpay-Timestamp": stamp}))


@pytest.mark.parametrize("name", ["Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Signature"])
def test_wechatpay_changed_or_missing_headers_are_refused(wechatpay: WeChatPay, name):
    body, headers = sealed(wechatpay)
    refused(wechatpay, (body, {**headers, name: "1701830371"}))
    refused(wechatpay, (body, {key: value for key, value in headers.items() if key != name}))


def test_wechatpay_headers_come_in_any_case(wechatpay: WeChatPay):
    body, headers = sealed(wechatpay)
    for change in (str.lower, str.upper, str.title):
        changed = {change(name): value for name, value in headers.items()}
        assert read(wechatpay, (body, changed)).status == TradeStatus.PAID


@pytest.mark.parametrize(
    "resource",
    [
        {"algorithm": "AES-128-CBC"},
        {"algorithm": ""},
        {"nonce": "0123456789ab"},
        {"nonce": ""},
        {"associated_data": "certificate"},
        {"ciphertext": "AAAA"},
        {"ciphertext": "!"},
        {"ciphertext": ""},
    ],
)
def test_wechatpay_what_does_not_decrypt_is_refused(wechatpay: WeChatPay, resource):
    refused(wechatpay, wechat_sealed(wechatpay, envelope={"resource": resource}))


def test_wechatpay_encrypted_with_another_key_is_refused(wechatpay: WeChatPay):
    refused(wechatpay, wechat_sealed(wechatpay, apiv3_key="f" * 32))


@pytest.mark.parametrize(
    "envelope",
    [
        {"event_type": "REFUND.SUCCESS"},
        {"event_type": ""},
        {"resource_type": "plain-resource"},
        {"id": None, "event_type": None},
    ],
)
def test_wechatpay_about_something_else_is_refused(wechatpay: WeChatPay, envelope):
    refused(wechatpay, wechat_sealed(wechatpay, envelope=envelope))


def test_wechatpay_of_a_trade_that_was_partly_refunded_is_of_a_paid_one(wechatpay: WeChatPay):
    assert read(wechatpay, sealed(wechatpay, trade_state="REFUND")).status == TradeStatus.PAID
