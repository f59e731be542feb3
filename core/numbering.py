"""Numbers that people read out: local time plus digits that never repeat within a second (domain.md §4, §5, §7).

The digits come from one database sequence, passed through a permutation: unique across tenants without a unique index
over all of them, and without telling a customer how many orders the others place.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from core.clock import local

_STEP = 387_420_489  # 3**18: shares no factor with 10, so n -> n * _STEP mod 10**k is a permutation
SEQUENCE = "portal_number_seq"


def order_number(at: datetime) -> str:
    """Return ``YYYYMMDDHHMMSS`` + 6 digits (20231206103915434625)."""
    return f"{local(at):%Y%m%d%H%M%S}{_digits(6)}"


def ticket_number(at: datetime) -> str:
    """Return ``YYMMDDHHMMSS`` + 4 digits."""
    return f"{local(at):%y%m%d%H%M%S}{_digits(4)}"


def service_order_number(at: datetime) -> str:
    """Return ``YYMMDDHHMMSS`` + 7 digits (2304140057140000193)."""
    return f"{local(at):%y%m%d%H%M%S}{_digits(7)}"


def _digits(count: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s::regclass)", [SEQUENCE])
        (drawn,) = cursor.fetchone()
    return f"{drawn * _STEP % 10**count:0{count}d}"
