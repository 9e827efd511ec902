"""What must be true when a case has come to rest: our rows among themselves, and against the vendor's own books."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Count

from cases.models import Case, InboundEvent, PaymentTask
from opsagent.simulation import happenings, papers, walls
from tools.base import BY_HAND
from tools.models import OPEN_STATES, Payment, ToolCall

if TYPE_CHECKING:
    from opsagent.simulation.engine import Play

Finding = tuple[str, str]
State = ToolCall.State
MOVED = ("succeeded", "pending", "requires_action")


def check(play: Play) -> list[Finding]:
    """Every finding about one case, its own rows and the vendor's."""
    refunds = play.refunds()
    found = list(play.watch.findings)
    calls = list(play.calls().filter(amount_minor__gt=0).order_by("pk"))
    for call in calls:
        # What a person pays is in no vendor's books.
        if call.vendor != BY_HAND:
            found += _call(call, [row for row in refunds if _is_of(row, call)])
    found += _strangers(play, refunds, calls)
    found += _payments(play, refunds)
    found += _wishes(play, refunds)
    found += _stuck(play)
    found += _events()
    return found + papers.check(play) + walls.check(play)


def _wishes(play: Play, refunds: list[dict[str, Any]]) -> list[Finding]:
    """Each wish is paid at most once, by as many tenders as it takes."""
    paid = [row for row in refunds if row["made_by"] == "api" and row["status"] in MOVED]
    by_key = dict(play.calls().values_list("idempotency_key", "decision_id"))
    # What carries no key at all is a stranger's.
    decisions = {by_key.get(UUID(str(row["idempotency_key"]))) for row in paid if row["idempotency_key"]}
    if len(decisions) > play.scenario.wishes * play.scenario.orders:
        return [("no more is paid than was wished for", f"{len(decisions)} decisions")]
    return []


def _events() -> list[Finding]:
    """The same bytes count once, and each delivery can be read."""
    twice = InboundEvent.objects.values("digest").annotate(n=Count("pk")).filter(n__gt=1)
    found = [("a delivery counts once", f"event {row['digest'][:12]}") for row in twice]
    dead = InboundEvent.objects.filter(state=InboundEvent.State.DEAD)
    return found + [
        ("every event can be read", f"event {event.pk} {event.topic} {event.dead_reason}") for event in dead
    ]


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
        "refunded": sum(row["amount_minor"] for row in moved if row["made_by"] == "api") + _ticked(play),
        # Cash that somebody has handed over themselves counts too, though it moves at no gateway.
        "elsewhere": sum(
            move["minor"] for row in moved if row["made_by"] == "dashboard" for move in row["doc"]["moves"]
        ),
    }
    rows = Payment.objects.filter(order__external_id__in=play.world.order_ids)
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


def _ticked(play: Play) -> int:
    """What people have paid by hand and said so."""
    paid = happenings.tasks(play).filter(state=PaymentTask.State.PAID)
    return sum(paid.values_list("amount_minor", flat=True))


def _stuck(play: Play) -> list[Finding]:
    found = []
    for call in play.calls():
        with_person = call.case.state == Case.State.HANDOFF or call.case.human_only
        still = call.state in (State.UNKNOWN, State.PENDING) and with_person
        if call.state in OPEN_STATES and not still and not _waits_its_turn(call):
            found.append(
                ("every call ends, or a person has it", f"call {call.pk} {call.tool} is {call.state}")
            )
    for case in Case.objects.filter(order__external_id__in=play.world.order_ids):
        under_way = case.calls.filter(state__in=["reserved", "sending", "pending", "unknown"]).exists()
        if case.state == Case.State.WAITING and case.wait_reason == Case.Wait.EFFECT and not under_way:
            found.append(("a case that waits for an effect has one", f"case {case.pk}"))
        if case.state == Case.State.CLOSED and case.closed_by == "agent" and _promised(case):
            found.append(("a case is closed when what was decided is done", f"case {case.pk}"))
        if case.state == Case.State.OPEN and not case.human_only:
            found.append(("a case comes to rest", f"case {case.pk} is open"))
    return found


def _promised(case: Case) -> bool:
    """Whether the last refund that was allowed in this case came to nothing."""
    last = case.calls.filter(amount_minor__gt=0).order_by("pk").last()
    return last is not None and last.state not in (State.SUCCEEDED, State.FAILED_LATER)


def _waits_its_turn(call: ToolCall) -> bool:
    """Whether a step before it is still with a person."""
    earlier = ToolCall.objects.filter(decision_id=call.decision_id, position__lt=call.position)
    return call.state == State.RESERVED and earlier.filter(state__in=(State.UNKNOWN, State.PENDING)).exists()
