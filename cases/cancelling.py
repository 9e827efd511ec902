"""What staff do with an order that hasn't left: cancel it, as one decision that policy judges like every other."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from approvals.deciding import Made, Wish, decide
from approvals.errors import AlreadyDecided, Invalid
from approvals.models import Decision
from approvals.policy import SENTENCES
from approvals.services import person
from audit.actors import Actor
from cases.composing import composer
from cases.handoff import put_down, scope_of, situation
from cases.models import Case, Handoff
from cases.planner.factory import current_config
from cases.telling import ring
from cases.waiting import EFFECT_AT_MOST, wait
from tools.catalog.cancel_order import NAME, has_left
from tools.ledger import lock_order
from tools.models import OPEN_STATES

State = Case.State


def cancellable(case: Case) -> bool:
    """Whether the case page offers it: there is an order, nothing of it has left, and nothing else is under way."""
    order = case.order
    if order is None or order.cancelled_at is not None or has_left(order) or case.state == State.CLOSED:
        return False
    return not case.calls.filter(amount_minor__gt=0, state__in=OPEN_STATES).exists()


def cancel_order(case_id: int, *, by: Actor) -> Decision:
    """Cancel the case's order at the shop, give back what is left of it and tell the customer.

    Its value is judged as a refund: small ones run after the undo window, larger ones wait for a signature that is not
    this person's. Raises NotPermitted, AlreadyDecided, or Invalid with what speaks against it; nothing is kept then.
    """
    with transaction.atomic():
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
        made = _decide(case, by)
        # Whoever decides this has read what is there: the agent doesn't answer it once more.
        Case.objects.filter(pk=case.pk).update(planned=F("dirty"))
        case.refresh_from_db(fields=["planned"])
        if made.request is not None:
            if handoff is not None:
                put_down(case, by)
            Case.objects.filter(pk=case.pk).update(
                state=State.APPROVAL, wait_reason="", wake_at=None, due_at=None
            )
        elif made.calls:
            if handoff is None:
                wait(case, Case.Wait.EFFECT, EFFECT_AT_MOST)
            ring("execute", made.calls[0].pk)
        else:
            why = SENTENCES.get(made.decision.rule, made.decision.rule)
            raise Invalid(_("The order was not cancelled. %(why)s") % {"why": why})
    return made.decision


def _decide(case: Case, by: Actor) -> Made:
    """Judged as it stands; only that a person has the case is no reason against what that person wants."""
    config = current_config(case.shop)
    facts = situation(case, by=by, planner=config.kind, human_only=False)
    return decide(
        Wish(NAME, {"order_id": case.order_id}, config.pk),
        scope=scope_of(case),
        situation=facts,
        undo=timedelta(seconds=case.shop.undo_seconds),
        compose=composer(case),
        by=by,
    )
