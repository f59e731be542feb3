"""Template tags of billing: what methods and steps of the arithmetic are called."""

from __future__ import annotations

from django import template

from billing.presenters import rule_label
from billing.states import AccountKind

register = template.Library()


@register.simple_tag
def method_name(method: str) -> str:
    """Return what a way to pay is called."""
    return str(AccountKind(method).label)


@register.simple_tag
def rule(name: str) -> str:
    """Return what a step of the arithmetic is called."""
    return rule_label(name)
