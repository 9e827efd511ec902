"""A request that nobody decided in time: asked again with fresh facts some times, then a person owns the case."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db import transaction

from approvals import services as authority
from approvals.deciding import Made, Wish, decide
from approvals.duty import most_renewals
from approvals.models import ApprovalRequest, Decision
from audit import sources
from audit.actors import AGENT, SYSTEM, TRIAGE, Actor
from cases.approving import ask_again, case_of
from cases.composing import composer, recipient
from cases.handoff import hand_off, reachable, scope_of, situation
from cases.models import Case, Handoff
from cases.planner.factory import current_config
from cases.planning import FRESH, read_order
from cases.telling import ring
from cases.waiting import EFFECT_AT_MOST, wait
from tools.catalog import tell_delay
from tools.errors import ToolError

log = structlog.get_logger()

State = ApprovalRequest.State
# The shop may be out of reach for so long before a person gets the case without fresh facts.
PATIENCE = timedelta(hours=1)


def renew(request_id: int) -> bool:
    """Read the order anew and judge the same wish again. False where that isn't due or the shop can't be read now."""
    rows = ApprovalRequest.objects.select_related("decision__planner")
    request = rows.get(pk=request_id)
    now = sources.now()
    if request.state != State.PENDING or request.expires_at > now:
        return False
    if request.renewals >= most_renewals(request.shop_id):
        return give_up(request_id)
    try:
        read_order(case_of(request), FRESH)
    except ToolError as error:
        correlation_id = str(request.decision.correlation_id)
        log.info("approval.not_renewed", request=request_id, code=error.code, correlation_id=correlation_id)
        return give_up(request_id) if now - request.expires_at > PATIENCE else False
    return _again(request)


def _again(request: ApprovalRequest) -> bool:
    with transaction.atomic():
        if not authority.expire(request.pk, by=SYSTEM):
            return False
        request.refresh_from_db()
        made = ask_again(request, _proposer(request.decision))
        _follow(case_of(request), made)
    return True


def _proposer(decision: Decision) -> Actor:
    """Who wished for it at first: they stay the one who can't approve it."""
    return AGENT if decision.by_kind == "agent" else Actor("staff", decision.by_id, "")


def _follow(case: Case, made: Made) -> None:
    """The case waits on where somebody is asked again; else it is the vendor's turn, or a person's."""
    if made.request is not None:
        return
    if made.calls:
        wait(case, Case.Wait.EFFECT, EFFECT_AT_MOST)
        ring("execute", made.calls[0].pk)
        return
    detail = made.decision.problem or made.decision.rule
    hand_off(case, Handoff.Reason.POLICY, by=SYSTEM, detail=detail, decision=made.decision)


def give_up(request_id: int) -> bool:
    """Nobody decided, too often: a person owns the case, and the customer hears once that it takes longer."""
    with transaction.atomic():
        if not authority.expire(request_id, by=SYSTEM):
            return False
        request = ApprovalRequest.objects.select_related("decision").get(pk=request_id)
        case = case_of(request)
        hand_off(case, Handoff.Reason.EXPIRED, by=SYSTEM, decision=request.decision, acknowledge=False)
        _tell_delay(case)
    return True


def _tell_delay(case: Case) -> None:
    to = recipient(case)
    told = case.decisions.filter(tool=tell_delay.NAME, outcome=Decision.Outcome.ALLOW).exists()
    if told or to is None or not reachable(to, scope_of(case).channel):
        return
    config = current_config(case.shop)
    made = decide(
        Wish(tell_delay.NAME, {}, config.pk),
        scope=scope_of(case),
        situation=situation(case, by=TRIAGE, planner=config.kind),
        undo=timedelta(0),
        compose=composer(case),
        by=TRIAGE,
    )
    for call in made.calls:
        ring("execute", call.pk)
