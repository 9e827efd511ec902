"""What became of a message that we sent by WhatsApp, which has no other way to tell after a lost answer."""

from __future__ import annotations

from uuid import UUID

from cases.following import after_outcome
from cases.intake.receiving import Handled
from cases.models import InboundEvent
from tools import execution
from tools.models import ToolCall
from tools.snapshots import MessageStatusSnapshot


def handle_status(event: InboundEvent, seen: MessageStatusSnapshot) -> Handled:
    """An open call ends by the status that carries its key; a call that has ended is not touched."""
    call = _call(event.shop_id, seen.callback_data)
    if call is None:
        return Handled()
    execution.conclude(
        call.pk,
        succeeded=seen.status != "failed",
        ref=seen.external_id,
        settled_by=ToolCall.Settled.WEBHOOK,
        after_outcome=after_outcome,
    )
    return Handled(case=call.case)


def _call(shop_id: int, key: str) -> ToolCall | None:
    try:
        wanted = UUID(key)
    except ValueError:
        return None
    calls = ToolCall.objects.select_related("case")
    return calls.filter(shop_id=shop_id, vendor="whatsapp", idempotency_key=wanted).first()
