"""Decisions that ask once more: a dialog of the page they belong to, and without scripts a page of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render

from core.exceptions import DomainError


@dataclass(frozen=True)
class Step:
    """What is asked: ``title`` names the object, ``text`` the consequences, the last of ``facts`` the exact amount.

    ``action`` is the address that shows the question and takes the answer, ``back`` where both ends lead to.
    """

    id: str
    title: str
    text: str
    facts: list[tuple[str, str]]
    verb: str
    action: str
    back: str
    form: forms.Form


class EmptyForm(forms.Form):
    """A question that is answered by its button alone."""


def step_answer(
    request: HttpRequest, step: Step, act: Callable[[Mapping[str, Any]], object], *, done: str
) -> HttpResponse:
    """Show the question, or act upon the answer with the form's data; a refusal stands beside what was typed."""
    form = step.form
    if request.method == "POST" and form.is_valid():
        try:
            act(form.cleaned_data)
        except DomainError as refused:
            refuse(form, refused)
        else:
            messages.success(request, done)
            return redirect(step.back)
    status = 422 if form.errors else 200
    return render(request, "billing/finance_step.html", {"step": step}, status=status)


def posted(request: HttpRequest) -> QueryDict | None:
    """Return what was sent; None when the page is only looked at. Nothing typed is an answer too."""
    return request.POST if request.method == "POST" else None


def refuse(form: forms.Form, refused: DomainError) -> None:
    """Say a refusal beside its field, or above the form."""
    form.add_error(refused.field if refused.field in form.fields else None, str(refused.message))
