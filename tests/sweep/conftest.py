"""The sweep looks at the portal full of demo data, in a database of its own."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import current_app
from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings

from accounts.models import StaffMember, Tenant, User
from accounts.models.users import StaffRole
from core.tenancy import scope
from tests.databases import scratch_database

HERE = Path(__file__).parent
RECORD = bool(os.environ.get("SWEEP_RECORD"))


@pytest.fixture(scope="session")
def demo_database(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[str]:
    """Copy the migrated test database and fill it with demo data, once per process."""
    plain = connection.settings_dict["NAME"]
    with django_db_blocker.unblock():
        connection.close()
        with scratch_database(f"{plain}_demo", template=plain) as name:
            media = str(tmp_path_factory.mktemp("demo-files"))
            connection.settings_dict["NAME"] = name
            try:
                with override_settings(MEDIA_ROOT=media):
                    call_command("load_demo", stdout=io.StringIO())
                    current_app.loader.import_default_modules()
                    current_app.tasks["messaging.messages_expand"]()
            finally:
                connection.close()
                connection.settings_dict["NAME"] = plain
            with override_settings(MEDIA_ROOT=media):
                yield name


@pytest.fixture(scope="module", autouse=True)
def look_at_the_demo(demo_database, django_db_blocker) -> Iterator[None]:
    """Use the demo's database in this module."""
    plain = connection.settings_dict["NAME"]
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict["NAME"] = demo_database
        yield
        connection.close()
        connection.settings_dict["NAME"] = plain


class People:
    """Who visits: nobody, somebody without a tenant, a customer's people, another customer, staff in every role."""

    def __init__(self) -> None:
        with scope.staff():
            self.ours = Tenant.objects.get(name="华辰科技")
            self.theirs = Tenant.objects.get(name="云帆物流")
            people = {
                "owner": "owner@huachen.example",
                "administrator": "wang@huachen.example",
                "member": "zhao@huachen.example",
                "another customer": "owner@yunfan.example",
            }
            self.users: dict[str, User | None] = {"visitor": None}
            self.users["outsider"] = User.objects.create_user("outsider@sweep.test", name="路人")
            for role, email in people.items():
                self.users[role] = User.objects.get(email=email)
            for role in StaffRole:
                card = StaffMember.objects.filter(roles__contains=[role]).order_by("pk").first()
                self.users[role.value] = User.objects.get(staff_member=card)

    def client(self, who: str) -> Client:
        """Return a browser in which this person is signed in."""
        client = Client()
        user = self.users[who]
        if user is not None:
            client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client


@pytest.fixture
def people(db) -> People:
    """The demo's people."""
    return People()


class Ledger:
    """A checked-in file of what was found, compared with what is found now; SWEEP_RECORD=1 writes it anew."""

    def __init__(self, name: str) -> None:
        self.path = HERE / f"{name}.json"

    def read(self) -> dict[str, object]:
        """Return the file's content."""
        return dict(json.loads(self.path.read_text(encoding="utf-8"))) if self.path.exists() else {}

    def record(self, key: str, value: object, *, known: set[str]) -> None:
        """Write one entry, and drop those that are no longer known."""
        content = {k: v for k, v in {**self.read(), key: value}.items() if k in known}
        lines = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(content.items())]
        self.path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
