"""Answer "why this amount": one JSON object on standard input, one on standard output.

With lines in the question no database is read. ``--subscription ID`` takes the lines, the plan's prices and the number
of free returns used from the stored subscription; the question then needs ``action`` and, as the action has it,
``plan``, ``years`` and ``at`` (default: now). A refused action prints ``{"refused": code, "message": text}`` and exits
with 1.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from typing_extensions import override

from billing.exceptions import QuestionInvalid
from billing.quote_json import answer, read
from billing.selectors.lines import question_about
from core.exceptions import DomainError
from core.tenancy import scope

REFUSED = 1


class Command(BaseCommand):
    """An operator's tool. It writes nothing."""

    help = __doc__
    requires_system_checks = ()  # it answers where no server runs, too

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the option that names a stored subscription."""
        parser.add_argument("--subscription", type=int, metavar="ID")

    @override
    def handle(self, *args: Any, subscription: int | None = None, **options: Any) -> None:
        """Read, answer, print."""
        try:
            question = read(_input())
            if subscription is not None:
                with scope.staff():
                    question = question_about(subscription, question)
            printed, status = answer(question), 0
        except DomainError as refused:
            printed, status = {"refused": refused.code, "message": str(refused.message)}, REFUSED
        self.stdout.write(json.dumps(printed, ensure_ascii=False))
        if status:
            sys.exit(status)


def _input() -> str:
    """Return standard input. Raises QuestionInvalid for what is no text."""
    try:
        return sys.stdin.read()
    except UnicodeDecodeError:
        raise QuestionInvalid("input: not UTF-8") from None
