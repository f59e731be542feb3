"""The least that records overdue clocks: one UPDATE … SKIP LOCKED … RETURNING and the insert of its stages.

Same database, tables, role and batch as the portal's sweep; no window, no message, no state but the one stage.
"""

from __future__ import annotations

import os
import sys

import psycopg2

from bench.harness.loop import serve

STATEMENT = """
WITH taken AS (
    UPDATE tickets_clock
       SET stage_passed = 100, next_stage_at = due_at + (due_at - started_at)
     WHERE id IN (SELECT id FROM tickets_clock WHERE next_stage_at < %(at)s ORDER BY next_stage_at LIMIT %(batch)s
                     FOR UPDATE SKIP LOCKED)
 RETURNING id, tenant_id, due_at
)
INSERT INTO tickets_clockstage (tenant_id, clock_id, percent, due_at, noticed_at)
SELECT tenant_id, id, 100, due_at, %(at)s FROM taken
"""


def main(at: str, batch: int) -> None:
    """Serve batches at the instant ``at``."""
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    cursor = connection.cursor()
    cursor.execute("SET ROLE portal_staff")
    connection.commit()

    def operation() -> None:
        cursor.execute(STATEMENT, {"at": at, "batch": batch})
        assert cursor.rowcount == batch
        connection.commit()

    serve(operation)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
