"""Errors of the domain: a sentence for people, a stable code for programs."""

from __future__ import annotations

from django.utils.functional import Promise


class DomainError(Exception):
    """A rule of the domain refuses an action. Nothing was written.

    Subclasses set ``code`` (stable, for the API) and ``message`` (translatable, for the page). An instance may carry
    its own message when the refusal has figures in it, and the ``field`` of the form it belongs to.
    """

    code = "refused"
    message: str | Promise = ""
    status = 409

    def __init__(self, message: str | Promise | None = None, *, field: str | None = None) -> None:
        if message is not None:
            self.message = message
        self.field = field
        super().__init__(str(self.message))
