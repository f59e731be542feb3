"""The two sides of the quotes benchmark answer the same questions."""

from bench.subjects.quotes import QUESTIONS, bare_amounts


def test_the_bare_arithmetic_gives_the_amounts_of_the_rules():
    answers = [ask() for ask in QUESTIONS]

    assert [answer.charge or answer.refund for answer in answers] == bare_amounts()
