"""What became of a message that we sent by WhatsApp, which has no other way to tell after a lost answer.

sent ─▶ (failed) ─▶ delivered ─▶ read: what comes late or twice never takes a later word back
"""

from __future__ import annotations

from uuid import UUID

import structlog
from django.db import transaction

from audit import sources
from audit.actors import TRIAGE
from cases.following import after_outcome
from cases.handoff import hand_off
from cases.intake.receiving import Handled
from cases.models import Case, Handoff, InboundEvent, Message
from cases.opening import case_for_message
from tools import execution
from tools.models import ToolCall
from tools.snapshots import MessageStatusSnapshot

log = structlog.get_logger()

State = ToolCall.State
Delivery = Message.Delivery

MEANING = {
    "sent": Delivery.SENT,
    "failed": Delivery.FAILED,
    "delivered": Delivery.DELIVERED,
    "read": Delivery.READ,
    # A voice message was listened to, and a message that the customer deleted had reached them.
    "played": Delivery.READ,
    "deleted": Delivery.DELIVERED,
}
UP = (Delivery.SENT, Delivery.FAILED, Delivery.DELIVERED, Delivery.READ)
NOT_DELIVERED = "not_delivered"
BATCH = 100


def handle_status(event: InboundEvent, seen: MessageStatusSnapshot) -> Handled:
    """Keep the status with its message; an open call ends by it, and a success that failed goes to a person.

    A call that is being sent right now is not ended: its sender, or whoever settles it, finds the status kept.
    """
    call = _call(event.shop_id, seen)
    if call is None or call.message_id is None:
        return Handled()
    if not _keep(call.message_id, MEANING[seen.status], seen.error_code):
        return Handled(case=call.case)
    if not call.vendor_ref:
        ToolCall.objects.filter(pk=call.pk).update(vendor_ref=seen.external_id[:128])
    if call.state == State.SUCCEEDED and MEANING[seen.status] == Delivery.FAILED:
        take_back(call.pk)
    else:
        _conclude(call, seen)
    return Handled(case=call.case)


def _call(shop_id: int, seen: MessageStatusSnapshot) -> ToolCall | None:
    """Ours by the key that we gave along, else by WhatsApp's own id. Locked: the call comes before its message."""
    calls = ToolCall.objects.select_for_update(of=("self",)).select_related("case")
    calls = calls.filter(shop_id=shop_id, vendor="whatsapp")
    try:
        return calls.filter(idempotency_key=UUID(seen.callback_data)).first()
    except ValueError:
        return calls.filter(vendor_ref=seen.external_id).order_by("pk").first()


def _keep(message_id: int, delivery: Delivery, error: str) -> bool:
    """Whether this says more than what was known."""
    below = ["", *UP[: UP.index(delivery)]]
    failed = delivery == Delivery.FAILED
    changed = Message.objects.filter(pk=message_id, delivery__in=below).update(
        delivery=delivery,
        delivery_error=error[:64] if failed else "",
        state=Message.State.FAILED if failed else Message.State.SENT,
    )
    return bool(changed)


def _conclude(call: ToolCall, seen: MessageStatusSnapshot) -> None:
    execution.conclude(
        call.pk,
        succeeded=seen.status != "failed",
        ref=seen.external_id,
        settled_by=ToolCall.Settled.WEBHOOK,
        after_outcome=after_outcome,
        error=seen.error_code or NOT_DELIVERED,
    )


def take_back(call_id: int) -> bool:
    """A message that WhatsApp had taken did not arrive: a person hears of it, in a case that is open again.

    Needs a transaction. False where the call is no success (any more).
    """
    if not execution.fail_later(call_id):
        return False
    calls = ToolCall.objects.select_related("message__conversation", "decision", "case__shop", "case__order")
    call = calls.get(pk=call_id)
    error = call.message.delivery_error if call.message else ""
    hand_off(
        _open_case(call),
        Handoff.Reason.FAILED,
        by=TRIAGE,
        detail=error or NOT_DELIVERED,
        decision=call.decision,
    )
    return True


def _open_case(call: ToolCall) -> Case:
    """The call's case, locked; a closed one is opened again, or the conversation's other open one goes on."""
    cases = Case.objects.select_for_update(of=("self",)).select_related("shop", "order")
    case = cases.get(pk=call.case_id)
    talk = call.message.conversation if call.message else None
    if case.state != Case.State.CLOSED or talk is None:
        return case
    return case_for_message(case.shop, talk, case.order, case.correlation_id, case.closed_at or sources.now())


def watch_deliveries() -> int:
    """Takes back what WhatsApp told of as failed while its sender was still writing down the success."""
    missed = ToolCall.objects.filter(
        state=State.SUCCEEDED, vendor="whatsapp", message__delivery=Delivery.FAILED
    )
    taken = 0
    for call_id in missed.order_by("pk").values_list("pk", flat=True)[:BATCH]:
        try:
            with transaction.atomic():
                taken += take_back(call_id)
        except Exception:
            log.exception("delivery.not_taken_back", call=call_id)
    return taken
