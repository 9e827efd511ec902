"""What a made-up day consists of: steps that are posted, and what a sensible shop expects of each story."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Lane = Literal["automatic", "approval", "two_factor", "human", "waiting"]
Neutral = dict[str, Any]
Effect = tuple[str, Neutral]


@dataclass(frozen=True)
class Step:
    """One delivery; `signed` is False for forgeries and for feeds, which are imported and never posted.

    `sandbox` holds (path, JSON) pairs for the sandbox's control API, to be sent before the body goes out.
    `story_id` is set only on deliveries that belong to a story's case, never on the events that set it up.
    `duplicate_of` names the external id that was delivered before (with kind `conflict`: by another body).
    `simulated_at` is the aware UTC time that the body tells of.
    """

    kind: str
    shop: str
    source: str
    topic: str
    external_id: str
    account: str
    body: bytes
    headers: dict[str, str]
    sandbox: list[Effect]
    story_id: str | None
    signed: bool
    duplicate_of: str | None
    simulated_at: datetime


@dataclass(frozen=True)
class Expectation:
    """The lane that a sensible shop expects, and why.

    automatic: ends without a person, by a refund, a template or because no answer is needed.
    waiting: the customer is asked for something and the case waits for the answer until a date.
    approval, two_factor: a refund waits for one approver, or for one-time codes. human: a hand-off.
    """

    lane: Lane
    shop: str
    order_name: str | None
    sender: str | None
    why: str


@dataclass(frozen=True)
class Scene:
    """One plot as it was cast: its steps in order, and its expectation unless no case may come of it."""

    plot: str
    steps: list[Step]
    story_id: str | None = None
    expectation: Expectation | None = None


@dataclass(frozen=True)
class Story:
    """A whole day: all orders in neutral form, the steps in play order, the expectations by story id."""

    seed: int
    start: datetime
    orders: list[Neutral]
    steps: list[Step]
    expectations: dict[str, Expectation] = field(default_factory=dict)

    def plots(self) -> set[str]:
        """The names of the plots that came to an expectation."""
        return {story_id.rpartition("-")[0] for story_id in self.expectations}
