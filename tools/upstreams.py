"""What the vendors' answers tell of the vendors: drift, new fields, versions and deprecations.

Runs outside transactions, beside the calls: each function writes on its own.
"""

from __future__ import annotations

from tools.errors import ContractDrift
from tools.wire import Answer, Call


def refuse_while_drifting(call: Call) -> None:
    """Raises ReadOnly for a write whose operation, or what it rests on, has open drift in the shop."""


def record_drift(shop_slug: str, drift: ContractDrift, body: bytes) -> None:
    """Opens a drift, or counts one that is open already; `body` is kept redacted."""


def count_new_fields(call: Call, reply: type[object], body: bytes) -> None:
    """Counts the fields of an answer that the pinned version did not have."""


def note_answer(call: Call, answer: Answer) -> None:
    """Keeps which version served the operation, and the vendor's deprecation notice if there is one."""
