"""The customers' overview: what is theirs, what waits for whom."""

import pytest

pytestmark = pytest.mark.django_db


def test_a_standard_customer_sees_their_targets_and_that_nothing_is_open(cast, client_for):
    page = client_for(cast.member).get("/support/").content.decode()
    assert "标准服务" in page
    assert "≤30 分钟" in page
    assert "没有进行中的工单" in page
    assert "没有进行中或待评价的服务单" in page
