"""What every page knows: the brand, who is signed in, the theme."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts.access import Identity
from core import clock

THEME_COOKIE = "theme"


def portal(request: HttpRequest) -> dict[str, Any]:
    """Return ``brand``, ``identity``, ``theme`` (light, dark or system), ``now``, ``demo_mode``
    and ``demo_clock_moved`` (the demo's clock runs ahead)."""
    theme = request.COOKIES.get(THEME_COOKIE, "light")
    return {
        "brand": settings.BRAND,
        "identity": getattr(request, "portal", Identity()),
        "theme": theme if theme in {"light", "dark", "system"} else "light",
        "now": clock.now(),
        "demo_mode": settings.DEMO_MODE,
        "demo_clock_moved": settings.DEMO_MODE and clock.offset() > timedelta(0),
    }
