"""What follows in the cases when a vendor's words have changed: hand-offs that name the drift, and no flood of them."""

from __future__ import annotations

import json
from datetime import timedelta

from approvals.models import Decision
from audit.actors import Actor, vendor
from cases.handoff import hand_off
from cases.models import Case, Handoff, InboundEvent
from cases.opening import open_case
from tools import drift as drifts
from tools.errors import ContractDrift
from tools.models import Drift

Reason = Handoff.Reason
Subject = Case.Subject

# Events that somebody must see even though nobody could read them, by source and how their topic begins, with the
# promise to look. A message may hold a threat or a cry for help, so it gets the minute that these have.
ALARMS: tuple[tuple[str, str, timedelta], ...] = (
    ("shopify", "disputes/", timedelta(hours=1)),
    ("shopify", "orders/risk_assessment_changed", timedelta(minutes=15)),
    ("stripe", "charge.dispute.", timedelta(hours=1)),
    ("stripe", "radar.", timedelta(minutes=15)),
    ("whatsapp", "messages", timedelta(minutes=1)),
)
UNKNOWN_TOPIC = "unknown"


def alarm(source: str, topic: str) -> timedelta | None:
    """Within what time a person must see an unreadable event of this kind; None where it carries no alarm."""
    found = (within for name, start, within in ALARMS if name == source and topic.startswith(start))
    return next(found, None)


def topic_of(event: InboundEvent) -> str:
    """The event's topic; of a WhatsApp body that can't be read what it most likely holds."""
    if not event.topic and event.source == "whatsapp":
        return topic_of_chat(bytes(event.raw))
    return event.topic or UNKNOWN_TOPIC


def operation_of(event: InboundEvent) -> str:
    """The name under which an event's drift is kept."""
    return f"{drifts.WEBHOOK}{topic_of(event)}"[: drifts.OPERATION_LENGTH]


def dead_letter(event: InboundEvent, problem: ContractDrift) -> None:
    """An event that its vendor has changed: its drift is opened or counted, and people get a case.

    An event that carries an alarm gets a case of its own; of the others all that one drift has spoilt share one, so
    that ten thousand of them are one case. Runs in the transaction that keeps the dead letter; the drift's row is
    locked until it ends, so two events at once don't open two cases.
    """
    by = vendor(event.source)
    row, _new = drifts.opened(event.shop_id, problem, bytes(event.raw), by=by, operation=operation_of(event))
    within = alarm(event.source, topic_of(event))
    if _is_with_people(event, row, alone=within is not None):
        return
    case = open_case(event.shop, Subject.DRIFT, event.correlation_id)
    Case.objects.filter(pk=case.pk).update(title=f"{case.title}: {event.source} {topic_of(event)}"[:200])
    case.refresh_from_db()
    if within is not None:
        InboundEvent.objects.filter(pk=event.pk).update(case=case)
    hand_off(
        case,
        Reason.DRIFT,
        by=by,
        detail=drifts.name_of(row),
        event=event,
        called_at=event.received_at,
        drift=row,
        within=within,
    )


def _is_with_people(event: InboundEvent, row: Drift, *, alone: bool) -> bool:
    """Whether a case stands for it already: its own where it must be `alone`, else the one of its drift."""
    if alone:
        # It was tried again in vain, and somebody has it from its arrival.
        return event.case is not None and event.case.state != Case.State.CLOSED
    return row.handoffs.filter(case__subject=Subject.DRIFT).exists()


def hand_off_unreadable(case: Case, problem: ContractDrift, *, by: Actor) -> Handoff:
    """The vendor's answer about this case's own things can't be read; its drift was recorded where it was found."""
    row = drifts.row_of(case.shop_id, problem)
    detail = drifts.name_of(row) if row else f"{problem.vendor} {problem.operation} {problem.field_path}"
    return hand_off(case, Reason.DRIFT, by=by, detail=detail, drift=row)


def hand_off_drifting(case: Case, decision: Decision, *, by: Actor) -> Handoff:
    """Policy found that what was decided can't be sent while a drift is open."""
    row = _of_decision(decision)
    detail = drifts.name_of(row) if row else decision.rule
    return hand_off(case, Reason.DRIFT, by=by, detail=detail, decision=decision, drift=row)


def _of_decision(decision: Decision) -> Drift | None:
    """The drift that the verdict names, or the shop's newest one where the verdict of an approval is older."""
    rows = Drift.objects.filter(shop_id=decision.shop_id, state=Drift.State.OPEN).order_by("-pk")
    seen = next((entry for entry in decision.values if entry["rule"] == drifts.READ_ONLY), None)
    named = seen["values"].get("drifting", []) if seen else []
    return next((row for row in rows if drifts.name_of(row) in named), None) or rows.first()


def topic_of_chat(raw: bytes) -> str:
    """`statuses` for a WhatsApp body without a message; what could be either counts as messages."""
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        return "messages"
    return "messages" if _has_messages(content) else "statuses"


def _has_messages(content: object) -> bool:
    """Whether anything within is called messages, or nothing within is called statuses."""
    names: set[str] = set()
    left = [content]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            names |= value.keys()
            left += value.values()
        elif isinstance(value, list):
            left += value
    return "messages" in names or "statuses" not in names
