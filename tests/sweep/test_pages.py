"""Every page × everybody: who is let in, what strangers learn, how often the database is asked.

``access.json`` and ``query_counts.json`` are checked in. After a wanted change: SWEEP_RECORD=1 script/test tests/sweep
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from django.http import HttpResponse
from django.urls import reverse

from billing.models import Order
from core.tenancy import scope
from servicedesk.models import ServiceOrder
from tests.queries import counted_queries
from tests.sweep.conftest import RECORD, Ledger, People
from tests.sweep.urls import Page, pages
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
ACCESS, QUERIES = Ledger("access"), Ledger("query_counts")
PAGES = pages()
NAMES = {page.name for page in PAGES}
MOST_QUERIES = 15
SIGN_IN = "/accounts/login/"
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def outcome(answer: HttpResponse) -> str:
    """Name an answer: refused how, or let in. What happens inside has tests of its own."""
    if answer.status_code == 302 and answer.headers["Location"].startswith(SIGN_IN):
        return "sign in"
    if answer.status_code in {403, 404, 405}:
        return str(answer.status_code)
    assert is_answered(answer)
    return "in"


def is_answered(answer: HttpResponse) -> bool:
    """Return False for a fault. No worker sweeps here, and monitoring may be told so: by 503."""
    monitored = answer.wsgi_request.path == reverse("tickets:timers_health")
    return answer.status_code < 500 or (monitored and answer.status_code == 503)


@dataclass
class Visit:
    """What everybody was answered, by outcome, and the most queries that one answer took."""

    outcomes: dict[str, list[str]] = field(default_factory=dict)
    most_queries: int = 0

    def add(self, who: str, answer: HttpResponse, queries: int) -> None:
        self.outcomes.setdefault(outcome(answer), []).append(who)
        self.most_queries = max(self.most_queries, queries)


_visits: dict[str, Visit] = {}


def visit(page: Page, people: People) -> Visit:
    """Let everybody open a page, once for all tests of a process: nothing of it stays."""
    if page.name not in _visits:
        found = _visits.setdefault(page.name, Visit())
        with scope.staff():
            address = page.address(people.ours)
        for who in people.users:
            client = people.client(who)
            with counted_queries() as queries:
                answer = client.get(address)
                body_of(answer)
            found.add(who, answer, len(queries))
    return _visits[page.name]


def body_of(answer: HttpResponse) -> str:
    """Return the whole body as text, a file's too."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return body.decode(errors="replace")


def among(who: list[str], people: People) -> str:
    """Name a group of people as the file does."""
    return "everybody" if who == list(people.users) else ", ".join(who)


@each_page
def test_a_page_lets_in_whom_it_should(page, people):
    seen = visit(page, people)  # first: what is posted may change who may look
    posted = Visit()
    with scope.staff():
        address = page.address(people.ours)
    for who in people.users:
        posted.add(who, people.client(who).post(address), 0)
    visits = {"GET": seen, "POST": posted}
    found = {
        method: {name: among(who, people) for name, who in sorted(made.outcomes.items())}
        for method, made in visits.items()
    }
    if RECORD:
        ACCESS.record(page.name, found, known=NAMES)
    assert ACCESS.read().get(page.name) == found


@each_page
def test_a_page_asks_the_database_within_its_budget(page, people):
    most = visit(page, people).most_queries
    if RECORD:
        QUERIES.record(page.name, most, known=NAMES)
    assert most <= QUERIES.read().get(page.name, 0)
    assert most <= MOST_QUERIES


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.names_rows], ids=lambda page: page.name
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_anothers_rows_and_no_rows_are_answered_alike(page, method, people):
    with scope.staff():
        foreign, nothing = page.address(people.theirs), page.address_of_nothing(people.ours)
    for who in ("owner", "administrator", "member"):
        client = people.client(who)
        answer, plain = getattr(client, method)(foreign), getattr(client, method)(nothing)
        # A form that is refused before anything is looked up leads back to where it stands.
        alike = answer.status_code == 302 and method == "post"
        assert answer.status_code in {403, 404, 405} or alike, (who, answer.status_code)
        assert plain.status_code == answer.status_code, who
        assert plain.headers.get("Location") == answer.headers.get("Location"), who


@pytest.fixture
def markers(people) -> list[str]:
    """What only 云帆's rows hold."""
    with scope.staff():
        theirs = people.theirs
        return [
            theirs.name,
            str(theirs.public_id),
            "yunfan.example",
            *Ticket.objects.filter(tenant=theirs).values_list("number", flat=True),
            *Order.objects.filter(tenant=theirs).values_list("number", flat=True),
            *ServiceOrder.objects.filter(tenant=theirs).values_list("number", flat=True),
        ]


@pytest.mark.parametrize(
    "page", [page for page in PAGES if not page.names_rows], ids=lambda page: page.name
)
def test_no_list_search_or_filter_shows_anothers_rows(page, people, markers):
    with scope.staff():
        address = page.address(people.ours)
        title = Ticket.objects.filter(tenant=people.theirs).order_by("pk").first().title
    attempts: tuple[dict[str, object], ...] = (
        {},
        {"q": title, "search": title, "query": title},
        {"tenant": people.theirs.pk, "tenant_id": people.theirs.pk, "customer": people.theirs.pk},
        {"ordering": "-id", "sort": "-id", "page": 2, "page_size": 500, "state": "all"},
    )
    client = people.client("owner")
    for parameters in attempts:
        answer = client.get(address, parameters)
        assert is_answered(answer)
        text = body_of(answer)
        assert [marker for marker in markers if marker in text] == [], parameters


def test_the_files_name_pages_that_exist():
    assert set(ACCESS.read()) == NAMES
    assert set(QUERIES.read()) == NAMES


def test_the_sweep_sees_pages_of_every_room():
    assert {page.room for page in PAGES} >= {
        "accounts",
        "supportplans",
        "messaging",
        "billing",
        "tickets",
        "servicedesk",
        "reports",
    }
    assert isinstance(PAGES[0], Page)
