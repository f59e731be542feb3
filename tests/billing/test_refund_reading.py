"""What finance's pages read of refunds: pages by key, what is open, an order's own with their history."""

from __future__ import annotations

import pytest

from billing.selectors.finance import PAGE, page_of, refunds_found
from billing.selectors.reconciliation import proof_list, reconciliation_list
from billing.selectors.refunds import refunds_of
from billing.states import RefundState
from billing.tasks import ledger_prove, reconcile, refunds_follow_due
from core import clock
from core.tenancy import scope
from tests.factories.billing import order_for, pay_at, refunds_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def bought(cast, gateway):
    return pay_at(gateway, order_for(cast.huachen, cast.owner), cast.owner).order


def test_refunds_are_listed_newest_first_by_key(bought, max_queries, monkeypatch):
    monkeypatch.setattr("billing.selectors.finance.PAGE", 2)
    made = [refunds_for(bought, local="1.00")[0] for _ in range(4)]
    with scope.staff(), max_queries(2):
        page, key = page_of(refunds_found(), None)
        assert [refund.pk for refund in page] == [made[3].pk, made[2].pk]
        assert key == made[2].pk
        rest, end = page_of(refunds_found(), key)
        assert [refund.pk for refund in rest] == [made[1].pk, made[0].pk]
        assert end is None
        assert {refund.tenant.name for refund in page} == {"华辰科技"}
    assert PAGE == 50


def test_they_are_filtered_by_state_and_destination(bought):
    (first,) = refunds_for(bought, local="1.00")
    refunds_follow_due()
    (second,) = refunds_for(bought, local="2.00")
    (third,) = refunds_for(bought, to_balance=True, local="3.00")
    with scope.staff():
        assert list(refunds_found(state=RefundState.READY)) == [second]
        assert list(refunds_found(destination="balance")) == [third]
        assert list(refunds_found(state=RefundState.SUCCEEDED, destination="local")) == [first]
        assert list(refunds_found(q=second.number)) == [second]


def test_an_orders_refunds_come_with_their_history(bought, max_queries):
    (refund,) = refunds_for(bought, local="1.00")
    refunds_follow_due()
    with scope.staff():
        order = type(bought).objects.get(pk=refund.order_id)
    with scope.customer(bought.tenant_id), max_queries(2):
        (shown,) = refunds_of(order)
        assert [event.to_state for event in shown.history.all()] == [
            "ready",
            "processing",
            "succeeded",
        ]


def test_compared_days_and_proofs_are_listed(bought):
    reconcile("local", clock.local(clock.now()).date().isoformat())
    ledger_prove()
    with scope.staff():
        assert [row.provider for row in reconciliation_list()] == ["local"]
        assert [proof.findings for proof in proof_list()] == [[]]
