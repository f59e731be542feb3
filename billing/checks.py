"""What is wrong with the configuration of the payment methods, found before the first customer finds it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error

from billing.providers.registry import configured, provider_get


def payment_methods_load(
    *, app_configs: Sequence[AppConfig] | None, **_: Any
) -> list[CheckMessage]:
    """Return an error for each configured wallet whose keys cannot be read."""
    errors: list[CheckMessage] = []
    for code in configured():
        try:
            provider_get(code).load()
        except (OSError, ValueError) as error:
            errors.append(Error(f"{code}: {error}", id="billing.E001"))
    return errors
