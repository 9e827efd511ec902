"""One request to a vendor, and its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from tools.errors import ToolError

if TYPE_CHECKING:
    import httpx

DEADLINE_SECONDS = 20.0


class Kind(StrEnum):
    """What may be done again after a lost answer: reads always, idempotent writes with the same key, unsafe never."""

    READ = "read"
    IDEMPOTENT_WRITE = "idempotent_write"
    UNSAFE_WRITE = "unsafe_write"


class Reconcile(StrEnum):
    """Who finds out what became of an unsafe write whose answer was lost."""

    STATUS_WEBHOOK = "status_webhook"
    READING = "reading"
    PERSON = "person"


@dataclass(frozen=True)
class Answer:
    """A complete reply; its body is bytes, since only the adapter knows what it should be."""

    status: int
    headers: httpx.Headers
    body: bytes


def _no_verdict(call: Call, answer: Answer) -> ToolError | None:
    return None


@dataclass(frozen=True)
class Call:
    """One request to a vendor, sent with the same bytes at each attempt.

    `judge` sees an answer of any status first and names the error that the vendor hides in it (Shopify's THROTTLED
    comes with 200); None leaves it to the status. `cost` is what the call takes from the vendor's rate budget.
    Raises ValueError for an unsafe write that doesn't say in `reconcile` who settles it when its answer is lost.
    """

    vendor: str
    operation: str
    shop: str
    kind: Kind
    method: str
    url: str
    correlation_id: UUID
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes = field(default=b"", repr=False)
    judge: Callable[[Call, Answer], ToolError | None] = _no_verdict
    deadline_seconds: float = DEADLINE_SECONDS
    cost: float = 1.0
    reconcile: Reconcile | None = None

    def __post_init__(self) -> None:
        if self.kind is Kind.UNSAFE_WRITE and self.reconcile is None:
            raise ValueError(f"Nobody settles a lost {self.vendor} {self.operation}.")
