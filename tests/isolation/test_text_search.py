"""The database sees Chinese characters as letters (isolation.md, Chinese search)."""

import pytest

from tests.isolation.catalogue import rows


@pytest.mark.django_db
def test_trigrams_of_chinese_exist():
    ((count,),) = rows("SELECT array_length(show_trgm('服务器'), 1)")
    assert count > 0


@pytest.mark.django_db
def test_chinese_characters_are_word_characters():
    assert rows("SELECT '服' ~ '\\w', upper('é')") == [(True, "É")]
