"""The pages of changing, renewing and leaving: figures, refusals beside the field, who may see what."""

import uuid
from datetime import datetime, timedelta

import pytest

from billing.models import Order
from billing.states import OrderState, OrderType
from core import clock
from core.clock import SHANGHAI, add_years
from core.tenancy import scope
from supportplans.selectors.catalogue import agreement_at
from tests.factories.changes import PlanLife

pytestmark = pytest.mark.django_db
CHANGE, RENEW = "/support/plan/change/", "/support/plan/renew/"
LEAVE, LEFT = "/support/unsubscriptions/new/", "/support/unsubscriptions/"
START = datetime(2024, 12, 5, 13, 56, 15, tzinfo=SHANGHAI)
DAY = timedelta(days=1)


@pytest.fixture
def life(cast, monkeypatch):
    life = PlanLife(cast.huachen, cast.owner)
    life.buy("lite", START)
    monkeypatch.setattr(clock, "now", lambda: add_years(START, 1) - 168 * DAY)
    return life


@pytest.fixture
def owner(cast, client_for):
    return client_for(cast.owner)


def sent(**changed):
    return {
        "plan": "business",
        "years": "1",
        "agreement": agreement_at(START).version,
        "key": str(uuid.uuid4()),
        **changed,
    }


def newest(kind):
    with scope.staff():
        return Order.objects.filter(type=kind).latest("pk")


def test_the_change_page_shows_the_equation(life, owner):
    page = owner.get(CHANGE, {"plan": "business"}).content.decode()

    for figure in (
        "138,082.19",
        "2,761.64",
        "135,320.55",
        "年费 300,000.00 × 168 ÷ 365 天",
        "273,402.74",
    ):
        assert figure in page
    assert "剩余 168 天" in page
    assert "资深技术工程师" in page


def test_htmx_gets_the_choice_only(life, owner):
    page = owner.get(
        CHANGE, {"plan": "enterprise"}, headers={"HX-Request": "true"}
    ).content.decode()

    assert "273,402.74" in page
    assert "<html" not in page


def test_an_upgrade_goes_on_to_the_payment_page(life, owner):
    answer = owner.post(CHANGE, sent(shown_amount="135320.55"))

    order = newest(OrderType.UPGRADE)
    assert answer.url == f"/support/orders/{order.number}/pay/"
    page = owner.get(answer.url).content.decode()
    assert "168 天" in page
    assert "135,320.55" in page


def test_a_downgrade_is_handed_to_the_worker(life, owner, monkeypatch):
    life.change("enterprise", clock.now())
    monkeypatch.setattr(clock, "now", lambda: add_years(START, 1) - 73 * DAY)

    answer = owner.post(CHANGE, sent(plan="business", to_balance="1"))

    order = newest(OrderType.DOWNGRADE)
    assert answer.url == f"/support/orders/{order.number}/"
    assert (order.state, order.to_balance) == (OrderState.PAID, True)
    assert "应退金额" in owner.get(answer.url).content.decode()


@pytest.mark.parametrize(
    ("changed", "says", "status"),
    [
        ({"agreement": ""}, "请阅读并接受服务协议", 422),
        ({"plan": ""}, "请选择变更后的级别", 422),
        ({"plan": "lite"}, "升配只能选择高于当前级别", 422),
        ({"plan": "gold"}, "请选择变更后的级别", 422),
        ({"shown_amount": "1.00"}, "价格已更新", 409),
        ({"key": "nonsense"}, "页面已失效", 422),
    ],
)
def test_a_refused_change_says_why_and_keeps_the_choice(life, owner, changed, says, status):
    answer = owner.post(CHANGE, sent(**changed))

    page = answer.content.decode()
    assert answer.status_code == status
    assert says in page
    with scope.staff():
        assert not Order.objects.filter(type=OrderType.UPGRADE).exists()
    if changed.get("plan", "business") == "business":
        assert 'value="business" checked' in page


def test_a_double_click_makes_one_order(life, owner):
    data = sent()

    first, second = owner.post(CHANGE, data), owner.post(CHANGE, data)

    assert first.url == second.url
    with scope.staff():
        assert Order.objects.filter(type=OrderType.UPGRADE).count() == 1


def test_the_renewal_page_shows_the_new_end_and_makes_the_order(life, owner):
    page = owner.get(RENEW, {"years": "3"}).content.decode()
    assert "2028-12-05 13:56:15" in page
    assert "18,000.00" in page

    answer = owner.post(RENEW, sent(years="3", shown_amount="18000.00"))

    order = newest(OrderType.RENEW)
    assert answer.url == f"/support/orders/{order.number}/pay/"


def test_nonsense_years_fall_back_and_are_refused_when_sent(life, owner):
    assert owner.get(RENEW, {"years": "99"}).status_code == 200
    assert owner.post(RENEW, sent(years="99")).status_code == 422


def test_the_page_of_leaving_shows_what_the_guide_shows(life, owner):
    page = owner.get(LEAVE).content.decode()

    assert life.subscription.resource_id.hex in page
    for words in (
        "2,761.64",
        "6,000.00 × 168 ÷ 365",
        "区域选择错误",
        "您还可以进行 3 次七天无理由退订",
    ):
        assert words in page


def test_leaving_needs_reason_and_tick_and_loses_nothing_typed(life, owner):
    data = {"key": str(uuid.uuid4()), "reason_text": "换了云", "shown_amount": "2761.64"}

    no_reason = owner.post(LEAVE, {**data, "confirmed": "1"})
    assert no_reason.status_code == 422
    assert "请选择退订原因" in no_reason.content.decode()
    assert "换了云" in no_reason.content.decode()
    no_tick = owner.post(LEAVE, {**data, "reason": "region"})
    assert "请确认本次退订金额" in no_tick.content.decode()
    assert 'value="region" required checked' in no_tick.content.decode()
    done = owner.post(LEAVE, {**data, "reason": "region", "confirmed": "1"})

    order = newest(OrderType.UNSUBSCRIBE)
    assert done.url == f"/support/orders/{order.number}/"
    life.fulfil(order, clock.now())
    listed = owner.get(LEFT).content.decode()
    assert order.number in listed
    assert "区域选择错误" in listed
    assert "可退订产品" not in listed
    plan = owner.get("/support/plan/").content.decode()
    assert "服务状态：无效" in plan


def test_without_a_plan_the_pages_lead_back(cast, owner):
    for path in (CHANGE, RENEW):
        assert owner.get(path).url == "/support/plan/"
    assert owner.get(LEAVE).url == LEFT
    assert owner.get(LEFT).status_code == 200


@pytest.mark.parametrize("path", [CHANGE, RENEW, LEAVE])
def test_only_the_owner_changes_the_plan(life, cast, client_for, path):
    assert client_for(cast.administrator).get(path).status_code == 403
    assert client_for(cast.member).post(path, sent()).status_code == 403
    assert client_for(cast.staff["finance"]).get(path).status_code == 404


def test_the_limit_of_changes_is_shown_before_anything_is_sent(life, owner):
    life.change("business", clock.now())
    life.change("lite", clock.now())

    page = owner.get(CHANGE).content.decode()

    assert "30 天内最多升降配 2 次" in page
    assert owner.post(CHANGE, sent()).status_code == 409


def test_the_order_shows_where_its_money_goes_and_how_far_it_is(life, owner):
    order = life.do("unsubscription", clock.now())

    page = owner.get(order.get_absolute_url()).content.decode()

    assert "退款进度" in page
    assert "2,761.64" in page
    assert "已退款" in page


def test_the_current_level_is_named_in_the_reader_s_language(life, owner):
    owner.cookies["django_language"] = "en"

    page = owner.get(CHANGE).content.decode()

    assert "Current level: Lite" in page
    assert "轻量级" not in page
