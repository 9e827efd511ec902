"""Sends a call until it is answered, refused or hopeless.

gate.before ──▶ connection ──▶ gate.still, if late ──▶ exchange ──▶ what it means ──▶ log, gate.after ─┬─▶ the answer
   ▲                                                                                                   ├─▶ the error
   └──────────── at most 8 s of sleep in all, within the deadline ─────────────────────────────────────┘
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from tools.errors import HeldBack, OutcomeUnknown, ToolError, Unavailable
from tools.wire.call import Answer, Call
from tools.wire.client import Pace, Progress, exchange, forbid_inside_transaction, pace
from tools.wire.errors import (
    Health,
    error_of_answer,
    error_of_exception,
    health_of_answer,
    health_of_exception,
    may_repeat,
    seconds_of,
)

log = structlog.get_logger("tools.wire")

RETRIES = 2
# A connection that took longer than this is no reason to send what was stopped meanwhile.
LOOK_AGAIN_SECONDS = 0.5
LONGEST_SLEEP_SECONDS = 8.0


@dataclass
class News:
    """What an attempt taught of the vendor. `probe` is what the gate said before it; `status` is 0 without answer."""

    probe: bool = False
    outcome: str = "interrupted"
    health: Health = Health.UNTOLD
    status: int = 0
    retry_after: float | None = None


class Gate:
    """Asked before each attempt and told of each; this one lets everything pass."""

    def before(self, call: Call) -> bool:
        """Whether the attempt is a probe of a vendor that was given up. Raises HeldBack to hold it back."""
        return False

    def still(self, call: Call) -> None:
        """Asked again where the first byte is late. Raises HeldBack where the attempt must not be made any more."""

    def after(self, call: Call, news: News) -> None:
        """Learns from an attempt that `before` let through, whatever became of it; must not raise."""


OPEN = Gate()


def send(call: Call, gate: Gate = OPEN) -> Answer:
    """Sends a call until it is answered, refused or hopeless, and returns its 2xx answer.

    At most two retries with full jitter, within the call's deadline and eight seconds of sleep in all; never a retry
    of an unsafe write that may have arrived. Raises one of the classes of tools.errors, and RuntimeError inside a
    transaction. Once an attempt's outcome is unknown, nothing but success takes that back: a later "no" may be the
    first attempt's own doing.
    """
    forbid_inside_transaction()
    patience = _Patience(call, pace())
    while True:
        try:
            return _attempt(call, patience, gate)
        except ToolError as error:
            pause = patience.pause(error)
            if pause is None:
                told = patience.verdict(error)
                raise told from told.__cause__
        patience.sleep(pause)


class _Patience:
    """How long one call may still be tried, and what its attempts have said so far."""

    def __init__(self, call: Call, pace: Pace) -> None:
        self.call, self.pace = call, pace
        self.ends = pace.monotonic() + call.deadline_seconds
        self.tries, self.slept = 0, 0.0
        self.last: ToolError | None = None
        self.doubt: OutcomeUnknown | None = None

    def pause(self, error: ToolError) -> float | None:
        """Seconds until the next attempt, or None where there must be none."""
        if isinstance(error, HeldBack):
            pause = self._turn(error)
        else:
            self.tries += 1
            self.last = error
            self.doubt = error if isinstance(error, OutcomeUnknown) else self.doubt
            pause = self._backoff(error)
        if pause is None or self.slept + pause > LONGEST_SLEEP_SECONDS:
            return None
        return pause if pause <= self.ends - self.pace.monotonic() - 1 else None

    def _turn(self, held: HeldBack) -> float | None:
        """The wait for a share of the rate budget; an open circuit is waited for in the queue alone."""
        if held.code != HeldBack.RATE_BUDGET or held.retry_after is None:
            return None
        # All who wait for the same vendor must not come back at the same moment.
        return held.retry_after + self.pace.uniform(0, held.retry_after / 4)

    def _backoff(self, error: ToolError) -> float | None:
        if self.tries > RETRIES or not may_repeat(self.call, error):
            return None
        wish = error.retry_after if isinstance(error, Unavailable) else None
        return self.pace.uniform(0, 0.5 * 2 ** (self.tries - 1)) + (wish or 0)

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.pace.sleep(seconds)

    def verdict(self, error: ToolError) -> ToolError:
        """What all attempts together mean: doubt before all, and being held back only where nothing was ever sent."""
        if self.doubt is not None:
            return self.doubt
        if isinstance(error, HeldBack) and isinstance(self.last, Unavailable):
            self.last.retry_after = max(self.last.retry_after or 0, error.retry_after or 0)
            return self.last
        return error


def _attempt(call: Call, patience: _Patience, gate: Gate) -> Answer:
    news = News(probe=gate.before(call))
    began = patience.pace.monotonic()
    try:
        return _hear(call, patience.ends, news, _last_look(call, gate, patience.pace, began))
    finally:
        log.info(
            "vendor_call",
            vendor=call.vendor,
            operation=call.operation,
            shop=call.shop,
            kind=str(call.kind),
            outcome=news.outcome,
            attempt=patience.tries + 1,
            milliseconds=round((patience.pace.monotonic() - began) * 1000),
            correlation_id=str(call.correlation_id),
        )
        gate.after(call, news)


def _last_look(call: Call, gate: Gate, pace: Pace, asked: float) -> Callable[[], None]:
    """What is done right before the first byte: nothing, where the gate was asked a moment ago."""

    def look() -> None:
        if pace.monotonic() - asked > LOOK_AGAIN_SECONDS:
            gate.still(call)

    return look


def _hear(call: Call, ends: float, news: News, last_look: Callable[[], None]) -> Answer:
    """The answer, or the error that it means; `news` tells of the vendor either way."""
    progress = Progress(last_look)
    try:
        answer = exchange(call, ends, progress)
    except HeldBack as held:
        # The gate closed while the connection was being made.
        news.outcome = held.code
        raise
    except Exception as problem:
        news.outcome = type(problem).__name__
        news.health = health_of_exception(problem, sent=progress.sent)
        raise error_of_exception(call, problem, sent=progress.sent) from problem
    news.outcome, news.status = str(answer.status), answer.status
    error = error_of_answer(call, answer)
    news.health, news.retry_after = health_of_answer(answer, error), seconds_of(answer.headers)
    if error is not None:
        raise error
    return answer
