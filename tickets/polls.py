"""The poll of an open console, answered from the cache where the database has nothing to add.

A console asks every second. The answer needs no session, no user and no scope while (1) the session stands in the
cache, where signing out removes it at once, and (2) a pass says that its person was let in by ``console_live`` within
the last ``PASS_SECONDS``: a withdrawn role ends a console after that time. Without either, and for what is not there,
the request goes the usual way through every check.

What all consoles with the same view of the queue show is rendered once for each version (``Fragment``).
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache as remembered
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.cached_db import KEY_PREFIX
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import get_language

from core import clock
from messaging import live
from tickets import presence
from tickets.live import CONSOLE, ticket_topic
from tickets.presence import Mode, Place

PASS_SECONDS = 30
FRAGMENT_SECONDS = 5
# Who finds no fragment while somebody else renders it waits for it: all rendering it at once would take longer.
WAIT_SECONDS, LOOK_SECONDS = 1.5, 0.02
# Views that look the same to everybody at the same desk.
SHARED_VIEWS = frozenset({"waiting", "work", "done", "unassigned", "breached"})
KNOWN = frozenset(
    {"view", "desk", "after", "queue", "ticket", "open", "seen", "presence", "mode", "tab"}
)
ID_MAX = 2**63 - 1


@dataclass(frozen=True)
class Poll:
    """What a console says that it shows, and where its person is."""

    queue: str
    ticket: str
    seen: str
    presence: str
    place: Place
    query: Mapping[str, str]

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Poll:
        """Read a poll's query; what cannot be read counts as nothing shown."""
        opened, mode = query.get("open", ""), query.get("mode", "")
        ticket_id = int(opened) if opened.isascii() and opened.isdecimal() else 0
        return cls(
            queue=query.get("queue", ""),
            ticket=query.get("ticket", ""),
            seen=query.get("seen", ""),
            presence=query.get("presence", ""),
            place=Place(
                tab=query.get("tab", "")[:32],
                ticket_id=ticket_id if 0 < ticket_id <= ID_MAX and query.get("ticket") else None,
                mode=Mode(mode) if mode in set(Mode) else Mode.READING,
            ),
            query=query,
        )

    @property
    def keys(self) -> list[str]:
        """Return the store's keys of the versions that the poll compares."""
        topics = [CONSOLE]
        if self.place.ticket_id is not None:
            topics.append(ticket_topic(self.place.ticket_id))
        return [live.stored_key(topic) for topic in topics]

    def fragment_key(self, version: int, person: Pass) -> str | None:
        """Return the cache key of the queue that this console shows, or None where it is the person's own.

        A desk that the person may not look at has no key: the page falls back to one that they may.
        """
        view, desk = self.query.get("view", ""), self.query.get("desk", "")
        if (
            view not in SHARED_VIEWS
            or desk not in person.desks.split(",")
            or set(self.query) - KNOWN
        ):
            return None
        parts = (
            version,
            get_language(),
            view,
            desk,
            self.query.get("after", ""),
        )
        return f"console-queue:{hashlib.sha256(json.dumps(parts).encode()).hexdigest()}"


@dataclass(frozen=True)
class Fragment:
    """The queue as everybody at a desk sees it, with the numbers that are each person's own.

    ``parts`` is a JSON object as text: it goes into the answers as it is.
    """

    version: int
    parts: str
    mine: Mapping[str, str]

    def of(self, staff_id: int) -> dict[str, Any]:
        """Return what one person's console is told besides the parts."""
        return {"queueVersion": self.version, "mine": self.mine.get(str(staff_id), "0")}

    def keep(self, key: str) -> None:
        """Share it with the other consoles for a moment."""
        head = json.dumps([self.version, self.mine])
        cache.set(key, f"{head}\n{self.parts}", FRAGMENT_SECONDS)

    @classmethod
    def kept(cls, key: str) -> Fragment | None:
        """Return what was rendered for another console a moment ago, or None."""
        found = cache.get(key)
        if not found:
            return None
        head, parts = found.split("\n", 1)
        version, mine = json.loads(head)
        return cls(version, parts, mine)


@dataclass(frozen=True)
class Pass:
    """Who a session belongs to, as the last full check found it."""

    user_id: int
    name: str
    staff_id: int
    desks: str

    def give(self, session_key: str) -> None:
        """Let the session's polls be answered from the cache for a while."""
        who = presence.teller(self.user_id, self.name)
        text = presence.SEPARATOR.join([who, str(self.staff_id), self.desks])
        live.store().set(_pass_key(session_key), text, ex=PASS_SECONDS)

    @classmethod
    def read(cls, text: bytes) -> Pass:
        """Read what ``give`` wrote."""
        user_id, name, staff_id, desks = text.decode().split(presence.SEPARATOR)
        return cls(int(user_id), name, int(staff_id), desks)


class ConsolePollMiddleware:
    """Answer the consoles' poll from the cache where that is enough. Stands before the session is read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or pass the request on."""
        if request.path_info != _path() or request.method != "GET":
            return self.get_response(request)
        return quick_answer(request) or self.get_response(request)


def quick_answer(request: HttpRequest) -> HttpResponse | None:
    """Return the answer of the cache, or None when the database must be asked."""
    session_key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    if not session_key:
        return None
    poll = Poll.of(request.GET.dict())
    found = presence.beat(
        poll.place,
        pass_key=_pass_key(session_key),
        session_key=cache.make_key(KEY_PREFIX + session_key),
        keys=poll.keys,
    )
    if found is None or found.pass_ is None:
        return None
    queue_version, *ticket_version = [int(value or 0) for value in found.values]
    if ticket_version and poll.seen != str(ticket_version[0]):
        return None
    person, fragment = Pass.read(found.pass_), None
    if poll.queue != str(queue_version):
        fragment = _fragment(poll, person, queue_version)
        if fragment is None:
            return None
    return answer(viewers_told(poll, found.version, person.user_id), fragment, person)


def viewers_told(poll: Poll, version: int, user_id: int) -> dict[str, Any]:
    """Return who looks at what, when that changed since the console was told."""
    if poll.presence == str(version):
        return {}
    return {"presenceVersion": version, "viewers": presence.viewers(user_id)}


def answer(told: dict[str, Any], fragment: Fragment | None, person: Pass) -> HttpResponse:
    """Return 204 when there is nothing to tell, else JSON with the server's time."""
    if fragment is not None:
        told = {**told, **fragment.of(person.staff_id)}
    if not told:
        return HttpResponse(status=204)
    body = json.dumps({"now": clock.now().isoformat(), **told}, ensure_ascii=False)
    if fragment is not None:
        body = f"{body[:-1]}, {fragment.parts[1:]}"
    response = HttpResponse(body, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    # Django's own middleware does this further in; the connection is kept open by it.
    response.headers["Content-Length"] = str(len(response.content))
    return response


def _fragment(poll: Poll, person: Pass, version: int) -> Fragment | None:
    """Return the queue that is rendered already or is being rendered; None makes this request render it."""
    key = poll.fragment_key(version, person)
    if key is None:
        return None
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        fragment = Fragment.kept(key)
        if fragment is not None:
            return fragment
        if cache.add(f"{key}:rendering", 1, FRAGMENT_SECONDS):
            return None
        time.sleep(LOOK_SECONDS)
    return None


def _pass_key(session_key: str) -> str:
    return cache.make_key(f"console-pass:{session_key}")


@remembered
def _path() -> str:
    return reverse("tickets:console_live")
