"""The portal's side of ``bench/sla.py``: sweeps over a million running clocks, in a process of their own.

The clocks stand in the database. ``OVERDUE`` of them are past their due instant at ``OVERDUE_AT`` with their warnings
recorded already, so that each has one stage left; at ``QUIET_AT`` nothing is due.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median

from django.db import connection

from bench.harness.loop import serve
from core.tenancy import scope
from tests.queries import counted_queries
from tickets.services.coverages import windows_sync
from tickets.services.sweeps import BATCH, stages_sweep

RUNNING = 1_000_000
OVERDUE = 400_000
TENANTS = 1000
QUIET_AT = datetime(2027, 1, 1, tzinfo=UTC)
OVERDUE_AT = QUIET_AT + timedelta(hours=2)
QUIET_LOOKS = 101

# Rows are like one of the demo's: a new column of either table changes nothing here.
CLOCKS = """
CREATE TEMPORARY TABLE made (n bigint, tenant_id bigint, ticket_id bigint, clock_id bigint, due timestamptz,
                             next_stage timestamptz);
INSERT INTO made
SELECT n, (SELECT min(id) FROM accounts_tenant WHERE name LIKE 'bench %%') + n %% {tenants},
       nextval(pg_get_serial_sequence('tickets_ticket', 'id')),
       nextval(pg_get_serial_sequence('tickets_clock', 'id')), {due}, {next_stage}
  FROM generate_series(1, {count}) AS n;
INSERT INTO tickets_ticket
SELECT filled.*
  FROM made,
       (SELECT ticket FROM tickets_ticket AS ticket JOIN tickets_clock AS clock ON clock.ticket_id = ticket.id
         WHERE clock.stopped_at IS NULL ORDER BY ticket.id LIMIT 1) AS sample (row),
       LATERAL jsonb_populate_record(sample.row, jsonb_build_object(
           'id', made.ticket_id, 'tenant_id', made.tenant_id, 'number', to_char(made.n, 'FM0000000000000000'),
           'actor_id', NULL, 'search', NULL, 'idempotency_key', NULL, 'due_at', made.due)) AS filled;
INSERT INTO tickets_clock
SELECT filled.*
  FROM made,
       (SELECT clock FROM tickets_clock AS clock WHERE stopped_at IS NULL ORDER BY id LIMIT 1) AS sample (row),
       LATERAL jsonb_populate_record(sample.row, jsonb_build_object(
           'id', made.clock_id, 'tenant_id', made.tenant_id, 'ticket_id', made.ticket_id,
           'started_at', made.due - interval '10 days', 'due_at', made.due, 'target_minutes', 14400,
           'stage_percents', '[50, 80, 100, 200]'::jsonb,
           'stage_instants', jsonb_build_array(made.due - interval '5 days', made.due - interval '2 days', made.due,
                                               made.due + interval '10 days'),
           'stage_passed', 80, 'retargeted_at', NULL, 'next_stage_at', made.next_stage)) AS filled;
DROP TABLE made;
"""
TENANT_ROWS = f"""
INSERT INTO accounts_tenant (public_id, name, contact_name, contact_phone, is_active, created_at)
SELECT gen_random_uuid(), 'bench ' || number, '', '', true, now() FROM generate_series(1, {TENANTS}) AS number;
"""
FILLING = (
    TENANT_ROWS
    + CLOCKS.replace("%%", "%").format(
        tenants=TENANTS,
        count=RUNNING,
        due=f"timestamptz '{QUIET_AT.isoformat()}' + interval '1 hour' "
        f"+ CASE WHEN n <= {OVERDUE} THEN n * interval '1 millisecond' ELSE interval '30 days' END",
        next_stage=f"timestamptz '{QUIET_AT.isoformat()}' + interval '1 hour' "
        f"+ CASE WHEN n <= {OVERDUE} THEN n * interval '1 millisecond' ELSE interval '30 days' END",
    )
    # The demo's own clocks are not part of it.
    + f"UPDATE tickets_clock SET next_stage_at = NULL WHERE next_stage_at < '{QUIET_AT.isoformat()}';"
)


def sweep() -> None:
    """Record one batch of overdue clocks in a transaction, as the sweep's task does batch by batch."""
    with scope.staff():
        taken = stages_sweep(at=OVERDUE_AT)
    assert taken == BATCH, taken


def look() -> None:
    """Do what the sweep's task does where nothing is due: look for windows, then for clocks."""
    with scope.staff():
        assert windows_sync(at=QUIET_AT) == 0
    with scope.staff():
        assert stages_sweep(at=QUIET_AT) == 0


def server_milliseconds(operation: Callable[[], None]) -> float:
    """Return the time that PostgreSQL itself takes for the statements of an operation, planning included."""
    spent = 0.0

    def explained(execute, sql, params, many, context):
        nonlocal spent
        bookkeeping = sql.startswith(("SELECT set_config", "SAVEPOINT", "RELEASE"))
        if bookkeeping or scope.current() is None:
            return execute(sql, params, many, context)
        with connection.connection.cursor() as cursor:
            cursor.execute("SAVEPOINT explained")
            cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", params)
            ((answer,),) = cursor.fetchone()
            cursor.execute("ROLLBACK TO SAVEPOINT explained")
        spent += answer["Planning Time"] + answer["Execution Time"]
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explained):
        operation()
    return spent


def main(name: str, *, counts: bool) -> None:
    """Serve sweeps, or print what is asked for as JSON: queries of a batch, milliseconds of a look."""
    if name == "look":
        with scope.staff():
            windows_sync(at=QUIET_AT)  # the demo's windows are over by then
        print(json.dumps(median(server_milliseconds(look) for _ in range(QUIET_LOOKS))))
    elif counts:
        with counted_queries() as queries:
            sweep()
        print(json.dumps(len(queries)))
    else:
        serve(sweep)
    sys.stdout.flush()
