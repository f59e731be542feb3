"""Pure rules of coverage: targets and priority from plan and assurance window (domain.md §1, §5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from supportplans.states import Basis, PlanCode, Severity

LEVEL_ONE, LEVEL_TWO = 1, 2
FIRST_PRIORITY = 1


def highest_level(levels: Iterable[int]) -> int | None:
    """Return the highest of the running windows' levels: one stands above two and three."""
    return min(levels, default=None)


def targets_in_window(targets: Mapping[str, int], level: int | None) -> dict[str, int]:
    """Return minutes per severity while a window of ``level`` runs.

    Levels one and two treat a general ticket as urgent; level three leaves the plan's targets.
    """
    if level in {LEVEL_ONE, LEVEL_TWO}:
        return dict.fromkeys(targets, targets[Severity.URGENT])
    return dict(targets)


def priority_in_window(priority: int, level: int | None) -> int:
    """Return the restore priority while a window of ``level`` runs: level one first, level two one step better."""
    if level == LEVEL_ONE:
        return FIRST_PRIORITY
    if level == LEVEL_TWO:
        return max(FIRST_PRIORITY, priority - 1)
    return priority


def priority_in_force(priority: int, level: int | None, principal: int | None) -> int:
    """Return the restore priority from the own plan, the running window and the principal of a linked account.

    A linked account enters with its principal's restore priority, not with the principal's window (domain.md §5); the
    better of the two counts: a link never takes something away.
    """
    own = priority_in_window(priority, level)
    return own if principal is None else min(own, principal)


def is_promised(plan_code: str, basis: str | None) -> bool:
    """Return True where targets are a promise: paid plans and standard service, not trials and betas (guide 1.5)."""
    return plan_code == PlanCode.STANDARD or basis == Basis.PAID
