"""The order of the agents' queue (domain.md §5)."""

from django.utils import translation

from tickets.queueing import Standing, queue_rank, why_here

URGENT, GENERAL = "urgent", "general"


def ranks(*standings: Standing) -> list[int]:
    return [queue_rank(standing) for standing in standings]


def test_the_assurance_level_comes_before_everything():
    order = ranks(
        Standing(1, GENERAL, 1),
        Standing(2, URGENT, 1),
        Standing(3, URGENT, 1),
        Standing(None, URGENT, 1),
    )
    assert order == sorted(order)
    assert len(set(order)) == 4


def test_then_severity_then_restore_priority():
    order = ranks(
        Standing(None, URGENT, 1),
        Standing(None, URGENT, 3),
        Standing(None, URGENT, 9),
        Standing(None, GENERAL, 1),
        Standing(None, GENERAL, 9),
    )
    assert order == sorted(order)
    assert len(set(order)) == 5


def test_in_windows_of_level_one_and_two_a_general_ticket_stands_as_urgent():
    assert queue_rank(Standing(1, GENERAL, 1)) == queue_rank(Standing(1, URGENT, 1))
    assert queue_rank(Standing(2, GENERAL, 1)) == queue_rank(Standing(2, URGENT, 1))
    assert queue_rank(Standing(3, GENERAL, 1)) > queue_rank(Standing(3, URGENT, 1))


def test_the_place_is_explained_in_the_order_of_its_reasons():
    with translation.override("zh-hans"):
        reasons = why_here(Standing(2, GENERAL, 1), deadline="10:12:11", plan="企业级")
        plain = why_here(Standing(None, URGENT, 9), deadline="", plan="标准服务")
    assert reasons == [
        "二级重保进行中",
        "一般工单按紧急处理（重保）",
        "企业级，第一优先级恢复",
        "最近时限 10:12:11",
    ]
    assert plain == [
        "没有进行中的重保",
        "级别：紧急",
        "标准服务，故障恢复优先级最后",
        "没有计时中的时限",
    ]
