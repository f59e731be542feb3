"""What a page is answered that asks for more after its session has ended, and addresses that name nothing."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db
ASKED_BY_HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/console/?view=mine"}


@pytest.mark.parametrize("path", ["/console/live/", "/support/tickets/", "/messages/"])
def test_a_part_is_not_filled_with_the_sign_in_form(path):
    answer = Client().get(path, headers=ASKED_BY_HTMX)
    assert answer.headers["HX-Redirect"] == "/accounts/login/?next=/console/%3Fview%3Dmine"
    assert answer.content == b""
    assert Client().get(path).headers["Location"] == f"/accounts/login/?next={path}"


@pytest.mark.parametrize("path", ["/console/tickets/%00/", "/console/?q=%00", "/help/?q=a%00b"])
def test_an_address_with_a_nul_is_refused(cast, client_for, path):
    assert client_for(cast.staff["vip_agent"]).get(path).status_code == 400


def test_the_clock_says_what_is_wrong_beside_the_field(cast, client_for):
    operator = client_for(cast.staff["operator"])
    page = operator.post("/operations/clock/", {"hours": "-3"})
    assert page.status_code == 400
    assert set(page.context["form"].errors) == {"hours"}
    assert 'value="-3"' in page.content.decode()
    page = operator.post("/operations/clock/", {})
    assert set(page.context["form"].errors) == {"__all__"}
