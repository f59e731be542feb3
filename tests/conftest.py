"""What every test stands on: a database made by its owner and used by the portal's own role, real Valkey, a cast."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection, connections
from django.test import Client, TransactionTestCase

from config import env
from config.prepare import compile_messages, load_reference_data
from core import clock
from core.tenancy import scope
from tests.cast import Cast, make_cast
from tests.isolation.catalogue import isolated_tables
from tests.jobs import JobRunner
from tests.queries import counted_queries

pytest_plugins = ["tests.portal"]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile the translations: what a test reads must not depend on whether a portal has run here before."""
    compile_messages()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together what shares a costly set-up: a parallel run makes it in one process only."""
    for item in items:
        if "live_portal" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("portal"))
        elif "demo_database" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("demo"))


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_test_environment, django_db_blocker
) -> Iterator[None]:
    """Create and migrate as portal_owner, then run as portal_app (isolation.md, test runner)."""
    from django.test.utils import setup_databases, teardown_databases

    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    wrapper = connections["default"]
    as_app = dict(wrapper.settings_dict)
    as_owner = env.database("DATABASE_OWNER_URL")
    with django_db_blocker.unblock():
        _connect_as(as_owner["USER"], as_owner["PASSWORD"])
        made = (
            setup_databases(verbosity=0, interactive=False, parallel=0, aliases={"default"})
            if not worker
            else _for_worker(worker)
        )
        with connection.cursor() as cursor:
            cursor.execute("GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO portal_app")
        load_reference_data()
        _connect_as(as_app["USER"], as_app["PASSWORD"])
    yield
    with django_db_blocker.unblock():
        _connect_as(as_owner["USER"], as_owner["PASSWORD"])
        teardown_databases(made, verbosity=0)


def _for_worker(worker: str):
    """Give each process of a parallel run its own database."""
    from django.test.utils import setup_databases

    connections["default"].settings_dict["TEST"]["NAME"] = f"test_portal_{worker}"
    return setup_databases(verbosity=0, interactive=False, aliases={"default"})


def _connect_as(user: object, password: object) -> None:
    connections["default"].close()
    connections["default"].settings_dict.update(USER=user, PASSWORD=password)


# Loaded once with the migrations (``load_reference_data``); no test changes them.
KEPT_TABLES = (
    "django_migrations",
    "django_content_type",
    "auth_permission",
    "supportplans_",
    "tickets_ticketcategory",
    "tickets_tag",
    "tickets_scopeitem",
    "tickets_tickettemplate",
    "onlineservice_article",
)


def _empty_tables(self: TransactionTestCase) -> None:
    """Leave the catalogue for the next test; Django's flush would take it away, and is the owner's business."""
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        tables = [
            name
            for name in connection.introspection.table_names(cursor)
            if not name.startswith(KEPT_TABLES) or name in isolated_tables()
        ]
        cursor.execute("TRUNCATE " + ", ".join(f'"{name}"' for name in tables))


TransactionTestCase._fixture_teardown = _empty_tables  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def fresh_cache() -> Iterator[None]:
    """Give each process its own keys in Valkey and each test an empty cache and a clock that stands at real time."""
    cache.clear()
    clock.forget()
    yield
    clock.forget()


@pytest.fixture
def cast(db) -> Cast:
    """The named people of all tests."""
    return make_cast(clock.now())


@pytest.fixture
def run_jobs(monkeypatch) -> JobRunner:
    """Collect what is enqueued and run it in order, when called, with the real task bodies and their scopes."""
    runner = JobRunner()
    monkeypatch.setattr("core.jobs.current_app.send_task", runner.collect)
    return runner


@pytest.fixture
def client_for(cast):
    """Return a signed-in test client of one of the cast."""

    def sign_in(person) -> Client:
        client = Client()
        client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return sign_in


@pytest.fixture
def max_queries():
    """Fail when a block asks the database more often than allowed."""

    @contextmanager
    def allow(limit: int) -> Iterator[None]:
        with counted_queries() as queries:
            yield
        assert len(queries) <= limit, f"{len(queries)} queries, {limit} allowed:\n" + "\n".join(
            queries
        )

    return allow


@pytest.fixture
def as_staff(db) -> Iterator[None]:
    """Run the test's own code in staff's scope."""
    with scope.staff():
        yield


assert settings.DEMO_MODE, "tests move the clock"
