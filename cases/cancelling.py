"""What staff do with an order that hasn't left: look at what cancelling would do, and confirm exactly that.

    button ─▶ ask (row, audit, task) ─▶ prepare: order, charges and split read, no transaction ─▶ the page says it
    button ─▶ cancel_order: the effect that was shown, judged by policy like every other, as one decision

What is large waits for a signature that is not the confirming person's.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from approvals import policy
from approvals.caps import undo_window
from approvals.deciding import Made, Wish, decide, resolve
from approvals.errors import AlreadyDecided, EffectChanged, Invalid
from approvals.facts import Situation, gather, in_force
from approvals.models import Decision
from approvals.policy import SENTENCES, Verdict
from approvals.services import person
from audit import sources
from audit.actors import SYSTEM, Actor
from cases.composing import composer
from cases.handoff import put_down, scope_of, situation
from cases.models import Cancellation, Case, Handoff, User
from cases.planner.factory import current_config
from cases.planning import read_order
from cases.telling import ring, tell
from cases.waiting import EFFECT_AT_MOST, wait
from tools import pacing, reasons
from tools.base import Effect
from tools.catalog import cancel_order as tool
from tools.errors import ContractDrift, InvalidArgs, Refused, ToolError, Unavailable
from tools.ledger import lock_order
from tools.models import OPEN_STATES
from tools.refunding.quotes import GOOD_FOR

State = Case.State
Looked = Cancellation.State

FRESH = timedelta(seconds=30)
LEASE = timedelta(seconds=60)
RETRY = timedelta(seconds=20)
MOST_ATTEMPTS = 4
FORGOTTEN = timedelta(seconds=10)
BATCH = 100
NOT_READ = "cancel.not_read"

log = structlog.get_logger()


def cancellable(case: Case) -> bool:
    """Whether the case page offers it: there is an order, nothing of it has left, and nothing else is under way."""
    order = case.order
    if order is None or order.cancelled_at is not None or tool.has_left(order) or case.state == State.CLOSED:
        return False
    return not case.calls.filter(amount_minor__gt=0, state__in=OPEN_STATES).exists()


def ask(case_id: int, *, by: Actor) -> Cancellation:
    """Have read what cancelling the case's order would do; the case's page shows it, and changes nothing by itself.

    Raises NotPermitted, AlreadyDecided or Invalid.
    """
    with transaction.atomic():
        case, _handoff, user = _open_case(case_id, by)
        now = sources.now()
        rows = Cancellation.objects.select_for_update(of=("self",))
        known = rows.filter(case=case).first()
        if known is not None and known.state == Looked.ASKED:
            raise AlreadyDecided(_("It is being read. Wait for its answer."))
        row = known or Cancellation(shop_id=case.shop_id, case=case)
        row.state, row.problem, row.attempts, row.read_at = Looked.ASKED, "", 0, None
        row.asked_by, row.asked_at, row.lease_until = user, now, None
        row.save()
        ring("prepare_cancelling", row.pk)
        tell("cancellation.asked", case, by=by, subject=row)
    return row


def prepare(row_id: int) -> str | None:
    """The task: read the order, prove its charges, ask for the shop's split. Returns its state, None if not due.

    Asked twice, late or at the same time it reads once.
    """
    now = sources.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    mine = Cancellation.objects.filter(free, pk=row_id, state=Looked.ASKED)
    if not mine.update(lease_until=now + LEASE, attempts=F("attempts") + 1):
        return None
    row = Cancellation.objects.select_related("case__shop", "case__order", "case__conversation").get(
        pk=row_id
    )
    if row.attempts > MOST_ATTEMPTS:
        return _read_to_the_end(row, NOT_READ)
    try:
        _read(row.case)
    except ToolError as error:
        correlation_id = str(row.case.correlation_id)
        log.info("cancelling.not_read", case=row.case_id, code=error.code, correlation_id=correlation_id)
        return _later(row, error) if isinstance(error, Unavailable) else _read_to_the_end(row, NOT_READ)
    return _read_to_the_end(row, "")


def _read(case: Case) -> None:
    """Network calls, so never inside a transaction. Raises ToolError."""
    with pacing.for_a_write():
        read_order(case, FRESH)
        try:
            tool.quote(tool.CancelOrder(order_id=case.order_id or 0), scope_of(case))
        except (InvalidArgs, Refused, ContractDrift) as error:
            # What the effect lacks for it says so by itself.
            correlation_id = str(case.correlation_id)
            log.info("cancelling.not_quoted", case=case.pk, code=error.code, correlation_id=correlation_id)


def _later(row: Cancellation, error: Unavailable) -> str:
    """The vendor is away: the sweep rings again, a few times."""
    again = sources.now() + max(RETRY, timedelta(seconds=min(error.retry_after or 0, 120)))
    Cancellation.objects.filter(pk=row.pk, state=Looked.ASKED).update(lease_until=again)
    return Looked.ASKED


def _read_to_the_end(row: Cancellation, problem: str) -> str:
    """Ready to be confirmed, or the code of what speaks against it."""
    with transaction.atomic():
        mine = Cancellation.objects.select_for_update(of=("self",)).filter(
            pk=row.pk, state=Looked.ASKED, attempts=row.attempts
        )
        found = mine.first()
        if found is None:
            return row.state
        case = Case.objects.select_related("shop", "order", "conversation").get(pk=row.case_id)
        problem = problem or resolve(_wish(case), scope_of(case), by_planner=False)[1]
        found.state = Looked.REFUSED if problem else Looked.READY
        found.problem, found.read_at, found.lease_until = problem[:64], sources.now(), None
        found.save(update_fields=["state", "problem", "read_at", "lease_until"])
        tell("cancellation.read", case, by=SYSTEM, subject=found, problem=found.problem)
        return found.state


def ring_due() -> int:
    """Looks that were asked for and that nobody is known to read; each is rung for once per lease or rest."""
    now = sources.now()
    free = Q(lease_until__isnull=True, asked_at__lt=now - FORGOTTEN) | Q(lease_until__lt=now)
    with transaction.atomic():
        rows = Cancellation.objects.select_for_update(skip_locked=True, of=("self",))
        ids = list(rows.filter(free, state=Looked.ASKED).values_list("pk", flat=True)[:BATCH])
        # Counts as asked for now, so that it is rung for once in ten seconds.
        Cancellation.objects.filter(pk__in=ids).update(asked_at=now, lease_until=None)
        for row_id in ids:
            ring("prepare_cancelling", row_id)
    return len(ids)


def is_fresh(row: Cancellation) -> bool:
    """Whether what was read may still be confirmed."""
    return row.read_at is not None and sources.now() - row.read_at < GOOD_FOR


def foresee(case: Case, by: Actor) -> tuple[Effect, str, Verdict]:
    """What cancelling would do as things stand, the code of what speaks against it, and policy's verdict.

    Writes and locks nothing: confirming judges anew.
    """
    scope = scope_of(case)
    effect, problem = resolve(_wish(case), scope, by_planner=False)
    seen = _situation(case, by, problem)
    rules = in_force(case.shop_id, effect, seen.planner)
    facts = gather(effect, scope, seen)
    return effect, problem, policy.judge(facts, rules.for_policy)


def cancel_order(case_id: int, *, shown: str, by: Actor) -> Decision:
    """Cancel the case's order at the shop, give back what is left of it and tell the customer, exactly as it was shown.

    `shown` is the digest of the effect that the person read. Its value is judged as a refund: small ones run after
    the undo window, larger ones wait for a signature that is not this person's. Raises NotPermitted, AlreadyDecided,
    EffectChanged, or Invalid with what speaks against it; nothing is kept then.
    """
    with transaction.atomic():
        case, handoff, _user = _open_case(case_id, by)
        row = Cancellation.objects.select_for_update(of=("self",)).filter(case=case).first()
        if row is None or row.state != Looked.READY or not is_fresh(row):
            raise Invalid(_("Look at what cancelling does first. Nothing was changed."))
        made = _decide(case, by)
        _refuse(made, shown)
        # Whoever decides this has read what is there: the agent doesn't answer it once more.
        Case.objects.filter(pk=case.pk).update(planned=F("dirty"))
        case.refresh_from_db(fields=["planned"])
        _follow(case, handoff, made, by)
        Cancellation.objects.filter(pk=row.pk).update(state=Looked.DECIDED)
    return made.decision


def _open_case(case_id: int, by: Actor) -> tuple[Case, Handoff | None, User]:
    """The case behind its order's lock, with what a person may still cancel in it, and the hand-off that they hold."""
    lock_order(Case.objects.values_list("order_id", flat=True).get(pk=case_id))
    rows = Case.objects.select_for_update(of=("self",)).select_related(
        "shop", "order", "conversation__person"
    )
    case = rows.get(pk=case_id)
    user = person(by, "cases.change_case", case.shop_id)
    if not cancellable(case) or case.approvals.filter(state="pending").exists():
        raise AlreadyDecided(
            _("It can't be cancelled any more, or something is under way. Nothing was changed.")
        )
    handoff = case.handoffs.exclude(state=Handoff.State.RESOLVED).first()
    if handoff is not None and handoff.claimed_by_id != user.pk:
        raise Invalid(_("Claim the hand-off first. Nothing was changed."))
    return case, handoff, user


def _refuse(made: Made, shown: str) -> None:
    """Raises where policy says no, or where it isn't any more what the person has read."""
    decision = made.decision
    if made.request is None and not made.calls:
        why = reasons.sentence(decision.problem) or SENTENCES.get(decision.rule, decision.rule)
        raise Invalid(_("The order was not cancelled. %(why)s") % {"why": why})
    if decision.effect_hash != shown:
        raise EffectChanged(
            _("The order or its payments changed since you looked. Look again. Nothing was changed.")
        )


def _follow(case: Case, handoff: Handoff | None, made: Made, by: Actor) -> None:
    """The case waits for the signature, or for the first call; who has it keeps it meanwhile."""
    if made.request is not None:
        if handoff is not None:
            put_down(case, by)
        Case.objects.filter(pk=case.pk).update(
            state=State.APPROVAL, wait_reason="", wake_at=None, due_at=None
        )
        return
    if handoff is None:
        wait(case, Case.Wait.EFFECT, EFFECT_AT_MOST)
    ring("execute", made.calls[0].pk)


def _wish(case: Case) -> Wish:
    return Wish(tool.NAME, {"order_id": case.order_id}, current_config(case.shop).pk)


def _situation(case: Case, by: Actor, problem: str = "") -> Situation:
    """As it stands; only that a person has the case is no reason against what that person wants."""
    found = situation(case, by=by, planner=current_config(case.shop).kind, human_only=False)
    return replace(found, problem=problem)


def _decide(case: Case, by: Actor) -> Made:
    return decide(
        _wish(case),
        scope=scope_of(case),
        situation=_situation(case, by),
        undo=undo_window(case.shop_id),
        compose=composer(case),
        by=by,
    )
