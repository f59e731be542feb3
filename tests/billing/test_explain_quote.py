"""The command that explains prices: one JSON object in, one out, with no server for lines that are given."""

import io
import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.core.management import call_command

from accounts.access import SYSTEM
from billing.providers.base import TradeReport, TradeStatus
from billing.selectors.changes import quote_change_of, quote_unsubscription_of
from billing.selectors.terms import change_terms
from billing.services.payments import payment_apply, payment_begin
from core import clock
from core.clock import SHANGHAI, add_years
from core.tenancy import scope
from supportplans.models import Figure, PaidLine, PlanPrice
from supportplans.states import FigureCode
from tests.factories.changes import PlanLife

PRICES = {"lite": "500.00", "business": "25000.00", "enterprise": "50000.00"}
LITE = {
    "plan": "lite",
    "monthly": "500.00",
    "from_monthly": "0.00",
    "starts": "2023-12-05T13:56:15+08:00",
    "ends": "2025-12-05T13:56:15+08:00",
    "paid_days": 730,
    "list": "12000.00",
    "coupon": "0.00",
    "voucher": "0.00",
    "cash": {"balance": "12000.00"},
}
BUSINESS = {
    **LITE,
    "plan": "business",
    "monthly": "25000.00",
    "starts": "2023-12-07T11:08:36+08:00",
    "ends": "2024-12-07T11:08:36+08:00",
    "paid_days": 365,
    "list": "300000.00",
    "cash": {"alipay": "300000.00"},
}
ENTERPRISE = {
    **BUSINESS,
    "plan": "enterprise",
    "monthly": "50000.00",
    "list": "600000.00",
    "cash": {"balance": "600000.00"},
}
START = datetime(2024, 12, 5, 13, 56, 15, tzinfo=SHANGHAI)
DAY = timedelta(days=1)


def asking(action, at="2023-12-06T10:39:16+08:00", *lines, **more):
    return {"action": action, "at": at, "prices": PRICES, "lines": list(lines), **more}


def run(text, *arguments):
    """Run the command as an operator does, with nothing of this run's servers in its environment."""
    return subprocess.run(
        [sys.executable, "manage.py", "explain_quote", *arguments],
        input=text.encode(),
        capture_output=True,
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        check=False,
    )


def ask(question, *arguments):
    """Run the command here; return its answer. Without the database's mark a query would fail."""
    text = question if isinstance(question, str) else json.dumps(question)
    out, status = io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.StringIO(text))
        try:
            call_command("explain_quote", *arguments, stdout=out)
        except SystemExit as ended:
            status = ended.code
    answer = json.loads(out.getvalue())
    assert status == (1 if "refused" in answer else 0)
    return answer


def test_it_answers_without_any_server():
    ran = run(json.dumps(asking("upgrade", "2023-12-06T10:39:16+08:00", LITE, plan="business")))

    assert (ran.returncode, ran.stderr) == (0, b"")
    answer = json.loads(ran.stdout)
    assert (answer["charge"], answer["refund"], answer["days"]) == ("588000.00", "0.00", 730)
    assert answer["explanation"] == [
        {"rule": "new_plan_needed", "formula": "300000.00 × 730 ÷ 365", "amount": "600000.00"},
        {"rule": "old_plan_left", "formula": "6000.00 × 730 ÷ 365", "amount": "-12000.00"},
    ]


def test_a_refusal_is_json_and_exits_with_1():
    ran = run(json.dumps(asking("upgrade", "2023-12-06T10:39:16+08:00", BUSINESS, plan="lite")))

    assert (ran.returncode, ran.stderr) == (1, b"")
    answer = json.loads(ran.stdout)
    assert answer["refused"] == "plan_not_higher"
    assert "高于当前级别" in answer["message"]


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"plan": "\xff"}'])
def test_what_is_no_json_is_refused(text):
    ran = subprocess.run(
        [sys.executable, "manage.py", "explain_quote"],
        input=text,
        capture_output=True,
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        check=False,
    )

    assert (ran.returncode, ran.stderr) == (1, b"")
    assert json.loads(ran.stdout)["refused"] == "question_invalid"


@pytest.mark.parametrize(
    ("question", "charge", "refund", "refund_to"),
    [
        (asking("new", START.isoformat(), plan="lite", years=1), "6000.00", "0.00", {}),
        (asking("renew", START.isoformat(), LITE, years=3), "18000.00", "0.00", {}),
        (
            asking("unsubscribe", "2023-12-05T14:00:00+08:00", LITE),
            "0.00",
            "12000.00",
            {"balance": "12000.00"},
        ),
        (
            asking("unsubscribe", "2024-08-29T11:08:36+08:00", BUSINESS),
            "0.00",
            "82191.78",
            {"alipay": "82191.78"},
        ),
        (
            asking("downgrade", "2024-09-25T11:08:36+08:00", ENTERPRISE, plan="business"),
            "0.00",
            "60000.00",
            {"balance": "60000.00"},
        ),
        (
            asking(
                "downgrade",
                "2024-02-11T11:08:36+08:00",
                {**BUSINESS, "coupon": "270000.00", "cash": {"alipay": "30000.00"}},
                plan="lite",
            ),
            "0.00",
            "19726.03",
            {"alipay": "19726.03"},
        ),
    ],
)
def test_the_guides_figures(question, charge, refund, refund_to):
    answer = ask(question)

    assert (answer["charge"], answer["refund"], answer["refund_to"]) == (charge, refund, refund_to)
    shown = sum(Decimal(step["amount"]) for step in answer["explanation"])
    assert shown == Decimal(charge) + Decimal(refund)


def test_actions_chain_through_the_lines_of_the_answer():
    at = "2024-12-05T13:56:15+08:00"
    lines = ask(asking("new", at, plan="lite", years=1))["lines"]
    lines[0] |= {"voucher": "6000.00", "cash": {}}
    up = ask(asking("upgrade", at, *lines, plan="business"))
    down = ask(asking("downgrade", at, *reversed(up["lines"]), plan="lite"))
    renewed = ask(asking("renew", at, *down["lines"], years=2))
    left = ask(asking("unsubscribe", at, *renewed["lines"]))

    assert (up["charge"], down["refund"], renewed["charge"]) == (
        "294000.00",
        "294000.00",
        "12000.00",
    )
    assert [line["voucher"] for line in down["lines"]] == ["6000.00"]
    # Changed and renewed: no free return, and a voucher's money is spent.
    assert (left["refund"], left["free_return"], left["lines"]) == ("12000.00", False, [])


@pytest.mark.parametrize(("used", "free"), [(2, True), (3, False)])
def test_the_fourth_return_is_by_unused_days(used, free):
    line = {**LITE, "voucher": "6000.00", "cash": {"balance": "6000.00"}}

    answer = ask(asking("unsubscribe", "2023-12-08T00:00:00+08:00", line, free_refunds_used=used))

    assert (answer["free_return"], answer["voucher_back"]) == (
        free,
        "6000.00" if free else "0.00",
    )


def test_zones_order_and_left_out_values_do_not_matter():
    upgrade = {
        **BUSINESS,
        "kind": "upgrade",
        "from_monthly": "500.00",
        "starts": "2023-12-05T05:56:15Z",
        "ends": "2025-12-05T00:56:15-05:00",
        "paid_days": 730,
        "list": "588000.00",
        "cash": {"balance": "588000.00"},
    }
    bare = {name: value for name, value in LITE.items() if name not in {"coupon", "voucher"}}

    answer = ask(asking("downgrade", "2023-12-06T02:39:16Z", upgrade, bare, plan="lite"))

    assert answer["refund"] == "588000.00"
    assert [line["plan"] for line in answer["lines"]] == ["lite"]


@pytest.mark.parametrize(
    ("question", "place"),
    [
        ([], "input"),
        (None, "input"),
        ({}, "at"),
        (asking("buy"), "action"),
        (asking("new", "2024-01-01T00:00:00", plan="lite"), "at"),
        (asking("new", "9999-12-31T00:00:00+08:00", plan="lite"), "at"),
        (asking("new", "0001-01-01T00:00:00+08:00", plan="lite"), "at"),
        (asking("new", 1704067200, plan="lite"), "at"),
        (asking("new", plan=["lite"]), "plan"),
        (asking("new", plan="lite", years="1"), "years"),
        (asking("new", plan="lite", years=1.0), "years"),
        (asking("new", plan="lite", years=10**30), "years"),
        (asking("new", plan="lite", prices={}), "prices"),
        (asking("new", plan="lite", prices=[]), "prices"),
        (asking("unsubscribe", free_refunds_used=-1), "free_refunds_used"),
        ({**asking("renew"), "lines": {"0": LITE}}, "lines"),
        (asking("renew", START.isoformat(), [LITE]), "lines[0]"),
        (asking("renew", START.isoformat(), LITE, {**LITE, "paid_days": "730"}), "lines[1].paid"),
        (asking("renew", START.isoformat(), {**LITE, "plan": "gold"}), "lines[0].plan"),
        (asking("renew", START.isoformat(), {**LITE, "kind": "gift"}), "lines[0].kind"),
        (asking("renew", START.isoformat(), {**LITE, "ends": LITE["starts"]}), "lines[0].ends"),
        (asking("renew", START.isoformat(), {**LITE, "cash": {"beads": "1.00"}}), "lines[0].cash"),
        (asking("renew", START.isoformat(), {**LITE, "cash": "1.00"}), "lines[0].cash"),
        (asking("renew", START.isoformat(), {**LITE, "list": "1.00"}), "lines[0].list"),
        (asking("renew", START.isoformat(), {**LITE, "changed": 1}), "lines[0].changed"),
        ('{"action": "new", "action": "renew"}', '"action"'),
        ('{"at": NaN}', "at"),
    ],
)
def test_the_message_names_the_place_of_what_is_wrong(question, place):
    answer = ask(question)

    assert answer["refused"] == "question_invalid"
    assert place in answer["message"]


@pytest.mark.parametrize(
    "amount",
    [
        *(500, 500.0, None, True, {}, "", " 500.00", "500.001", "1_000.00", "1E2", "1e400"),
        *("NaN", "sNaN", "Infinity", "-0.00", "-1.00", "５００.００", "9" * 5000),
    ],
)
def test_what_is_no_amount_is_refused(amount):
    answer = ask(asking("new", plan="lite", prices={"lite": amount}))

    assert (answer["refused"], answer["message"].split(":")[0]) == (
        "question_invalid",
        "prices.lite",
    )


@pytest.mark.parametrize(
    ("question", "code"),
    [
        (asking("new", plan="standard"), "plan_not_for_sale"),
        (asking("new", plan="lite", years=4), "term_not_offered"),
        (asking("new", START.isoformat(), LITE, plan="lite"), "subscription_already_active"),
        (asking("renew"), "no_active_subscription"),
        (asking("unsubscribe", "2025-12-05T13:56:15+08:00", LITE), "no_active_subscription"),
        (asking("upgrade", "2025-12-04T13:56:16+08:00", LITE, plan="business"), "renew_first"),
        (asking("downgrade", START.isoformat(), LITE, plan="lite"), "plan_not_lower"),
    ],
)
def test_what_the_rules_refuse(question, code):
    assert ask(question)["refused"] == code


def test_ten_thousand_terms_are_answered():
    first = datetime.fromisoformat(LITE["starts"])
    lines = [
        {
            **LITE,
            "starts": (first + n * timedelta(seconds=1)).isoformat(),
            "ends": (first + 730 * DAY + n * timedelta(seconds=1)).isoformat(),
        }
        for n in range(10_000)
    ]

    answer = ask(asking("upgrade", first.isoformat(), *lines, plan="business"))

    assert Decimal(answer["charge"]) == 10_000 * Decimal("588000.00")
    assert sum(Decimal(line["list"]) for line in answer["lines"]) == 10_000 * Decimal("600000.00")


@pytest.fixture
def life(cast):
    life = PlanLife(cast.huachen, cast.owner)
    life.buy("enterprise", START)
    return life


@pytest.mark.django_db
def test_a_stored_subscription_gets_the_answer_of_its_page(life, monkeypatch):
    at = add_years(START, 1) - 73 * DAY
    monkeypatch.setattr("billing.selectors.lines.now", lambda: at)

    answer = ask(
        {"action": "downgrade", "plan": "business"}, "--subscription", str(life.subscription.pk)
    )

    assert (answer["refund"], answer["days"]) == ("60000.00", 73)
    with scope.staff():
        quote = quote_change_of(change_terms(life.tenant.pk, "business", at), at=at)
    assert answer["explanation"] == [step.as_json() for step in quote.explanation]


@pytest.mark.django_db
def test_it_writes_nothing_and_knows_what_was_paid_by_the_test_gateway(cast):
    life = PlanLife(cast.huachen, cast.owner, balance="0.00")
    order = life.place("new", START, plan_code="lite", years=1)
    with scope.staff():
        payment_begin(order_id=order.pk, provider_code="local", actor=SYSTEM, at=START)
        report = TradeReport(
            TradeStatus.PAID,
            "support-portal",
            order.payments.get().number,
            order.amount,
            "CNY",
            trade_no="T1",
            paid_at=START,
        )
        payment_apply(report, provider_code="local", at=START)
    life.fulfil(order, START)

    answer = ask(
        {"action": "unsubscribe", "at": START.isoformat()},
        "--subscription",
        str(life.subscription.pk),
    )

    assert answer["refund_to"] == {"local": "6000.00"}
    with scope.staff():
        assert PaidLine.objects.get().closed_at is None


@pytest.mark.django_db
def test_the_figures_of_the_day_decide(life):
    at = START + 8 * DAY
    with scope.staff():
        Figure.objects.create(code=FigureCode.FREE_RETURN_HOURS, value="240", effective_from=START)
        quote = quote_unsubscription_of(life.subscription, at=at)

    answer = ask(
        {"action": "unsubscribe", "at": at.isoformat()}, "--subscription", str(life.subscription.pk)
    )

    assert quote.is_free_return
    assert (answer["refund"], answer["free_return"]) == ("600000.00", True)


@pytest.mark.django_db
def test_the_plan_in_force_is_the_subscription_s(life):
    """Where the lower plan's price has risen above what was paid, its line is kept as it is."""
    at = START + DAY
    with scope.staff():
        plan = PlanPrice.objects.filter(plan__code="business").latest("effective_from").plan
        PlanPrice.objects.create(plan=plan, monthly="60000.00", effective_from=START + DAY)
    life.change("business", at)

    def charge(**asked):
        question = {**asked, "at": at.isoformat()}
        return ask(question, "--subscription", str(life.subscription.pk))["charge"]

    assert charge(action="renew") == "720000.00"
    assert charge(action="upgrade", plan="enterprise") == "0.00"


@pytest.mark.django_db
@pytest.mark.parametrize("question", [[], {"action": "renew", "at": "soon"}, {"action": "renew"}])
def test_a_question_about_nothing_is_refused(question, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: START)

    assert ask(question, "--subscription", "999999999")["refused"] == "question_invalid"
