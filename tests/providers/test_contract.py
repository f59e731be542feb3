"""What every adapter must do alike, each against its counterpart over HTTP."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from billing.providers.base import (
    ProviderError,
    QrCode,
    RecordKind,
    RecordsNotReady,
    Redirect,
    RefundRefusal,
    RefundStatus,
    TradeStatus,
)
from core import clock
from tests.providers.houses import SUBJECT, House, Wallet

NUMBER = "20231206103915434625"


def today():
    return clock.local(clock.now()).date()


def test_beginning_is_local_or_makes_a_code_as_the_adapter_says(house: House):
    opening = house.begin(NUMBER)

    assert isinstance(opening, Redirect if house.provider.begins_locally else QrCode)
    assert house.provider.query(NUMBER).status == TradeStatus.OPEN


def test_a_local_beginning_asks_nobody(house: House):
    if house.provider.begins_locally:
        house.stop()
        assert isinstance(house.provider.begin(house.request(NUMBER)), Redirect)


def test_what_the_customer_is_to_pay_arrives_as_it_was_said(wallet: Wallet):
    request = wallet.request(NUMBER)
    wallet.begin(NUMBER)

    trade = wallet.server.trades[NUMBER]
    assert (trade.fen, trade.subject, trade.notify_url) == (600000, SUBJECT, request.notify_url)
    assert clock.local(request.expires_at).strftime("%H:%M:%S") in trade.expires


def test_beginning_again_leads_to_the_same_trade(house: House):
    house.begin(NUMBER)
    house.begin(NUMBER)

    house.pay(NUMBER)
    assert house.provider.query(NUMBER).status == TradeStatus.PAID


@pytest.mark.parametrize("amount", ["0.01", "0.10", "19.99", "588000.00", "99999999.99"])
def test_amounts_go_and_come_to_the_cent(house: House, amount):
    house.paid(NUMBER, amount)

    assert house.provider.query(NUMBER).amount == Decimal(amount)


@pytest.mark.parametrize("amount", ["0.00", "-1.00", "0.001", "1.005"])
def test_what_is_no_sum_of_money_is_never_asked_for(house: House, amount):
    with pytest.raises(ValueError, match="amount"):
        house.provider.begin(house.request(NUMBER, amount))


def test_a_trade_that_nobody_opened_is_unknown(house: House):
    report = house.provider.query(NUMBER)

    assert (report.status, report.number, report.paid_at) == (TradeStatus.UNKNOWN, NUMBER, None)


def test_query_and_notification_say_the_same_of_a_paid_trade(house: House):
    before = clock.now() - timedelta(seconds=2)
    body, headers = house.paid(NUMBER)

    told = house.provider.read_notification(body, headers, at=clock.now())
    asked = house.provider.query(NUMBER)

    assert told.reference
    for report in (told, asked):
        assert report.status == TradeStatus.PAID
        assert report.merchant == house.provider.merchant
        assert (report.number, report.amount, report.currency) == (
            NUMBER,
            Decimal("6000.00"),
            "CNY",
        )
        assert report.trade_no
        assert report.paid_at is not None
        assert before <= report.paid_at <= clock.now()
    assert (told.trade_no, told.paid_at) == (asked.trade_no, asked.paid_at)


def test_a_closed_trade_stays_closed(house: House):
    house.begin(NUMBER)

    assert house.provider.close(NUMBER).status == TradeStatus.CLOSED
    assert house.provider.query(NUMBER).status == TradeStatus.CLOSED
    assert house.provider.close(NUMBER).status == TradeStatus.CLOSED


def test_closing_what_is_paid_says_so(house: House):
    house.paid(NUMBER)

    report = house.provider.close(NUMBER)

    assert (report.status, report.amount) == (TradeStatus.PAID, Decimal("6000.00"))


def test_closing_what_nobody_opened_is_fine(house: House):
    assert house.provider.close(NUMBER).status == TradeStatus.CLOSED


def test_a_refund_happens_once_per_number(house: House):
    house.paid(NUMBER)
    request = house.refund_request(NUMBER, "r1", "5000.00")

    reports = [house.provider.refund(request) for _ in range(3)]
    reports.append(house.provider.refund_query(NUMBER, "r1"))

    for report in reports:
        assert (report.status, report.code) == (RefundStatus.DONE, RefundRefusal.NONE)
        assert (report.number, report.refund_number) == (NUMBER, "r1")
        assert report.amount == Decimal("5000.00")
        assert report.refunded_at is not None
        assert report.refunded_at <= clock.now()
    assert house.given_back(NUMBER) == Decimal("5000.00")


def test_refunds_of_parts_add_up_and_never_to_more_than_was_paid(house: House):
    house.paid(NUMBER)
    for name, amount in (("r1", "0.01"), ("r2", "5999.99")):
        assert house.provider.refund(house.refund_request(NUMBER, name, amount)).status == "done"

    report = house.provider.refund(house.refund_request(NUMBER, "r3", "0.01"))

    assert (report.status, report.code) == (RefundStatus.REFUSED, RefundRefusal.TOO_MUCH)
    assert house.given_back(NUMBER) == Decimal("6000.00")
    assert house.provider.query(NUMBER).status == TradeStatus.PAID


def test_a_refund_number_stands_for_one_sum(house: House):
    house.paid(NUMBER)
    house.provider.refund(house.refund_request(NUMBER, "r1", "5000.00"))

    report = house.provider.refund(house.refund_request(NUMBER, "r1", "1.00"))

    assert (report.status, report.code) == (RefundStatus.REFUSED, RefundRefusal.NUMBER_REUSED)
    assert house.given_back(NUMBER) == Decimal("5000.00")


@pytest.mark.parametrize("opened", [True, False])
def test_what_was_not_paid_is_not_refunded(house: House, opened):
    if opened:
        house.begin(NUMBER)

    report = house.provider.refund(house.refund_request(NUMBER, "r1", "1.00"))

    assert (report.status, report.code) == (RefundStatus.REFUSED, RefundRefusal.NOT_PAID)


@pytest.mark.parametrize("code", ["window_over", "account_gone", "no_funds"])
def test_a_refusal_says_why(house: House, code):
    house.paid(NUMBER)
    house.refuse_refund(code)

    report = house.provider.refund(house.refund_request(NUMBER, "r1", "5000.00"))

    assert (report.status, report.code) == (RefundStatus.REFUSED, RefundRefusal(code))
    assert (report.refund_number, report.amount) == ("r1", Decimal("5000.00"))
    assert house.given_back(NUMBER) == Decimal(0)


def test_a_refund_may_be_on_its_way_for_a_while(house: House):
    house.paid(NUMBER)
    house.delay_refund()
    request = house.refund_request(NUMBER, "r1", "5000.00")

    for _ in range(2):
        report = house.provider.refund(request)
        assert (report.status, report.amount) == (RefundStatus.PENDING, Decimal("5000.00"))
    house.settle()

    assert house.provider.refund_query(NUMBER, "r1").status == RefundStatus.DONE
    assert house.provider.refund(request).status == RefundStatus.DONE
    assert house.given_back(NUMBER) == Decimal("5000.00")


def test_a_refund_that_was_never_asked_for_is_unknown(house: House):
    assert house.provider.refund_query(NUMBER, "r1").status == RefundStatus.UNKNOWN
    house.paid(NUMBER)
    assert house.provider.refund_query(NUMBER, "r1").status == RefundStatus.UNKNOWN


def test_a_refund_whose_reply_was_lost_is_found_again(house: House):
    house.paid(NUMBER)
    house.lose_reply("refund")
    request = house.refund_request(NUMBER, "r1", "5000.00")

    with pytest.raises(ProviderError):
        house.provider.refund(request)

    assert house.provider.refund_query(NUMBER, "r1").status == RefundStatus.DONE
    assert house.provider.refund(request).status == RefundStatus.DONE
    assert house.given_back(NUMBER) == Decimal("5000.00")


@pytest.mark.parametrize("action", ["query", "close"])
def test_a_lost_reply_is_an_error_and_nothing_more(house: House, action):
    house.begin(NUMBER)
    house.lose_reply(action)

    with pytest.raises(ProviderError):
        getattr(house.provider, action)(NUMBER)

    assert house.provider.close(NUMBER).status == TradeStatus.CLOSED


def test_the_days_records_are_what_came_and_went(house: House):
    house.begin("20231206103915000001")
    house.paid("20231206103915000002")
    house.paid("20231206103915000003", "588000.00")
    house.provider.refund(house.refund_request("20231206103915000002", "r1", "0.01"))

    records = house.provider.records(today())

    facts = [(r.kind, r.number, r.refund_number, r.amount, r.currency) for r in records]
    assert sorted(facts) == [
        (RecordKind.PAYMENT, "20231206103915000002", "", Decimal("6000.00"), "CNY"),
        (RecordKind.PAYMENT, "20231206103915000003", "", Decimal("588000.00"), "CNY"),
        (RecordKind.REFUND, "20231206103915000002", "r1", Decimal("0.01"), "CNY"),
    ]
    assert [r.at for r in records] == sorted(r.at for r in records)
    paid = {r.number: r for r in records if r.kind == RecordKind.PAYMENT}
    for number, record in paid.items():
        report = house.provider.query(number)
        assert (record.trade_no, record.at) == (report.trade_no, report.paid_at)


def test_a_day_without_business_has_no_records(house: House):
    assert list(house.provider.records(today() - timedelta(days=1))) == []


def test_a_bill_that_is_not_made_yet_comes_later(wallet: Wallet):
    wallet.server.has_bill = False

    with pytest.raises(RecordsNotReady):
        wallet.provider.records(today())


def test_a_provider_that_is_down_is_an_error_everywhere(house: House):
    house.paid(NUMBER)
    provider, request = house.provider, house.refund_request(NUMBER, "r1", "1.00")
    house.stop()

    for ask in (
        lambda: provider.query(NUMBER),
        lambda: provider.close(NUMBER),
        lambda: provider.refund(request),
        lambda: provider.refund_query(NUMBER, "r1"),
        lambda: provider.records(today()),
    ):
        with pytest.raises(ProviderError):
            ask()


def test_requests_that_are_signed_by_a_stranger_change_nothing(house: House):
    house.paid(NUMBER)

    with pytest.raises(ProviderError):
        house.stranger().refund(house.refund_request(NUMBER, "r1", "1.00"))

    assert house.given_back(NUMBER) == Decimal(0)


def asked_of(wallet: Wallet):
    """Return every question whose reply must be proved."""
    provider = wallet.provider
    return {
        "query": lambda: provider.query(NUMBER),
        "close": lambda: provider.close(NUMBER),
        "refund": lambda: provider.refund(wallet.refund_request(NUMBER, "r1", "1.00")),
        "refund_query": lambda: provider.refund_query(NUMBER, "r0"),
        "records": lambda: provider.records(today()),
    }


@pytest.mark.parametrize("question", ["query", "close", "refund", "refund_query", "records"])
def test_a_reply_that_a_stranger_signed_is_not_believed(wallet: Wallet, question):
    wallet.paid(NUMBER)
    wallet.provider.refund(wallet.refund_request(NUMBER, "r0", "1.00"))
    wallet.server.signs_as = wallet.keys.stranger
    if question == "close":
        wallet.server.trades[NUMBER].status = "open"

    with pytest.raises(ProviderError):
        asked_of(wallet)[question]()


@pytest.mark.parametrize("how", ["empty", "html", "list", "text", "cut", "deep"])
@pytest.mark.parametrize("question", ["query", "refund", "refund_query", "records"])
def test_a_reply_that_cannot_be_read_is_an_error(wallet: Wallet, question, how):
    wallet.paid(NUMBER)
    wallet.provider.refund(wallet.refund_request(NUMBER, "r0", "1.00"))
    wallet.server.spoils = how

    with pytest.raises(ProviderError):
        asked_of(wallet)[question]()


def test_a_reply_whose_amount_was_changed_is_not_believed(wallet: Wallet):
    wallet.paid(NUMBER)
    wallet.server.tampers = (b"6000", b"9000")

    with pytest.raises(ProviderError):
        wallet.provider.query(NUMBER)


def test_a_genuine_reply_about_another_trade_or_refund_is_not_believed(wallet: Wallet):
    wallet.paid("20231206103915000001")
    wallet.paid("20231206103915000002")
    wallet.provider.refund(wallet.refund_request("20231206103915000001", "r1", "1.00"))

    wallet.server.mistakes_for = "20231206103915000001"
    with pytest.raises(ProviderError, match="another trade"):
        wallet.provider.query("20231206103915000002")
    wallet.server.mistakes_for = "r1"
    with pytest.raises(ProviderError, match="another refund"):
        wallet.provider.refund_query("20231206103915000001", "r2")


def test_a_refund_that_may_have_happened_is_never_called_refused(wallet: Wallet):
    wallet.paid(NUMBER)
    wallet.server.refuses = "transient"

    with pytest.raises(ProviderError):
        wallet.provider.refund(wallet.refund_request(NUMBER, "r1", "1.00"))
