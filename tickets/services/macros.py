"""Keeping macros, showing what one would do, and doing it (screens.md, macros)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from accounts.access import Actor
from accounts.models import StaffMember
from accounts.services.audit import audit_record
from core.clock import local
from core.exceptions import DomainError
from supportplans.selectors.coverage import coverage_at
from supportplans.states import PlanCode, Severity
from tickets.macros import fill, variables_in
from tickets.models import Macro, Ticket, TicketMessage
from tickets.services.composing import answered_refuse, draft_discard
from tickets.services.macro_steps import FIELDS, STEPS, Run, StepInvalid
from tickets.states import DraftKind

TEXTS = ("note", "reply")


class MacroNameTaken(DomainError):
    """A person's macros, and the team's, have a name each."""

    code = "macro_name_taken"
    message = _("已有同名的宏")


class MacroChanged(DomainError):
    """What the preview showed is no longer what would happen; nothing was written."""

    code = "macro_changed"
    message = _("工单或宏已变化，请重新确认")


@dataclass(frozen=True)
class Change:
    """A field as it is and as it would be."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Preview:
    """What a macro would do to a ticket now. ``digest`` stands for all of it."""

    texts: dict[str, str]
    changes: list[Change]

    @property
    def digest(self) -> str:
        """Return what has to be the same when the macro is applied."""
        facts = [self.texts, [(row.label, row.before, row.after) for row in self.changes]]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


class _Undo(Exception):
    """Ends a rehearsal and takes it back."""


@transaction.atomic
def macro_save(
    *,
    macro: Macro | None,
    name: str,
    shortcut: str,
    owner: StaffMember | None,
    steps: list[dict[str, Any]],
    actor: Actor,
    at: datetime,
) -> Macro:
    """Keep a macro, a new one or another version. Raises StepInvalid, VariableUnknown, MacroNameTaken."""
    _check(steps)
    before = _facts(macro) if macro else None
    kept = macro or Macro(owner=owner, created_at=at, version=0)
    kept.name, kept.shortcut, kept.steps = name.strip(), shortcut.strip().lstrip("/"), steps
    kept.version += 1
    try:
        with transaction.atomic():
            kept.save()
    except IntegrityError as error:
        raise MacroNameTaken(field="name") from error
    details = {"before": before, "after": _facts(kept)}
    _audit("macro_changed" if macro else "macro_created", kept, details, actor=actor, at=at)
    return kept


@transaction.atomic
def macro_switch(*, macro: Macro, is_active: bool, actor: Actor, at: datetime) -> Macro:
    """Offer a macro to the agents, or no longer."""
    if macro.is_active != is_active:
        macro.is_active = is_active
        macro.save(update_fields=["is_active"])
        verb = "macro_enabled" if is_active else "macro_disabled"
        _audit(verb, macro, {}, actor=actor, at=at)
    return macro


def macro_text(*, macro: Macro, kind: str, ticket: Ticket, actor: Actor, at: datetime) -> str:
    """Return one text of a macro for a ticket, in the customer's language where the macro has it.

    Raises VariableUnknown, VariableEmpty.
    """
    step = next(step for step in macro.steps if step["kind"] == kind)
    english = bool(step.get("body_en") and ticket.actor and ticket.actor.language.startswith("en"))
    with translation.override("en" if english else "zh-hans"):
        body = str(step["body_en"] if english else step["body"])
        return fill(body, _values(ticket, actor, at))


def macro_preview(
    *, macro: Macro, ticket: Ticket, actor: Actor, at: datetime, draft: str = ""
) -> Preview:
    """Return what the macro would do, by doing it and taking it back. Raises whatever applying it would raise.

    ``draft`` is what stands in the reply's composer already; the macro's reply follows it.
    """
    texts = _texts(macro, ticket, actor, at, draft)
    before = _read(ticket)
    after = before
    try:
        with transaction.atomic():
            _do(Run(ticket.pk, _by_kind(macro.steps), texts, actor, at))
            fresh = Ticket.objects.select_related("assignee").defer("search").get(pk=ticket.pk)
            after = _read(fresh)
            raise _Undo
    except _Undo:
        pass
    changes = [
        Change(str(label), before[name], after[name])
        for name, (label, _read_) in FIELDS.items()
        if before[name] != after[name]
    ]
    return Preview(texts, changes)


@transaction.atomic
def macro_apply(
    *,
    macro: Macro,
    ticket: Ticket,
    digest: str,
    seen_message_id: int,
    idempotency_key: str,
    actor: Actor,
    at: datetime,
    draft: str = "",
) -> None:
    """Do what the preview showed, in one transaction. The same ``idempotency_key`` applies it once.

    Raises MacroChanged when something else would happen now, AnsweredMeanwhile, and what the steps' services refuse.
    """
    sent = TicketMessage.objects.filter(ticket=ticket, idempotency_key=idempotency_key)
    if idempotency_key and sent.exists():
        return
    answered_refuse(
        ticket_id=ticket.pk, seen_message_id=seen_message_id, idempotency_key=idempotency_key
    )
    preview = macro_preview(macro=macro, ticket=ticket, actor=actor, at=at, draft=draft)
    if preview.digest != digest:
        raise MacroChanged
    steps = _by_kind(macro.steps)
    _do(Run(ticket.pk, steps, preview.texts, actor, at, idempotency_key or None))
    for kind in TEXTS:
        if kind in preview.texts:
            draft_discard(ticket_id=ticket.pk, kind=DraftKind(kind), actor=actor)


def _check(steps: list[dict[str, Any]]) -> None:
    """Refuse what could never be applied."""
    by_kind = _by_kind(steps)
    if not steps or len(by_kind) != len(steps) or set(by_kind) - set(STEPS):
        raise StepInvalid(_("宏至少有一个步骤，每种步骤最多一个"))
    for kind, step in by_kind.items():
        STEPS[kind].check(step, by_kind)
        for text in ("body", "body_en"):
            variables_in(str(step.get(text, "")))


def _texts(macro: Macro, ticket: Ticket, actor: Actor, at: datetime, draft: str) -> dict[str, str]:
    kinds = [step["kind"] for step in macro.steps if step["kind"] in TEXTS]
    texts = {
        kind: macro_text(macro=macro, kind=kind, ticket=ticket, actor=actor, at=at)
        for kind in kinds
    }
    if draft.strip() and "reply" in texts:
        texts["reply"] = f"{draft.rstrip()}\n\n{texts['reply']}"
    return texts


def _do(run: Run) -> None:
    for kind in sorted(run.steps, key=lambda kind: STEPS[kind].order):
        STEPS[kind].apply(run, run.steps[kind])


def _by_kind(steps: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {str(step.get("kind")): step for step in steps}


def _facts(macro: Macro) -> dict[str, Any]:
    return {"name": macro.name, "shortcut": macro.shortcut, "steps": macro.steps}


def _read(ticket: Ticket) -> dict[str, str]:
    return {name: read(ticket) for name, (_label, read) in FIELDS.items()}


def _values(ticket: Ticket, actor: Actor, at: datetime) -> Mapping[str, str]:
    """Return what the variables stand for; what the ticket does not have is empty."""
    targets = coverage_at(ticket.tenant_id, at).target_minutes
    return {
        "customer": ticket.tenant.name,
        "contact": ticket.actor_name,
        "number": ticket.number,
        "title": ticket.title,
        "product": str(ticket.product_line or ""),
        "resource": ticket.resource,
        "plan": str(PlanCode(ticket.plan_code).label),
        "severity": str(Severity(ticket.severity).label),
        "target": str(targets[ticket.severity]),
        "due": f"{local(ticket.due_at):%H:%M:%S}" if ticket.due_at else "",
        "agent": actor.name,
        "agent_title": actor.title,
    }


def _audit(verb: str, macro: Macro, details: dict[str, Any], *, actor: Actor, at: datetime) -> None:
    audit_record(
        action=f"tickets.{verb}",
        subject=macro.name,
        actor=actor,
        at=at,
        tenant_id=None,
        details={"macro": macro.pk, "team": macro.owner_id is None, **details},
    )
