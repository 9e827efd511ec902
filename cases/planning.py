"""The agent's turn in a case: claim it, read, ask the planner, let policy judge, write what follows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import Q

from approvals.caps import undo_window
from approvals.deciding import Made, Wish, decide
from approvals.models import Decision
from audit import sources
from audit.actors import AGENT, vendor
from cases import personal, refunds
from cases.composing import composer
from cases.connections import is_history
from cases.drifting import hand_off_drifting, hand_off_unreadable
from cases.fraud.screening import screen
from cases.handoff import hand_off, raise_flags, scope_of, situation
from cases.models import Case, Handoff, Message, PlannerConfig
from cases.planner.factory import current_config, planner_for
from cases.planner.gather import gather
from cases.planner.protocol import Proposal
from cases.telling import ring, tell
from cases.titles import title_of
from cases.waiting import EFFECT_AT_MOST, close, wait
from tools import orders as graph
from tools import stops
from tools.base import Kind
from tools.catalog import lookup_order
from tools.drift import READ_ONLY
from tools.errors import ContractDrift, HeldBack, InvalidArgs, Refused, ToolError, Unavailable
from tools.ledger import lock_order
from tools.registry import TOOLS, parse

log = structlog.get_logger()

State = Case.State
Wait = Case.Wait
Outcome = Decision.Outcome
Reason = Handoff.Reason

LEASE = timedelta(seconds=60)
RETRY = timedelta(seconds=20)
LONGEST_RETRY = timedelta(minutes=10)
MOST_ATTEMPTS = 5
FRESH = timedelta(seconds=30)
# How often a vendor is asked for its quote in one turn, where the order changes under it.
ROUNDS = 2
NOT_QUOTED = "refund.not_quoted"
# Waits that end without anything that the turn did or didn't do.
OUR_OWN = (HeldBack.RATE_BUDGET, HeldBack.SWITCH)
# What is stopped for longer is no pause any more.
STANDS_AT_MOST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Turn:
    """A claimed case: only the holder of the fencing token may write its plan."""

    case: Case
    fence: int
    seen: int


class _NotQuotedError(Exception):
    """The order isn't any more what the vendor was asked about; nothing of the judgement is kept."""


def advance(case_id: int) -> str | None:
    """One turn of the agent. Returns the case's state, or None where it wasn't the agent's turn."""
    turn = _claim(case_id)
    if turn is None:
        return None
    if turn.case.attempts > MOST_ATTEMPTS:
        return _give_up(turn, "attempts")
    config = current_config(turn.case.shop)
    with stops.thinking(turn.case.shop.slug, config.kind):
        return _think(turn, config)


def _think(turn: Turn, config: PlannerConfig) -> str | None:
    try:
        stops.refuse_turn()
        read_order(turn.case, FRESH)
    except ContractDrift as error:
        return _give_up(turn, error.code, error)
    except Refused as error:
        return _give_up(turn, error.code)
    except ToolError as error:
        return _later(turn, error)
    try:
        proposal = planner_for(config).propose(gather(turn.case))
    except HeldBack as held:
        return _later(turn, held)
    return _quote_and_apply(turn, config, proposal)


def _quote_and_apply(turn: Turn, config: PlannerConfig, proposal: Proposal) -> str | None:
    """Judge the proposal by what the vendor quotes for it; asked once more where the order has changed meanwhile."""
    for again in reversed(range(ROUNDS)):
        try:
            _quote(turn.case, proposal)
        except ToolError as error:
            return _later(turn, error)
        try:
            return _apply(turn, config, proposal, may_ask_again=bool(again))
        except _NotQuotedError:
            log.info("case.quoted_again", case=turn.case.pk, correlation_id=str(turn.case.correlation_id))
    raise AssertionError("The last round always judges.")


def _quote(case: Case, proposal: Proposal) -> None:
    """Asks the vendor for what the proposal's effect will need, where its tool says so; outside any transaction.

    Raises ToolError where it can't be asked now. What it would not give at all is for policy to hear, and to deny.
    """
    try:
        tool, arguments = parse(proposal.tool, dict(proposal.arguments), by_planner=True)
        if tool.quote is not None:
            tool.quote(arguments, scope_of(case))
    except (InvalidArgs, Refused, ContractDrift) as error:
        log.info("case.not_quoted", case=case.pk, code=error.code, correlation_id=str(case.correlation_id))


def _claim(case_id: int) -> Turn | None:
    """Take the case for a minute; attempts are counted before the work, so that a killer case is found out."""
    now = sources.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    with transaction.atomic():
        rows = Case.objects.select_for_update(skip_locked=True, of=("self",))
        case = rows.filter(free, pk=case_id, state=State.OPEN, due_at__isnull=False, due_at__lte=now).first()
        if case is None or case.human_only:
            return None
        case.lease_until, case.fence, case.attempts = now + LEASE, case.fence + 1, case.attempts + 1
        case.save(update_fields=["lease_until", "fence", "attempts"])
    case = Case.objects.select_related("shop", "order", "conversation__person").get(pk=case_id)
    return Turn(case, case.fence, case.dirty)


def read_order(case: Case, fresh: timedelta) -> None:
    """Read the order at the shop, unless that was done `fresh` ago; the reading is recorded like any other news.

    One network call, so never inside a transaction. Raises ToolError.
    """
    order = case.order
    if order is None or (order.read_at and sources.now() - order.read_at < fresh):
        return
    seen = lookup_order.read(lookup_order.LookupOrder(order_id=order.pk), scope_of(case))
    with transaction.atomic():
        change = graph.record_order(case.shop_id, seen, str(order.person_id) if order.person_id else None)
        type(order).objects.filter(pk=order.pk).update(read_at=sources.now())
        personal.keep_address(change.order, seen.bill_to)
        for record, refund in zip(change.refunds, seen.refunds, strict=True):
            refunds.follow(
                record,
                shop=case.shop,
                correlation_id=case.correlation_id,
                made_at=refund.at,
                history=is_history(case.shop, refund.vendor, refund.at),
            )
        if change.over:
            refunds.stop_ours(change.order)
        if change.changed:
            tell("order.updated", case, by=vendor("shopify"), subject=order, refunds=len(change.refunds))
    order.refresh_from_db()


def _mine(turn: Turn) -> Case | None:
    """The case under its lock, behind its order's, if the turn is still ours."""
    lock_order(turn.case.order_id)
    rows = Case.objects.select_for_update(of=("self",)).select_related(
        "shop", "order", "conversation__person"
    )
    return rows.filter(pk=turn.case.pk, fence=turn.fence, state=State.OPEN).first()


def _give_up(turn: Turn, why: str, drift: ContractDrift | None = None) -> str | None:
    with transaction.atomic():
        case = _mine(turn)
        if case is None:
            return None
        if drift is not None:
            hand_off_unreadable(case, drift, by=AGENT)
        else:
            hand_off(case, Reason.STUCK, by=AGENT, detail=why)
        return case.state


def _later(turn: Turn, error: ToolError) -> str | None:
    """The vendor can't be read now: the case keeps its turn, not before the vendor may be asked again.

    A wait for our own share of the vendor's rate counts as no attempt, for it comes by itself. So does one for whoever
    stopped it; but what stands still for long goes to a person, for its customer waits.
    """
    if error.code == HeldBack.SWITCH and _stands_for_long(turn, error):
        return _give_up(turn, error.code)
    log.info(
        "case.read_later",
        case=turn.case.pk,
        code=error.code,
        correlation_id=str(turn.case.correlation_id),
    )
    wish = error.retry_after if isinstance(error, Unavailable) else None
    wait = min(max(RETRY, timedelta(seconds=wish or 0)), LONGEST_RETRY)
    attempts = turn.case.attempts - (error.code in OUR_OWN)
    Case.objects.filter(pk=turn.case.pk, fence=turn.fence).update(
        due_at=sources.now() + wait, lease_until=None, attempts=attempts
    )
    return State.OPEN


def _stands_for_long(turn: Turn, error: ToolError) -> bool:
    since = stops.since(turn.case.shop.slug, error.vendor)
    return since is not None and sources.now() - since > STANDS_AT_MOST


def _apply(turn: Turn, config: PlannerConfig, proposal: Proposal, *, may_ask_again: bool) -> str | None:
    """Judge the proposal and write what follows, unless the case moved on while the planner thought.

    Raises _NotQuotedError, with nothing written, where the vendor has to be asked again and may be.
    """
    with transaction.atomic():
        case = _mine(turn)
        if case is None:
            return None
        if case.dirty != turn.seen:
            # Something arrived in the meantime: think again with it.
            Case.objects.filter(pk=case.pk).update(lease_until=None, attempts=0, due_at=sources.now())
            ring("advance", case.pk)
            return case.state
        screen(case, money=_moves_money(proposal))
        made = _decide(case, config, proposal)
        if may_ask_again and made.decision.problem == NOT_QUOTED:
            raise _NotQuotedError
        Case.objects.filter(pk=case.pk).update(planned=turn.seen, due_at=None, lease_until=None, attempts=0)
        case.refresh_from_db()
        earlier = case.decisions.filter(by_kind="agent").exclude(pk=made.decision.pk)
        if not earlier.exclude(tool="request_information").exists():
            # The first turn that asks nothing says what the case is about; what follows is the same wish.
            Case.objects.filter(pk=case.pk).update(title=title_of(case, made.decision.action))
        _follow(case, made)
        return case.state


def _moves_money(proposal: Proposal) -> bool:
    return proposal.tool in TOOLS and TOOLS[proposal.tool].kind is Kind.MONEY


def _decide(case: Case, config: PlannerConfig, proposal: Proposal) -> Made:
    note = _note(case, config, proposal)
    wish = Wish(proposal.tool, proposal.arguments, config.pk, config.prompt_hash, note.pk if note else None)
    return decide(
        wish,
        scope=scope_of(case),
        situation=replace(
            situation(case, by=AGENT, planner=config.kind),
            # Rounded down, so that a doubt stays one.
            confidence_percent=int(proposal.confidence * 100),
        ),
        undo=undo_window(case.shop_id),
        compose=composer(case),
        by=AGENT,
    )


def _note(case: Case, config: PlannerConfig, proposal: Proposal) -> Message | None:
    """The planner's own words, kept where personal text may stand, and marked as a machine's."""
    if not proposal.note:
        return None
    return Message.objects.create(
        shop_id=case.shop_id,
        case=case,
        direction=Message.Direction.MACHINE,
        state=Message.State.KEPT,
        author=f"{config.kind} {config.version}"[:150],
        text=proposal.note,
        language="en",
        at=sources.now(),
    )


def _follow(case: Case, made: Made) -> None:
    """Who has the next move now."""
    decision = made.decision
    outcome = Outcome(decision.outcome)
    if outcome in (Outcome.ALLOW, Outcome.ALLOW_AFTER_UNDO):
        if made.calls:
            wait(case, Wait.EFFECT, EFFECT_AT_MOST)
            ring("execute", made.calls[0].pk)
        else:
            close(case, by_name="agent")
    elif outcome in (Outcome.ONE_APPROVER, Outcome.TWO_FACTOR):
        Case.objects.filter(pk=case.pk).update(state=State.APPROVAL)
        case.refresh_from_db()
    else:
        _to_person(case, decision)


def _to_person(case: Case, decision: Decision) -> None:
    """The verdict says a person, or no: either way a person reads the case next."""
    kind = TOOLS[decision.tool].kind if decision.tool in TOOLS else None
    if kind is Kind.FRAUD:
        raise_flags(case, ("fraud",), source=f"planner.{decision.action.get('reason', '')}", by=AGENT)
    if decision.rule == READ_ONLY:
        hand_off_drifting(case, decision, by=AGENT)
        return
    detail = decision.problem or decision.rule
    hand_off(case, _reason(decision, kind), by=AGENT, detail=detail, decision=decision)


def _suspects(decision: Decision) -> bool:
    """Whether policy fears fraud; of a dispute alone the bank has its own word."""
    told = [seen["values"]["flags"] for seen in decision.values if seen["rule"] == "risk.fraud"]
    return decision.rule == "risk.fraud" and told != [["dispute"]]


def _reason(decision: Decision, kind: Kind | None) -> str:
    wished = str(decision.action.get("reason", ""))
    if kind is Kind.FRAUD or wished == "fraud" or _suspects(decision):
        return Reason.FRAUD
    if kind is Kind.PERSON:
        return (
            wished
            if wished in (Reason.DISPUTE, Reason.LEGAL, Reason.DISTRESS, Reason.ANGER)
            else Reason.PLANNER
        )
    return Reason.DENIED if decision.outcome == Outcome.DENY else Reason.POLICY
