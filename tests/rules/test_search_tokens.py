"""Bigram tokens (isolation.md, Chinese search)."""

import pytest

from core import search


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("服务器", ["服务", "务器", "器"]),
        ("器", ["器"]),
        ("Error 42", ["error", "42"]),
        ("ECS实例", ["ecs", "实例", "例"]),
        ("rds-7f2c19", ["rds", "7f2c19"]),
        ("１０．０", ["10", "0"]),  # full-width digits are digits
        ("，。!'\\", []),
        ("", []),
    ],
)
def test_tokens(text, tokens):
    assert search.tokens(text) == tokens


def test_a_vector_keeps_positions_and_a_gap_between_texts():
    assert search.vector("登录", "失败") == "'登录':1 '录':2 '失败':4 '败':5"


def test_a_long_text_is_cut_not_refused():
    assert search.vector("字" * 30_000).count(":") == search.TOKENS_MAX


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("登录", "('登录')"),
        ("服务器", "('服务' <-> '务器')"),
        ("器", "'器':*"),
        ("ECS 无法连接", "'ecs':* & ('无法' <-> '法连' <-> '连接')"),
        ("'; --", ""),
    ],
)
def test_queries(text, query):
    assert search.query(text) == query
