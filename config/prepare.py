"""Bring the database and the static files to this version of the code, in one process. Runs as ``portal_owner``."""

from __future__ import annotations

import os

import django


def main() -> None:
    """Migrate, load the catalogue, compile messages, collect static files. Running it again changes nothing."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    os.environ["DATABASE_AS"] = "owner"
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415  (Django must be set up first)

    call_command("migrate", interactive=False, verbosity=0)
    call_command("load_catalogue", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)


if __name__ == "__main__":
    main()
