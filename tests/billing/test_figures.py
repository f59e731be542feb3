"""Figures of the rules that operators change with an effective date: rules, pages and messages follow."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils.html import strip_tags

from billing.exceptions import TermNotOffered
from billing.states import OrderState
from core import clock
from core.tenancy import scope
from messaging.models import Message
from supportplans.models import Figure, PaidLine
from supportplans.services.subscriptions import end_notices_send
from supportplans.states import FigureCode
from tests.factories.billing import order_for
from tests.factories.changes import PlanLife

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def figure():
    """Change a figure from an instant on, as an operator does."""

    def change(code: FigureCode, value: str, since=None) -> None:
        since = since or clock.now() - timedelta(days=400)
        with scope.staff():
            Figure.objects.create(code=code, value=Decimal(value), effective_from=since)

    return change


def text_of(client, name):
    return " ".join(strip_tags(client.get(reverse(name)).content.decode()).split())


def test_the_longest_term(cast, client_for, figure):
    figure(FigureCode.TERM_YEARS, "5")

    order = order_for(cast.huachen, cast.owner, years=5)

    assert (order.amount, order.paid_days) == (Decimal("30000.00"), 1825)
    page = client_for(cast.other_owner).get(reverse("billing:order_new")).content.decode()
    assert 'id="years-5"' in page
    assert 'id="years-6"' not in page
    with pytest.raises(TermNotOffered) as refused:
        order_for(cast.yunfan, cast.other_owner, years=6)
    assert refused.value.message == "购买时长可选 1–5 年"


def test_a_term_that_was_ordered_is_delivered_whatever_is_offered_now(cast, figure):
    at = clock.now()
    life = PlanLife(cast.huachen, cast.owner)
    order = life.pay(life.place("new", at, plan_code="lite", years=3), at)
    figure(FigureCode.TERM_YEARS, "1", since=at)

    assert life.fulfil(order, at + timedelta(minutes=1)).state == OrderState.COMPLETED
    with scope.staff():
        assert PaidLine.objects.get().paid_days == 1095


def test_the_days_of_the_notices_before_the_end(cast, client_for, figure):
    figure(FigureCode.END_NOTICE_1, "60")
    figure(FigureCode.END_NOTICE_5, "0")
    life = PlanLife(cast.huachen, cast.owner)
    at = clock.now().replace(microsecond=0)
    life.buy("lite", at)
    ends = life.subscription.ends

    told = [end_notices_send(at=ends - days * DAY) for days in (61, 60, 30, 15, 7, 3, 1)]

    assert told == [0, 1, 0, 1, 1, 1, 0]
    with scope.staff():
        found = Message.objects.filter(kind="supportplans.term_ending").order_by("pk")
        assert list(found.values_list("context__days", flat=True)) == [60, 15, 7, 3]
    assert "到期前 60 天发送续订提醒" in text_of(client_for(cast.owner), "supportplans:plan_detail")
    assert "到期前 60、15、7、3 天发送续订提醒" in text_of(
        client_for(cast.other_owner), "billing:order_new"
    )


def test_how_long_an_order_of_a_change_can_be_paid(cast, figure):
    life = PlanLife(cast.huachen, cast.owner)
    bought = clock.now().replace(microsecond=0)
    life.buy("lite", bought)
    figure(FigureCode.CHANGE_ORDER_HOURS, "2")
    figure(FigureCode.CHANGE_ORDER_MINUTES, "90")

    # The remaining days change once a day, at the minute of the purchase.
    for before, lives in (
        (timedelta(hours=5), 120),
        (timedelta(minutes=100), 100),
        (timedelta(0), 90),
    ):
        at = bought + 10 * DAY - before
        order = life.place("change", at, plan_code="business")
        assert order.pays_until - at == timedelta(minutes=lives)
        with scope.staff():
            order.state = OrderState.CANCELLED
            order.save(update_fields=["state"])
    at = bought + 10 * DAY - timedelta(minutes=1)
    assert life.place("change", at, plan_code="business").pays_until - at == timedelta(minutes=90)


def test_when_renewing_by_itself_begins_is_said_on_its_page(cast, client_for, figure):
    PlanLife(cast.huachen, cast.owner).buy("lite", clock.now())
    figure(FigureCode.AUTO_RENEW_DAYS, "10")

    assert "从到期前 10 天起每天尝试" in text_of(client_for(cast.owner), "billing:plan_renew")
