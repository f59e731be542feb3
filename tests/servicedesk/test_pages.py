"""Pages of service orders, per role."""

from datetime import timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile

from core import clock
from core.tenancy import scope
from servicedesk.models import Deliverable, ServiceOrder, ServiceOrderRating
from servicedesk.states import Origin, State
from tests.factories.tickets import open_window
from tests.servicedesk.conftest import PDF

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(completed):
    return f"/support/service-orders/{completed.number}/"


@pytest.mark.parametrize(("who", "status"), [("member", 200), ("other_owner", 404)])
def test_a_tenant_sees_its_own_orders_only(cast, client_for, page, completed, who, status):
    client = client_for(getattr(cast, who))

    assert client.get(page).status_code == status
    listed = completed.number in client.get("/support/service-orders/").content.decode()
    assert listed is (status == 200)


def test_files_are_handed_out_as_attachments_to_their_tenant(cast, client_for, page):
    with scope.staff():
        file = Deliverable.objects.get()
    path = f"{page}files/{file.pk}/"

    answer = client_for(cast.member).get(path)
    assert b"".join(answer.streaming_content) == PDF
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert client_for(cast.other_owner).get(path).status_code == 404


def test_a_customer_rates_in_the_page(cast, client_for, page):
    answer = client_for(cast.member).post(
        f"{page}rate/", {"speed": "5", "quality": "4", "suggestion": "很好"}
    )

    assert answer.status_code == 302
    with scope.staff():
        rating = ServiceOrderRating.objects.get()
    assert (rating.speed, rating.quality, rating.suggestion, rating.actor_name) == (
        5,
        4,
        "很好",
        "赵磊",
    )


def test_too_long_a_suggestion_is_refused_and_kept(cast, client_for, page):
    answer = client_for(cast.member).post(
        f"{page}rate/", {"speed": "5", "quality": "4", "suggestion": "长" * 501}
    )

    assert answer.status_code == 400
    assert "长" * 501 in answer.content.decode()


def test_an_account_manager_files_delivers_and_completes(cast, client_for, subscribed):
    subscribed(cast.huachen)
    client = client_for(cast.staff["account_manager"])
    filed = client.post(
        "/desk/service-orders/new/",
        {
            "tenant": cast.huachen.pk,
            "item": "availability_check",
            "scenario": "join",
            "contact": "李明",
            "delivery": "email",
            "scope": "全部云主机",
        },
    )
    page = filed["Location"]
    upload = {"kind": "deliverable", "file": SimpleUploadedFile("建议书.pdf", PDF)}
    assert client.post(f"{page}upload/", upload).status_code == 302
    assert client.post(f"{page}complete/").status_code == 302

    with scope.staff():
        order = ServiceOrder.objects.get()
    assert (order.state, order.fields) == (State.COMPLETED, {"检查范围": "全部云主机"})


def test_filing_for_a_plan_without_the_service_says_so_and_keeps_the_form(cast, client_for):
    answer = client_for(cast.staff["account_manager"]).post(
        "/desk/service-orders/new/",
        {
            "tenant": cast.yunfan.pk,
            "item": "availability_check",
            "scenario": "join",
            "contact": "王海",
            "delivery": "email",
            "scope": "全部",
        },
    )
    assert answer.status_code == 400
    assert "不包含此服务" in answer.content.decode()
    assert "王海" in answer.content.decode()


@pytest.mark.parametrize(
    ("who", "status"),
    [("account_manager", 200), ("operator", 200), ("vip_agent", 403), ("finance", 403)],
)
def test_the_desk_is_for_account_managers(cast, client_for, who, status):
    assert client_for(cast.staff[who]).get("/desk/").status_code == status


def test_customers_have_no_desk(cast, client_for, completed):
    client = client_for(cast.owner)
    assert client.get("/desk/").status_code == 404
    assert client.post(f"/desk/service-orders/{completed.number}/complete/").status_code == 404


def test_an_unknown_action_does_not_exist(cast, client_for, completed):
    client = client_for(cast.staff["account_manager"])
    assert client.post(f"/desk/service-orders/{completed.number}/explode/").status_code == 404


def test_the_api_lists_shows_and_rates(cast, client_for, completed):
    client = client_for(cast.member)

    (row,) = client.get("/api/v1/service-orders/").json()["results"]
    assert (row["number"], row["item"], row["state"]) == (
        completed.number,
        "availability_check",
        "completed",
    )
    detail = client.get(f"/api/v1/service-orders/{completed.number}/").json()
    assert detail["deliverables"][0]["name"] == "建议书.pdf"
    rate = f"/api/v1/service-orders/{completed.number}/rating/"
    assert client.post(rate, {"speed": 6, "quality": 1}).status_code == 400
    assert client.post(rate, {"speed": 5, "quality": 4}).status_code == 201
    assert client_for(cast.other_owner).post(rate, {"speed": 5, "quality": 4}).status_code == 404


def test_the_list_counts_its_views_and_shows_what_is_not_rated(cast, client_for, page, completed):
    client = client_for(cast.member)
    unrated = "/support/service-orders/?state=unrated"

    answer = client.get(unrated)
    assert {code: count for code, _label, count in answer.context["views"]} == {
        "": 1,
        "in_progress": 0,
        "completed": 1,
        "rejected": 0,
        "unrated": 1,
    }
    assert completed.number in answer.content.decode()
    assert completed.number in client.get("/support/").content.decode()

    client.post(f"{page}rate/", {"speed": 5, "quality": 4, "suggestion": ""})
    assert completed.number not in client.get(unrated).content.decode()
    assert completed.number not in client.get("/support/").content.decode()


@pytest.mark.parametrize("reason", ["", "   ", "长" * 281])
def test_a_refusal_without_a_fit_reason_changes_nothing_and_keeps_the_words(
    cast, client_for, file_check, reason
):
    order = file_check(origin=Origin.CUSTOMER)
    client = client_for(cast.staff["account_manager"])
    answer = client.post(f"/desk/service-orders/{order.number}/reject/", {"reason": reason})

    assert answer.status_code == 400
    assert "field__error" in answer.content.decode()
    assert reason in answer.content.decode()
    with scope.staff():
        assert ServiceOrder.objects.get().state == State.REQUESTED


@pytest.mark.parametrize(
    ("asked", "monday"),
    [
        ("2026-12-09", "2026-12-07"),
        ("", "2026-11-23"),
        ("gestern", "2026-11-23"),
        ("9999-12-31", "2026-11-23"),
    ],
)
def test_the_calendar_turns_to_any_week(cast, client_for, asked, monday):
    with time_machine.travel("2026-11-24T10:00:00+08:00", tick=False):
        client = client_for(cast.staff["account_manager"])
        page = client.get("/desk/", {"from": asked})

    assert f"{page.context['first']:%Y-%m-%d}" == monday
    assert page.context["first"].utcoffset() == timedelta(hours=8)


def test_the_desk_counts_only_the_managers_own(cast, client_for, subscribed, file_check):
    manager = cast.staff["account_manager"]
    now = clock.now()
    with scope.staff():
        cast.yunfan.account_manager = cast.card("team_lead")
        cast.yunfan.save(update_fields=["account_manager"])
        for tenant in (cast.huachen, cast.yunfan):
            open_window(tenant, 3, starts=now, ends=now + timedelta(days=1))
    file_check(origin=Origin.CUSTOMER)
    page = client_for(manager).get("/desk/")

    assert page.context["tiles"].windows == 1
    ((order, plan),) = page.context["waiting"]
    assert (order.tenant, plan.code) == (cast.huachen, "enterprise")
    (customer,) = page.context["portfolio"]
    assert (customer.assurance.total, customer.assurance.used) == (4, 0)
    assert "1 项重保进行中" in page.content.decode()
