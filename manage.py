#!/usr/bin/env python
"""Django's command line. Commands that shape the schema connect as the owner of the tables."""

import os
import sys

# Commands that answer from their input alone run anywhere, also where no server is known.
SERVERLESS_COMMANDS = {"explain_quote"}
NO_SERVER = {
    "SECRET_KEY": "answers-from-its-input-alone",
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}
OWNER_COMMANDS = {"migrate", "makemigrations", "sqlmigrate", "showmigrations", "squashmigrations"}

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    if len(sys.argv) > 1 and sys.argv[1] in SERVERLESS_COMMANDS:
        for name, value in NO_SERVER.items():
            os.environ.setdefault(name, value)
    if len(sys.argv) > 1 and sys.argv[1] in OWNER_COMMANDS:
        os.environ.setdefault("DATABASE_AS", "owner")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
