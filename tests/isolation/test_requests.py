"""Requests and tasks in their scopes (isolation.md, tests 9, 13 and 14)."""

import pytest
from celery import current_app, shared_task
from django.db import connection
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path
from rest_framework.exceptions import ValidationError
from rest_framework.views import APIView

from accounts.access import IsCustomer
from accounts.models import Invitation, Tenant
from config.urls import handler500  # noqa: F401  (the portal's own answer to an error)
from config.urls import urlpatterns as portal_urls
from core import clock
from core.tenancy import scope
from core.tenancy.celery import TENANT_HEADER, TenantMissing
from tests.isolation.catalogue import rows


def write(request) -> None:
    Tenant.objects.filter(pk=request.portal.tenant_id).update(name="umbenannt")


def fails(request):
    write(request)
    raise RuntimeError("after a write")


def answers_500(request):
    write(request)
    return HttpResponse(status=503)


class Refuses(APIView):
    permission_classes = (IsCustomer,)

    def post(self, request):
        write(request)
        raise ValidationError({"name": ["no"]})


urlpatterns = [
    path("fails/", fails),
    path("answers-500/", answers_500),
    path("refuses/", Refuses.as_view()),
    *portal_urls,
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("method", "url", "status"),
    [("get", "/fails/", 500), ("get", "/answers-500/", 503), ("post", "/refuses/", 400)],
)
@override_settings(ROOT_URLCONF=__name__)
def test_a_request_that_fails_keeps_nothing(cast, client_for, method, url, status):
    client = client_for(cast.owner)
    client.raise_request_exception = False

    assert getattr(client, method)(url).status_code == status
    with scope.staff():
        assert Tenant.objects.get(pk=cast.huachen.pk).name == "华辰科技"


@pytest.mark.django_db
class TestSignInComesBeforeTheTenant:
    def test_visitors_reach_the_pages_of_sign_in(self, client):
        for page in ("login", "signup", "password/reset"):
            assert client.get(f"/accounts/{page}/").status_code == 200

    def test_a_reset_is_answered_alike_for_known_and_unknown(self, client, cast):
        answers = {
            client.post("/accounts/password/reset/", {"email": email}).status_code
            for email in (cast.owner.email, "nobody@nowhere.test")
        }
        assert answers == {302}

    def test_signing_in_with_a_password(self, client, cast):
        cast.owner.set_password("a-long-pass-phrase-7")
        cast.owner.save()

        answer = client.post(
            "/accounts/login/", {"login": cast.owner.email, "password": "a-long-pass-phrase-7"}
        )

        assert answer["Location"] == "/home/"
        assert client.get("/home/")["Location"] == "/support/"

    def test_the_back_office_is_for_operators(self, client_for, cast):
        operator = client_for(cast.staff["operator"])
        assert operator.get("/operations/admin/").status_code == 200
        assert client_for(cast.owner).get("/operations/admin/").status_code == 302
        assert (
            client_for(cast.staff["finance"]).get("/operations/admin/accounts/user/").status_code
            == 403
        )


@shared_task(name="tests.who_am_i")
def who_am_i() -> None:
    seen.append(rows("SELECT current_user::text, current_setting('app.tenant_id', true)")[0])


@shared_task(name="tests.staff_task", scope="staff")
def staff_task() -> None:
    seen.append((rows("SELECT current_user::text")[0][0], Tenant.objects.count()))


seen: list[tuple] = []


@pytest.fixture
def tasks():
    seen.clear()
    current_app.loader.import_default_modules()
    return current_app.tasks


def run(task, headers):
    task.push_request(headers=headers)
    try:
        task()
    finally:
        task.pop_request()


@pytest.mark.django_db
class TestTasks:
    def test_a_tenants_task_sees_its_tenant_one_after_the_other(self, cast, tasks):
        for tenant in (cast.huachen, cast.yunfan):
            run(tasks["tests.who_am_i"], {TENANT_HEADER: tenant.pk})
        assert seen == [
            ("portal_customer", str(cast.huachen.pk)),
            ("portal_customer", str(cast.yunfan.pk)),
        ]
        assert rows("SELECT current_user::text") == [("portal_app",)]

    def test_a_task_without_a_tenant_does_not_run(self, tasks):
        with pytest.raises(TenantMissing):
            run(tasks["tests.who_am_i"], {})
        assert seen == []

    def test_a_staff_task_sees_all(self, cast, tasks):
        run(tasks["tests.staff_task"], {})
        assert seen == [("portal_staff", 2)]

    def test_what_a_scope_sends_carries_its_tenant(self, cast, tasks, monkeypatch):
        sent = []
        monkeypatch.setattr(
            "celery.Task.apply_async", lambda self, *a, **options: sent.append(options["headers"])
        )
        with scope.customer(cast.huachen.pk):
            tasks["tests.who_am_i"].apply_async()
        tasks["tests.who_am_i"].apply_async()
        assert sent == [{TENANT_HEADER: cast.huachen.pk}, {}]

    def test_a_retry_keeps_the_tenant(self, cast, tasks):
        task = tasks["tests.who_am_i"]
        task.push_request(
            headers={TENANT_HEADER: cast.huachen.pk}, **{TENANT_HEADER: cast.huachen.pk}
        )
        try:
            assert task.signature_from_request().options["headers"] == {
                TENANT_HEADER: cast.huachen.pk
            }
        finally:
            task.pop_request()


@pytest.mark.django_db
def test_work_that_is_enqueued_by_name_is_registered(tasks):
    import pathlib
    import re

    from django.conf import settings

    named = set()
    for app in (
        "accounts",
        "messaging",
        "supportplans",
        "billing",
        "tickets",
        "servicedesk",
        "onlineservice",
        "reports",
    ):
        for source in (pathlib.Path(settings.BASE_DIR) / app).rglob("*.py"):
            named |= set(re.findall(r'enqueue\(\s*"([a-z_.]+)"', source.read_text()))
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert named | scheduled <= set(tasks)
    assert {"messaging.messages_expand", "accounts.mail_send"} <= named


@pytest.mark.django_db
def test_the_owner_changes_all_tenants_rows_in_a_data_migration(cast):
    """FORCE would hide rows from the tables' owner; it inherits staff's rights, so that nothing is silently skipped."""
    assert rows("SELECT pg_has_role('portal_owner', 'portal_staff', 'USAGE')") == [(True,)]
    assert rows("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = 'portal_owner'") == [
        (False,)
    ]


@pytest.mark.django_db
def test_foreign_and_missing_parents_are_refused_alike(cast):
    """A link to another tenant's row and to none give the same error: no oracle."""
    from django.db import IntegrityError, transaction

    from messaging.models import Delivery, Message

    with scope.staff():
        foreign = Message.objects.create(
            tenant=cast.yunfan, kind="k", key="1", audience=[], created_at=clock.now()
        )
    errors = []
    for parent in (foreign.pk, 999_999_999):
        with pytest.raises(IntegrityError) as caught, transaction.atomic(), scope.staff():
            Delivery.objects.create(
                tenant=cast.huachen,
                message_id=parent,
                recipient=cast.owner,
                channel="inbox",
                created_at=clock.now(),
            )
            connection.check_constraints()
        errors.append(type(caught.value))
    assert errors == [IntegrityError, IntegrityError]


@pytest.mark.django_db
def test_an_address_invited_elsewhere_is_no_secret_told(cast, client_for):
    """Uniqueness is per tenant: inviting somebody whom another tenant invited says nothing."""
    with scope.customer(cast.yunfan.pk):
        Invitation.objects.create(
            tenant=cast.yunfan,
            email="shared@somewhere.test",
            token_digest="x" * 64,
            expires_at=clock.now(),
            created_at=clock.now(),
        )
    answer = client_for(cast.owner).post(
        "/support/people/", {"email": "shared@somewhere.test", "role": "member"}
    )
    assert answer.status_code == 302
