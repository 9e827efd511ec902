"""What the customer wants now: the unanswered messages, without quotes, read for wishes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from cases.planner.facts import CaseFacts, MessageFact
from cases.planner.intents import intents, spoken, vocabulary
from cases.triage.words import Hit, Text

_QUOTE = re.compile(
    r"^\s*(>|On .{4,200} wrote:|Am .{4,200} schrieb|Le .{4,200} a écrit|El .{4,200} escribió|-{3,}|_{5,}"
    r"|From: |Von: |De : |De: )"
)
MOST_LETTERS = 6_000
_REPLY = re.compile(r"^\s*(re|aw|antw|wg|fwd?|rv|tr|sv)\s*:", re.IGNORECASE)
_CLAUSE = re.compile(r"[.!?;\n。！？；]+|,|、|，| - | – ")
_ASKED = re.compile(r"[?？]|か[。\s]|か$")
_COURTESY = re.compile(
    r"(qué tal|que tal|how are you|ça va|comment allez-vous|wie geht'?s|alles gut)\s*\?", re.IGNORECASE
)
NUMBER = re.compile(r"#\s?\d{3,}|(?<![\w-])\d{4,}\b")


def unquoted(text: str) -> str:
    """The text up to the first line that quotes an earlier message."""
    kept: list[str] = []
    for line in text.splitlines():
        if _QUOTE.match(line):
            break
        kept.append(line)
    # Somebody who answers below the quote is read whole rather than not at all.
    return "\n".join(kept).strip() or text


def pending(messages: Sequence[MessageFact]) -> tuple[MessageFact, ...]:
    """What the customer wrote since our last message to them."""
    last_out = max((at for at, message in enumerate(messages) if message.direction == "out"), default=-1)
    return tuple(message for message in messages[last_out + 1 :] if message.direction == "in")


def answering(facts: CaseFacts) -> bool:
    """Whether the last thing we sent, reminders aside, was a question."""
    keys = (message.template_key for message in reversed(facts.messages) if message.direction == "out")
    return next((key or "" for key in keys if key != "reminder"), "").startswith("ask_")


def words_of(messages: Iterable[MessageFact]) -> str:
    """Subjects and texts as one; the subject of a reply was written by somebody else."""
    parts = []
    for message in messages:
        if message.subject and not _REPLY.match(message.subject):
            parts.append(f"{message.subject}.")
        parts.append(unquoted(message.text)[:MOST_LETTERS])
    return "\n".join(parts)


@dataclass(frozen=True)
class Reading:
    """The unanswered messages as one text, in the language `code`."""

    raw: str
    code: str

    @cached_property
    def text(self) -> Text:
        """Ready for search, without order numbers, which would be taken for quantities."""
        return Text(NUMBER.sub(" ", self.raw))

    @cached_property
    def wishes(self) -> dict[str, float]:
        """How much speaks for each wish."""
        return intents(self.text, self.code)

    @cached_property
    def clauses(self) -> tuple[str, ...]:
        """Pieces of sentences, cut at punctuation and where the sentence turns."""
        pieces = (piece.strip() for piece in _CLAUSE.split(self.text.raw))
        return tuple(part for piece in pieces if piece for part in self._turned(piece))

    def _turned(self, piece: str) -> list[str]:
        text = Text(piece)
        turns = [hit.start for hit in self._marks(text) if hit.code == "turn" and hit.start]
        if not turns:
            return [piece]
        if self.code == "ja":
            cuts = [0, *turns, len(text.signs)]
            return [text.signs[start:end] for start, end in pairwise(cuts)]
        cuts = [0, *turns, len(text.words)]
        return [" ".join(text.words[start:end]) for start, end in pairwise(cuts)]

    def _marks(self, text: Text) -> Iterable[Hit]:
        return vocabulary(self.code).marks.find(text)

    def marks(self, text: str) -> set[str]:
        """all, one_of, turn and fine, where the text says so."""
        return {hit.code for hit in self._marks(Text(text))}

    def wants(self, wish: str) -> bool:
        """Whether enough speaks for it."""
        return self.wishes.get(wish, 0.0) >= 0.5

    @property
    def asks(self) -> bool:
        """Whether there is a question in it."""
        return bool(_ASKED.search(_COURTESY.sub(" ", self.raw)))

    def focus(self, wish: str) -> tuple[str, ...]:
        """The clauses that speak for a wish."""
        return tuple(
            clause for clause in self.clauses if intents(Text(clause), self.code).get(wish, 0.0) >= 0.5
        )


def read(facts: CaseFacts) -> Reading | None:
    """The unanswered part of the conversation, or None where the customer has said nothing since."""
    waiting = pending(facts.messages)
    if not waiting:
        return None
    raw = words_of(waiting)
    return Reading(raw, spoken(Text(raw), waiting[-1].language or facts.language))


def read_all(facts: CaseFacts) -> Reading:
    """Everything that the customer has written in this case."""
    raw = words_of(facts.inbound)
    return Reading(raw, spoken(Text(raw), facts.language))
