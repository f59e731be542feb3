"""Variables of macros are filled in or refused, never left out silently."""

import pytest

from tickets.macros import NAMES, VariableEmpty, VariableUnknown, fill, variables_in

VALUES = {name: f"<{name}>" for name in NAMES}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("您好 {{客户}}", "您好 <customer>"),
        ("{{ customer }}{{number}}", "<customer><number>"),
        ("没有变量 {a: 1} {", "没有变量 {a: 1} {"),
    ],
)
def test_both_languages_name_the_same(text, filled):
    assert fill(text, VALUES) == filled


def test_what_is_filled_in_is_not_read_again():
    assert fill("{{标题}}", {"title": "{{customer}}"}) == "{{customer}}"


@pytest.mark.parametrize("name", ["custmer", "", "客 户", "__class__"])
def test_an_unknown_variable_is_named(name):
    for attempt in (lambda text: fill(text, VALUES), variables_in):
        with pytest.raises(VariableUnknown) as refused:
            attempt(f"您好 {{{{{name}}}}}")
        assert name in str(refused.value.message)


def test_an_empty_variable_is_named():
    with pytest.raises(VariableEmpty) as refused:
        fill("{{产品}}", {"product": ""})
    assert "产品" in str(refused.value.message)


def test_each_variable_is_listed_once():
    assert variables_in("{{客户}} {{number}} {{客户}}") == ["客户", "number"]
