"""Sign-up by email makes a tenant with an owner."""

import pytest
from django.core import mail
from django.test import Client

from accounts.models import Membership, Tenant, User
from accounts.models.tenants import TenantRole

pytestmark = pytest.mark.django_db
FORM = {
    "tenant_name": "海纳零售",
    "name": "周洋",
    "email": "zhou@haina.test",
    "password1": "a-long-pass-phrase-7",
}


def test_a_visitor_becomes_the_owner_of_a_new_tenant(run_jobs, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        answer = Client().post("/accounts/signup/", FORM)

    assert answer.status_code == 302
    membership = Membership.objects.select_related("tenant", "user").get(
        user__email="zhou@haina.test"
    )
    assert (membership.tenant.name, membership.user.name, membership.role) == (
        "海纳零售",
        "周洋",
        TenantRole.OWNER,
    )
    run_jobs()
    assert [m.to for m in mail.outbox] == [["zhou@haina.test"]]
    assert "确认" in mail.outbox[0].subject


def test_what_was_typed_stays_when_something_is_missing():
    answer = Client().post("/accounts/signup/", {**FORM, "tenant_name": ""})

    page = answer.content.decode()
    assert "请填写客户名称" in page
    assert "周洋" in page
    assert not User.objects.filter(email="zhou@haina.test").exists()


def test_where_mail_is_confirmed_a_known_address_is_not_told_to_strangers(cast, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"  # as in production

    answer = Client().post("/accounts/signup/", {**FORM, "email": cast.owner.email})

    assert answer.status_code == 302
    assert Tenant.objects.count() == 2
    assert User.objects.filter(email=cast.owner.email).count() == 1
