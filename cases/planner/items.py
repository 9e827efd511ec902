"""Which lines of an order a message is about, and how many pieces of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cases.planner.facts import LineFact
from cases.planner.glossary import things
from cases.planner.intents import vocabulary
from cases.planner.reading import Reading
from cases.triage.language import COMMON
from cases.triage.words import Text, tokens

Parts = list[tuple[LineFact, int]]

_ENDING = re.compile(r"(es|en|er|s|n|e|x)$")
_COUNTED = re.compile(r"(\d{1,2}|[一二三四五六七八九十])\s*(?:つ|個|枚|点|本|客|膳|杯|脚|冊|セット|こ|コ)")
_UNITS = re.compile(
    r"^(days?|weeks?|months?|hours?|minutes?|years?|cm|mm|kg|g|tage?n?|wochen?|monate?n?|stunden?|jours?|semaines?"
    r"|mois|heures?|dias?|semanas?|meses|horas?|uhr|h|am|pm|percent|prozent)$"
)
# Words of titles that say nothing about which line is meant.
_VAGUE = frozenset(
    "set pack new neu neue paar piece pieces stuck juego lot aus mit ohne und and with from out off por con sin"
    " par aux ses nos teil item article artikel articulo".split()
)


@dataclass(frozen=True)
class Claimed:
    """The lines that a message names with pieces, or why it is unclear which: `parts` is then None."""

    parts: Parts | None
    named: tuple[LineFact, ...] = ()


def same_word(one: str, other: str) -> bool:
    """Equal but for a plural ending, or one the head of the other's compound (Glas, Wasserglas)."""
    if one == other:
        return True
    bare, bare_other = _bare(one), _bare(other)
    if bare == bare_other:
        return True
    short, long = sorted((bare, bare_other), key=len)
    # Less than three letters more is another word (bonne, bonnet), not a compound.
    if len(short) < 5 or len(long) - len(short) < 3:
        return False
    return long.endswith(short) or (long.startswith(short) and len(short) * 2 >= len(long))


def _bare(word: str) -> str:
    return _ENDING.sub("", word) if len(word) > 4 else word


def named(text: str, titles: Sequence[tuple[str, str]], code: str) -> list[int]:
    """Positions of the titles (title, SKU) that the text names; empty where it names none or can't be told.

    A word that fits several titles names none of them, unless another word singles one out.
    """
    evidence = [_evidence(text, title, sku, code) for title, sku in titles]
    alone = [
        at
        for at, words in enumerate(evidence)
        if any(all(word not in other for i, other in enumerate(evidence) if i != at) for word in words)
    ]
    if alone:
        return alone
    most = max((len(words) for words in evidence), default=0)
    best = [at for at, words in enumerate(evidence) if most and len(words) == most]
    return best if len(best) == 1 else []


def _evidence(text: str, title: str, sku: str, code: str) -> set[str]:
    found = {sku.casefold()} if sku and re.search(rf"\b{re.escape(sku)}\b", text, re.IGNORECASE) else set()
    found |= {f"thing {thing}" for thing in things(text) & things(title)}
    if code == "ja" or (not title.isascii() and re.search(r"[\u3041-\u9fff]", title)):
        found |= _runs(text, title)
    said = set(tokens(text))
    counted = vocabulary(code).numbers
    wanted = {
        word for word in tokens(title) if len(word) > 2 and word not in COMMON | _VAGUE | counted.keys()
    }
    return found | {word for word in said if len(word) > 2 and any(same_word(word, own) for own in wanted)}


def _runs(text: str, title: str) -> set[str]:
    """The longest pieces of the title, two signs or more and not hiragana alone, that stand in the text."""
    text, title = (unicodedata.normalize("NFKC", part) for part in (text, title))
    runs: set[str] = set()
    start = 0
    while start < len(title) - 1:
        end = next((end for end in range(len(title), start + 1, -1) if title[start:end] in text), start)
        if end > start and re.search(r"[\u30a1-\u30ff\u4e00-\u9fffA-Za-z]", title[start:end]):
            runs.add(title[start:end])
        start = max(end, start + 1)
    return runs


def numbers(text: str, code: str) -> list[int]:
    """The quantities that a text speaks of, in order; spans of time and measures are none."""
    if code == "ja":
        signs = vocabulary("ja").numbers
        return [int(n) if n.isdigit() else signs[n] for n in _COUNTED.findall(Text(text).signs)]
    words, known = tokens(text), vocabulary(code).numbers
    found = []
    for at, word in enumerate(words):
        value = int(word) if word.isdigit() and len(word) <= 2 else known.get(word)
        measured = at + 1 < len(words) and _UNITS.match(words[at + 1])
        if value and not measured:
            found.append(value)
    return found


def claimed(reading: Reading, wish: str, lines: Sequence[LineFact], later: Reading | None = None) -> Claimed:
    """What a claim is about: lines of the clause that makes it, else of the whole text, else the only line."""
    focus = " . ".join(reading.focus(wish))
    whole = reading.text.raw
    picked = _picked(focus, lines, reading.code) or _from_whole(reading, wish, lines)
    if later is not None:
        picked = _picked(later.text.raw, lines, later.code) or picked
    if not picked and len(lines) == 1:
        picked = list(lines)
    if not picked and "all" in reading.marks(focus):
        return Claimed([(line, line.open_quantity) for line in lines if line.open_quantity], tuple(lines))
    if not picked:
        return Claimed(None)
    texts = [later.text.raw] if later is not None else []
    parts: Parts = []
    for line in picked:
        quantity = _quantity(line, [*texts, focus, whole], reading)
        if quantity is None:
            return Claimed(None, tuple(picked))
        parts.append((line, quantity))
    return Claimed(parts, tuple(picked))


def _picked(text: str, lines: Sequence[LineFact], code: str) -> list[LineFact]:
    return [lines[at] for at in named(text, [(line.title, line.sku) for line in lines], code)]


def _from_whole(reading: Reading, wish: str, lines: Sequence[LineFact]) -> list[LineFact]:
    """One line that the rest of the message names; several could be the ones that are fine."""
    rest = " . ".join(clause for clause in reading.clauses if "fine" not in reading.marks(clause))
    for text in (rest, reading.text.raw):
        found = _picked(text, lines, reading.code)
        if len(found) == 1:
            return found
    return []


def _quantity(line: LineFact, texts: Iterable[str], reading: Reading) -> int | None:
    if line.quantity == 1:
        return 1
    for text in texts:
        marks = reading.marks(text)
        said = numbers(text, reading.code)
        fewer = [number for number in said if number < line.quantity]
        if fewer:
            return fewer[0]
        if "one_of" in marks:
            return 1
        if "all" in marks:
            return line.quantity
    return None
