"""What must be true of a refund's sums, its document, its payment task and its goods when a case has come to rest."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from approvals.models import ApprovalRequest, Decision, Signature
from approvals.services import RIGHT, has_right
from audit.models import Entry
from cases.models import Handoff, PaymentTask
from opsagent.simulation.world import IN_STOCK
from tools.base import BY_HAND
from tools.models import OPEN_STATES, CreditNote, CreditNoteCounter, OrderLine, ToolCall

if TYPE_CHECKING:
    from opsagent.simulation.checks import Books
    from opsagent.simulation.engine import Play

Finding = tuple[str, str]
State = ToolCall.State
# The money has moved, whatever became of it later.
MOVED = (State.SUCCEEDED, State.FAILED_LATER)
DOCUMENT = "issue_credit_note"
RESTOCKS = ("issue_refund", "record_refund")


def check(play: Play, books: Books) -> list[Finding]:
    """Every finding about one case."""
    decisions = (
        Decision.objects.filter(case__in=books.cases).select_related("case__order", "limits").order_by("pk")
    )
    found = [
        one
        for row in decisions
        for one in (*_sums(play, books, row), *_document(books, row), *_alone(books, row))
    ]
    return [
        *found,
        *_numbers(),
        *_tasks(books),
        *_denied(play, books),
        *_signers(books),
        *_pieces(play, books),
        *_goods(play, books),
    ]


def _sums(play: Play, books: Books, decision: Decision) -> Iterable[Finding]:
    """What is given back is what was paid for it, and each tender gives what was decided."""
    calls = _paying(books, decision)
    name, effect = f"decision {decision.pk}", decision.effect
    decided = {tender["payment"]: tender["amount_minor"] for tender in effect.get("tenders", [])}
    for call in calls:
        if decided.get(call.payment_id) != call.amount_minor:
            yield "what is sent is what was decided", f"{name}: {call.amount_minor} of {decided}"
    if calls and sum(call.amount_minor for call in calls) != effect["amount_minor"]:
        yield "the tenders give what was decided in all", name
    if calls and decision.tool == "issue_refund" and play.scenario.planner == "scripted":
        paid = play.world.piece_minor(decision.case.order.external_id if decision.case.order else "")
        wanted = play.world.goodwill_minor() if play.scenario.goodwill else paid
        # Of several pieces one may get the cent that doesn't divide.
        if abs(effect["amount_minor"] - wanted) > 1:
            yield "a piece gives back what was paid for it", f"{name}: {effect['amount_minor']} of {wanted}"


def _paying(books: Books, decision: Decision) -> list[ToolCall]:
    return [call for call in books.of(decision.pk) if call.amount_minor > 0]


def _alone(books: Books, decision: Decision) -> Iterable[Finding]:
    """Whatever was allowed without a signature was judged together with all that was promised by then."""
    limits = decision.limits
    if decision.outcome != Decision.Outcome.ALLOW_AFTER_UNDO or limits is None:
        return
    before = [call for call in books.paying if call.decision_id < decision.pk]
    ended = _ended_before(decision) if before else set()
    promised = [call for call in before if call.state != State.FAILED_LATER and str(call.pk) not in ended]
    together = _sum(promised) + decision.effect["amount_minor"]
    if together > limits.auto_up_to_minor:
        yield "each decision counts what was promised before it", f"decision {decision.pk}: {together}"


def _ended_before(decision: Decision) -> set[str]:
    """The calls whose money was free again when this was decided; by the log, since the clock may have stood still."""
    made = Entry.objects.get(
        action="decision.made", subject_type="approvals.decision", subject_id=str(decision.pk)
    )
    told = Entry.objects.filter(action__in=("call.failed", "call.cancelled"), pk__lt=made.pk)
    return set(told.values_list("subject_id", flat=True))


def _document(books: Books, decision: Decision) -> Iterable[Finding]:
    """Each refund that was made has exactly one document, over its whole sum, or a person who has to see to it."""
    steps = [call for call in books.of(decision.pk) if call.tool == DOCUMENT]
    notes = list(CreditNote.objects.filter(decision=decision, corrects=None))
    name = f"decision {decision.pk}"
    if len(notes) > 1:
        yield "a refund has one document", f"{name}: {len(notes)}"
    paid = _paying(books, decision)
    if notes and (any(call.state not in MOVED for call in paid) or notes[0].gross_minor != _sum(paid)):
        yield "a document is about what was paid", name
    if not steps or not paid or any(call.state != State.SUCCEEDED for call in paid):
        return
    with_people = Handoff.objects.filter(case=decision.case_id, opened_at__gte=decision.at).exists()
    if not notes and not with_people:
        yield "a refund has its document, or a person", name


def _sum(calls: Iterable[ToolCall]) -> int:
    return sum(call.amount_minor for call in calls)


def _numbers() -> Iterable[Finding]:
    """Every number from the first to the last is on a document, and the counter stands at the last."""
    for counter in CreditNoteCounter.objects.all():
        notes = CreditNote.objects.filter(entity_id=counter.pk).order_by("sequence")
        given = list(notes.values_list("sequence", flat=True))
        if given != list(range(1, counter.last + 1)):
            yield "documents are numbered without a gap", f"{len(given)} of {counter.last}"


def _tasks(books: Books) -> Iterable[Finding]:
    """What a person pays is ticked once, and counts from then on."""
    tasks = {task.call_id: task for task in books.tasks}
    for task in tasks.values():
        told = Entry.objects.filter(action__in=("payment_task.paid", "payment_task.dropped"))
        times = told.filter(subject_type="cases.paymenttask", subject_id=str(task.pk)).count()
        if times != (task.state != PaymentTask.State.OPEN):
            yield "a payment is ticked once", f"task {task.pk} {task.state}: {times} times"
    for call in (each for each in books.calls if each.vendor == BY_HAND):
        own = tasks.get(call.pk)
        paid = own is not None and own.state == PaymentTask.State.PAID
        if paid != (call.state in MOVED):
            yield "what a person pays counts when it is ticked", f"call {call.pk} {call.state}"


def _denied(play: Play, books: Books) -> Iterable[Finding]:
    """Where nobody knows how money goes back, or nobody wanted any back, none does."""
    if play.scenario.denied and books.paying:
        yield "nothing is paid where nothing may be", play.scenario.name


def _signers(books: Books) -> Iterable[Finding]:
    """Whoever signed had the right to, even where their signature moved nothing."""
    for row in Signature.objects.filter(request__case__in=books.cases).select_related(
        "request", "user", "instead_of"
    ):
        if not has_right(row.instead_of or row.user, RIGHT[ApprovalRequest.Tier(row.request.tier)]):
            yield "who signs has the right to", f"signature {row.pk}"


def _pieces(play: Play, books: Books) -> Iterable[Finding]:
    """What we gave back of a line is what its living refunds say, whatever colleagues gave back by hand."""
    lines = OrderLine.objects.filter(order__external_id__in=play.world.order_ids)
    living = [
        call
        for call in books.calls
        if call.tool == "issue_refund" and call.state in (*OPEN_STATES, State.SUCCEEDED)
    ]
    parts = [part for call in living for part in json.loads(call.request)["lines"]]
    for line in lines:
        own = [part for part in parts if part["line"] == line.pk]
        told = (sum(part["quantity"] for part in own), sum(part["amount_minor"] for part in own))
        if told != (line.refunded_quantity, line.refunded_minor):
            yield "a line gives back what its refunds say", f"line {line.pk}: {told}"


def _goods(play: Play, books: Books) -> Iterable[Finding]:
    """As many pieces went back on the shelf as were given back with their goods."""
    calls = [call for call in books.calls if call.tool in RESTOCKS and call.vendor == "shopify"]
    if any(call.state not in (State.SUCCEEDED, State.CANCELLED, State.FAILED) for call in calls):
        return
    done = [call for call in calls if call.state == State.SUCCEEDED]
    parts = [part for call in done for part in json.loads(call.request)["lines"]]
    back = sum(part["quantity"] for part in parts if part.get("restock", "NO_RESTOCK") != "NO_RESTOCK")
    shelf = play.world.in_stock()
    if shelf != IN_STOCK + back:
        yield "goods are restocked once, with their refund", f"{shelf} there, {IN_STOCK} and {back} here"
