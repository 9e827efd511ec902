"""An action of several steps that stopped half-way: what ran, what didn't, and what a person can do about each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tools.models import CreditNote, ToolCall
from tools.tool_names import tool_name
from tools.vendor_names import vendor_name

State = ToolCall.State

CREDIT_NOTE = "issue_credit_note"
# Ran, or may have: the vendor was reached.
BEGUN = (State.SUCCEEDED, State.PENDING, State.UNKNOWN, State.FAILED_LATER)
BROKEN = (State.FAILED, State.CANCELLED, State.UNKNOWN, State.FAILED_LATER)
TONES = {
    State.SUCCEEDED: ("good", "check"),
    State.FAILED: ("danger", "octagon"),
    State.FAILED_LATER: ("danger", "octagon"),
    State.UNKNOWN: ("attention", "triangle"),
    State.CANCELLED: ("", "barred"),
}
# What a person can do about a step that did not happen.
REMEDIES: dict[str, Promise] = {
    "cancel_order": gettext_lazy("The order still stands. Cancel it at the shop, or let it go out."),
    "issue_refund": gettext_lazy(
        "This money has not gone back. Refund it at the vendor's own pages, which is counted here, or give the case"
        " back to the agent and let it be decided anew."
    ),
    "record_refund": gettext_lazy(
        "The shop's order doesn't show it. Enter the refund there by hand, without paying it a second time."
    ),
    "issue_credit_note": gettext_lazy(
        "There is no credit note of this step. Issue it in the case where it is offered, or else in your accounts."
    ),
    "send_message": gettext_lazy("The customer has not been told. Write to them in the case."),
}
OTHERWISE = gettext_lazy("This did not happen. Look whether it is still wanted.")
UNSURE = gettext_lazy(
    "Nobody knows whether the vendor did it. It is read again and again; look at the vendor's own pages and say what"
    " you saw on the page of the call."
)
TAKEN_BACK = gettext_lazy("The vendor took it back after it was done: the customer doesn't have this money.")


@dataclass(frozen=True, slots=True)
class Step:
    """One call, as whoever has the case needs it; `remedy` is empty where nothing is left to do."""

    name: str
    vendor: str
    call: ToolCall
    tone: str
    icon: str
    word: str
    remedy: str
    url: str


@dataclass(frozen=True, slots=True)
class HalfDone:
    """One decision whose steps came to different ends."""

    decision: int
    url: str
    steps: tuple[Step, ...]


def half_done(calls: Iterable[ToolCall]) -> list[HalfDone]:
    """Those of the calls' decisions that stopped after something had begun.

    Asks the database for nothing, but once where a credit note's step was among those that stopped.
    """
    rows = sorted(calls, key=attrgetter("decision_id", "position"))
    groups = [(pk, list(steps)) for pk, steps in groupby(rows, key=attrgetter("decision_id"))]
    return [told(pk, steps) for pk, steps in groups if _stopped(steps)]


def _stopped(steps: list[ToolCall]) -> bool:
    begun = any(step.state in BEGUN for step in steps)
    # A message alone has no halves.
    return begun and any(step.state in BROKEN for step in steps) and any(step.amount_minor for step in steps)


def told(decision: int, steps: list[ToolCall]) -> HalfDone:
    """The steps of one decision, in order, as whoever has the case reads them."""
    url, documents = reverse("admin:approvals_decision_change", args=[decision]), _issued_later(steps)
    return HalfDone(decision, url, tuple(_step(step, documents.get(step.pk)) for step in steps))


def _issued_later(steps: list[ToolCall]) -> dict[int, CreditNote]:
    """The documents that a person issued in the place of steps that had stopped, by step."""
    stopped = [step.pk for step in steps if step.tool == CREDIT_NOTE and step.state in BROKEN]
    if not stopped:
        return {}
    # Of a document and its counter-document the first answers the step.
    rows = CreditNote.objects.filter(call__in=stopped).order_by("-pk")
    return {note.call_id: note for note in rows if note.call_id is not None}


def _step(call: ToolCall, document: CreditNote | None) -> Step:
    tone, icon = TONES.get(State(call.state), ("info", "clock"))
    if document is not None:
        return Step(
            name=capfirst(tool_name(CREDIT_NOTE)),
            vendor=vendor_name(call.vendor),
            call=call,
            tone="good",
            icon="check",
            word=_("Issued later"),
            remedy=_("A person has issued it as %(number)s.") % {"number": document.number},
            url=reverse("admin:tools_creditnote_change", args=[document.pk]),
        )
    return Step(
        name=capfirst(tool_name(call.tool)),
        vendor=vendor_name(call.vendor),
        call=call,
        tone=tone,
        icon=icon,
        word=capfirst(call.get_state_display()),
        remedy=_remedy(call),
        url=reverse("admin:tools_toolcall_change", args=[call.pk]),
    )


def _remedy(call: ToolCall) -> str:
    if call.state == State.SUCCEEDED:
        return ""
    if call.state == State.UNKNOWN:
        return str(UNSURE)
    if call.state in (State.FAILED, State.CANCELLED):
        return str(REMEDIES.get(call.tool, OTHERWISE))
    if call.state == State.FAILED_LATER:
        return f"{TAKEN_BACK} {REMEDIES.get(call.tool, '')}".strip()
    return _("Under way: its end is waited for.")
