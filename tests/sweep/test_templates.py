"""What holds for every template: it compiles, it is short, and nothing in it breaks the content security policy."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.template.loader import get_template

FOLDER = settings.BASE_DIR / "templates"
TEMPLATES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file())
PAGES = [name for name in TEMPLATES if name.endswith(".html") and not name.startswith("emails/")]
MOST_LINES = 150
CSS = "\n".join(
    path.read_text("utf-8") for path in (settings.BASE_DIR / "static/css").glob("*.css")
)
# The PDF has a style sheet of its own.
STYLED = [name for name in PAGES if name != "reports/report.html"]
TAG = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)
INLINE = re.compile(r"""\sstyle\s*=|\son[a-z]+\s*=\s*["']|javascript:|<style\b""", re.IGNORECASE)
SCRIPT = re.compile(r"<script\b(?P<attributes>[^>]*)>(?P<body>.*?)</script>", re.DOTALL)


@pytest.mark.parametrize("name", TEMPLATES)
def test_it_compiles(name):
    get_template(name)


@pytest.mark.parametrize("name", PAGES)
def test_scripts_and_styles_stand_in_files(name):
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert INLINE.findall(text) == []
    for script in SCRIPT.finditer(text):
        assert "src=" in script["attributes"]
        assert script["body"].strip() == ""


@pytest.mark.parametrize("name", PAGES)
def test_a_page_stays_short(name):
    assert len((FOLDER / name).read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("name", TEMPLATES)
def test_people_are_addressed_politely(name):
    """design/README.md: 称“您”，无感叹号."""
    text = re.sub(
        r"{#.*?#}|{% comment %}.*?{% endcomment %}",
        "",
        (FOLDER / name).read_text("utf-8"),
        flags=re.S,
    )
    assert "你" not in text
    assert "！" not in text


def test_every_class_has_a_style():
    used = {
        word
        for name in STYLED
        for value in re.findall(
            r'\sclass="([^"]*)"', TAG.sub(" ", (FOLDER / name).read_text("utf-8"))
        )
        for word in value.split()
        if re.fullmatch(r"[a-z][\w-]*[a-z0-9]", word)
    }
    assert sorted(used - set(re.findall(r"\.([a-z][\w-]*)", CSS))) == []
