"""Why a person's wish was refused, in a sentence that says what to do next.

Refusal
├── NotPermitted     the role is missing, or the person had a hand in it: who may, does
├── AlreadyDecided   somebody was first: read what they decided
├── EffectChanged    what would happen is no longer what was shown: read the new request
├── LeavesNobody     it would leave a size of refund with nobody who decides: say that it is meant
├── CodeRefused      the one-time code was wrong, used or came too often
└── Invalid          a field is missing or can't be so
"""

from __future__ import annotations


class Refusal(Exception):
    """Nothing was changed. `sentence` is translated and meant for staff."""

    def __init__(self, sentence: str) -> None:
        self.sentence = str(sentence)
        super().__init__(self.sentence)


class NotPermitted(Refusal):
    """This person may not; another one may."""


class AlreadyDecided(Refusal):
    """The thing is no longer open."""


class EffectChanged(Refusal):
    """The facts moved between reading and signing."""


class LeavesNobody(Refusal):
    """The change takes an explicit yes."""


class CodeRefused(Refusal):
    """The second factor didn't hold; `tries_left` counts down over all requests of this person."""

    def __init__(self, sentence: str, tries_left: int) -> None:
        self.tries_left = tries_left
        super().__init__(sentence)


class Invalid(Refusal):
    """The form can't be taken as it is."""
