"""What the template tags of the components print."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.core.paginator import Paginator
from django.http import QueryDict
from django.test import RequestFactory
from django.utils import translation

from core.templatetags import ui

AT = datetime(2026, 11, 23, 2, 35, 57, tzinfo=UTC)


def item(url: str, *, exact: bool = False, also: tuple[str, ...] = ()) -> SimpleNamespace:
    """Return an entry of a navigation."""
    return SimpleNamespace(url=url, label=url, icon="", exact=exact, also=also)


def test_amounts_have_two_places_and_thousands():
    assert ui.money(Decimal("6000")) == "¥6,000.00"
    assert ui.amount(Decimal("135320.55")) == "135,320.55"
    assert ui.whole_money(Decimal("25000.00")) == "25,000"
    assert ui.whole_money(Decimal("25000.50")) == "25,000.50"
    assert ui.money(None) == "—"


def test_the_deciding_amount_keeps_every_digit():
    assert ui.price(Decimal("588000")) == (
        '<span class="total"><small>¥</small>588,000<small>.00</small></span>'
    )


def test_instants_are_shown_in_shanghai():
    assert ui.moment(AT) == "2026-11-23 10:35:57"
    assert ui.minute(AT) == "2026-11-23 10:35"
    assert ui.clock_time(AT) == "10:35:57"
    assert ui.day(datetime(2026, 11, 23, 16, 0, tzinfo=UTC)) == "2026-11-24"
    assert ui.moment(None) == "—"


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=36), "36 秒"),
        (timedelta(minutes=6, seconds=12), "6 分 12 秒"),
        (timedelta(hours=2, minutes=5, seconds=59), "2 小时 5 分"),
        (timedelta(days=3, hours=4), "3 天 4 小时"),
        (timedelta(seconds=-5), "0 秒"),
    ],
)
def test_spans_are_said_in_two_units(span: timedelta, words: str):
    with translation.override("zh-hans"):
        assert ui.duration(span) == words


def test_a_chip_escapes_what_it_shows():
    assert ui.status_chip("<b>", "ok") == '<span class="chip chip--dot chip--ok">&lt;b&gt;</span>'
    assert 'class="chip chip--enterprise"' in ui.level_chip("enterprise", "企业级")


def test_pips_show_used_before_held_and_never_lose_one():
    shown = ui.pips(4, 2, 1)
    assert shown.count("is-used") == 2
    assert shown.count("is-held") == 1
    assert shown.count("<span class") == 4 + 1
    assert ui.pips(1, 3).count("is-used") == 3


def test_the_bar_of_a_term_is_to_scale_but_leaves_room_for_words():
    assert 'width="54.0%"' in ui.proration_bar(197, 168)
    assert 'width="24.0%"' in ui.proration_bar(1, 364)
    assert 'width="76.0%"' in ui.proration_bar(365, 0)


def test_shown_stars_round_and_say_the_figure():
    with translation.override("zh-hans"):
        shown = ui.stars_shown(4.6)
    assert shown.count("is-on") == 5
    assert "4.6 分，共 5 分" in shown


def test_a_query_changes_one_parameter_and_drops_empty_ones():
    request = RequestFactory().get("/?state=open&page=3")
    changed = ui.query({"request": request}, page="", turn="ours")
    assert QueryDict(changed[1:]).dict() == {"state": "open", "turn": "ours"}


def test_pages_are_offered_around_the_current_one():
    offered = list(ui.pages_around(Paginator(range(300), 10), 15))
    assert offered == [1, Paginator.ELLIPSIS, 13, 14, 15, 16, 17, Paginator.ELLIPSIS, 30]


def test_navigation_leaves_out_pages_that_do_not_exist_and_marks_the_closest():
    request = RequestFactory().get("/support/service-orders/2611/")
    items = [
        item("supportplans:overview", exact=True),
        item("servicedesk:service_order_list"),
        item("nowhere:at_all"),
    ]
    links = ui.navigation({"request": request}, items)
    assert [(link.name, link.is_current) for link in links] == [
        ("supportplans:overview", False),
        ("servicedesk:service_order_list", True),
    ]


def test_a_page_elsewhere_can_belong_to_a_link():
    request = RequestFactory().get("/support/order/new/")
    items = [
        item("supportplans:overview", exact=True),
        item("supportplans:plan_detail", also=("billing:order_new",)),
    ]
    assert [link.is_current for link in ui.navigation({"request": request}, items)] == [False, True]


def test_an_index_is_current_on_its_own_page_only():
    items = [item("supportplans:overview", exact=True)]
    on_it = ui.navigation({"request": RequestFactory().get("/support/")}, items)
    below = ui.navigation({"request": RequestFactory().get("/support/else/")}, items)
    assert (on_it[0].is_current, below[0].is_current) == (True, False)


def test_amounts_of_a_formula_are_grouped():
    assert (
        ui.grouped("1300000.00 × 145 ÷ 365 + 6000.00 × 12")
        == "1,300,000.00 × 145 ÷ 365 + 6,000.00 × 12"
    )
