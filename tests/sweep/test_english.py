"""The English catalogue says everything that the portal says in Chinese."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management import call_command
from django.test import Client

SOURCES = {".py", ".html", ".txt"}
NOT_THE_PORTAL = {"tests", "locale", "bench", "media", "staticfiles"}
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%%|%[a-z]")
CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")


@pytest.fixture
def extracted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """Return what the sources say now, extracted from a copy: the extraction writes beside the templates."""
    if shutil.which("xgettext") is None:
        reason = "xgettext is not installed, so the texts cannot be extracted"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    shutil.copytree(settings.BASE_DIR, tmp_path / "portal", ignore=_all_but_sources)
    locale = tmp_path / "portal" / "locale"
    (locale / "en").mkdir(parents=True)
    monkeypatch.chdir(locale.parent)
    monkeypatch.setattr(settings, "LOCALE_PATHS", [locale])
    call_command("makemessages", locale=["en"], no_location=True, verbosity=0)
    return _read(locale)


def test_every_text_has_an_english_one_with_the_same_placeholders(extracted: Catalog) -> None:
    english = _read(settings.BASE_DIR / "locale")
    texts = [message for message in extracted if message.id]
    assert len(texts) > 500, "the extraction found too little to be believed"
    wrong = [fault for text in texts if (fault := _fault(text, english)) is not None]
    assert not wrong, "\n".join(wrong)


@pytest.mark.django_db
@pytest.mark.parametrize(("chosen", "said"), [("en", "en"), ("zh-hans", "zh-CN")])
def test_a_page_names_the_language_it_is_in(client: Client, chosen: str, said: str) -> None:
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = chosen
    assert f'<html lang="{said}"' in client.get("/accounts/login/").content.decode()


def _all_but_sources(directory: str, names: list[str]) -> set[str]:
    at_root = Path(directory) == Path(settings.BASE_DIR)
    return {
        name
        for name in names
        if name.startswith(".")
        or (at_root and name in NOT_THE_PORTAL)
        or not ((Path(directory) / name).is_dir() or Path(name).suffix in SOURCES)
    }


def _read(locale: Path) -> Catalog:
    with (locale / "en" / "LC_MESSAGES" / "django.po").open("rb") as file:
        return read_po(file, locale="en")


def _fault(text: Message, english: Catalog) -> str | None:
    translation = english.get(text.id, context=text.context)
    if translation is None or translation.fuzzy:
        return f"no English for {text.id!r}"
    sources, said = _forms(text.id), _forms(translation.string)
    if len(said) != len(sources) or not all(said):
        return f"no English for {text.id!r}"
    for source, target in zip(sources, said, strict=True):
        if set(PLACEHOLDER.findall(source)) != set(PLACEHOLDER.findall(target)):
            return f"other placeholders than {source!r}: {target!r}"
        if CHINESE.search(target):
            return f"Chinese in the English of {source!r}: {target!r}"
    return None


def _forms(text: object) -> tuple[str, ...]:
    """Return singular and plural of a text that has both, or the one text it is."""
    return (
        tuple(str(form) for form in text) if isinstance(text, (tuple, list)) else (str(text or ""),)
    )
