"""The points of a case, found by its own run: every commit, call, step of the queue and delivery goes through here.

A point's name is its class and the business function that causes it: `commit:tools.execution._claim[issue_refund]`,
`call:stripe.refunds.create`, `task:execute[issue_refund]`, `hook:stripe.refund.created`, `act:approve`.
"""

from __future__ import annotations

import hashlib
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Any

from opsagent.simulation.kinds import KINDS

if TYPE_CHECKING:
    from opsagent.simulation.engine import Play

OURS = ("cases.", "approvals.", "tools.", "audit.")
# Their callers are the business: these only write down what they are told.
PLUMBING = ("tools.budgets._", "tools.circuits._")


class Killed(BaseException):
    """The process is gone. Whatever stands after this line, in whichever handler, doesn't happen."""


@dataclass(frozen=True, order=True)
class Strike:
    """One failure to be made: which kind, at which point, at its so many-th visit.

    A vendor's failure lasts as long as one process goes on asking, unless it is to happen `once`.
    """

    point: str
    kind: str
    nth: int = 1
    once: bool = False


@dataclass
class Trace:
    """What one case has passed, in order, and what was struck."""

    strikes: list[Strike]
    play: Play
    visits: Counter[str] = field(default_factory=Counter)
    # In the order of the first visits.
    on_path: dict[str, None] = field(default_factory=dict)
    # First passed when nothing could fail any more, so that no first visit can be struck.
    calm: set[str] = field(default_factory=set)
    hit: list[Strike] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    dead: set[int] = field(default_factory=set)
    # From the moment the agent has the customer's wish: what is passed then belongs to the refund.
    on_the_way: bool = False
    context: str = ""
    lasting: tuple[str, int, str] = ("", 0, "")

    def around(self, point: str, do: Callable[[], Any]) -> Any:
        """Pass a point: do what is to be done there, unless a strike is due."""
        self.must_live()
        if self.play.calm and point not in self.visits:
            self.calm.add(point)
        self.visits[point] += 1
        if self.on_the_way:
            self.on_path[point] = None
        self.tell(point)
        kind = self._lasting(point) or self._struck(point)
        return KINDS[kind].act(self.play, do) if kind else do()

    def _struck(self, point: str) -> str:
        """The kind of the strike that is due here, which is used up by that; empty where none is."""
        strike = self._due(point)
        if strike is None:
            return ""
        self.strikes.remove(strike)
        self.hit.append(strike)
        self.tell(f"! {strike.kind}")
        if KINDS[strike.kind].lasts and not strike.once:
            self.lasting = (point, self.play.turn, strike.kind)
        return strike.kind

    def _lasting(self, point: str) -> str:
        """A failure that the same process has met here before."""
        where, turn, kind = self.lasting
        return kind if (where, turn) == (point, self.play.turn) else ""

    def _due(self, point: str) -> Strike | None:
        if self.play.calm:
            return None
        seen = self.visits[point]
        return next((one for one in self.strikes if one.point == point and one.nth == seen), None)

    def tell(self, line: str) -> None:
        """One line of the trace."""
        self.lines.append(line)

    def die(self) -> None:
        """End this thread's process: nothing that unwinds from here reaches the database or a vendor."""
        self.dead.add(threading.get_ident())
        raise Killed

    def must_live(self) -> None:
        """Raises Killed in a thread whose process is gone."""
        if threading.get_ident() in self.dead:
            raise Killed

    def digest(self) -> str:
        """SHA-256 over the trace."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()


def business() -> str:
    """The innermost function of ours that stands behind the present line, plumbing left out; empty where none does."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        name = f"{frame.f_globals.get('__name__', '')}.{frame.f_code.co_name}"
        if name.startswith(OURS) and not name.startswith(PLUMBING):
            return name
        frame = frame.f_back
    return ""
