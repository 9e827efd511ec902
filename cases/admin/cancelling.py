"""What the case page says of cancelling its order: the button, what it would do in words, and what ran."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from approvals.admin.effect import cancels, payers_of
from approvals.admin.half_done import HalfDone, half_done, told
from approvals.caps import undo_window
from approvals.models import Decision
from approvals.policy import SENTENCES, Verdict
from audit.actors import staff
from cases.cancelling import cancellable, foresee, is_fresh
from cases.models import Cancellation, Case, Handoff, User
from tools import reasons
from tools.base import Effect
from tools.catalog.cancel_order import NAME
from tools.models import Order, ToolCall

Outcome = Decision.Outcome
Looked = Cancellation.State

SIGNS: dict[str, Promise] = {
    Outcome.ONE_APPROVER: gettext_lazy("Nothing runs before an approver signs, who can't be you."),
    Outcome.TWO_FACTOR: gettext_lazy(
        "Nothing runs before a finance approver signs with a one-time code, who can't be you."
    ),
}


@dataclass(frozen=True, slots=True)
class Preview:
    """What confirming would do, a sentence a step; `shown` is the digest of it, empty where it can't be confirmed."""

    sentences: tuple[str, ...]
    shown: str
    refusal: str


@dataclass(frozen=True, slots=True)
class Cancelling:
    """What of it stands on the case's page."""

    offered: bool
    reading: bool
    preview: Preview | None
    ran: HalfDone | None


def cancelling(
    case: Case, order: Order | None, calls: Sequence[ToolCall], handoff: Handoff | None, user: User
) -> Cancelling:
    """Expects the order's payments prefetched; asks the database for little, and for more once somebody looks.

    Where the case waits for a person, it is offered to the one who has claimed it.
    """
    row = Cancellation.objects.filter(case=case).first() if order else None
    mine = handoff is None or handoff.claimed_by_id == user.pk
    offered = mine and cancellable(case) and not case.approvals.filter(state="pending").exists()
    looked = row if offered and row is not None else None
    return Cancelling(
        offered,
        looked is not None and looked.state == Looked.ASKED,
        _preview(case, order, looked, user) if order and looked else None,
        _ran(calls),
    )


def _preview(case: Case, order: Order, row: Cancellation, user: User) -> Preview | None:
    if row.state == Looked.REFUSED and is_fresh(row):
        return Preview((), "", reasons.sentence(row.problem) or row.problem)
    if row.state != Looked.READY or not is_fresh(row):
        return None
    effect, problem, verdict = foresee(case, staff(user))
    if problem:
        return Preview((), "", reasons.sentence(problem) or problem)
    if verdict.outcome in (Outcome.DENY, Outcome.HUMAN):
        return Preview((), "", str(SENTENCES.get(verdict.rule, verdict.rule)))
    return Preview(tuple(_sentences(effect, verdict, case, order)), effect.digest, "")


def _sentences(effect: Effect, verdict: Verdict, case: Case, order: Order) -> Iterable[str]:
    yield cancels(order)
    yield from payers_of(effect.body, order)
    tools = [step.tool for step in effect.steps]
    if "record_refund" in tools:
        yield _("The shop's order then shows the refund too.")
    if "issue_credit_note" in tools:
        yield _("A credit note is issued.")
    pieces = sum(line["quantity"] for line in effect.body["lines"] if line.get("restock"))
    if pieces:
        yield ngettext(
            "%(n)s piece goes back on sale.", "%(n)s pieces go back on sale.", pieces
        ) % {"n": pieces}  # fmt: skip
    yield _("The customer hears that the order is cancelled once all of this is done.")
    yield str(SIGNS.get(verdict.outcome) or _undo(int(undo_window(case.shop_id).total_seconds())))


def _undo(seconds: int) -> str:
    if not seconds:
        return _("It runs at once.")
    return ngettext(
        "It begins after %(n)s second, in which it can be undone.",
        "It begins after %(n)s seconds, in which it can be undone.",
        seconds,
    ) % {"n": seconds}


def _ran(calls: Sequence[ToolCall]) -> HalfDone | None:
    """The steps of the latest cancellation; None where it stopped half-way, which has a panel of its own."""
    latest = max((call.decision_id for call in calls if call.tool == NAME), default=None)
    steps = [call for call in calls if call.decision_id == latest]
    if latest is None or half_done(steps):
        return None
    return told(latest, sorted(steps, key=lambda call: call.position))
