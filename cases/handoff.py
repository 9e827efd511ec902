"""A case goes to a person: a row in the transaction that found out, and word to the customer that it did."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from approvals import services as authority
from approvals.deciding import Wish, decide
from approvals.errors import AlreadyDecided, Invalid
from approvals.facts import Situation
from approvals.models import Decision, RiskFlag
from approvals.services import person
from audit import sources
from audit.actors import AGENT, SYSTEM, TRIAGE, Actor
from cases.announcing import wants_announcing
from cases.composing import composer, recipient, sender_is_contact
from cases.models import Case, Conversation, Handoff, InboundEvent, Person, Template
from cases.planner.factory import current_config
from cases.telling import ring, tell
from cases.titles import title_of
from tools.base import Scope
from tools.drift import behind, name_of
from tools.models import OPEN_STATES, Drift, ToolCall

Reason = Handoff.Reason
State = Handoff.State

# The promise, from the moment that called for a person.
PROMISE = {
    Reason.FRAUD: timedelta(minutes=15),
    Reason.DISPUTE: timedelta(hours=1),
    Reason.LEGAL: timedelta(minutes=1),
    Reason.DISTRESS: timedelta(minutes=1),
    Reason.ANGER: timedelta(minutes=1),
    Reason.DRIFT: timedelta(hours=1),
}
ELSE = timedelta(hours=4)
# The most pressing first: one hand-off names one reason, the flags name all.
BY_WEIGHT = (Reason.FRAUD, Reason.DISPUTE, Reason.LEGAL, Reason.DISTRESS, Reason.ANGER)
ACKNOWLEDGE = "acknowledge_handoff"


def hand_off(
    case: Case,
    reason: str,
    *,
    by: Actor,
    detail: str = "",
    event: InboundEvent | None = None,
    decision: Decision | None = None,
    called_at: datetime | None = None,
    drift: Drift | None = None,
    within: timedelta | None = None,
    acknowledge: bool = True,
) -> Handoff:
    """Give the case to a person, once: an open hand-off stays, and a more pressing reason only shortens its promise.

    Nothing else is needed for it to be seen. `called_at` is when the outside called for a person; `within` is the
    promise where it isn't the reason's own; `drift` is the vendor's change that stands behind it. The customer hears
    that a person will read, unless it is not to `acknowledge`.
    """
    _take_back(case)
    called_at = called_at or sources.now()
    due_at = called_at + (within or PROMISE.get(Reason(reason), ELSE))
    row = case.handoffs.select_for_update().exclude(state=State.RESOLVED).first()
    if row is not None:
        _press(row, reason, due_at, detail, drift)
        wants_announcing(row, case.shop)
        return row
    row = Handoff.objects.create(
        shop_id=case.shop_id,
        case=case,
        reason=reason,
        event=event,
        decision=decision,
        drift=drift,
        detail=detail[:64],
        received_at=called_at,
        opened_at=sources.now(),
        due_at=due_at,
    )
    _put_with_people(case, reason)
    _void_pending(case)
    if acknowledge:
        _acknowledge(case, reason)
    wants_announcing(row, case.shop)
    tell("handoff.opened", case, by=by, subject=row, reason=row.reason, detail=row.detail)
    return row


def wants_thought(case: Case) -> None:
    """Something changed: the case goes to the agent, unless a person has it or an effect is under way.

    Where a person has set it aside or asked for a signature the agent is silent, so that it goes back to people. What
    waits for a signature was asked for without this news, so it is void.
    """
    Case.objects.filter(pk=case.pk).update(dirty=F("dirty") + 1)
    for request in case.approvals.filter(state="pending"):
        authority.void(request.pk, why="news", by=SYSTEM)
    theirs = (Case.State.OPEN, Case.State.WAITING, Case.State.APPROVAL)
    if case.state in theirs and case.wait_reason != Case.Wait.EFFECT:
        if case.human_only:
            hand_off(case, Reason.STAFF, by=SYSTEM, detail="news")
        else:
            Case.objects.filter(pk=case.pk).update(
                state=Case.State.OPEN, wait_reason="", wake_at=None, due_at=sources.now()
            )
            ring("advance", case.pk)
    case.refresh_from_db()


def _put_with_people(case: Case, reason: str) -> None:
    Case.objects.filter(pk=case.pk).update(
        title=title_of(case, {"reason": reason}) if not case.decisions.exists() else case.title,
        state=Case.State.HANDOFF,
        wait_reason="",
        wake_at=None,
        due_at=None,
        lease_until=None,
    )
    case.refresh_from_db()


def _press(row: Handoff, reason: str, due_at: datetime, detail: str, drift: Drift | None) -> None:
    if drift is not None and row.drift_id is None:
        row.drift = drift
        row.save(update_fields=["drift"])
    if row.state == State.WAITING and due_at < row.due_at:
        row.reason, row.due_at, row.detail = reason, due_at, detail[:64] or row.detail
        row.save(update_fields=["reason", "due_at", "detail"])


def _take_back(case: Case) -> None:
    """What still waits in its undo window is asked about at once, not when its time has come."""
    if in_window(case.pk).exists():
        ring("take_back", case.pk)


def in_window(case_id: int) -> QuerySet[ToolCall]:
    """First steps that wait for their undo window to end; an order has one open case, so they are all of its."""
    reserved = ToolCall.objects.filter(case_id=case_id, position=0, state=ToolCall.State.RESERVED)
    return reserved.filter(first_sent_at__isnull=True, held_since__isnull=True, not_before__gt=sources.now())


def _void_pending(case: Case) -> None:
    """A case with a person needs no approval any more: what waited for one is void."""
    for request in case.approvals.filter(state="pending"):
        authority.void(request.pk, why="handed_off", by=SYSTEM)


def _acknowledge(case: Case, reason: str) -> None:
    """Tell the customer that a person will read it; only where they wrote and are not suspected of fraud."""
    wrote = case.messages.filter(direction="in").exists()
    told = case.calls.filter(message__template__key=ACKNOWLEDGE).exclude(state="cancelled").exists()
    if not wrote or told or reason in (Reason.FRAUD, Reason.DISPUTE):
        return
    config = current_config(case.shop)
    made = decide(
        Wish("acknowledge", {}, config.pk),
        scope=scope_of(case),
        situation=situation(case, by=TRIAGE, planner=config.kind),
        undo=timedelta(0),
        compose=composer(case),
        by=TRIAGE,
    )
    for call in made.calls:
        ring("execute", call.pk)


def scope_of(case: Case) -> Scope:
    """Whose things an action in this case may name."""
    channel = case.conversation.channel if case.conversation else Conversation.Channel.EMAIL
    return Scope(case.shop_id, case.pk, case.order_id, case.correlation_id, channel, case.shop.env_prefix)


def situation(case: Case, *, by: Actor, planner: str, human_only: bool | None = None) -> Situation:
    """What policy must know of the case: who writes, who listens, who has it (unless that is said)."""
    to = recipient(case)
    return Situation(
        by_kind=by.kind,
        planner=planner,
        human_only=case.human_only if human_only is None else human_only,
        sender_is_contact=sender_is_contact(case),
        reachable=to is not None and reachable(to, scope_of(case).channel),
        order_templates=frozenset(
            Template.objects.filter(order_data=True, active=True).values_list("key", flat=True)
        ),
    )


def situation_of(decision: Decision, case: Case) -> Situation:
    """The case as it stands for who decided this: what a person wants isn't stopped by a person's having the case."""
    human_only = False if decision.by_kind == "staff" else None
    found = situation(case, by=AGENT, planner=decision.planner.kind, human_only=human_only)
    return replace(found, by_kind=decision.by_kind)


def reachable(to: Person, channel: str) -> bool:
    """Whether the channel has an address of theirs."""
    return bool(to.whatsapp_id if channel == Conversation.Channel.WHATSAPP else to.email)


def raise_flags(
    case: Case, kinds: tuple[str, ...], *, source: str, by: Actor, reason: str = ""
) -> list[RiskFlag]:
    """Raise risk flags on the case, fraud and disputes on its order too, each with its audit entry.

    `reason` is a person's own word for it.
    """
    raised = []
    for kind in kinds:
        on_order = case.order_id if kind in ("fraud", "dispute") else None
        flag = authority.raise_flag(
            kind,
            shop_id=case.shop_id,
            source=source,
            reason=reason,
            by=by,
            order_id=on_order,
            case_id=case.pk,
        )
        if flag is not None:
            raised.append(flag)
            tell("risk.raised", case, by=by, subject=flag, kind=kind, source=source)
    return raised


def most_pressing(kinds: tuple[str, ...]) -> Handoff.Reason:
    """The reason that a hand-off names when several flags are up."""
    return next(reason for reason in BY_WEIGHT if reason in kinds)


def claim_handoff(handoff_id: int, *, by: Actor) -> Handoff:
    """Take a waiting hand-off: from now on it is this person's, and the agent stays silent in the case."""
    with transaction.atomic():
        row = _open_handoff(handoff_id)
        user = person(by, "cases.change_handoff", row.shop_id)
        if row.state != State.WAITING:
            who = row.claimed_by.get_full_name() or row.claimed_by.username if row.claimed_by else ""
            raise AlreadyDecided(_("%(who)s has claimed this already.") % {"who": who})
        row.state, row.claimed_by, row.claimed_at = State.CLAIMED, user, sources.now()
        row.save(update_fields=["state", "claimed_by", "claimed_at"])
        Case.objects.filter(pk=row.case_id).update(assigned_to=user, human_only=True)
        late = row.claimed_at > row.due_at
        tell("handoff.claimed", row.case, by=by, subject=row, late=late)
    return row


def resolve_handoff(handoff_id: int, *, close: bool, by: Actor) -> Handoff:
    """Done: the case is closed, or goes back to the agent."""
    with transaction.atomic():
        row = _open_handoff(handoff_id)
        person(by, "cases.change_handoff", row.shop_id)
        if row.state == State.RESOLVED:
            raise AlreadyDecided(_("This hand-off was resolved already."))
        if row.state == State.WAITING:
            raise AlreadyDecided(_("Claim it first: a hand-off is resolved by the person who has it."))
        if close:
            refuse_open_money(row.case)
        row.state, row.resolved_at = State.RESOLVED, sources.now()
        row.save(update_fields=["state", "resolved_at"])
        _after_resolving(row.case, close, by)
        tell("handoff.resolved", row.case, by=by, subject=row, closed=close)
    return row


def put_down(case: Case, by: Actor) -> None:
    """The hand-off of a case ends where its holder sets it aside or asks for a signature."""
    row = case.handoffs.select_for_update().exclude(state=State.RESOLVED).get()
    if row.state != State.CLAIMED:
        raise Invalid(_("Claim the hand-off first. Nothing was changed."))
    row.state, row.resolved_at = State.RESOLVED, sources.now()
    row.save(update_fields=["state", "resolved_at"])
    tell("handoff.resolved", case, by=by, subject=row, closed=False)


def refuse_open_money(case: Case) -> None:
    """Raises Invalid while money is on its way: a closed case would hear of no failure."""
    if case.calls.filter(amount_minor__gt=0, state__in=OPEN_STATES).exists():
        raise Invalid(_("Money is still on its way in this case. Undo it or wait for it, then close."))


def _after_resolving(case: Case, close: bool, by: Actor) -> None:
    now = sources.now()
    if close:
        Case.objects.filter(pk=case.pk).update(
            state=Case.State.CLOSED, closed_at=now, closed_by=by.name, due_at=None
        )
        tell("case.closed", case, by=by)
        return
    Case.objects.filter(pk=case.pk).update(
        state=Case.State.OPEN, human_only=False, assigned_to=None, attempts=0
    )
    case.refresh_from_db()
    wants_thought(case)


def _open_handoff(handoff_id: int) -> Handoff:
    # The case before its hand-off, as `hand_off` does it.
    Case.objects.select_for_update(of=("self",)).get(handoffs=handoff_id)
    rows = Handoff.objects.select_for_update(of=("self",)).select_related("case", "claimed_by", "shop")
    return rows.get(pk=handoff_id)


def after_failed_call(call: ToolCall, case: Case) -> None:
    """A call that ended badly calls for a person, in the same transaction; `case` is locked and open.

    What the customer hears of money that was on its way and didn't arrive is for that person to say.
    """
    drift = behind(call.shop_id, call.tool, call.vendor, call.error)
    if drift is not None:
        hand_off(case, Reason.DRIFT, by=SYSTEM, detail=name_of(drift), decision=call.decision, drift=drift)
        return
    was_on_its_way = bool(call.amount_minor and call.settled_by)
    hand_off(
        case,
        Reason.FAILED,
        by=SYSTEM,
        detail=call.error,
        decision=call.decision,
        acknowledge=not was_on_its_way,
    )
