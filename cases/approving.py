"""What an approver does besides yes and no: writes another amount, or asks the customer; and what a renewal is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from approvals import services as authority
from approvals.caps import undo_window
from approvals.deciding import Before, Made, Wish, decide
from approvals.duties import refuse_nobody
from approvals.eligibility import for_request
from approvals.errors import Invalid
from approvals.models import ApprovalRequest, Recusal
from approvals.policy import SENTENCES
from audit.actors import Actor
from cases.composing import composer, recipient
from cases.handoff import reachable, scope_of, situation, situation_of
from cases.models import Case
from cases.telling import ring
from tools import reasons
from tools.catalog import adjust_refund
from tools.refunding.steps import tenders_of

EDITABLE = ("issue_refund", adjust_refund.NAME)
QUESTIONS = ("photo", "which_item")


def case_of(request: ApprovalRequest) -> Case:
    """The request's case, with what a decision in it needs."""
    return Case.objects.select_related("shop", "order", "conversation__person").get(pk=request.case_id)


def edit_amount(
    request_id: int, *, amount_minor: int, leaves_nobody_ok: bool = False, by: Actor
) -> ApprovalRequest:
    """Ask for another amount of the same things: a new effect, judged anew, which another person approves.

    The old request is void. Where policy would not let anybody approve the new amount, nothing is changed. Raises
    NotPermitted, AlreadyDecided, Invalid, and LeavesNobody where too few people could sign it then.
    """
    with transaction.atomic():
        old = authority.recuse(request_id, Recusal.Why.EDITED, by=by)
        if old.decision.tool not in EDITABLE:
            raise Invalid(_("Only a refund's amount can be changed. Nothing was changed."))
        if amount_minor == old.amount_minor:
            raise Invalid(_("That is the amount that was asked for. Nothing was changed."))
        authority.void(old.pk, why="edited", by=by)
        made = _ask_for(old, amount_minor, by)
        if made.request is None:
            why = reasons.sentence(made.decision.problem) or SENTENCES.get(made.decision.rule, "")
            raise Invalid(_("Nothing was changed. %(why)s") % {"why": why})
        if not leaves_nobody_ok:
            _refuse_nobody(made.request)
    return made.request


def _refuse_nobody(request: ApprovalRequest) -> None:
    """Whoever changes or asks is out, so that somebody else has to be left, whatever the hour."""
    people = for_request(request, hours=False)
    refuse_nobody([] if people.enough else [people])


def _ask_for(old: ApprovalRequest, amount_minor: int, by: Actor) -> Made:
    case, decision = case_of(old), old.decision
    kept = {name: decision.action[name] for name in ("order_id", "lines", "shipping", "reason")}
    # Who pays it back stays the shop's word: it has split the amount that is changed.
    split = [
        {"payment_id": tender["payment"], "amount_minor": tender["amount_minor"]}
        for tender in tenders_of(decision.effect)
    ]
    return decide(
        Wish(
            adjust_refund.NAME,
            {**kept, "amount_minor": amount_minor, "split": split},
            decision.planner_id,
        ),
        scope=scope_of(case),
        situation=replace(
            situation(case, by=by, planner=decision.planner.kind, human_only=False), edited=True
        ),
        undo=timedelta(0),
        compose=composer(case),
        by=by,
        before=Before(edits=old),
    )


def ask_customer(
    request_id: int, *, question: str, leaves_nobody_ok: bool = False, by: Actor
) -> ApprovalRequest:
    """Ask the customer one question by its template; another person decides then, by the answer or without it.

    The request stays open. An answer voids it as every news does, and the agent asks again with it. Raises
    NotPermitted, AlreadyDecided, Invalid, and LeavesNobody where too few people could sign it then.
    """
    if question not in QUESTIONS:
        raise Invalid(_("Choose what to ask. Nothing was changed."))
    with transaction.atomic():
        request = authority.recuse(request_id, Recusal.Why.ASKED, by=by)
        if not leaves_nobody_ok:
            _refuse_nobody(request)
        case = case_of(request)
        to = recipient(case)
        if to is None or not reachable(to, scope_of(case).channel):
            raise Invalid(_("There is no address to write to. Nothing was sent."))
        made = decide(
            Wish("request_information", {"question": question}, request.decision.planner_id),
            scope=scope_of(case),
            situation=situation(case, by=by, planner=request.decision.planner.kind, human_only=False),
            undo=timedelta(0),
            compose=composer(case),
            by=by,
        )
        if not made.calls:
            why = SENTENCES.get(made.decision.rule, made.decision.rule)
            raise Invalid(_("Nothing was sent. %(why)s") % {"why": why})
        ring("execute", made.calls[0].pk)
    return request


def ask_again(old: ApprovalRequest, by: Actor) -> Made:
    """The wish of a request that ran out, judged anew by the facts of today. Needs a transaction."""
    case, decision = case_of(old), old.decision
    found = replace(
        situation_of(decision, case),
        confidence_percent=decision.judged_under.get("confidence_percent"),
        edited=old.edited_from_id is not None,
    )
    wish = Wish(
        decision.tool, decision.action, decision.planner_id, decision.prompt_hash, decision.machine_text_id
    )
    return decide(
        wish,
        scope=scope_of(case),
        situation=found,
        undo=undo_window(case.shop_id),
        compose=composer(case),
        by=by,
        before=Before(renews=old),
    )
