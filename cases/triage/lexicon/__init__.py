"""The words of each language, as tables; one module a language, all of the same shape."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import ModuleType

from cases.triage.lexicon import de, en, es, fr, ja
from cases.triage.words import Phrases, Signs, Table, tokens

KINDS = ("anger", "distress", "legal", "fraud")
LANGUAGES: dict[str, ModuleType] = {"en": en, "de": de, "fr": fr, "es": es, "ja": ja}


@dataclass(frozen=True)
class Lexicon:
    """One language's tables, compiled. Codes of `signals` read `anger.fury`."""

    code: str
    signals: Phrases | Signs
    guards: Phrases | Signs
    softeners: tuple[tuple[str, ...], ...]
    soft_signs: tuple[str, ...]
    negations: frozenset[str]
    turns: frozenset[str]


def _merged(module: ModuleType) -> Table:
    return {f"{kind}.{code}": row for kind in KINDS for code, row in getattr(module, kind.upper()).items()}


@cache
def lexicon(code: str) -> Lexicon:
    """The compiled tables of a language; KeyError for one we have no words of."""
    module = LANGUAGES[code]
    searcher = Signs if code == "ja" else Phrases
    return Lexicon(
        code=code,
        signals=searcher(_merged(module)),
        guards=searcher(module.GUARDS),
        softeners=tuple(tuple(tokens(phrase)) for phrase in module.SOFTENERS),
        soft_signs=module.SOFTENERS,
        negations=module.NEGATIONS,
        turns=frozenset(word for turn in module.TURNS for word in tokens(turn)),
    )
