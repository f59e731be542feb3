"""Which kinds of messages exist, and by which channels they go. Each app registers its own when it is ready."""

from __future__ import annotations

from dataclasses import dataclass

from messaging.states import Channel


@dataclass(frozen=True)
class Kind:
    """Channels for customers and for staff."""

    channels: tuple[Channel, ...]
    staff_channels: tuple[Channel, ...]


_kinds: dict[str, Kind] = {}


class KindUnknown(LookupError):
    """A message of a kind that no app has registered: a programming error."""


def register_kind(
    name: str,
    *,
    channels: tuple[Channel, ...] = (Channel.INBOX, Channel.EMAIL),
    staff_channels: tuple[Channel, ...] = (Channel.INBOX,),
) -> None:
    """Register the kind ``"<app>.<event>"``; its texts are ``templates/emails/<app>/<event>.*``."""
    _kinds[name] = Kind(channels, staff_channels)


def kind_get(name: str) -> Kind:
    """Return a registered kind. Raises KindUnknown."""
    try:
        return _kinds[name]
    except KeyError:
        raise KindUnknown(name) from None


def kind_names() -> list[str]:
    """Return all registered kinds."""
    return sorted(_kinds)
