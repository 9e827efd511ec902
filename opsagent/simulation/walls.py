"""The last word is the database's: what it must refuse is tried on it after a case, and taken back."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.db import DatabaseError, transaction

from tools.models import LedgerEntry, Payment, ToolCall

if TYPE_CHECKING:
    from opsagent.simulation.engine import Play

Finding = tuple[str, str]
# The walls stand in the schema, which no case changes.
EVERY = 10


def check(play: Play) -> list[Finding]:
    """What the database took, though it must not."""
    if play.number % EVERY:
        return []
    call = play.calls().filter(tool="issue_refund", payment__isnull=False).order_by("pk").first()
    if call is None or call.payment is None:
        return []
    payment, captured = Payment.objects.filter(calls=call), call.payment.captured_minor
    tries: dict[str, Callable[[], object]] = {
        "a second refund of one payment by one decision": lambda: _double(call, idempotency_key=uuid.uuid4()),
        "a second call under one key": lambda: _double(call, tool="send_message"),
        "a refund beyond the capture": lambda: payment.update(refunded_minor=captured + 1),
        "a change of its ledger": lambda: LedgerEntry.objects.filter(call=call).update(amount_minor=1),
    }
    return [
        (f"the database refuses {name}", f"call {call.pk}") for name, act in tries.items() if _is_taken(act)
    ]


def _double(call: ToolCall, **changes: object) -> None:
    twin = copy.copy(call)
    twin.position = ToolCall.objects.filter(decision_id=call.decision_id).count()
    for name, value in {"pk": None, **changes}.items():
        setattr(twin, name, value)
    twin.save(force_insert=True)


def _is_taken(act: Callable[[], object]) -> bool:
    try:
        with transaction.atomic():
            act()
            transaction.set_rollback(True)
    except DatabaseError:
        return False
    return True
