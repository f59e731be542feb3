"""The life of a service order (domain.md §7)."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from core import clock
from core.exceptions import DomainError
from core.tenancy import scope
from messaging.models import Message
from servicedesk.exceptions import (
    DeliverableMissing,
    ItemNotIncluded,
    RatingNotOpen,
    ReasonMissing,
    ServiceOrderMoveRefused,
)
from servicedesk.models import Deliverable
from servicedesk.selectors import scenarios_for
from servicedesk.services import service_orders
from servicedesk.states import DeliverableKind, Origin, State
from tests.servicedesk.conftest import PDF

pytestmark = pytest.mark.django_db

# Guide 1.5.6 and 1.5.7: who gets which service on which occasion, and how.
JOIN_ONLY = {"join": "proactive"}
ON_APPLICATION = {"join": "proactive", "event": "on_application", "change": "on_application"}
ALL_PROACTIVE = {
    "join": "proactive",
    "event": "proactive",
    "change": "proactive",
    "yearly": "proactive",
}


@pytest.mark.parametrize(
    ("plan", "item", "scenarios"),
    [
        ("standard", "availability_check", {}),
        ("lite", "availability_check", JOIN_ONLY),
        ("business", "availability_check", ON_APPLICATION),
        ("enterprise", "availability_check", ALL_PROACTIVE),
        ("standard", "monitoring_optimization", {}),
        ("lite", "monitoring_optimization", {}),
        ("business", "monitoring_optimization", ON_APPLICATION),
        ("enterprise", "monitoring_optimization", ALL_PROACTIVE),
        ("business", "monthly_report", {}),
        ("enterprise", "monthly_report", {"": "included"}),
    ],
)
def test_occasions_are_those_of_the_guide(plan, item, scenarios):
    assert scenarios_for(plan, item) == scenarios


def test_staffs_orders_start_at_once_and_customers_wait_for_approval(file_check):
    assert file_check().state == State.IN_PROGRESS
    assert file_check(Origin.CUSTOMER).state == State.REQUESTED


def test_a_plan_without_the_service_is_refused(cast, file_check):
    with pytest.raises(ItemNotIncluded), scope.staff():
        service_orders.service_order_file(
            tenant_id=cast.yunfan.pk,
            item_code="availability_check",
            scenario="join",
            contact="王海",
            delivery="email",
            fields={},
            origin=Origin.MANAGER,
            actor=cast.actor(cast.staff["account_manager"]),
            at=clock.now(),
        )


def test_a_file_of_the_same_name_is_the_next_version(cast, file_check, as_staff):
    order = file_check()
    for _ in range(2):
        service_orders.deliverable_add(
            order_id=order.pk,
            kind=DeliverableKind.DELIVERABLE,
            upload=SimpleUploadedFile("建议书.pdf", PDF),
            actor=cast.actor(cast.staff["account_manager"]),
            at=clock.now(),
        )
    assert list(Deliverable.objects.values_list("name", "version").order_by("version")) == [
        ("建议书.pdf", 1),
        ("建议书.pdf", 2),
    ]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("leer.pdf", b"", "file_empty"),
        ("virus.pdf", b"MZ\x90\x00not a pdf", "file_type_refused"),
        ("page.html", b"<script>alert(1)</script>", "file_type_refused"),
    ],
)
def test_only_real_documents_are_accepted(cast, file_check, as_staff, name, content, code):
    order = file_check()
    with pytest.raises(DomainError) as refused:
        service_orders.deliverable_add(
            order_id=order.pk,
            kind=DeliverableKind.DELIVERABLE,
            upload=SimpleUploadedFile(name, content),
            actor=cast.actor(cast.staff["account_manager"]),
            at=clock.now(),
        )
    assert refused.value.code == code
    assert not Deliverable.objects.exists()


def test_nothing_is_completed_without_a_deliverable(cast, file_check, as_staff):
    with pytest.raises(DeliverableMissing):
        service_orders.service_order_complete(
            order_id=file_check().pk,
            actor=cast.actor(cast.staff["account_manager"]),
            at=clock.now(),
        )


def test_a_completed_order_tells_the_customer_once(cast, completed, as_staff):
    manager = cast.actor(cast.staff["account_manager"])
    with pytest.raises(ServiceOrderMoveRefused):
        service_orders.service_order_complete(order_id=completed.pk, actor=manager, at=clock.now())
    assert Message.objects.filter(kind="servicedesk.completed").count() == 1


def test_a_refusal_says_why(cast, file_check, as_staff):
    order = file_check(Origin.CUSTOMER)
    manager = cast.actor(cast.staff["account_manager"])
    with pytest.raises(ReasonMissing):
        service_orders.service_order_reject(
            order_id=order.pk, reason="  ", actor=manager, at=clock.now()
        )
    service_orders.service_order_reject(
        order_id=order.pk, reason="资料不全", actor=manager, at=clock.now()
    )
    with pytest.raises(ServiceOrderMoveRefused):
        service_orders.service_order_approve(order_id=order.pk, actor=manager, at=clock.now())


def test_a_rating_can_be_changed_for_seven_days(cast, completed):
    owner, at = cast.actor(cast.owner), clock.now()

    def rate(stars, when):
        with scope.customer(cast.huachen.pk):
            return service_orders.service_order_rate(
                order_id=completed.pk, speed=stars, quality=5, suggestion="", actor=owner, at=when
            )

    rate(3, at)
    assert rate(5, at + timedelta(days=7) - timedelta(seconds=1)).speed == 5
    with pytest.raises(RatingNotOpen):
        rate(1, at + timedelta(days=7))
