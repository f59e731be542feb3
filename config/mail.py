"""Reading what replies by mail need from the environment."""

from __future__ import annotations

import hashlib
import re

from config import env

_KEY_ID = re.compile(r"[0-9a-z]{1,4}")
_SECRET_LEAST = 32


def reply_keys(secret_key: str) -> list[tuple[str, str]]:
    """Return ``(id, secret)`` of ``MAIL_REPLY_KEYS`` (``2:secret,1:older``), the one for new addresses first.

    Without the variable one key follows from the portal's secret key. Taking a key out ends the addresses made with it.
    """
    keys: list[tuple[str, str]] = []
    for word in env.words("MAIL_REPLY_KEYS", ""):
        key_id, _, secret = word.partition(":")
        if not _KEY_ID.fullmatch(key_id) or len(secret) < _SECRET_LEAST or key_id in dict(keys):
            raise env.EnvironmentInvalid(
                "environment variable MAIL_REPLY_KEYS must be id:secret,… with different ids of 1 to 4 lower-case "
                f"letters or digits and secrets of at least {_SECRET_LEAST} characters"
            )
        keys.append((key_id, secret))
    derived = hashlib.sha256(f"mail-reply:{secret_key}".encode()).hexdigest()
    return keys or [("0", derived)]
