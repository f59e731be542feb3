"""What every page knows: the brand, who is signed in, the theme."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts.access import Identity
from core import clock

THEME_COOKIE = "theme"


def portal(request: HttpRequest) -> dict[str, Any]:
    """Return ``brand``, ``identity``, ``theme`` (light, dark or system), ``now`` and ``demo_mode``."""
    theme = request.COOKIES.get(THEME_COOKIE, "light")
    return {
        "brand": settings.BRAND,
        "identity": getattr(request, "portal", Identity()),
        "theme": theme if theme in {"light", "dark", "system"} else "light",
        "now": clock.now(),
        "demo_mode": settings.DEMO_MODE,
    }
