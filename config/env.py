"""Typed readers of the environment. What is missing or malformed stops the start with one clear line."""

from __future__ import annotations

import os
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
