"""The little language of phrase tables."""

from __future__ import annotations

import pytest

from cases.triage.lexicon import KINDS, LANGUAGES, lexicon
from cases.triage.words import Phrases, Signs, Text


def finds(phrase: str, text: str) -> bool:
    return any(Phrases({"x": (1.0, phrase)}).find(Text(text)))


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("sue you", "We will SUE you."),
        ("déçu*", "je suis decue"),
        ("do not know", "I don't know"),
        ("ca not cope", "I can't cope"),
        ("broken (mug|glass)", "a broken glass"),
        ("never ~ again", "I will never buy from you again"),
        ("(one of|out of) four", "one out of four"),
    ],
)
def test_a_phrase_is_found(phrase: str, text: str) -> None:
    assert finds(phrase, text)


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("sue", "I gave the suede shoes back"),
        ("never ~ again", "I never knew. Now I write again."),
        ("never ~ again", "never one two three four five six again"),
    ],
)
def test_a_phrase_stays_in_its_words_and_its_sentence(phrase: str, text: str) -> None:
    assert not finds(phrase, text)


def test_a_wrapped_line_ends_no_sentence() -> None:
    assert finds("never ~ again", "I will never\nbuy from you again")


def test_japanese_phrases_are_expressions_over_one_width_of_signs() -> None:
    assert [hit.code for hit in Signs({"x": (1.0, "カード | 請求")}).find(Text("ｶｰﾄﾞの請求"))] == ["x", "x"]


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_has_words_for_every_kind(code: str) -> None:
    table = lexicon(code).signals.table
    assert {name.partition(".")[0] for name in table} == set(KINDS)
    assert all(0 < weight <= 1 for weight, _phrases in table.values())
