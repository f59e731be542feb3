"""Trials: applied for by the owner, decided by an account manager, granted once per account (domain.md §2)."""

from datetime import timedelta

import pytest

from core import clock
from core.tenancy import scope
from supportplans import exceptions as errors
from supportplans.models import Subscription, TrialApplication
from supportplans.selectors.coverage import coverage_at
from supportplans.services import trials
from supportplans.services.subscriptions import subscriptions_expire_due
from supportplans.states import Basis, TrialState
from tests.factories.billing import actor_of
from tests.factories.supportplans import make_subscription

pytestmark = pytest.mark.django_db
APPLY, DESK = "/support/plan/trial/", "/desk/trials/"


def apply(cast, at=None):
    with scope.customer(cast.huachen.pk):
        return trials.trial_apply(
            tenant_id=cast.huachen.pk,
            plan_code="business",
            reason="评估",
            actor=actor_of(cast.owner),
            at=at or clock.now(),
        )


def grant(application, days=None, at=None):
    with scope.staff():
        return trials.trial_grant(
            application_id=application.pk,
            days=days,
            actor=actor_of(application.actor),
            at=at or clock.now(),
        )


@pytest.mark.parametrize(("days", "runs"), [(None, 30), (7, 7)])
def test_a_granted_trial_runs_its_days_without_a_promise(cast, days, runs):
    now = clock.now()

    grant(apply(cast), days, now)

    with scope.staff():
        subscription = Subscription.objects.get(tenant=cast.huachen)
        coverage = coverage_at(cast.huachen.pk, now + timedelta(seconds=1))
    assert subscription.ends - subscription.starts == timedelta(days=runs)
    assert (subscription.basis, coverage.plan_code, coverage.promised) == (
        Basis.TRIAL,
        "business",
        False,
    )


def test_a_trial_is_granted_once_per_account(cast):
    now = clock.now()
    grant(apply(cast), 1, now)
    with scope.staff():
        subscriptions_expire_due(at=now + timedelta(days=2))

    with pytest.raises(errors.TrialNotPossible):
        apply(cast, now + timedelta(days=3))


def test_no_trial_beside_a_plan(cast):
    application = apply(cast)
    make_subscription(cast.huachen)

    with pytest.raises(errors.TrialNotPossible):
        grant(application)


def test_applying_twice_is_one_application(cast):
    assert apply(cast) == apply(cast)


def test_a_decision_is_final(cast):
    application = apply(cast)
    with scope.staff():
        trials.trial_refuse(
            application_id=application.pk,
            answer="资料不全",
            actor=actor_of(cast.owner),
            at=clock.now(),
        )

    with pytest.raises(errors.TrialAlreadyDecided):
        grant(application)
    assert apply(cast).pk != application.pk  # a refused one may apply again


@pytest.mark.parametrize("days", [0, 366])
def test_days_are_bounded(cast, days):
    with pytest.raises(errors.TrialDaysInvalid):
        grant(apply(cast), days)


def test_the_pages_from_application_to_decision(cast, client_for):
    owner, manager = client_for(cast.owner), client_for(cast.staff["account_manager"])
    assert "每个账户一次，默认 30 天" in owner.get(APPLY).content.decode()
    bad = owner.post(APPLY, {"plan": "", "reason": "想先试试"})
    assert bad.status_code == 422
    assert "想先试试" in bad.content.decode()
    owner.post(APPLY, {"plan": "business", "reason": "想先试试"})
    with scope.staff():
        application = TrialApplication.objects.get()
    assert "想先试试" in manager.get(DESK).content.decode()
    wrong = manager.post(f"{DESK}{application.pk}/refuse/", {"answer": ""})
    assert wrong.status_code == 422
    assert "请填写驳回原因" in wrong.content.decode()
    manager.post(f"{DESK}{application.pk}/grant/", {"days": "14"})

    with scope.staff():
        application.refresh_from_db()
    assert (application.state, application.days, application.decided_by) == (
        TrialState.GRANTED,
        14,
        "客户经理",
    )
    assert "试用" in owner.get("/support/plan/").content.decode()
    assert (
        "每个账户可试用一次" in owner.get(APPLY).content.decode()
        or "尚未订购" in owner.get(APPLY).content.decode()
    )


def test_the_owner_can_take_the_application_back(cast, client_for):
    application = apply(cast)

    client_for(cast.owner).post(f"{APPLY}{application.pk}/withdraw/")

    with scope.staff():
        application.refresh_from_db()
    assert application.state == TrialState.WITHDRAWN


def test_who_may_not(cast, client_for):
    application = apply(cast)

    assert (
        client_for(cast.other_owner).post(f"{APPLY}{application.pk}/withdraw/").status_code == 404
    )
    assert client_for(cast.administrator).get(APPLY).status_code == 403
    assert client_for(cast.staff["vip_agent"]).get(DESK).status_code == 403
    assert client_for(cast.owner).get(DESK).status_code == 404
    manager = client_for(cast.staff["account_manager"])
    assert manager.post(f"{DESK}{application.pk}/shred/").status_code == 404
    assert manager.post(f"{DESK}999999/grant/").status_code == 404


def test_the_api_applies_shows_and_takes_back(cast, client_for):
    client, path = client_for(cast.owner), "/api/v1/plan/trial/"

    def apply_for(plan):
        return client.post(path, {"plan": plan, "reason": "评估"}, content_type="application/json")

    assert client.get(path).status_code == 404
    assert apply_for("standard").status_code == 400
    assert (apply_for("business").status_code, apply_for("business").status_code) == (201, 201)
    assert client.get(path).json()["state"] == TrialState.REQUESTED
    assert client_for(cast.other_owner).get(path).status_code == 404
    assert client_for(cast.member).get(path).status_code == 403
    assert client.delete(path).status_code == 204
    assert client.delete(path).status_code == 404


def test_the_api_tells_the_plan_in_force(cast, client_for):
    grant(apply(cast))

    plan = client_for(cast.member).get("/api/v1/plan/").json()

    assert (plan["plan"], plan["basis"], plan["promised"]) == ("business", "trial", False)
    assert plan["target_minutes"] == {"urgent": 10, "general": 30}
