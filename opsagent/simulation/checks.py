"""What must be true when a case has come to rest: our rows among themselves, and against the vendor's own books."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cases.models import Case, InboundEvent
from tools.models import Payment, ToolCall

if TYPE_CHECKING:
    from opsagent.simulation.engine import Play

Finding = tuple[str, str]
State = ToolCall.State
MOVED = ("succeeded", "pending", "requires_action")


def check(play: Play) -> list[Finding]:
    """Every finding about one case, its own rows and the vendor's."""
    refunds = play.vendors.refunds(play.world.order_id)
    found = list(play.watch.findings)
    calls = list(play.calls().filter(amount_minor__gt=0).order_by("pk"))
    for call in calls:
        found += _call(call, [row for row in refunds if _is_of(row, call)])
    found += _strangers(play, refunds, calls)
    found += _payments(play, refunds)
    found += _stuck(play)
    return found


def _is_of(row: dict[str, Any], call: ToolCall) -> bool:
    return str(row["idempotency_key"]) == str(call.idempotency_key)


def _call(call: ToolCall, rows: list[dict[str, Any]]) -> list[Finding]:
    name = f"call {call.pk} {call.state}"
    done = [row for row in rows if row["status"] in MOVED]
    if len(rows) > 1:
        return [("a call is executed at most once", f"{name}: {len(rows)} refunds")]
    if any(row["amount_minor"] != call.amount_minor for row in rows):
        return [("the vendor moves what was asked for", name)]
    if call.state == State.SUCCEEDED and not done:
        return [("what we call done is done at the vendor", name)]
    if call.state in (State.FAILED, State.CANCELLED, State.FAILED_LATER) and done:
        return [("what we call undone is undone at the vendor", name)]
    return []


def _strangers(play: Play, refunds: list[dict[str, Any]], calls: list[ToolCall]) -> list[Finding]:
    """Refunds that the vendor made for us under no call of ours."""
    keys = {str(call.idempotency_key) for call in calls}
    ours = [row for row in refunds if row["made_by"] == "api"]
    return [
        ("the vendor makes no refund but ours", row["id"])
        for row in ours
        if str(row["idempotency_key"]) not in keys
    ]


def _payments(play: Play, refunds: list[dict[str, Any]]) -> list[Finding]:
    found = []
    moved = [row for row in refunds if row["status"] == "succeeded"]
    theirs = {
        "refunded": sum(row["amount_minor"] for row in moved if row["made_by"] == "api"),
        "elsewhere": sum(row["amount_minor"] for row in moved if row["made_by"] == "dashboard"),
    }
    rows = Payment.objects.filter(order__external_id=play.world.order_id)
    ours = {
        "refunded": sum(row.refunded_minor for row in rows),
        "elsewhere": sum(row.elsewhere_minor for row in rows),
    }
    for name, sum_minor in theirs.items():
        if ours[name] != sum_minor:
            found.append(
                (f"our books agree with the vendor's: {name}", f"{ours[name]} here, {sum_minor} there")
            )
    return found


def _stuck(play: Play) -> list[Finding]:
    found = []
    for case in Case.objects.filter(order__external_id=play.world.order_id):
        under_way = case.calls.filter(state__in=["reserved", "sending", "pending", "unknown"]).exists()
        if case.state == Case.State.WAITING and case.wait_reason == Case.Wait.EFFECT and not under_way:
            found.append(("a case that waits for an effect has one", f"case {case.pk}"))
        if case.state == Case.State.OPEN and not case.human_only:
            found.append(("a case comes to rest", f"case {case.pk} is open"))
    dead = InboundEvent.objects.filter(state=InboundEvent.State.DEAD)
    found += [
        ("every event can be read", f"event {event.pk} {event.topic} {event.dead_reason}") for event in dead
    ]
    return found
