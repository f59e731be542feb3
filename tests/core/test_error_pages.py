"""What people see when something cannot be shown."""

import logging

import pytest
from django.test import RequestFactory

from config.errors import server_error


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/help/?q=%00", "/help/a%00b/", "/support/orders/%00/"])
def test_an_address_with_a_null_character_is_a_bad_request(client, address):
    answer = client.get(address)
    assert answer.status_code == 400
    assert "您的数据没有变化" in answer.content.decode()


@pytest.mark.django_db
def test_a_missing_page_keeps_the_way_back_and_the_hotline(client):
    answer = client.get("/no-such-page/")
    assert answer.status_code == 404
    page = answer.content.decode()
    assert "页面不存在" in page
    assert "400-810-9889" in page


def test_a_failure_says_that_nothing_changed_and_leaves_its_number_in_the_log(caplog):
    with caplog.at_level(logging.ERROR, logger="config.errors"):
        answer = server_error(RequestFactory().get("/support/"))
    page = answer.content.decode()
    number = caplog.messages[0].rsplit(" ", 1)[-1]
    assert answer.status_code == 500
    assert number.startswith("E-")
    assert number in page
    assert "您的数据没有变化" in page
    assert "400-810-9889" in page
