"""What people with authority do: approve, reject, lower flags, stop things, write and publish limits, reverse.

One function, one transaction: it checks the right afresh, changes, and records. `by` is staff; the user is loaded
again, so a role lost a second ago counts.
"""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from approvals.deciding import tell
from approvals.duty import RIGHT
from approvals.errors import AlreadyDecided, Invalid
from approvals.models import ApprovalRequest, Decision, Recusal, Reversal, RiskFlag
from approvals.rights import has_right, person
from approvals.signing import approve, close, may_decide, open_request, signer_of, take_back, void_row
from approvals.standing import conflict, why_not
from approvals.today import scope_of, verdict_now
from audit import sources
from audit.actors import Actor
from audit.services import record as audit

__all__ = [
    "RIGHT",
    "approve",
    "conflict",
    "expire",
    "has_right",
    "lower_flag",
    "person",
    "raise_flag",
    "recuse",
    "reject",
    "reverse",
    "scope_of",
    "take_back",
    "verdict_now",
    "void",
    "why_not",
]

State = ApprovalRequest.State


def reject(request_id: int, *, reason: str, by: Actor) -> ApprovalRequest:
    """Say no, with a reason that sticks: the agent can't ask again for the same things, at any amount."""
    if not reason.strip():
        raise Invalid(_("Say why: the reason is kept with the case."))
    with transaction.atomic():
        request = open_request(request_id)
        user = signer_of(by)
        may_decide(request, user)
        close(request, State.REJECTED, user, reason.strip()[:500])
        tell("approval.rejected", request, request.decision, by, tier=request.tier)
    return request


def recuse(request_id: int, why: str, *, by: Actor) -> ApprovalRequest:
    """Step back from a pending request, having asked the customer or written another amount; under its lock.

    Whoever may decide it may step back, and then signs no request of the case any more. Needs a transaction.
    """
    request = open_request(request_id)
    user = signer_of(by)
    may_decide(request, user)
    row = Recusal.objects.create(
        case_id=request.case_id, request=request, user=user, why=why, at=sources.now()
    )
    tell("approval.handed_on", row, request.decision, by, why=why)
    return request


def void(request_id: int, *, why: str, by: Actor) -> bool:
    """End a request that its case no longer needs. False where it had been decided already.

    The caller holds the case, so only the last lock of the order is taken here: asking for the order's now would
    wait in a circle with whoever signs.
    """
    with transaction.atomic():
        rows = ApprovalRequest.objects.select_for_update(of=("self",), no_key=True)
        rows = rows.select_related("decision")
        request = rows.get(pk=request_id)
        if request.state != State.PENDING:
            return False
        void_row(request, why, by)
        return True


def expire(request_id: int, *, by: Actor) -> bool:
    """End a request that nobody decided in time. False where somebody did. The caller gives the case to a person."""
    with transaction.atomic():
        request = open_request(request_id)
        if request.state != State.PENDING or request.expires_at > sources.now():
            return False
        close(request, State.EXPIRED, None)
        tell("approval.expired", request, request.decision, by, tier=request.tier)
        return True


def raise_flag(
    kind: str,
    *,
    shop_id: int,
    source: str,
    by: Actor,
    reason: str = "",
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
        reason=reason,
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
