"""Bring the database and the static files to this version of the code, in one process. Runs as ``portal_owner``."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import django


def main() -> None:
    """Migrate, load the catalogue, compile messages, collect static files. Running it again changes nothing."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    os.environ["DATABASE_AS"] = "owner"
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415  (Django must be set up first)

    call_command("migrate", interactive=False, verbosity=0)
    call_command("load_catalogue", verbosity=0)
    call_command("load_articles", verbosity=0)
    call_command("load_ticket_categories", verbosity=0)
    collect_static_files()
    from reports.fonts import prepare_fonts  # noqa: PLC0415

    prepare_fonts()


def collect_static_files() -> None:
    """Collect, name by content and compress the static files, when one of them changed since the last time."""
    from django.conf import settings  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415

    stamp = Path(settings.STATIC_ROOT) / ".collected"
    digest = _static_files_digest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(digest)


def _static_files_digest() -> str:
    """Return a digest of all static files' places, sizes and times."""
    from django.contrib.staticfiles.finders import get_finders  # noqa: PLC0415

    found = hashlib.sha256(django.__version__.encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            path = Path(storage.path(name))
            facts = path.stat()
            found.update(f"{path}|{facts.st_size}|{facts.st_mtime_ns}\n".encode())
    return found.hexdigest()


if __name__ == "__main__":
    main()
