"""What must be true when a case has come to rest: our rows among themselves, and against the vendor's own books."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Count

from cases.models import Case, InboundEvent, PaymentTask
from opsagent.simulation import papers, walls
from tools.base import BY_HAND
from tools.models import OPEN_STATES, Payment, ToolCall

if TYPE_CHECKING:
    from opsagent.simulation.engine import Play

Finding = tuple[str, str]
State = ToolCall.State
MOVED = ("succeeded", "pending", "requires_action")
UNDER_WAY = (State.RESERVED, State.SENDING, State.PENDING, State.UNKNOWN)


@dataclass(frozen=True)
class Books:
    """What is looked at in more than one way, read once."""

    cases: list[int]
    calls: list[ToolCall]
    tasks: list[PaymentTask]

    @property
    def paying(self) -> list[ToolCall]:
        """The calls that move money."""
        return [call for call in self.calls if call.amount_minor > 0]

    def of(self, decision_id: int) -> list[ToolCall]:
        """One decision's calls."""
        return [call for call in self.calls if call.decision_id == decision_id]


def _books(play: Play) -> Books:
    cases = play.cases()
    tasks = PaymentTask.objects.filter(case__in=cases).order_by("pk")
    return Books(cases, list(play.calls().select_related("case").order_by("pk")), list(tasks))


def check(play: Play) -> list[Finding]:
    """Every finding about one case, its own rows and the vendor's."""
    refunds, books = play.refunds(), _books(play)
    found = list(play.watch.findings)
    for call in books.paying:
        # What a person pays is in no vendor's books.
        if call.vendor != BY_HAND:
            found += _call(call, [row for row in refunds if _is_of(row, call)])
    found += _strangers(refunds, books.paying)
    found += _payments(play, books, refunds)
    found += _wishes(play, books, refunds)
    found += _stuck(play, books)
    found += _events()
    return found + papers.check(play, books) + walls.check(play)


def _wishes(play: Play, books: Books, refunds: list[dict[str, Any]]) -> list[Finding]:
    """Each wish is paid at most once, by as many tenders as it takes."""
    paid = [row for row in refunds if row["made_by"] == "api" and row["status"] in MOVED]
    by_key = {call.idempotency_key: call.decision_id for call in books.calls}
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


def _strangers(refunds: list[dict[str, Any]], calls: list[ToolCall]) -> list[Finding]:
    """Refunds that the vendor made for us under no call of ours."""
    keys = {str(call.idempotency_key) for call in calls}
    ours = [row for row in refunds if row["made_by"] == "api"]
    return [
        ("the vendor makes no refund but ours", row["id"])
        for row in ours
        if str(row["idempotency_key"]) not in keys
    ]


def _payments(play: Play, books: Books, refunds: list[dict[str, Any]]) -> list[Finding]:
    found = []
    moved = [row for row in refunds if row["status"] == "succeeded"]
    theirs = {
        "refunded": sum(row["amount_minor"] for row in moved if row["made_by"] == "api") + _ticked(books),
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


def _ticked(books: Books) -> int:
    """What people have paid by hand and said so."""
    return sum(task.amount_minor for task in books.tasks if task.state == PaymentTask.State.PAID)


def _stuck(play: Play, books: Books) -> list[Finding]:
    found = []
    for call in books.calls:
        with_person = call.case.state == Case.State.HANDOFF or call.case.human_only
        still = call.state in (State.UNKNOWN, State.PENDING) and with_person
        if call.state in OPEN_STATES and not still and not _waits_its_turn(call, books):
            found.append(
                ("every call ends, or a person has it", f"call {call.pk} {call.tool} is {call.state}")
            )
    for case in Case.objects.filter(order__external_id__in=play.world.order_ids):
        own = [call for call in books.calls if call.case_id == case.pk]
        under_way = any(call.state in UNDER_WAY for call in own)
        if case.state == Case.State.WAITING and case.wait_reason == Case.Wait.EFFECT and not under_way:
            found.append(("a case that waits for an effect has one", f"case {case.pk}"))
        if case.state == Case.State.CLOSED and case.closed_by == "agent" and _promised(own):
            found.append(("a case is closed when what was decided is done", f"case {case.pk}"))
        if case.state == Case.State.OPEN and not case.human_only:
            found.append(("a case comes to rest", f"case {case.pk} is open"))
    return found


def _promised(calls: list[ToolCall]) -> bool:
    """Whether the last refund that was allowed in this case came to nothing."""
    last = next((call for call in reversed(calls) if call.amount_minor > 0), None)
    return last is not None and last.state not in (State.SUCCEEDED, State.FAILED_LATER)


def _waits_its_turn(call: ToolCall, books: Books) -> bool:
    """Whether a step before it is still with a person."""
    earlier = [each for each in books.of(call.decision_id) if each.position < call.position]
    return call.state == State.RESERVED and any(
        each.state in (State.UNKNOWN, State.PENDING) for each in earlier
    )
