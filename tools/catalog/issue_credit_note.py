"""Write the document of a refund whose money has moved; it leaves the building with the message after it."""

from __future__ import annotations

import json

from audit.actors import SYSTEM
from tools import invoices
from tools.base import Arguments, Effect, Kind, Leaves, Outcome, Scope, Tool
from tools.credit_notes.issuing import credited_by_stripe, issue
from tools.errors import InvalidArgs
from tools.models import CreditNote, ToolCall

BY_STRIPE = "credited by stripe"


class IssueCreditNote(Arguments):
    """Only ever a step of a refund, never an action of its own."""


def resolve(arguments: IssueCreditNote, scope: Scope) -> Effect:
    """Nobody can ask for this alone: raises InvalidArgs (tool.only_a_step)."""
    raise InvalidArgs(code="tool.only_a_step")


def send(call: ToolCall) -> Outcome:
    """One transaction of our own database, so sending twice finds what the first time has written.

    Only what is printed on the order's invoice at Stripe is read before. Where Stripe has issued a credit note for that
    one, there is nothing to write.
    """
    if credited_by_stripe(json.loads(call.request)):
        return Outcome(BY_STRIPE)
    invoices.learn_name(call)
    return Outcome(issue(call, by=SYSTEM).number)


def find(call: ToolCall) -> Outcome | None:
    """The document of this call, if it was written before its sender died."""
    note = CreditNote.objects.filter(call=call).first()
    return Outcome(note.number) if note else None


TOOL = Tool(
    "issue_credit_note",
    Kind.DOCUMENT,
    IssueCreditNote,
    resolve,
    send,
    find,
    for_planner=False,
    leaves=Leaves.NOTHING,
)
