"""What the local gateway can be made to do wrong, as real ones do."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from billing.providers.base import ProviderError, RefundRefusal, RefundStatus, TradeStatus
from billing.providers.local_gateway.store import Store, Trouble
from tests.providers.conftest import _made
from tests.providers.houses import Local

NUMBER = "20231206103915434625"


@pytest.fixture
def local(request):
    made = _made("local", request)
    assert isinstance(made, Local)
    yield made
    made.stop()


def press(local: Local, number: str) -> None:
    """Press the button of the gateway's page without waiting for a notification."""
    local.begin(number)
    local.gateway.decide(local.pages[number], "pay")


def test_it_notifies_twice_with_the_same_words(local: Local):
    local.store.expect_trouble("notify", Trouble.NOTIFY_TWICE)
    press(local, NUMBER)

    first, second = local.mailbox.wait_for(2)
    assert first == second


def test_it_never_notifies_and_still_knows_of_the_payment(local: Local):
    local.store.expect_trouble("notify", Trouble.NOTIFY_NEVER)
    press(local, NUMBER)
    time.sleep(0.7)

    assert local.mailbox.bodies == []
    assert local.provider.query(NUMBER).status == TradeStatus.PAID


def test_it_notifies_late(local: Local):
    local.store.expect_trouble("notify", Trouble.ANSWER_LATE, "0.8")
    press(local, NUMBER)
    assert local.mailbox.bodies == []

    local.mailbox.wait_for(1)


def test_a_reply_later_than_the_patience_is_an_error(local: Local):
    local.paid(NUMBER)
    local.store.expect_trouble("refund", Trouble.ANSWER_LATE, "1.5")
    hasty = replace(local.gateway.provider(), timeout=1)

    with pytest.raises(ProviderError):
        hasty.refund(local.refund_request(NUMBER, "r1", "1.00"))

    assert local.provider.refund_query(NUMBER, "r1").status == RefundStatus.DONE


def test_a_trouble_happens_once_and_to_its_action_only(local: Local):
    local.paid(NUMBER)
    local.lose_reply("refund_query")
    assert local.provider.query(NUMBER).status == TradeStatus.PAID
    with pytest.raises(ProviderError):
        local.provider.refund_query(NUMBER, "r1")
    assert local.provider.refund_query(NUMBER, "r1").status == RefundStatus.UNKNOWN


def test_a_refused_refund_stays_refused_and_leaves_the_sum_for_another_number(local: Local):
    local.paid(NUMBER)
    local.refuse_refund("window_over")
    request = local.refund_request(NUMBER, "r1", "6000.00")

    for report in (
        local.provider.refund(request),
        local.provider.refund(request),
        local.provider.refund_query(NUMBER, "r1"),
    ):
        assert (report.status, report.code) == (RefundStatus.REFUSED, RefundRefusal.WINDOW_OVER)
    assert local.provider.refund(local.refund_request(NUMBER, "r2", "6000.00")).status == "done"


def test_a_refund_on_its_way_counts_against_what_was_paid(local: Local):
    local.paid(NUMBER)
    local.delay_refund()
    local.provider.refund(local.refund_request(NUMBER, "r1", "6000.00"))

    report = local.provider.refund(local.refund_request(NUMBER, "r2", "0.01"))

    assert report.code == RefundRefusal.TOO_MUCH


def test_it_remembers_after_a_restart(local: Local):
    local.paid(NUMBER)
    local.delay_refund()
    local.provider.refund(local.refund_request(NUMBER, "r1", "1.00"))

    again = Store(local.store.path)
    again.settle_refunds()

    assert local.provider.refund_query(NUMBER, "r1").status == RefundStatus.DONE


def test_the_sdks_leave_the_portals_logging_alone():
    """python-alipay-sdk configures logging when it is imported."""
    script = (
        "import logging, logging.config\n"
        "logging.config.dictConfig({'version': 1, 'disable_existing_loggers': False, 'handlers':"
        " {'console': {'class': 'logging.StreamHandler', 'stream': 'ext://sys.stdout'}},"
        " 'root': {'handlers': ['console'], 'level': 'INFO'}})\n"
        "before = logging.getLogger('billing.tasks')\n"
        "import alipay, wechatpayv3\n"
        "assert len(logging.root.handlers) == 1 and logging.root.level == logging.INFO\n"
        "before.info('still heard')\n"
    )
    heard = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert heard.stdout == "still heard\n"
    assert logging.getLogger("billing.tasks").isEnabledFor(logging.WARNING)
