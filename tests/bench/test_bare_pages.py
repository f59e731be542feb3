"""The bare pages that the portal's own are measured against: in the benchmarks' URLs and nowhere else."""

from __future__ import annotations

import pytest
from django.urls import Resolver404, resolve

from bench.harness import bare
from bench.harness.http import COUNT_HEADER, QUERIES_HEADER

COUNTED = "bench.harness.bare.QueryCountMiddleware"


@pytest.fixture
def with_bare_pages(settings):
    settings.ROOT_URLCONF = "bench.harness.urls"
    settings.MIDDLEWARE = [COUNTED, *settings.MIDDLEWARE]


@pytest.mark.parametrize("path", ["/bare/", "/bare/rows/"])
def test_the_portal_has_no_bare_page(path):
    with pytest.raises(Resolver404):
        resolve(path)


def test_the_anonymous_page_asks_nothing(client, db, with_bare_pages):
    answer = client.get("/bare/", headers={COUNT_HEADER: "1"})

    assert bare.ANONYMOUS in answer.content.decode()
    assert answer.headers[QUERIES_HEADER] == "0"


def test_the_list_shows_fifty_rows_to_those_who_signed_in(
    cast, client, client_for, with_bare_pages
):
    assert client.get("/bare/rows/").status_code == 302

    answer = client_for(cast.owner).get("/bare/rows/", headers={COUNT_HEADER: "1"})

    text = answer.content.decode()
    assert bare.SIGNED_IN in text
    assert text.count("<tr>") == bare.ROWS
    # The person's, the membership's and its own; the session stands in the cache.
    assert answer.headers[QUERIES_HEADER] == "3"


def test_a_request_that_does_not_ask_is_told_nothing(client, db, with_bare_pages):
    assert QUERIES_HEADER not in client.get("/bare/").headers
