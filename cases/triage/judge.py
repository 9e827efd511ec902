"""What a message betrays about its writer: anger, distress, a legal threat, fraud."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass

from cases.triage.language import language
from cases.triage.lexicon import KINDS, Lexicon, lexicon
from cases.triage.words import Hit, Text

log = logging.getLogger(__name__)

THRESHOLD = 0.5
# Says that a message was not judged, so that nobody takes it for a calm one.
FAILED = "triage.failed"
LONGEST = 8_000
SURE_WORDS = 8
LATIN = ("en", "de", "fr", "es")
# A denied feeling is no feeling; a denied payment is exactly what a victim of fraud writes.
DENIABLE = ("anger", "distress", "legal")
# "I do not believe how rude you are" denies no rudeness.
UNDENIED = frozenset(
    "believe stop help understand how why only just glauben verstehen nur croire comprendre seulement creer entender"
    " solo .".split()
)
SOFTENABLE = ("anger", "distress")
_SHOUT = re.compile(r"\b[A-ZÀ-Þ]{3,}(?:[\s,.!?']+[A-ZÀ-Þ]{2,}){2,}")
_RED = re.compile("[\U0001f620\U0001f621\U0001f624\U0001f92c\U0001f595]")
_MARKS = re.compile(r"[!?！？]{2,}")


@dataclass(frozen=True)
class Labels:
    """Scores from 0 to 1 per kind; `hits` are codes of the lexicon, `flags` the kinds at or above the threshold.

    `language` is empty where the text doesn't say.
    """

    language: str
    scores: dict[str, float]
    hits: tuple[str, ...]
    flags: tuple[str, ...]


def judge(text: str) -> Labels:
    """Reads one message in well under a millisecond; never raises, whatever the text is."""
    try:
        return _judge(text)
    except Exception:
        log.exception("Triage could not read a message of %d characters", len(text))
        return Labels("", dict.fromkeys(KINDS, 0.0), (FAILED,), ())


def _judge(text: str) -> Labels:
    prepared = Text(_ends(text))
    spoken = language(prepared)
    found = [
        hit for code in _to_read(spoken, len(prepared.words)) for hit in _signals(lexicon(code), prepared)
    ]
    found += _shouting(prepared)
    scores = {kind: _score(hit for hit in found if hit.code.startswith(f"{kind}.")) for kind in KINDS}
    return Labels(
        language=spoken,
        scores=scores,
        hits=tuple(sorted({hit.code for hit in found})),
        flags=tuple(kind for kind in KINDS if scores[kind] >= THRESHOLD),
    )


def _ends(text: str) -> str:
    """Head and tail of a text that is too long to read whole."""
    if len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST * 2 // 3]}\n{text[-LONGEST // 3 :]}"


def _to_read(spoken: str, words: int) -> tuple[str, ...]:
    """Whose words to look for: few words may mislead about the language, and people swear in English anywhere."""
    if not spoken or (spoken != "ja" and words < SURE_WORDS):
        return LATIN
    return (spoken,) if spoken == "en" else (spoken, "en")


def _signals(words: Lexicon, text: Text) -> list[Hit]:
    guarded = [(guard.start, guard.end) for guard in words.guards.find(text)]
    return [hit for hit in words.signals.find(text) if not _excused(hit, words, text, guarded)]


def _excused(hit: Hit, words: Lexicon, text: Text, guarded: list[tuple[int, int]]) -> bool:
    if any(start < hit.end and hit.start < end for start, end in guarded):
        return True
    kind = hit.code.partition(".")[0]
    if words.code == "ja":
        before = text.signs[max(0, hit.start - 4) : hit.start]
        return kind in SOFTENABLE and before.endswith(words.soft_signs)
    if kind in SOFTENABLE and _softened(hit, words, text):
        return True
    return kind in DENIABLE and _denied(hit, words, text)


def _softened(hit: Hit, words: Lexicon, text: Text) -> bool:
    before = tuple(text.words[max(0, hit.start - 4) : hit.start])
    return any(
        before[at : at + len(softener)] == softener
        for softener in words.softeners
        for at in range(max(0, len(before) - len(softener) - 1), len(before) - len(softener) + 1)
    )


def _denied(hit: Hit, words: Lexicon, text: Text) -> bool:
    """ "I'm not going to sue you" threatens nobody; "I don't want to sue you, but" does."""
    before = text.words[max(0, hit.start - 3) : hit.start]
    # Who can't stop crying denies nothing.
    denials = [
        at for at, word in enumerate(before) if word in words.negations and before[max(0, at - 1)] != "ca"
    ]
    if not denials or UNDENIED.intersection(before[denials[-1] :]):
        return False
    return not words.turns.intersection(text.words[hit.end : hit.end + 12])


def _shouting(text: Text) -> list[Hit]:
    hits = []
    if _SHOUT.search(text.raw):
        hits.append(Hit("anger.shouting", 0.4, 0, 0))
    if _MARKS.search(text.raw):
        hits.append(Hit("anger.marks", 0.2, 0, 0))
    if _RED.search(text.raw):
        hits.append(Hit("anger.face", 0.45, 0, 0))
    return hits


def _score(hits: Iterable[Hit]) -> float:
    """Independent signs add up to certainty, each code once."""
    strongest: dict[str, float] = {}
    for hit in hits:
        strongest[hit.code] = max(hit.weight, strongest.get(hit.code, 0.0))
    doubt = 1.0
    for weight in strongest.values():
        doubt *= 1 - weight
    return round(1 - doubt, 3)
