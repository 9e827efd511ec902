"""Signing a request: under its lock, for exactly the effect that was shown, by one person or by two.

page ─▶ second factor, in its own transaction ─▶ locks: order, case, request ─▶ may they? the same effect?
                                                             │
                    signature kept ─▶ enough people? no: it waits on ─▶ yes: decided, calls stored
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from approvals import exposure, second_factor
from approvals.deciding import Compose, Wish, make_calls, resolve, tell
from approvals.duty import RIGHT
from approvals.errors import AlreadyDecided, EffectChanged, NotPermitted
from approvals.facts import Situation
from approvals.models import ApprovalRequest, Signature
from approvals.second_factor import PasskeyAnswer, Proof
from approvals.standing import Standing, signs_still, standing_in
from approvals.today import asks_more, scope_of, undone_by_others, verdict_now
from audit import sources
from audit.actors import Actor
from tools.base import Effect
from tools.errors import Refused
from tools.ledger import lock_order
from tools.models import ToolCall

if TYPE_CHECKING:
    from cases.models import User

AfterSigning = Callable[[tuple[ToolCall, ...]], None]
AfterVoiding = Callable[[ApprovalRequest], None]

State = ApprovalRequest.State
Tier = ApprovalRequest.Tier
Factor = Signature.Factor


def approve(
    request_id: int,
    *,
    proof: Proof | None = None,
    situation: Situation,
    compose: Compose,
    after: AfterSigning,
    voided: AfterVoiding,
    by: Actor,
) -> tuple[ApprovalRequest, tuple[ToolCall, ...]]:
    """Sign exactly the effect that was shown; its calls are stored and may be sent at once.

    Where two people sign, the first signature leaves the request pending and makes no calls. `after` runs with the
    calls in the signature's own transaction, `voided` in the one that voids a request whose effect has changed. A
    large refund takes a second factor, which is checked and counted in a transaction of its own first. Raises
    NotPermitted, AlreadyDecided, CodeRefused, or EffectChanged, which also voids the request.
    """
    request = ApprovalRequest.objects.select_related("decision__limits").get(pk=request_id)
    user = signer_of(by)
    may_decide(request, user)
    if request.tier == Tier.TWO_FACTOR:
        second_factor.prove(request, user, proof, by=by)
    try:
        with transaction.atomic():
            request = open_request(request_id)
            standing = may_decide(request, user)
            if request.tier == Tier.TWO_FACTOR and not second_factor.spend(request, user):
                raise EffectChanged(
                    _("The second factor is no longer fresh. Nothing was sent. Show it again.")
                )
            effect = _same_effect(request, situation)
            if _sign(request, standing, _factor_of(request, proof), by) < request.people_needed:
                return request, ()
            close(request, State.APPROVED, user)
            calls = make_calls(request.decision, effect, sources.now(), compose, by=by)
            after(calls)
            tell("approval.approved", request, request.decision, by, tier=request.tier)
            return request, calls
    except Changed as change:
        _end_changed(request_id, change.why, voided, by=by)
        raise EffectChanged(_("The order, the limits or the risk changed. Nothing was sent.")) from change
    except (Refused, IntegrityError) as change:
        _end_changed(request_id, "money_gone", voided, by=by)
        raise EffectChanged(_("The payment can't give that much any more. Nothing was sent.")) from change


class Changed(Exception):
    """What would happen is no longer what was asked; `why` is a code."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


def signer_of(by: Actor) -> User:
    """The member of staff behind an actor, read now. Raises NotPermitted for everybody else."""
    user = None
    if by.kind == "staff":
        user = get_user_model().objects.filter(pk=int(by.id), is_active=True).first()
    if user is None:
        raise NotPermitted(_("Your role doesn't allow this. Nothing was changed."))
    return user


def open_request(request_id: int) -> ApprovalRequest:
    """The request under its lock. Locks are taken in one order everywhere: call, order, case, request.

    Rows that only refer to it may still be written: a try of a second factor refers to it and holds the log.
    """
    case_id, order_id = ApprovalRequest.objects.values_list("case_id", "case__order_id").get(pk=request_id)
    lock_order(order_id)
    apps.get_model("cases", "Case")._default_manager.select_for_update().get(pk=case_id)
    rows = ApprovalRequest.objects.select_for_update(of=("self",), no_key=True).select_related(
        "decision__limits"
    )
    return rows.get(pk=request_id)


def may_decide(request: ApprovalRequest, user: User) -> Standing:
    """In whose right this person decides it now. Raises AlreadyDecided or NotPermitted."""
    if request.state != State.PENDING:
        who = request.decided_by.get_full_name() if request.decided_by else ""
        raise AlreadyDecided(
            _("%(who)s decided this already: %(state)s. Nothing was changed.")
            % {"who": who or _("Somebody"), "state": request.get_state_display()}
        )
    if request.expires_at <= sources.now():
        raise AlreadyDecided(_("This request has expired. Nothing was changed."))
    return standing_in(request, user)


def _same_effect(request: ApprovalRequest, situation: Situation) -> Effect:
    """The effect as it would be today, if it is the one that was signed and needs no more than was asked."""
    decision = request.decision
    scope = scope_of(decision)
    wish, by_planner = Wish(decision.tool, decision.action, decision.planner_id), decision.by_kind == "agent"
    effect, problem = resolve(wish, scope, by_planner=by_planner)
    if problem or effect.digest != request.effect_hash:
        raise Changed(problem or "effect")
    others = undone_by_others(decision, reserved=False)
    if others:
        raise Changed(others)
    exposure.lock(effect)
    exposure.lock_messages(effect, scope)
    verdict = verdict_now(decision, effect, situation)
    if asks_more(decision, verdict):
        raise Changed(verdict.rule)
    return effect


def _factor_of(request: ApprovalRequest, proof: Proof | None) -> str:
    if request.tier != Tier.TWO_FACTOR:
        return Factor.SESSION
    return Factor.PASSKEY if isinstance(proof, PasskeyAnswer) else Factor.TOTP


def _sign(request: ApprovalRequest, standing: Standing, factor: str, by: Actor) -> int:
    """Keep the signature; how many of its people still have the right behind theirs, this one included."""
    row = Signature.objects.create(
        request=request, user=standing.user, instead_of=standing.instead_of, factor=factor, at=sources.now()
    )
    tell("approval.signed", row, request.decision, by, factor=factor)
    return sum(stands(each, request) for each in _signatures(request))


def _signatures(request: ApprovalRequest) -> list[Signature]:
    return list(request.signatures.filter(taken_back_at__isnull=True).select_related("user", "instead_of"))


def stands(row: Signature, request: ApprovalRequest) -> bool:
    """Whether who gave this signature still has the right that they gave it in."""
    return signs_still(row.user, row.instead_of, RIGHT[Tier(request.tier)], request.shop_id)


def lost(request: ApprovalRequest) -> bool:
    """Whether fewer people stand behind an approved request than it takes: a role that was lost counts at once."""
    rows = _signatures(request)
    return sum(stands(row, request) for row in rows) < request.people_needed


def take_back(request_id: int, *, by: Actor) -> ApprovalRequest:
    """The first of two people thinks again: their signature no longer counts, and the request waits on."""
    with transaction.atomic():
        request = open_request(request_id)
        if request.state != State.PENDING:
            raise AlreadyDecided(_("This was decided already. Nothing was changed."))
        row = request.signatures.filter(user=signer_of(by), taken_back_at__isnull=True).first()
        if row is None:
            raise NotPermitted(_("You have not signed this. Nothing was changed."))
        row.taken_back_at = sources.now()
        row.save(update_fields=["taken_back_at"])
        tell("approval.taken_back", row, request.decision, by)
    return request


def close(request: ApprovalRequest, state: str, user: User | None, reason: str = "") -> None:
    """Write what became of a request; its lock is held."""
    request.state, request.decided_by, request.decided_at, request.reason = state, user, sources.now(), reason
    request.save(update_fields=["state", "decided_by", "decided_at", "reason"])


def _end_changed(request_id: int, why: str, voided: AfterVoiding, *, by: Actor) -> None:
    """Void a request whose effect is no longer what was asked, and give its case on, in one transaction."""
    with transaction.atomic():
        request = open_request(request_id)
        if request.state == State.PENDING:
            void_row(request, why, by)
            voided(request)


def void_row(request: ApprovalRequest, why: str, by: Actor) -> None:
    """End a request whose lock is held, as void."""
    close(request, State.VOIDED, None, why)
    tell("approval.voided", request, request.decision, by, why=why)
