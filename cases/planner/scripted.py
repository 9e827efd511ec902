"""A planner for tests that says what it was told to say."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cases.planner.facts import CaseFacts
from cases.planner.protocol import Proposal


class ScriptedPlanner:
    """Proposes from a list, in order, or by a function of the facts; `seen` keeps the facts it was shown.

    Raises AssertionError when it is asked once more than the list is long.
    """

    kind = "scripted"
    version = "1"
    model = ""
    prompt_hash = ""

    def __init__(self, script: Iterable[Proposal] | Callable[[CaseFacts], Proposal]) -> None:
        self._answer = script if callable(script) else None
        self._left = [] if callable(script) else list(script)
        self.seen: list[CaseFacts] = []

    def propose(self, facts: CaseFacts) -> Proposal:
        """The next proposal of the script."""
        self.seen.append(facts)
        if self._answer is not None:
            return self._answer(facts)
        if not self._left:
            raise AssertionError("The script has ended, and the planner was asked again.")
        return self._left.pop(0)
