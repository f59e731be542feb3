"""Typed readers of the environment. What is missing or malformed stops the start with one clear line."""

from __future__ import annotations

import os
import re
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

_UNSET = object()


class EnvironmentInvalid(SystemExit):
    """The environment lacks a variable or holds one that cannot be read."""


def text(name: str, default: str | object = _UNSET) -> str:
    """Return the variable ``name``; without ``default`` it must be set and not empty."""
    value = os.environ.get(name, "")
    if value:
        return value
    if isinstance(default, str):
        return default
    raise EnvironmentInvalid(f"environment variable {name} is required")


def flag(name: str, *, default: bool) -> bool:
    """Return True for 1/true/yes/on and False for 0/false/no/off."""
    value = os.environ.get(name, "").strip().lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise EnvironmentInvalid(f"environment variable {name} must be true or false, not {value!r}")


def integer(name: str, default: int) -> int:
    """Return the variable as a whole number."""
    value = os.environ.get(name, "")
    if not value:
        return default
    try:
        return int(value)
    except ValueError:
        raise EnvironmentInvalid(f"environment variable {name} must be a number") from None


def words(name: str, default: str = "") -> list[str]:
    """Return a comma-separated variable as a list without empty entries."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def directory(name: str, default: Path) -> Path:
    """Return an absolute directory path; it need not exist yet."""
    return Path(text(name, str(default))).expanduser().resolve()


def file(name: str) -> str:
    """Return the absolute path of a file that is there, can be read and is not empty."""
    path = Path(text(name)).expanduser().resolve()
    try:
        with path.open("rb") as opened:
            if opened.read(1):
                return str(path)
    except OSError as error:
        raise EnvironmentInvalid(f"environment variable {name}: {error}") from None
    raise EnvironmentInvalid(f"environment variable {name}: the file {path} is empty")


def address(name: str, default: str | object = _UNSET) -> str:
    """Return an ``https://`` address without a slash at its end; plain ``http://`` on this machine only."""
    value = text(name, default).rstrip("/")
    try:
        url = urlsplit(value)
        local = url.hostname in {"localhost", "127.0.0.1", "::1"}
    except ValueError:
        raise EnvironmentInvalid(f"environment variable {name} is not an address") from None
    if not url.hostname or not (url.scheme == "https" or (url.scheme == "http" and local)):
        raise EnvironmentInvalid(f"environment variable {name} must be an https:// address")
    return value


def money(name: str) -> Decimal | None:
    """Return an amount in CNY of more than 0.00 with at most two places; None when it is not set."""
    value = os.environ.get(name, "").strip()
    if not value:
        return None
    if not re.fullmatch(r"[0-9]{1,10}(\.[0-9]{1,2})?", value, re.ASCII) or Decimal(value) == 0:
        raise EnvironmentInvalid(f"environment variable {name} must be an amount, not {value!r}")
    return Decimal(value)


def database(name: str) -> dict[str, object]:
    """Turn ``postgresql://user:password@host:port/name?option=value`` into Django's dictionary.

    A ``host`` in the query (a Unix socket directory, as libpq allows) wins over the network location.
    """
    url = urlsplit(text(name))
    if url.scheme not in {"postgres", "postgresql"}:
        raise EnvironmentInvalid(f"environment variable {name} must be a postgresql:// URL")
    options = dict(parse_qsl(url.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path.lstrip("/")),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": options.pop("host", "") or url.hostname or "",
        "PORT": options.pop("port", "") or str(url.port or ""),
        "OPTIONS": options,
    }
