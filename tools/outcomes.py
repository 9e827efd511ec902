"""Where a call goes after one try: what the vendor said, or why it said nothing, as the state that follows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from tools.base import Outcome
from tools.errors import ContractDrift, HeldBack, OutcomeUnknown, ToolError, Unavailable
from tools.models import ToolCall

MOST_ATTEMPTS = 8
# What the vendor wishes is respected up to this, and then it is asked again.
LONGEST_WAIT = timedelta(hours=1)
State = ToolCall.State


@dataclass(frozen=True, slots=True)
class Ended:
    """How one try went, before it is written down. `state` is where the call goes.

    `held` is a try that we held back ourselves: nothing was sent, so it counts as none.
    """

    state: str
    ref: str = ""
    error: str = ""
    wait: timedelta = timedelta(0)
    settled_by: str = ""
    held: bool = False


def after_answer(outcome: Outcome, settled_by: str = "") -> Ended:
    """What follows from a vendor's own word."""
    if outcome.failed:
        return Ended(State.FAILED, outcome.ref, "failed_at_vendor", settled_by=settled_by)
    return Ended(State.PENDING if outcome.pending else State.SUCCEEDED, outcome.ref, settled_by=settled_by)


def after_error(error: ToolError, attempts: int) -> Ended:
    """What follows from an error at the call's so many-th attempt."""
    if isinstance(error, HeldBack):
        return Ended(State.RESERVED, error=error.code, wait=wait_after(error, 1), held=True)
    if isinstance(error, Unavailable):
        if attempts >= MOST_ATTEMPTS:
            return Ended(State.FAILED, error=error.code)
        return Ended(State.RESERVED, error=error.code, wait=wait_after(error, attempts))
    if isinstance(error, OutcomeUnknown | ContractDrift):
        return Ended(State.UNKNOWN, error=error.code)
    return Ended(State.FAILED, error=error.code)


def wait_after(error: ToolError, attempts: int) -> timedelta:
    """Twice as long after each attempt, at most five minutes, unless the vendor wishes for more."""
    wish = error.retry_after if isinstance(error, Unavailable) else None
    return min(LONGEST_WAIT, timedelta(seconds=max(min(2**attempts, 300), wish or 0)))
