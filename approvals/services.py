"""What people with authority do: approve, reject, lower flags, stop things, write and publish limits, reverse.

One function, one transaction: it checks the right afresh, changes, and records. `by` is staff; the user is loaded
again, so a role lost a second ago counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.apps import apps
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from approvals import exposure, second_factor
from approvals.deciding import Compose, Wish, make_calls, resolve, tell
from approvals.errors import AlreadyDecided, EffectChanged, Invalid, NotPermitted
from approvals.facts import Situation
from approvals.models import ApprovalRequest, Decision, Reversal, RiskFlag
from approvals.rights import has_right, person, rights_by_role, rights_of, why_resting
from approvals.second_factor import Proof
from approvals.today import asks_more, scope_of, verdict_now
from audit import sources
from audit.actors import Actor
from audit.services import record as audit
from tools.base import Effect
from tools.errors import Refused
from tools.ledger import lock_order
from tools.models import ToolCall

__all__ = [
    "approve",
    "conflict",
    "expire",
    "has_right",
    "lower_flag",
    "person",
    "raise_flag",
    "reject",
    "reverse",
    "scope_of",
    "verdict_now",
    "void",
    "why_not",
]

if TYPE_CHECKING:
    from cases.models import User

AfterSigning = Callable[[tuple[ToolCall, ...]], None]
AfterVoiding = Callable[[ApprovalRequest], None]

State = ApprovalRequest.State
Tier = ApprovalRequest.Tier

RIGHT = {Tier.ONE_APPROVER: "approvals.approve_refund", Tier.TWO_FACTOR: "approvals.approve_large_refund"}


def why_not(request: ApprovalRequest, user: User) -> str:
    """Why this person may not sign this request, in a sentence; empty where they may."""
    right = RIGHT[Tier(request.tier)]
    if right not in rights_of(user):
        resting = why_resting(user) if right in rights_by_role(user) else ""
        return resting or _("Your role doesn't sign refunds of this size.")
    if not user.shops.filter(pk=request.shop_id).exists():
        return _("You don't work for this shop.")
    return conflict(request.decision, user)


def conflict(decision: Decision, user: User) -> str:
    """What this person had to do with the decision, so that they can't say yes to it; in a sentence, or empty."""
    limits = decision.limits
    if limits is not None and user.pk in (limits.author_id, limits.published_by_id):
        return _("You wrote or published the limits in force, so you can't approve under them.")
    if decision.by_kind == "staff" and decision.by_id == str(user.pk):
        return _("You proposed this, so you can't approve it.")
    return ""


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

    `after` runs with the calls in the signature's own transaction, `voided` in the one that voids a request whose
    effect has changed. A large refund takes a second factor, which is checked and counted in a transaction of its
    own first. Raises NotPermitted, AlreadyDecided, CodeRefused, or EffectChanged, which also voids the request.
    """
    request = ApprovalRequest.objects.select_related("decision__limits").get(pk=request_id)
    user = person(by, RIGHT[Tier(request.tier)], request.shop_id)
    _refuse(request, user)
    if request.tier == Tier.TWO_FACTOR:
        second_factor.prove(request, user, proof, by=by)
    try:
        with transaction.atomic():
            request = _open_request(request_id)
            _refuse(request, user)
            if request.tier == Tier.TWO_FACTOR and not second_factor.spend(request, user):
                raise EffectChanged(
                    _("The second factor is no longer fresh. Nothing was sent. Show it again.")
                )
            effect = _same_effect(request, situation)
            _sign(request, State.APPROVED, user)
            calls = make_calls(request.decision, effect, sources.now(), compose, by=by)
            after(calls)
            tell("approval.approved", request, request.decision, by, tier=request.tier)
            return request, calls
    except _Changed as change:
        _end_changed(request_id, change.why, voided, by=by)
        raise EffectChanged(_("The order, the limits or the risk changed. Nothing was sent.")) from change
    except (Refused, IntegrityError) as change:
        _end_changed(request_id, "money_gone", voided, by=by)
        raise EffectChanged(_("The payment can't give that much any more. Nothing was sent.")) from change


class _Changed(Exception):
    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


def _open_request(request_id: int) -> ApprovalRequest:
    """The request under its lock. Locks are taken in one order everywhere: call, order, case, request."""
    case_id, order_id = ApprovalRequest.objects.values_list("case_id", "case__order_id").get(pk=request_id)
    lock_order(order_id)
    apps.get_model("cases", "Case")._default_manager.select_for_update().get(pk=case_id)
    rows = ApprovalRequest.objects.select_for_update(of=("self",)).select_related("decision__limits")
    return rows.get(pk=request_id)


def _refuse(request: ApprovalRequest, user: User) -> None:
    if request.state != State.PENDING:
        who = request.decided_by.get_full_name() if request.decided_by else ""
        raise AlreadyDecided(
            _("%(who)s decided this already: %(state)s. Nothing was changed.")
            % {"who": who or _("Somebody"), "state": request.get_state_display()}
        )
    if request.expires_at <= sources.now():
        raise AlreadyDecided(_("This request has expired. Nothing was changed."))
    reason = why_not(request, user)
    if reason:
        raise NotPermitted(reason)


def _same_effect(request: ApprovalRequest, situation: Situation) -> Effect:
    """The effect as it would be today, if it is the one that was signed and needs no more than was asked."""
    decision = request.decision
    scope = scope_of(decision)
    wish, by_planner = Wish(decision.tool, decision.action, decision.planner_id), decision.by_kind == "agent"
    effect, problem = resolve(wish, scope, by_planner=by_planner)
    if problem or effect.digest != request.effect_hash:
        raise _Changed(problem or "effect")
    exposure.lock(effect)
    verdict = verdict_now(decision, effect, situation)
    if asks_more(decision, verdict):
        raise _Changed(verdict.rule)
    return effect


def _sign(request: ApprovalRequest, state: str, user: User | None, reason: str = "") -> None:
    request.state, request.decided_by, request.decided_at, request.reason = state, user, sources.now(), reason
    request.save(update_fields=["state", "decided_by", "decided_at", "reason"])


def reject(request_id: int, *, reason: str, by: Actor) -> ApprovalRequest:
    """Say no, with a reason that sticks: the same effect can't be asked for again in this case."""
    if not reason.strip():
        raise Invalid(_("Say why: the reason is kept with the case."))
    with transaction.atomic():
        request = _open_request(request_id)
        user = person(by, RIGHT[Tier(request.tier)], request.shop_id)
        _refuse(request, user)
        _sign(request, State.REJECTED, user, reason.strip()[:500])
        tell("approval.rejected", request, request.decision, by, tier=request.tier)
    return request


def _end_changed(request_id: int, why: str, voided: AfterVoiding, *, by: Actor) -> None:
    """Void a request whose effect is no longer what was asked, and give its case on, in one transaction."""
    with transaction.atomic():
        request = _open_request(request_id)
        if request.state == State.PENDING:
            _void(request, why, by)
            voided(request)


def void(request_id: int, *, why: str, by: Actor) -> bool:
    """End a request that its case no longer needs. False where it had been decided already.

    The caller holds the case, so only the last lock of the order is taken here: asking for the order's now would
    wait in a circle with whoever signs.
    """
    with transaction.atomic():
        rows = ApprovalRequest.objects.select_for_update(of=("self",)).select_related("decision")
        request = rows.get(pk=request_id)
        if request.state != State.PENDING:
            return False
        _void(request, why, by)
        return True


def _void(request: ApprovalRequest, why: str, by: Actor) -> None:
    _sign(request, State.VOIDED, None, why)
    tell("approval.voided", request, request.decision, by, why=why)


def expire(request_id: int, *, by: Actor) -> bool:
    """End a request that nobody decided in time. False where somebody did. The caller gives the case to a person."""
    with transaction.atomic():
        request = _open_request(request_id)
        if request.state != State.PENDING or request.expires_at > sources.now():
            return False
        _sign(request, State.EXPIRED, None)
        tell("approval.expired", request, request.decision, by, tier=request.tier)
        return True


def raise_flag(
    kind: str,
    *,
    shop_id: int,
    source: str,
    by: Actor,
    order_id: int | None = None,
    person_id: str | None = None,
    case_id: int | None = None,
) -> RiskFlag | None:
    """Raise a flag, unless the same one is up already (then None). Anything may raise; the caller audits."""
    hangs_on = {"order_id": order_id, "person_id": person_id, "case_id": case_id}
    if RiskFlag.objects.filter(shop_id=shop_id, kind=kind, lowered_at__isnull=True, **hangs_on).exists():
        return None
    return RiskFlag.objects.create(
        shop_id=shop_id,
        kind=kind,
        source=source,
        raised_by=f"{by.kind}:{by.id}",
        raised_at=sources.now(),
        **hangs_on,
    )


def lower_flag(flag_id: int, *, reason: str, by: Actor) -> RiskFlag:
    """Only a person lowers a flag, and says why."""
    if not reason.strip():
        raise Invalid(_("Say why the risk is over: the reason is kept."))
    with transaction.atomic():
        flag = RiskFlag.objects.select_for_update(of=("self",)).select_related("shop").get(pk=flag_id)
        user = person(by, "approvals.lower_riskflag", flag.shop_id)
        if flag.lowered_at is not None:
            raise AlreadyDecided(_("This flag has been lowered already."))
        flag.lowered_by, flag.lowered_at, flag.lower_reason = user, sources.now(), reason.strip()[:500]
        flag.save(update_fields=["lowered_by", "lowered_at", "lower_reason"])
        stream = f"case/{flag.case_id}" if flag.case_id else f"shop/{flag.shop.slug}"
        audit(
            "risk.lowered", by=by, stream=stream, subject=flag, shop_id=flag.shop_id,
            correlation_id=sources.random_id(), data={"kind": flag.kind, "source": flag.source},
        )  # fmt: skip
    return flag


def reverse(decision_id: int, *, reason: str, by: Actor) -> Reversal:
    """Say that an automated decision was wrong: it counts in the reversal rate, once."""
    if not reason.strip():
        raise Invalid(_("Say what was wrong: it is how the limits learn."))
    decision = Decision.objects.get(pk=decision_id)
    user = person(by, "approvals.add_reversal", decision.shop_id)
    if decision.by_kind == "staff":
        raise Invalid(_("Only a decision of the agent can be reversed."))
    try:
        with transaction.atomic():
            row = Reversal.objects.create(
                shop_id=decision.shop_id,
                decision=decision,
                by=user,
                reason=reason.strip()[:500],
                at=sources.now(),
            )
            tell("decision.reversed", row, decision, by)
    except IntegrityError as error:
        raise AlreadyDecided(_("This decision was reversed already.")) from error
    return row
