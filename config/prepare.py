"""Bring database and files to this version: ``python -m config.prepare [database|files]``, both without a name.

Runs as ``portal_owner``. An image is built with ``files``, a release begins with ``database``, a local start does both.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sys
from pathlib import Path

import django


def main(part: str = "") -> None:
    """Prepare one part or all. Running it again changes nothing."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    os.environ["DATABASE_AS"] = "owner"
    django.setup()
    for name, prepare in {"database": prepare_database, "files": prepare_files}.items():
        if part in {"", name}:
            prepare()


def prepare_database() -> None:
    """Migrate and load what is the same for everybody."""
    from django.core.management import call_command  # noqa: PLC0415  (Django must be set up first)

    call_command("migrate", interactive=False, verbosity=0)
    load_reference_data()


def load_reference_data() -> None:
    """Load the catalogue, the articles, and the categories, tags and scope of tickets."""
    from django.core.management import call_command  # noqa: PLC0415

    call_command("load_catalogue", verbosity=0)
    call_command("load_articles", verbosity=0)
    call_command("load_ticket_categories", verbosity=0)
    call_command("load_ticket_desk", verbosity=0)


def prepare_files() -> None:
    """Compile the translations, collect the static files, cut the fonts of the PDF."""
    compile_messages()
    from django.conf import settings  # noqa: PLC0415

    # Portals that share their static files may start at once; the second one finds the work done.
    root = Path(settings.STATIC_ROOT)
    root.parent.mkdir(parents=True, exist_ok=True)
    with (root.parent / f".{root.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        collect_static_files()
        from reports.fonts import prepare_fonts  # noqa: PLC0415

        prepare_fonts()


def compile_messages() -> None:
    """Compile each translation that is newer than its compiled form. Needs no gettext on the machine."""
    from babel.messages.mofile import write_mo  # noqa: PLC0415
    from babel.messages.pofile import read_po  # noqa: PLC0415
    from django.conf import settings  # noqa: PLC0415

    for root in settings.LOCALE_PATHS:
        for source in Path(root).glob("*/LC_MESSAGES/*.po"):
            compiled = source.with_suffix(".mo")
            if compiled.exists() and compiled.stat().st_mtime >= source.stat().st_mtime:
                continue
            # Two copies may start at once.
            new = compiled.with_name(f"{compiled.name}.{os.getpid()}")
            with source.open("rb") as text, new.open("wb") as binary:
                write_mo(binary, read_po(text))
            new.replace(compiled)


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
    main(*sys.argv[1:])
