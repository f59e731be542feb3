"""PgBouncer hands one server connection from transaction to transaction (isolation.md, test 11)."""

from __future__ import annotations

import threading

import psycopg2
import pytest
from django.db import connection

from tests.bouncer import running_bouncer
from tests.factories.supportplans import make_subscription

ROUNDS = 150


class Client(threading.Thread):
    """Reads memberships again and again through the pool, with or without a tenant's scope."""

    def __init__(self, target: dict[str, object], tenant_id: int | None) -> None:
        super().__init__()
        self.target, self.tenant_id = target, tenant_id
        self.tenants_seen: set[int] = set()
        self.refused = 0
        self.servers: set[int] = set()

    def run(self) -> None:
        pooled = psycopg2.connect(**self.target)
        for _ in range(ROUNDS):
            try:
                with pooled, pooled.cursor() as cursor:
                    if self.tenant_id:
                        cursor.execute(
                            "SELECT set_config('role', 'portal_customer', true), "
                            "set_config('app.tenant_id', %s, true)",
                            [str(self.tenant_id)],
                        )
                    cursor.execute("SELECT pg_backend_pid()")
                    self.servers.add(cursor.fetchone()[0])
                    cursor.execute("SELECT tenant_id FROM supportplans_subscription")
                    self.tenants_seen |= {row[0] for row in cursor.fetchall()}
            except psycopg2.errors.InsufficientPrivilege:
                self.refused += 1
        pooled.close()


@pytest.mark.django_db(transaction=True)
def test_nothing_of_one_transaction_is_left_to_the_next(cast):
    make_subscription(cast.huachen)
    make_subscription(cast.yunfan)
    server = connection.settings_dict
    with running_bouncer(server, pool_size=1) as port:
        target = {
            "host": "127.0.0.1",
            "port": port,
            "dbname": server["NAME"],
            "user": server["USER"],
            "password": server["PASSWORD"],
        }
        clients = [Client(target, t) for t in (cast.huachen.pk, cast.yunfan.pk, None)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()

    ours, theirs, unscoped = clients
    assert ours.tenants_seen == {cast.huachen.pk}
    assert theirs.tenants_seen == {cast.yunfan.pk}
    assert (unscoped.tenants_seen, unscoped.refused) == (set(), ROUNDS)
    assert (ours.refused, theirs.refused) == (0, 0)
    # All three were served by one and the same connection.
    assert len(ours.servers | theirs.servers) == 1
