"""Health checks of the containers: ``python -m config.health web|heartbeat``. Exit code 0 means well."""

from __future__ import annotations

import os
import sys
import urllib.request
from datetime import timedelta

PORT = int(os.environ.get("PORT", "8000"))
TIMEOUT_SECONDS = 4
HEARTBEAT_WITHIN = timedelta(minutes=2)


def web() -> bool:
    """Return True if this container's web server reaches database and cache."""
    host = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0]
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}/healthz/", headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):  # noqa: S310  (our own address)
            return True
    except OSError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return False


def heartbeat() -> bool:
    """Return True if beat, broker and a worker have done a round lately."""
    import django  # noqa: PLC0415  (the web's check does without)

    django.setup()
    from accounts.selectors import worker_lag  # noqa: PLC0415

    lag = worker_lag()
    return lag is not None and lag < HEARTBEAT_WITHIN


if __name__ == "__main__":
    sys.exit(not {"web": web, "heartbeat": heartbeat}[sys.argv[1]]())
