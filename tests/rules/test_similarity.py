"""How much two concerns look alike."""

import pytest

from tickets.similarity import ALIKE, likeness


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("云主机无法连接", "云主机无法 SSH 连接"),
        ("数据库连接超时", "华东1 数据库连接超时，订单写入失败"),
        ("ECS cannot be reached", "cannot reach: ECS in east"),
    ],
)
def test_alike(one, other):
    assert likeness(one, other) >= ALIKE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("云主机无法连接", "发票开具咨询"),
        ("云硬盘扩容", "云数据库主备切换"),
        ("", "云主机无法连接"),
        ("，。", "云主机"),
        ("无法连接", "无法续订"),
    ],
)
def test_not_alike(one, other):
    assert likeness(one, other) < ALIKE
