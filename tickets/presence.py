"""Who looks at which ticket right now. Kept in the cache with an end each, never in the database.

Each open console tells with its poll where its person is; who stops telling is gone after ``SECONDS``. One script in
the store does it all in one round trip: it drops who is gone, writes the teller's place, and reads the keys that the
poll compares. The version grows only when something changed, so that consoles read the list only then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache as remembered
from typing import Any

from messaging import live

# A console in the foreground polls every second. Browsers let hidden ones speak once a minute only.
SECONDS, SECONDS_AWAY = 6, 75
UNTIL, PLACES, VERSION = "presence:until", "presence:places", "presence:version"
SEPARATOR = "\x1f"

# KEYS: ends, places, version, the pass of a session, the session itself, and whatever else the poll compares.
# ARGV: tab, ticket or nothing, mode, milliseconds, and who it is; nothing to take that from the pass, which counts only
# while its session stands. Without either the answer is empty and nothing is written.
_BEAT = """
local who = ARGV[5]
if who == '' then
  who = redis.call('GET', KEYS[4])
  if not who or redis.call('EXISTS', KEYS[5]) == 0 then return {} end
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local changed = 0
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 1000)) do
  redis.call('ZREM', KEYS[1], member)
  changed = changed + redis.call('HDEL', KEYS[2], member)
end
local member = string.match(who, '^%d+') .. ':' .. ARGV[1]
if ARGV[2] == '' then
  redis.call('ZREM', KEYS[1], member)
  changed = changed + redis.call('HDEL', KEYS[2], member)
else
  who = string.match(who, '^[^\\31]*\\31[^\\31]*')
  local place = ARGV[2] .. '\\31' .. ARGV[3] .. '\\31' .. who
  if redis.call('HGET', KEYS[2], member) ~= place then
    redis.call('HSET', KEYS[2], member, place)
    changed = changed + 1
  end
  redis.call('ZADD', KEYS[1], now + ARGV[4], member)
end
if changed > 0 then redis.call('INCR', KEYS[3]) end
local read = {KEYS[3], KEYS[4]}
for i = 6, #KEYS do read[#read + 1] = KEYS[i] end
return redis.call('MGET', unpack(read))
"""


class Mode(StrEnum):
    """What a person does at a ticket; the strongest of several tabs counts."""

    WRITING = "writing"
    READING = "reading"
    AWAY = "away"


STRENGTH = {Mode.WRITING: 2, Mode.READING: 1, Mode.AWAY: 0}


@dataclass(frozen=True)
class Place:
    """Where one tab of a person is; without a ticket it is nowhere."""

    tab: str
    ticket_id: int | None = None
    mode: Mode = Mode.READING


@dataclass(frozen=True)
class Beat:
    """What the store answered: the list's version, the pass that was found and the values of the keys asked for."""

    version: int
    pass_: bytes | None
    values: list[bytes | None]


def beat(
    place: Place,
    *,
    who: str = "",
    pass_key: str = "",
    session_key: str = "",
    keys: Sequence[str] = (),
) -> Beat | None:
    """Tell where a tab is. One round trip.

    ``who`` is what ``teller`` returns; without it the pass says who it is, while its session stands, and None is
    returned when it does not.
    """
    seconds = SECONDS_AWAY if place.mode == Mode.AWAY else SECONDS
    answered: Any = _script()(
        keys=[
            *map(live.stored_key, (UNTIL, PLACES, VERSION)),
            pass_key or "-",
            session_key or "-",
            *keys,
        ],
        args=[place.tab, place.ticket_id or "", place.mode.value, seconds * 1000, who],
    )
    return Beat(int(answered[0] or 0), answered[1], answered[2:]) if answered else None


def teller(user_id: int, name: str) -> str:
    """Return how the store names a person."""
    return SEPARATOR.join([str(user_id), name.replace(SEPARATOR, " ")])


def viewers(user_id: int) -> dict[int, list[tuple[str, str]]]:
    """Return name and mode of everybody else by ticket, the writing ones first. One round trip."""
    people: dict[tuple[int, int], tuple[str, Mode]] = {}
    rows: Any = live.store().hvals(live.stored_key(PLACES))
    for row in rows:
        ticket, mode, user, name = row.decode().split(SEPARATOR)
        key, found = (int(ticket), int(user)), Mode(mode)
        if int(user) != user_id and (
            key not in people or STRENGTH[found] > STRENGTH[people[key][1]]
        ):
            people[key] = (name, found)
    by_ticket: dict[int, list[tuple[str, str]]] = {}
    ranked = sorted(people.items(), key=lambda item: (-STRENGTH[item[1][1]], item[0]))
    for (ticket_id, _), (name, mode_) in ranked:
        by_ticket.setdefault(ticket_id, []).append((name, mode_.value))
    return by_ticket


@remembered
def _script() -> Any:
    return live.store().register_script(_BEAT)
