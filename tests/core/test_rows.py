"""Rows by written SQL: what the models say is what stands there."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, ProgrammingError, transaction

from core import clock
from core.rows import insert_together, select_rows, update_together
from core.tenancy import scope
from supportplans.models import PaidLine, Plan, Subscription, SubscriptionEvent
from supportplans.selectors.subscriptions import subscription_last

pytestmark = pytest.mark.django_db


def bought(tenant):
    """Return a subscription with a line and two lines of history, written nowhere."""
    now = clock.now()
    plan = Plan.objects.get(code="lite")
    until = now + timedelta(days=365)
    row = Subscription(
        tenant=tenant, plan=plan, basis="paid", anchor=now, starts=now, ends=until, created_at=now
    )
    line = PaidLine(
        tenant=tenant,
        subscription=row,
        order_number="1",
        kind="purchase",
        plan=plan,
        monthly=Decimal("500.00"),
        starts=now,
        ends=until,
        bought_at=now,
        paid_days=365,
        list_amount=Decimal("6000.00"),
        cash={"balance": "6000.00"},
    )
    history = [
        SubscriptionEvent(tenant=tenant, subscription=row, kind=kind, created_at=now)
        for kind in ("started", "renewed")
    ]
    return row, line, history


def test_rows_that_refer_to_a_new_one_are_written_with_it(cast, max_queries):
    with scope.staff():
        row, line, history = bought(cast.huachen)
        with max_queries(1):
            insert_together(row, line, *history)

        found = PaidLine.objects.select_related("subscription").get(subscription_id=row.pk)
        assert (found.cash, found.list_amount) == ({"balance": "6000.00"}, Decimal("6000.00"))
        assert found.subscription.resource_id == row.resource_id
        kinds = row.history.order_by("pk").values_list("kind", flat=True)
        assert list(kinds) == ["started", "renewed"]
    assert (line.subscription_id, history[0].subscription_id) == (row.pk, row.pk)


def test_a_row_is_changed_with_what_belongs_to_the_change(cast, max_queries):
    with scope.staff():
        row, line, history = bought(cast.huachen)
        insert_together(row, line)
        row.state, row.basis, history[0].subscription = "cancelled", "trial", row
        with max_queries(1):
            update_together(row, ["state"], history[0])

        changed = Subscription.objects.get(pk=row.pk)
        assert (changed.state, changed.basis) == ("cancelled", "paid")
        assert row.history.count() == 1


def test_what_another_tenant_has_is_neither_changed_nor_added_to(cast):
    with scope.staff():
        row, line, history = bought(cast.huachen)
        insert_together(row, line)
    denied = pytest.raises(ProgrammingError, match="permission denied")
    with denied, scope.customer(cast.yunfan.pk), transaction.atomic():
        update_together(row, ["state"], history[0])
    with scope.staff():
        assert row.history.count() == 0


def test_a_row_that_is_gone_is_an_error(cast):
    with scope.staff():
        row, _line, _history = bought(cast.huachen)
        row.pk = 0
        with pytest.raises(DatabaseError, match="cannot be updated"):
            update_together(row, ["state"])


def test_rows_are_read_as_the_models_say(cast):
    with scope.staff():
        row, line, _history = bought(cast.huachen)
        insert_together(row, line)
        found = select_rows(
            PaidLine,
            "SELECT *, 7 AS extra FROM supportplans_paidline WHERE tenant_id = %s",
            [cast.huachen.pk],
        )

        assert [(one.cash, one.extra, one.plan.code) for one in found] == [
            ({"balance": "6000.00"}, 7, "lite")
        ]
        assert subscription_last(cast.huachen.pk) == row
