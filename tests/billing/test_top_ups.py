"""Topping up the balance through the cashier: service, pages, statement and its export."""

import csv
import io
import uuid
from dataclasses import replace
from decimal import Decimal

import pytest

from billing import exceptions as errors
from billing.models import LedgerTransaction, Order
from billing.providers.base import TradeReport, TradeStatus
from billing.selectors.wallet import balance_of, statement_lines, statement_of
from billing.services import orders, payments
from billing.services.top_ups import top_up_create
from billing.states import OrderState, OrderType, PostingKind
from core import clock
from core.tenancy import scope
from messaging.models import Message
from tests.factories.billing import (
    actor_of,
    fulfil,
    give_balance,
    order_for,
    use_balance,
)

pytestmark = pytest.mark.django_db
NEW, BALANCE, EXPORT = "/support/balance/top-up/", "/support/balance/", "/support/balance/export/"


def top_up(cast, amount="600.00", key=None):
    with scope.customer(cast.huachen.pk):
        return top_up_create(
            tenant_id=cast.huachen.pk,
            amount=Decimal(amount),
            idempotency_key=key or uuid.uuid4().hex,
            actor=actor_of(cast.owner),
            at=clock.now(),
        )


def begin(cast, order) -> TradeReport:
    """Open an attempt; return the provider's word that it was paid now."""
    with scope.customer(cast.huachen.pk):
        payments.payment_begin(
            order_id=order.pk, provider_code="local", actor=actor_of(cast.owner), at=clock.now()
        )
        payment = order.payments.get()
    return TradeReport(
        TradeStatus.PAID,
        "support-portal",
        payment.number,
        payment.amount,
        "CNY",
        trade_no=payment.number,
        paid_at=clock.now(),
    )


def pay(cast, order):
    report = begin(cast, order)
    with scope.staff():
        payments.payment_apply(report, provider_code="local", at=clock.now())


def balance(cast):
    with scope.staff():
        return balance_of(cast.huachen.pk)


def test_money_arrives_on_the_balance_when_it_is_paid(cast):
    order = top_up(cast)
    pay(cast, order)
    assert balance(cast) == Decimal("0.00")

    done = fulfil(order)

    assert (done.state, done.type, done.plan) == (OrderState.COMPLETED, OrderType.TOP_UP, None)
    assert balance(cast) == Decimal("600.00")
    with scope.staff():
        assert list(order.history.order_by("pk").values_list("to_state", flat=True)) == [
            "pending",
            "paid",
            "provisioning",
            "completed",
        ]
        posting = LedgerTransaction.objects.get(kind=PostingKind.TOP_UP)
        message = Message.objects.get(kind="billing.balance_credited")
    assert (posting.order_id, message.context["amount"]) == (order.pk, "600.00")
    fulfil(order)
    assert balance(cast) == Decimal("600.00")


def test_several_may_be_open_beside_another_order_and_one_key_is_one_order(cast):
    order_for(cast.huachen, cast.owner)

    first, second = top_up(cast, key="a"), top_up(cast, key="b")

    assert first.pk != second.pk
    assert top_up(cast, key="a").pk == first.pk
    with pytest.raises(errors.IdempotencyKeyReused):
        top_up(cast, amount="601.00", key="a")
    assert order_for(cast.yunfan, cast.other_owner).state == OrderState.PENDING


def test_money_that_came_in_time_tops_up_even_after_the_expiry_and_beside_another_order(cast):
    order = top_up(cast)
    report = begin(cast, order)
    with scope.staff():
        orders.orders_expire_due(at=order.pays_until)
        closed = replace(report, status=TradeStatus.CLOSED)
        payments.payment_apply(closed, provider_code="local", at=order.pays_until)
        order.refresh_from_db()
    assert order.state == OrderState.EXPIRED
    order_for(cast.huachen, cast.owner)

    with scope.staff():
        payments.payment_apply(report, provider_code="local", at=order.pays_until)

    assert fulfil(order).state == OrderState.COMPLETED
    assert balance(cast) == Decimal("600.00")


@pytest.mark.parametrize(
    ("amount", "error"),
    [
        ("0.99", errors.TopUpOutOfRange),
        ("1000000.01", errors.TopUpOutOfRange),
        ("-5.00", errors.TopUpOutOfRange),
        ("1.001", errors.AmountInvalid),
        ("NaN", errors.AmountInvalid),
    ],
)
def test_a_sum_out_of_range_is_refused(cast, amount, error):
    with pytest.raises(error) as refused:
        top_up(cast, amount=amount)

    assert refused.value.field == "amount"
    with scope.staff():
        assert not Order.objects.exists()


def test_the_page_leads_to_the_cashier_once_per_page(cast, client_for):
    client = client_for(cast.owner)
    form = {"amount": "1,600.50", "key": str(uuid.uuid4())}

    first, again = client.post(NEW, form), client.post(NEW, form)

    with scope.staff():
        order = Order.objects.get()
    assert (first.url, again.url) == (f"/support/orders/{order.number}/cashier/",) * 2
    assert order.amount == Decimal("1600.50")
    page = client.get(first.url).content.decode()
    assert "账户余额充值" in page
    assert "返回修改优惠与抵扣" not in page
    assert client.get(f"/support/orders/{order.number}/pay/").url == first.url
    assert client.get(f"/support/orders/{order.number}/").status_code == 200


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"amount": "0.5"}, "单笔充值金额须为 1.00 至 1,000,000.00 元"),
        ({"amount": "abc"}, "请输入金额"),
        ({"amount": "1.005"}, "最多两位小数"),
        ({"amount": ""}, "请填写此项"),
        ({"key": "x"}, "页面已失效"),
    ],
)
def test_bad_input_is_answered_beside_the_field_and_not_lost(cast, client_for, changed, said):
    form = {"amount": "600.00", "key": str(uuid.uuid4()), **changed}

    answer = client_for(cast.owner).post(NEW, form)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in page
    assert f'value="{form["amount"]}"' in page or not form["amount"]
    with scope.staff():
        assert not Order.objects.exists()


def test_the_owner_tops_up_and_administrators_look(cast, client_for):
    assert client_for(cast.administrator).get(NEW).status_code == 403
    for page in (BALANCE, EXPORT):
        assert client_for(cast.administrator).get(page).status_code == 200
        assert client_for(cast.member).get(page).status_code == 403
        assert client_for(cast.staff["finance"]).get(page).status_code == 404
        assert client_for(cast.owner).post(page).status_code == 405


@pytest.fixture
def moved(cast):
    """A balance that was topped up, held and released; the next order holds a part of it."""
    with scope.staff():
        give_balance(cast.huachen, "1000.00")
        give_balance(cast.yunfan, "77777.00")
    order = order_for(cast.huachen, cast.owner)
    with scope.customer(cast.huachen.pk):
        use_balance(order, cast.owner)
        orders.order_cancel(order_id=order.pk, actor=actor_of(cast.owner), at=clock.now())
        use_balance(order_for(cast.huachen, cast.owner), cast.owner)
    return order


def test_the_statement_runs_along_the_balance(cast, moved):
    with scope.customer(cast.huachen.pk):
        legs = statement_of(cast.huachen.pk)
        lines = statement_lines(cast.huachen.pk, legs)
        page_two = statement_lines(cast.huachen.pk, legs[2:4])

    assert [(str(line.leg.amount), str(line.balance)) for line in lines] == [
        ("-1000.00", "0.00"),
        ("1000.00", "1000.00"),
        ("-1000.00", "0.00"),
        ("1000.00", "1000.00"),
    ]
    assert [line.balance for line in page_two] == [line.balance for line in lines[2:]]


def test_the_page_shows_balance_and_statement_by_month(cast, moved, client_for, max_queries):
    client = client_for(cast.administrator)
    with max_queries(9):
        page = client.get(BALANCE).content.decode()
    assert "77,777" not in page
    assert moved.number in page
    assert "共 4 条，10 条/页" in page
    this_month = f"{clock.local(clock.now()):%Y-%m}"
    assert "共 4 条" in client.get(BALANCE, {"month": this_month}).content.decode()
    assert "暂无收支明细" in client.get(BALANCE, {"month": "2020-01"}).content.decode()
    wrong = client.get(BALANCE, {"month": "2020-13"}).content.decode()
    assert "请按 2026-11 的格式填写月份" in wrong
    assert "共 4 条" in wrong


def test_the_statement_is_exported_as_it_is_shown(cast, moved, client_for):
    client = client_for(cast.owner)

    answer = client.get(EXPORT, {"format": "csv"})

    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0] == ["时间", "类型", "订单号", "备注", "金额（元）", "余额（元）"]
    assert [row[4:] for row in rows[1:]] == [
        ["-1000.00", "0.00"],
        ["1000.00", "1000.00"],
        ["-1000.00", "0.00"],
        ["1000.00", "1000.00"],
    ]
    assert "77777" not in answer.content.decode()
    book = client.get(EXPORT, {"format": "xlsx", "month": f"{clock.local(clock.now()):%Y-%m}"})
    assert book.content.startswith(b"PK")
    assert client.get(EXPORT, {"format": "exe"}).url == BALANCE


def test_too_long_a_statement_is_exported_by_month(cast, moved, client_for, monkeypatch):
    monkeypatch.setattr("billing.views.wallet.EXPORT_MOST", 3)
    client = client_for(cast.owner)

    answer = client.get(EXPORT, {"format": "csv"}, follow=True)

    assert "请选择月份后按月导出" in answer.content.decode()
