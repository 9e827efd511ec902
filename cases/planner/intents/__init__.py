"""What customers want, by the words of each language; one module a language, all of the same shape."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import ModuleType

from cases.planner.intents import de, en, es, fr, ja
from cases.triage.language import COMMON, language
from cases.triage.words import Hit, Phrases, Signs, Table, Text, tokens

LANGUAGES: dict[str, ModuleType] = {"en": en, "de": de, "fr": fr, "es": es, "ja": ja}
LATIN = ("en", "de", "fr", "es")


@dataclass(frozen=True)
class Vocabulary:
    """One language's words for wishes, for all and one of several, for numbers, and where a sentence turns."""

    code: str
    intents: Phrases | Signs
    marks: Phrases | Signs
    numbers: dict[str, int]


@cache
def vocabulary(code: str) -> Vocabulary:
    """The compiled tables of a language; KeyError for one we have no words of."""
    module = LANGUAGES[code]
    searcher = Signs if code == "ja" else Phrases
    marks: Table = {
        "all": (1.0, module.ALL),
        "one_of": (1.0, module.ONES),
        "turn": (1.0, module.BREAKS),
        "fine": (1.0, module.FINE),
    }
    words = module.NUMBERS.split()
    return Vocabulary(
        code=code,
        intents=searcher(module.INTENTS),
        marks=searcher(marks),
        # "un" is an article far more often than a number.
        numbers={word: at for at, raw in enumerate(words, 1) for word in tokens(raw) if word not in COMMON},
    )


def spoken(text: Text, fallback: str) -> str:
    """The language whose words to use: what the text shows, else the one in which most of a wish is understood.

    `fallback` breaks a tie; English stands in for a language that we have no words of.
    """
    found = language(text)
    if found:
        return found
    fallback = fallback if fallback in LANGUAGES else "en"
    understood = {code: sum(hit.weight for hit in hits(text, code)) for code in (fallback, *LATIN)}
    return max(understood, key=lambda code: understood[code])


def hits(text: Text, code: str) -> list[Hit]:
    """Everything in the text that speaks for some wish."""
    return list(vocabulary(code).intents.find(text))


def intents(text: Text, code: str) -> dict[str, float]:
    """How much speaks for each wish, from 0 to 1; wishes that nothing speaks for are left out."""
    doubt: dict[str, float] = {}
    for hit in {(hit.code, hit.start): hit for hit in hits(text, code)}.values():
        doubt[hit.code] = doubt.get(hit.code, 1.0) * (1 - hit.weight)
    return {wish: round(1 - left, 3) for wish, left in doubt.items()}
