"""Service orders of the cast."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.access import SYSTEM
from core import clock
from core.tenancy import scope
from servicedesk.services import service_orders
from servicedesk.states import DeliverableKind, Origin
from supportplans.services.subscriptions import subscription_start
from supportplans.states import Basis, PlanCode

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@pytest.fixture(autouse=True)
def private_files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def subscribed(cast):
    """Give a customer of the cast a plan."""

    def give(tenant, plan=PlanCode.ENTERPRISE):
        now = clock.now()
        with scope.staff():
            return subscription_start(
                tenant_id=tenant.pk,
                plan_code=plan,
                basis=Basis.PAID,
                starts=now,
                ends=clock.add_years(now, 1),
                lines=[],
                actor=SYSTEM,
                at=now,
            )

    return give


@pytest.fixture
def file_check(cast, subscribed):
    """File an availability check for 华辰."""
    subscribed(cast.huachen)

    def file(origin=Origin.MANAGER, at=None, **changes):
        person = cast.owner if origin == Origin.CUSTOMER else cast.staff["account_manager"]
        options = {
            "item_code": "availability_check",
            "scenario": "change",
            "contact": "李明",
            "delivery": "email",
            "fields": {},
            **changes,
        }
        with scope.staff():
            return service_orders.service_order_file(
                tenant_id=cast.huachen.pk,
                origin=origin,
                actor=cast.actor(person),
                at=at or clock.now(),
                **options,
            )

    return file


@pytest.fixture
def completed(cast, file_check):
    """A completed check with one deliverable."""
    order = file_check()
    manager = cast.actor(cast.staff["account_manager"])
    with scope.staff():
        service_orders.deliverable_add(
            order_id=order.pk,
            kind=DeliverableKind.DELIVERABLE,
            upload=SimpleUploadedFile("建议书.pdf", PDF),
            actor=manager,
            at=clock.now(),
        )
        return service_orders.service_order_complete(
            order_id=order.pk, actor=manager, at=clock.now()
        )
