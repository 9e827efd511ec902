"""What must be true of the stored rows at any moment; each query names the rows that break it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum

from approvals.models import ApprovalRequest
from audit.models import Entry
from audit.verify import verify
from cases.models import Case, Handoff, InboundEvent
from tools.models import LedgerEntry, Payment, ToolCall

Finder = Callable[[], list[str]]


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken invariant and the row that breaks it."""

    invariant: str
    row: str


def violations() -> list[Violation]:
    """All violations, in the table's order; an empty list is good news."""
    return [Violation(name, row) for name, find in INVARIANTS.items() for row in find()]


def _paid_twice() -> list[str]:
    money = ToolCall.objects.filter(state=ToolCall.State.SUCCEEDED, amount_minor__gt=0)
    twice = money.values("decision").annotate(n=Count("pk")).filter(n__gt=1)
    return [f"decision {row['decision']}" for row in twice]


def _sums_differ() -> list[str]:
    """The payment's running sums against the entries that made them."""
    kinds = LedgerEntry.Kind
    by = {
        name: Sum("entries__amount_minor", filter=Q(entries__kind=kind), default=0)
        for name, kind in (
            ("kept", kinds.RESERVED),
            ("freed", kinds.RELEASED),
            ("gone", kinds.REFUNDED),
            ("back", kinds.REVERSED),
        )
    }
    rows = Payment.objects.annotate(**by).exclude(
        refunded_minor=F("gone") + F("back"), reserved_minor=F("kept") + F("freed") - F("gone")
    )
    return [f"payment {pk}" for pk in rows.values_list("pk", flat=True)]


def _over_captured() -> list[str]:
    rows = Payment.objects.filter(captured_minor__lt=F("reserved_minor") + F("refunded_minor"))
    return [f"payment {pk}" for pk in rows.values_list("pk", flat=True)]


def _nowhere() -> list[str]:
    """Events of a case that nobody has: open, but never due."""
    lost = Case.objects.filter(state=Case.State.OPEN, due_at__isnull=True, human_only=False)
    events = InboundEvent.objects.filter(case__in=lost)
    return [f"event {pk}" for pk in events.values_list("pk", flat=True)]


def open_handoffs() -> QuerySet[Handoff]:
    """What people still have to finish."""
    return Handoff.objects.exclude(state=Handoff.State.RESOLVED)


def pending_requests() -> QuerySet[ApprovalRequest]:
    """What still waits for a signature."""
    return ApprovalRequest.objects.filter(state=ApprovalRequest.State.PENDING)


def _unasked() -> list[str]:
    return _without(Case.State.APPROVAL, pending_requests())


def _unseen() -> list[str]:
    return _without(Case.State.HANDOFF, open_handoffs())


def _without(state: str, rows: QuerySet[Any]) -> list[str]:
    """Cases of this state that none of the rows belongs to."""
    alone = Case.objects.filter(~Exists(rows.filter(case=OuterRef("pk"))), state=state)
    return [f"case {pk}" for pk in alone.values_list("pk", flat=True)]


def _asked_elsewhere() -> list[str]:
    rows = pending_requests().exclude(case__state=Case.State.APPROVAL)
    return [f"approval {pk}" for pk in rows.values_list("pk", flat=True)]


def _called_elsewhere() -> list[str]:
    rows = open_handoffs().exclude(case__state=Case.State.HANDOFF)
    return [f"hand-off {pk}" for pk in rows.values_list("pk", flat=True)]


def _before_decision() -> list[str]:
    rows = ToolCall.objects.filter(first_sent_at__lt=F("decision__at"))
    return [f"call {pk}" for pk in rows.values_list("pk", flat=True)]


def _untold() -> list[str]:
    """Calls that succeeded without exactly one audit entry that says so."""
    told = dict(
        Entry.objects.filter(action="call.succeeded").values_list("subject_id").annotate(n=Count("pk"))
    )
    done = ToolCall.objects.filter(state=ToolCall.State.SUCCEEDED).values_list("pk", flat=True)
    return [f"call {pk}" for pk in done if told.get(str(pk)) != 1]


def _chain() -> list[str]:
    return [str(fault) for fault in verify().faults]


INVARIANTS: dict[str, Finder] = {
    "a decision pays at most once": _paid_twice,
    "a payment's sums are those of its ledger": _sums_differ,
    "our refunds never exceed the capture": _over_captured,
    "an open case has its turn coming": _nowhere,
    "a case that waits for approval has its request": _unasked,
    "a case with a person has its hand-off": _unseen,
    "what waits for a signature belongs to a case that waits for approval": _asked_elsewhere,
    "what a person has to finish belongs to a case with a person": _called_elsewhere,
    "no effect is older than its decision": _before_decision,
    "a success is told once": _untold,
    "the audit chain holds": _chain,
}
