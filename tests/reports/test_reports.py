"""Making and handing out monthly reports."""

from io import BytesIO

import pytest
from pypdf import PdfReader

from accounts.access import SYSTEM
from core import clock
from core.tenancy import scope
from reports import selectors, services
from reports.models import MonthlyReport
from servicedesk.models import ServiceOrder
from servicedesk.states import State
from supportplans.services.subscriptions import subscription_start
from supportplans.states import Basis, PlanCode

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def private_files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def month():
    return selectors.month_to_report(clock.now())


@pytest.fixture
def on_enterprise(month):
    """Put a customer on enterprise in the middle of last month."""

    def give(tenant, plan=PlanCode.ENTERPRISE):
        starts = month.replace(day=15)
        with scope.staff():
            subscription_start(
                tenant_id=tenant.pk,
                plan_code=plan,
                basis=Basis.PAID,
                starts=starts,
                ends=clock.add_years(starts, 1),
                lines=[],
                actor=SYSTEM,
                at=starts,
            )

    return give


def test_reports_are_due_for_enterprise_customers_of_the_month_only(
    cast, on_enterprise, month, as_staff
):
    on_enterprise(cast.huachen)
    on_enterprise(cast.yunfan, PlanCode.BUSINESS)
    assert list(selectors.tenants_due(month)) == [cast.huachen]
    assert not selectors.tenants_due(services.month_after(month).replace(year=2020)).exists()


def test_a_report_is_made_once_and_handed_over_as_a_service_order(cast, on_enterprise, month):
    on_enterprise(cast.huachen)
    first = services.report_make(tenant_id=cast.huachen.pk, month=month, at=clock.now())
    again = services.report_make(tenant_id=cast.huachen.pk, month=month, at=clock.now())

    assert again.pk == first.pk
    with scope.staff():
        order = ServiceOrder.objects.get()
    assert (order.number, order.state, order.item.code) == (
        first.service_order_number,
        State.COMPLETED,
        "monthly_report",
    )


def test_the_pdf_is_chinese_with_its_own_fonts_and_as_many_pages_as_it_says(
    cast, on_enterprise, month
):
    on_enterprise(cast.huachen)
    report = services.report_make(tenant_id=cast.huachen.pk, month=month, at=clock.now())

    document = PdfReader(BytesIO(report.file.read()))
    text = "".join(page.extract_text() for page in document.pages)
    assert "华辰科技" in text
    assert f"{month.month} 月" in text
    assert "工单整体情况" in text
    assert len(document.pages) == report.pages >= 1
    fonts = {
        font["/BaseFont"].split("+")[-1]
        for page in document.pages
        for font in (f.get_object() for f in page["/Resources"]["/Font"].values())
    }
    assert {
        name.startswith("/Report-Sans") or name.startswith("Report-Sans") for name in fonts
    } == {True}


def test_a_customer_downloads_their_own_report_and_no_one_elses(
    cast, client_for, on_enterprise, month
):
    on_enterprise(cast.huachen)
    report = services.report_make(tenant_id=cast.huachen.pk, month=month, at=clock.now())
    path = f"/support/reports/{report.pk}/"

    answer = client_for(cast.member).get(path)
    assert b"".join(answer.streaming_content).startswith(b"%PDF-")
    assert answer["Content-Disposition"].startswith("attachment")
    assert client_for(cast.other_owner).get(path).status_code == 404
    assert client_for(cast.staff["account_manager"]).get(path).status_code == 404


def test_the_nightly_run_asks_for_what_is_missing(
    cast, on_enterprise, run_jobs, month, django_capture_on_commit_callbacks
):
    from reports.tasks import month_due

    on_enterprise(cast.huachen)
    run_jobs.waiting.clear()
    with django_capture_on_commit_callbacks(execute=True):
        month_due()
    run_jobs()
    with scope.staff():
        assert MonthlyReport.objects.get().tenant == cast.huachen


@pytest.mark.parametrize(("who", "status"), [("account_manager", 200), ("finance", 403)])
def test_the_desk_shows_who_waits_for_a_report(cast, client_for, on_enterprise, who, status):
    on_enterprise(cast.huachen)
    answer = client_for(cast.staff[who]).get("/desk/reports/")
    assert answer.status_code == status
    assert ("立即生成" in answer.content.decode()) is (status == 200)


def test_others_learn_which_plan_has_reports(cast, client_for):
    assert (
        "企业级支持计划的权益" in client_for(cast.owner).get("/support/reports/").content.decode()
    )
    assert "CPU" in client_for(cast.owner).get("/support/reports/data-use/").content.decode()
