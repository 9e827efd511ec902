"""Finding phrases in text, by tables that a person can read.

A table maps a code to (weight, phrases); phrases are divided by `|` at the top level. In languages with spaces a
phrase is a row of words: `word*` stands for any ending, `(a|b)` for one of several, `~` for up to five words of any
kind. Upper case, accents and "n't" don't matter. In Japanese a phrase is a regular expression.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

Table = Mapping[str, tuple[float, str]]

GAP = 5
_WORD = re.compile(r"[^\W_]+")
# A phrase never reaches from one sentence into the next; a single line break may be a wrapped line.
_WORD_OR_STOP = re.compile(r"[^\W_]+|[.!?;]+(?=\s|$)|\n\s*\n")
_NOT = re.compile(r"\b(do|did|ca|wo|is|was|does|have|has|had|are|were|could|would|should)n'?t\b|\bcan(not)\b")
_GROUP = re.compile(r"\([^)]*\)")
_BARE = re.compile(r"\s*\|\s*(?![^()]*\))")


def fold(text: str) -> str:
    """Lower case without accents, so that `DÉÇU` and `decu` are one word; `ß` becomes `ss`."""
    lowered = unicodedata.normalize("NFKD", text.casefold().replace("\u2019", "'"))
    bare = "".join(letter for letter in lowered if not unicodedata.combining(letter))
    return _NOT.sub(lambda found: f"{found[1] or 'ca'} not", bare)


def tokens(text: str) -> list[str]:
    """The words of a text after folding."""
    return _WORD.findall(fold(text))


@dataclass(frozen=True)
class Text:
    """A message made ready for search."""

    raw: str

    @cached_property
    def words(self) -> list[str]:
        """Folded words in order, with a full stop wherever a sentence ends."""
        return [word if word[0].isalnum() else "." for word in _WORD_OR_STOP.findall(fold(self.raw))]

    @cached_property
    def signs(self) -> str:
        """The text in one width, for languages without spaces."""
        return unicodedata.normalize("NFKC", self.raw).replace("\n", " ")


@dataclass(frozen=True)
class Hit:
    """A phrase that was found; `start` and `end` count words (signs in Japanese)."""

    code: str
    weight: float
    start: int
    end: int


@dataclass(frozen=True)
class _Slot:
    """One place of a phrase: exact words, beginnings of words, or a gap."""

    exact: frozenset[str]
    roots: tuple[str, ...]
    gap: bool = False

    def fits(self, word: str) -> bool:
        return word in self.exact or word.startswith(self.roots)


def _plain(phrase: str) -> Iterator[str]:
    """The phrase once for each way to read those of its groups that offer more than single words."""
    for group in _GROUP.finditer(phrase):
        choices = group[0].strip("()").split("|")
        if any(len(tokens(choice)) > 1 for choice in choices):
            for choice in choices:
                yield from _plain(phrase[: group.start()] + choice + phrase[group.end() :])
            return
    yield phrase


def _slots(phrase: str) -> Iterator[_Slot]:
    for part in re.findall(r"\([^)]*\)|\S+", phrase):
        if part == "~":
            yield _Slot(frozenset(), (), gap=True)
            continue
        choices = [choice.strip() for choice in part.strip("()").split("|")]
        yield _Slot(
            frozenset(tokens(choice)[0] for choice in choices if not choice.endswith("*")),
            tuple(tokens(choice)[0] for choice in choices if choice.endswith("*")),
        )


def _end(slots: tuple[_Slot, ...], words: list[str], at: int) -> int | None:
    """Where a phrase that starts at `at` ends, or None."""
    for index, slot in enumerate(slots):
        if slot.gap:
            return _after_gap(slots[index + 1 :], words, at)
        if at >= len(words) or not slot.fits(words[at]):
            return None
        at += 1
    return at


def _after_gap(slots: tuple[_Slot, ...], words: list[str], at: int) -> int | None:
    for start in range(at, at + GAP + 1):
        end = _end(slots, words, start)
        if end is not None:
            return end
        if start >= len(words) or words[start] == ".":
            return None
    return None


@dataclass
class Phrases:
    """Tables of a language with spaces, indexed by each phrase's first word."""

    table: Table
    _by_word: dict[str, list[tuple[str, float, tuple[_Slot, ...]]]] = field(default_factory=dict)
    _by_root: dict[str, list[tuple[str, float, tuple[_Slot, ...]]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for code, (weight, phrases) in self.table.items():
            for phrase in _BARE.split(phrases.strip()):
                for plain in _plain(phrase):
                    self._file(code, weight, tuple(_slots(plain)))

    def _file(self, code: str, weight: float, slots: tuple[_Slot, ...]) -> None:
        row = (code, weight, slots)
        for word in slots[0].exact:
            self._by_word.setdefault(word, []).append(row)
        for root in slots[0].roots:
            self._by_root.setdefault(root[:3], []).append(row)

    def find(self, text: Text) -> Iterator[Hit]:
        """Every phrase in the text, in order."""
        words = text.words
        for at, word in enumerate(words):
            for rows in (self._by_word.get(word, ()), self._by_root.get(word[:3], ())):
                for code, weight, slots in rows:
                    end = _end(slots, words, at)
                    if end is not None:
                        yield Hit(code, weight, at, end)


@dataclass
class Signs:
    """Tables of a language without spaces."""

    table: Table
    _rows: list[tuple[str, float, re.Pattern[str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for code, (weight, phrases) in self.table.items():
            self._rows.append((code, weight, re.compile("".join(phrases.split()))))

    def find(self, text: Text) -> Iterator[Hit]:
        """Every phrase in the text, by code."""
        for code, weight, pattern in self._rows:
            for found in pattern.finditer(text.signs):
                yield Hit(code, weight, found.start(), found.end())
