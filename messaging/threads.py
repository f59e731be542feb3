"""Mail threads: their ids, and reply addresses that say for whom they were made (RFC 5322, RFC 5233).

A reply goes to ``reply+<token>@support.example``. The token names tenant, thread and person, signed with a key of that
tenant which follows from a portal key. A portal key that is taken out of ``MAIL_REPLY_KEYS`` ends all addresses made
with it. Lower case only: mail servers may change the case of what stands before the @.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

from django.conf import settings

_SIGNATURE_BYTES = 10
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_TOKEN = re.compile(r"([a-z]+)-([0-9a-z]+)\.([0-9a-z]+)\.([0-9a-z]+)\.([0-9a-z]+)\.([a-z2-7]{16})")


@dataclass(frozen=True)
class ReplyTo:
    """Whom a reply address was made for. ``thread`` is ``"<kind>-<id>"``, such as ``"ticket-17"``."""

    thread: str
    tenant_id: int
    user_id: int


def is_enabled() -> bool:
    """Return True if replies by mail are taken: an address for them is configured."""
    return bool(settings.MAIL_REPLY_ADDRESS)


def domain() -> str:
    """Return the domain of the portal's message ids."""
    address = settings.MAIL_REPLY_ADDRESS or settings.DEFAULT_FROM_EMAIL
    return str(address).rstrip(">").rpartition("@")[2] or "portal"


def thread_id(thread: str) -> str:
    """Return the message id that all mails of a thread refer to; no mail has it itself."""
    return f"<{thread}@{domain()}>"


def delivery_id(delivery: int, thread: str) -> str:
    """Return the message id of one mail."""
    return (
        f"<delivery-{delivery}.{thread}@{domain()}>"
        if thread
        else f"<delivery-{delivery}@{domain()}>"
    )


def is_own_id(message_id: str) -> bool:
    """Return True for a message id that the portal gave."""
    return message_id.startswith("<delivery-") and message_id.endswith(f"@{domain()}>")


def reply_address(to: ReplyTo) -> str:
    """Return the address for the person's replies to the thread. The caller has asked ``is_enabled``."""
    local, _, host = settings.MAIL_REPLY_ADDRESS.partition("@")
    return f"{local}+{_token(to, _keys()[0][0])}@{host}"


def reply_target(address: str) -> ReplyTo | None:
    """Return whom an address was made for; None for any other address, a wrong signature or a key that is gone."""
    wanted_local, _, wanted_host = settings.MAIL_REPLY_ADDRESS.lower().partition("@")
    local, _, host = address.strip().lower().rpartition("@")
    name, plus, token = local.partition("+")
    found = _TOKEN.fullmatch(token)
    if not plus or not found or (name, host) != (wanted_local, wanted_host):
        return None
    kind, thread, tenant, user, key_id, _signature = found.groups()
    to = ReplyTo(
        thread=f"{kind}-{int(thread, 36)}", tenant_id=int(tenant, 36), user_id=int(user, 36)
    )
    if key_id not in dict(_keys()) or not hmac.compare_digest(_token(to, key_id), token):
        return None
    return to


def is_reply_address(address: str) -> bool:
    """Return True for the portal's own address for replies, with whatever token."""
    local, _, host = address.strip().lower().rpartition("@")
    wanted = settings.MAIL_REPLY_ADDRESS.lower()
    return bool(wanted) and f"{local.partition('+')[0]}@{host}" == wanted


def _keys() -> list[tuple[str, str]]:
    """Return ``(id, secret)`` of the keys in force, the one for new addresses first."""
    return list(settings.MAIL_REPLY_KEYS)


def _token(to: ReplyTo, key_id: str) -> str:
    kind, _, number = to.thread.rpartition("-")
    named = ".".join(
        [f"{kind}-{_base36(int(number))}", _base36(to.tenant_id), _base36(to.user_id), key_id]
    )
    secret = dict(_keys())[key_id]
    own = hmac.new(secret.encode(), f"tenant:{to.tenant_id}".encode(), hashlib.sha256).digest()
    signed = hmac.new(own, named.encode(), hashlib.sha256).digest()[:_SIGNATURE_BYTES]
    return f"{named}.{base64.b32encode(signed).decode().lower()}"


def _base36(number: int) -> str:
    digits = ""
    while True:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
        if not number:
            return digits
