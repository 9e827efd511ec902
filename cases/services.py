"""What staff do in a case, and the one way for the admin, a task or a command to do it.

One function, one transaction: permission, change, audit entry, queue. `by` is staff, loaded again and checked here.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from approvals import services as authority
from approvals.deciding import Wish, decide
from approvals.errors import AlreadyDecided, Invalid, NotPermitted
from approvals.models import ApprovalRequest, Decision
from approvals.policy import SENTENCES
from approvals.second_factor import Proof
from approvals.services import person
from approvals.standing import why_not_settle
from audit import sources
from audit.actors import AGENT, Actor
from cases import following
from cases.composing import composer, conversation_of, recipient, refuse_unsendable
from cases.drifting import hand_off_drifting
from cases.handoff import (
    claim_handoff,
    hand_off,
    put_down,
    reachable,
    refuse_open_money,
    resolve_handoff,
    scope_of,
    situation,
    situation_of,
)
from cases.models import Case, Handoff, Message
from cases.planner.factory import current_config
from cases.telling import ring, tell
from cases.waiting import EFFECT_AT_MOST, wait
from tools import execution
from tools.base import BY_HAND
from tools.drift import READ_ONLY
from tools.models import ToolCall

State = Case.State
Wait = Case.Wait
LONGEST_NOTE = 5000

__all__ = [
    "add_note",
    "claim_handoff",
    "close_case",
    "decide_approval",
    "reply",
    "resolve_handoff",
    "settle_call",
    "snooze",
    "take_over",
    "undo",
]


def _case(case_id: int, by: Actor) -> Case:
    rows = Case.objects.select_for_update(of=("self",)).select_related(
        "shop", "order", "conversation__person"
    )
    case = rows.get(pk=case_id)
    person(by, "cases.change_case", case.shop_id)
    return case


def _text(text: str) -> str:
    if not text.strip():
        raise Invalid(_("Write something first. Nothing was saved."))
    if len(text) > LONGEST_NOTE:
        raise Invalid(_("That is too long: at most 5,000 characters. Nothing was saved."))
    return text.strip()


def take_over(case_id: int, *, by: Actor) -> Case:
    """The case is this person's; the agent stays silent, and what waited for approval is void."""
    with transaction.atomic():
        case = _case(case_id, by)
        if case.state == State.CLOSED:
            reopen_for_person(case, by=by)
        row = hand_off(case, Handoff.Reason.STAFF, by=by)
        if row.state == Handoff.State.WAITING:
            claim_handoff(row.pk, by=by)
        elif row.claimed_by_id != int(by.id):
            who = row.claimed_by.get_full_name() or row.claimed_by.get_username() if row.claimed_by else ""
            raise AlreadyDecided(_("%(who)s has this case. Nothing was changed.") % {"who": who})
        case.refresh_from_db()
    return case


def reopen_for_person(case: Case, *, by: Actor) -> None:
    """Open a closed case again for the person who goes on with it. Needs a transaction."""
    try:
        with transaction.atomic():
            Case.objects.filter(pk=case.pk).update(
                state=State.OPEN, closed_at=None, closed_by="", human_only=False, attempts=0
            )
    except IntegrityError as error:
        raise Invalid(_("The same order or conversation has an open case. Go on in that one.")) from error
    case.refresh_from_db()
    tell("case.reopened", case, by=by)


def add_note(case_id: int, *, text: str, by: Actor) -> Message:
    """A note for colleagues; no customer sees it."""
    with transaction.atomic():
        return _keep_note(_case(case_id, by), _text(text), by)


def _keep_note(case: Case, text: str, by: Actor) -> Message:
    note = Message.objects.create(
        shop_id=case.shop_id,
        case=case,
        direction=Message.Direction.NOTE,
        state=Message.State.KEPT,
        author=by.name[:150],
        text=text,
        at=sources.now(),
    )
    tell("note.added", case, by=by, subject=note)
    return note


def reply(case_id: int, *, text: str, by: Actor) -> Message:
    """A person's own words to the customer; from the first one on the agent is silent in this case."""
    with transaction.atomic():
        case = _case(case_id, by)
        to = recipient(case)
        if to is None or not reachable(to, scope_of(case).channel):
            raise Invalid(_("There is no address to reply to. Nothing was sent."))
        words = _text(text)
        refuse_unsendable(case, words)
        if case.state == State.CLOSED:
            reopen_for_person(case, by=by)
        if not case.human_only:
            take_over(case_id, by=by)
            case.refresh_from_db()
        message = _words(case, words, by)
        config = current_config(case.shop)
        made = decide(
            Wish("reply", {"message_id": message.pk}, config.pk),
            scope=scope_of(case),
            situation=situation(case, by=by, planner=config.kind),
            undo=timedelta(0),
            compose=lambda _step: message.pk,
            by=by,
        )
        if not made.calls:
            why = SENTENCES.get(made.decision.rule, made.decision.rule)
            raise Invalid(_("Nothing was sent. %(why)s") % {"why": why})
        ring("execute", made.calls[0].pk)
    return message


def _words(case: Case, text: str, by: Actor) -> Message:
    return Message.objects.create(
        shop_id=case.shop_id,
        case=case,
        conversation=conversation_of(case),
        direction=Message.Direction.OUT,
        state=Message.State.QUEUED,
        author=by.name[:150],
        subject=case.shop.name,
        text=text,
        language=case.language,
        at=sources.now(),
    )


def close_case(case_id: int, *, by: Actor) -> Case:
    """The person is done with it: what waits for a signature is void, a message that is on its way still goes."""
    with transaction.atomic():
        case = _case(case_id, by)
        if case.state == State.CLOSED:
            raise AlreadyDecided(_("This case was closed already."))
        refuse_open_money(case)
        for request in case.approvals.filter(state=ApprovalRequest.State.PENDING):
            authority.void(request.pk, why="closed", by=by)
        row = case.handoffs.exclude(state=Handoff.State.RESOLVED).first()
        if row is not None:
            if row.state == Handoff.State.WAITING:
                claim_handoff(row.pk, by=by)
            resolve_handoff(row.pk, close=True, by=by)
        else:
            Case.objects.filter(pk=case.pk).update(
                state=State.CLOSED, closed_at=sources.now(), closed_by=by.name[:150], wait_reason="", wake_at=None,
                due_at=None,
            )  # fmt: skip
            tell("case.closed", case, by=by)
        case.refresh_from_db()
    return case


def snooze(case_id: int, *, until: datetime, by: Actor) -> Case:
    """Set the case aside until a date; it comes back by itself."""
    with transaction.atomic():
        case = _case(case_id, by)
        if not sources.now() < until <= sources.now() + timedelta(days=90):
            raise Invalid(_("Choose a date within the next 90 days."))
        if case.state == State.HANDOFF:
            put_down(case, by)
        elif case.state not in (State.OPEN, State.WAITING) or case.wait_reason == Wait.EFFECT:
            raise Invalid(_("Only a case that nothing is under way in can be set aside."))
        wait(case, Wait.SNOOZE, until - sources.now())
    return case


def undo(call_id: int, *, by: Actor) -> ToolCall:
    """Stop an effect that waits in its undo window; nothing is sent, and the case comes to a person."""
    call = ToolCall.objects.get(pk=call_id)
    person(by, "cases.change_case", call.shop_id)
    if not execution.cancel(call_id, reason="undone", after_outcome=following.after_outcome):
        raise AlreadyDecided(_("Too late: it is being sent or has ended. Nothing was changed."))
    return ToolCall.objects.get(pk=call_id)


def settle_call(call_id: int, *, succeeded: bool, vendor_ref: str, reason: str, by: Actor) -> ToolCall:
    """Say what became of a call whose outcome nobody could read, after looking at the vendor's own pages.

    Needs the right to approve money of that size, since it decides whether the amount is paid or free again, from
    somebody who had no hand in the refund. The reason is kept as a note.
    """
    call = ToolCall.objects.select_related("decision__limits").get(pk=call_id)
    if call.vendor == BY_HAND:
        raise Invalid(_("A person pays this: tick its payment task instead. Nothing was changed."))
    large = call.decision.outcome == Decision.Outcome.TWO_FACTOR
    user = person(by, "approvals.approve_large_refund" if large else "approvals.approve_refund", call.shop_id)
    if why := why_not_settle(call.decision, user):
        raise NotPermitted(why)
    if not reason.strip() or (succeeded and not vendor_ref.strip()):
        raise Invalid(_("Say what you saw at the vendor, with the refund's id there if it was done."))
    with transaction.atomic():
        ended = execution.conclude(
            call_id,
            succeeded=succeeded,
            # What was not done has no id there; one that was typed all the same belongs to another refund.
            ref=vendor_ref.strip() if succeeded else "",
            settled_by=ToolCall.Settled.PERSON,
            after_outcome=following.after_outcome,
        )
        if ended is None:
            raise AlreadyDecided(_("The outcome is known by now. Nothing was changed."))
        _keep_note(_read_case(call.case_id), _text(reason), by)
    return ToolCall.objects.get(pk=call_id)


def decide_approval(
    request_id: int, *, approve: bool, proof: Proof | None, reason: str, by: Actor
) -> ApprovalRequest:
    """Sign or reject, and move the case on with it.

    Not one transaction: a second factor is counted in its own, before the page's fate is known. What follows the
    signature is written with it.
    """
    request = ApprovalRequest.objects.select_related("decision__planner").get(pk=request_id)
    if not approve:
        return _reject(request_id, reason, by)
    return _sign(request, _read_case(request.case_id), proof, by)


def _read_case(case_id: int) -> Case:
    return Case.objects.select_related("shop", "order", "conversation__person").get(pk=case_id)


def _sign(request: ApprovalRequest, case: Case, proof: Proof | None, by: Actor) -> ApprovalRequest:
    facts = situation_of(request.decision, case)
    signed, _calls = authority.approve(
        request.pk,
        proof=proof,
        situation=facts,
        compose=composer(case),
        after=lambda made: _go(case, made),
        voided=_to_person,
        by=by,
    )
    return signed


def _go(case: Case, calls: tuple[ToolCall, ...]) -> None:
    wait(case, Wait.EFFECT, EFFECT_AT_MOST)
    ring("execute", calls[0].pk)


def _reject(request_id: int, reason: str, by: Actor) -> ApprovalRequest:
    with transaction.atomic():
        request = authority.reject(request_id, reason=reason, by=by)
        hand_off(_read_case(request.case_id), Handoff.Reason.REFUSED, by=by, decision=request.decision)
    return request


def _to_person(request: ApprovalRequest) -> None:
    """A request that a change voided leaves its case with a person, never with nobody."""
    case = _read_case(request.case_id)
    if case.state != State.APPROVAL:
        return
    if request.reason == READ_ONLY:
        hand_off_drifting(case, request.decision, by=AGENT)
        return
    hand_off(case, Handoff.Reason.POLICY, by=AGENT, detail=request.reason, decision=request.decision)
