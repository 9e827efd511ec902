"""Rows of what was decided and done: decisions, approvals, calls, switches."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

from django.db import transaction

from approvals.models import ApprovalRequest, Decision, Delegation, KillSwitch, LimitVersion
from cases.models import (
    Case,
    PaymentTask,
    Shop,
    User,
)
from cases.payment_tasks import open_task
from tests.factories.cases import (
    make_case,
    planner_config,
)
from tests.factories.orders import make_order, make_shipment
from tests.factories.shops import (
    HASH,
    make_shop,
    make_user,
    now,
)
from tools import ledger
from tools.base import digest
from tools.models import (
    OPEN_STATES,
    Order,
    ToolCall,
)


def refund_effect(order: Order, amount_minor: int) -> dict[str, Any]:
    """The body of a refund's effect: this much of the order's first line, by its first payment."""
    line, payment = order.lines.first(), order.payments.first()
    assert line is not None
    assert payment is not None
    tender = {
        "payment": payment.pk,
        "vendor": payment.vendor,
        "gateway": payment.gateway,
        "amount_minor": amount_minor,
    }
    part: dict[str, Any] = {"line": line.pk, "quantity": 1, "amount_minor": amount_minor, "duties_minor": 0}
    part |= {"taxes": [], "duty_taxes": []}
    return {
        "order": order.pk,
        "lines": [part],
        "shipping_minor": 0,
        "shipping_taxes": [],
        "goodwill_percent": 0,
        "amount_minor": amount_minor,
        "currency": order.currency,
        "tenders": [tender],
        "payment": payment.pk,
        "vendor": payment.vendor,
        "reason": "damaged",
        "credit_note": "none",
    }


def refund_wish(order: Order) -> dict[str, Any]:
    """A planner's arguments for one piece of the order's first line."""
    line = order.lines.first()
    assert line is not None
    return {
        "order_id": order.pk,
        "lines": [{"line_id": line.pk, "quantity": 1}],
        "shipping": False,
        "goodwill_percent": 0,
        "reason": "damaged",
    }


def asked(limits: LimitVersion | None, rule: str, outcome: str, amount_minor: int) -> list[dict[str, Any]]:
    """Rules as a verdict stores them: a fraud check that passed, and the one that decided."""
    up_to = limits.auto_up_to_minor if limits else 0
    sums = {"amount_minor": amount_minor, "together_minor": amount_minor, "up_to_minor": up_to}
    return [
        {"rule": "risk.fraud", "answer": "", "values": {"flags": [], "risk": "low"}},
        {
            "rule": rule,
            "answer": outcome,
            "values": {**sums, "currency": limits.currency if limits else "EUR"},
        },
    ]


def make_decision(case: Case | None = None, *, amount_minor: int = 1500, **fields: Any) -> Decision:
    """A wish to refund the order's first line with its verdict: allowed, unless `outcome` and `rule` say otherwise.

    Resolves to the same effect again only where `amount_minor` is what one piece of that line cost.
    """
    case = case or make_case()
    tool = fields.get("tool", "issue_refund")
    order = case.order if tool == "issue_refund" else None
    effect: dict[str, Any] = refund_effect(order, amount_minor) if order else {}
    limits = (
        LimitVersion.objects.filter(shop=case.shop, published_at__isnull=False).order_by("-version").first()
    )
    outcome = str(fields.get("outcome", Decision.Outcome.ALLOW_AFTER_UNDO))
    rule = str(fields.get("rule", "refund.tier.automatic"))
    defaults: dict[str, Any] = {
        "tool": tool,
        "action": refund_wish(order) if order else {},
        "effect": effect,
        "effect_hash": digest({"tool": tool, **effect}),
        "entitled_by": "terms.damaged" if order else "",
        "outcome": outcome,
        "rule": rule,
        "values": asked(limits, rule, outcome, amount_minor),
        "policy_version": "1",
        "limits": limits,
        "limits_hash": HASH,
        "planner": planner_config(),
        "catalogue_hash": HASH,
        "by_kind": "agent",
        "by_id": "agent",
        "correlation_id": case.correlation_id,
        "facts_at": now(),
        "at": now(),
    }
    return Decision.objects.create(shop=case.shop, case=case, **{**defaults, **fields})


def make_approval(
    case: Case | None = None, *, large: bool = False, shop: Shop | None = None, **fields: Any
) -> ApprovalRequest:
    """A pending request for a refund: 66.40 for one approver, or 1,249.00 behind a second factor.

    With a case of its own it can be signed: the goods were delivered yesterday and the payment is whole.
    """
    if case is None:
        amount = 124_900 if large else 6640
        order = make_order(shop or make_shop(), [("Tent Fjord 2P", 1, amount)])
        make_shipment(order)
        case = make_case(order=order, state=Case.State.APPROVAL)
    assert case.order is not None
    amount = fields.pop("amount_minor", 124_900 if large else 6640)
    tier = ApprovalRequest.Tier.TWO_FACTOR if large else ApprovalRequest.Tier.ONE_APPROVER
    decision = fields.pop("decision", None) or make_decision(
        case,
        amount_minor=amount,
        outcome=str(tier),
        rule=f"refund.tier.{tier}",
        entitled_by="damaged.in_window",
    )
    defaults: dict[str, Any] = {
        "tier": tier,
        "effect_hash": decision.effect_hash,
        "amount_minor": amount,
        "currency": case.order.currency,
        "requested_at": now(),
        "expires_at": now() + timedelta(hours=24),
    }
    return ApprovalRequest.objects.create(
        shop=case.shop, case=case, decision=decision, **{**defaults, **fields}
    )


def make_call(decision: Decision | None = None, *, amount_minor: int = 1500, **fields: Any) -> ToolCall:
    """A refund that is reserved and still inside its undo window, its money set aside on the payment."""
    if decision is None:
        decision = make_decision(amount_minor=amount_minor)
    case = decision.case
    state = fields.get("state", ToolCall.State.RESERVED)
    sent = state not in (ToolCall.State.RESERVED, ToolCall.State.CANCELLED)
    payment = case.order.payments.first() if case.order else None
    defaults: dict[str, Any] = {
        "tool": decision.tool,
        "vendor": "stripe",
        "idempotency_key": uuid.uuid4(),
        "correlation_id": decision.correlation_id,
        "request": json.dumps(decision.effect, sort_keys=True, separators=(",", ":")),
        "payment": payment,
        "amount_minor": amount_minor if payment else 0,
        "value_minor": amount_minor if payment else 0,
        "currency": payment.currency if payment else "",
        "not_before": now() + timedelta(minutes=10),
        "first_sent_at": now() if sent else None,
        "created_at": now(),
    }
    call = ToolCall.objects.create(shop=case.shop, case=case, decision=decision, **{**defaults, **fields})
    if call.payment is not None and call.state in OPEN_STATES:
        with transaction.atomic():
            ledger.reserve(call)
    return call


def make_payment_task(shop: Shop, gateway: str = "Cash on Delivery (COD)") -> PaymentTask:
    """A refund that waits for a person to pay it by hand."""
    order = make_order(shop, vendor="manual")
    order.payments.update(gateway=gateway)
    case = make_case(
        order=order,
        state=Case.State.WAITING,
        wait_reason=Case.Wait.EFFECT,
        wake_at=now() + timedelta(hours=24),
    )
    call = make_call(make_decision(case), state=ToolCall.State.PENDING, vendor="manual", tool="issue_refund")
    with transaction.atomic():
        return open_task(call)


def make_switch(user: User, *, scope: str = KillSwitch.Scope.EVERYTHING, **fields: Any) -> KillSwitch:
    """A switch that `user` has engaged and nobody has released."""
    defaults: dict[str, Any] = {"reason": "The vendor shows doubled refunds.", "engaged_at": now()}
    return KillSwitch.objects.create(scope=scope, engaged_by=user, **{**defaults, **fields})


def make_delegation(shop: Shop, lender: User, to: User, **fields: Any) -> Delegation:
    """`to` signs mid-size refunds in the lender's right, since an hour and for one more."""
    at = now()
    defaults: dict[str, Any] = {
        "right": "approvals.approve_refund",
        "starts_at": at - timedelta(hours=1),
        "ends_at": at + timedelta(hours=1),
        "reason": "Holiday",
        "given_by": make_user(),
        "given_at": at,
    }
    return Delegation.objects.create(shop=shop, to=to, instead_of=lender, **{**defaults, **fields})
