"""What policy says of a decision today: under the stricter of the limits then and now, without its own sums."""

from __future__ import annotations

from dataclasses import replace

from approvals import policy
from approvals.facts import Situation, gather, in_force
from approvals.models import Decision
from tools.base import Effect, Scope
from tools.models import Order
from tools.voiding import last_entry, why_not


def scope_of(decision: Decision) -> Scope:
    """Whose things the decision's action may name."""
    talk = decision.case.conversation
    channel = talk.channel if talk else "email"
    return Scope(
        decision.shop_id,
        decision.case_id,
        decision.case.order_id,
        decision.correlation_id,
        channel,
        decision.shop.env_prefix,
        decided_at=decision.at,
    )


def verdict_now(decision: Decision, effect: Effect, situation: Situation) -> policy.Verdict:
    """The verdict about what was decided, by today's facts; the planner is as sure of it as it was then."""
    rules = in_force(decision.shop_id, effect, situation.planner)
    limits, then = rules.for_policy, limits_then(decision)
    if limits is not None and then is not None:
        limits = limits.stricter(then)
    situation = replace(situation, confidence_percent=decision.judged_under.get("confidence_percent"))
    facts = gather(effect, scope_of(decision), situation, without_decision=decision.pk)
    return policy.judge(facts, limits)


def undone_by_others(decision: Decision, *, reserved: bool) -> str:
    """The code of what others have done to the order since the decision, so that it can't happen; empty for nothing.

    `reserved`: its pieces are set aside already.
    """
    order = Order.objects.filter(pk=decision.effect.get("order")).first()
    if order is None:
        return ""
    entry = last_entry(decision.judged_under, order.pk, decision.at)
    return why_not(order, decision.effect, reserved=reserved, after_entry=entry)


def limits_then(decision: Decision) -> policy.Limits | None:
    """Every number that the decision was held to; of one that was made before all were kept, those of its version."""
    kept = decision.judged_under.get("limits")
    if kept is not None:
        return policy.Limits(**kept)
    row = decision.limits
    if row is None:
        return None
    return policy.Limits(row.auto_up_to_minor, row.one_approver_up_to_minor, row.goodwill_percent)


def asks_more(decision: Decision, verdict: policy.Verdict) -> bool:
    """Whether the verdict of today needs more hands than the decision had."""
    return policy.weight(verdict.outcome, verdict.rule) > policy.weight(decision.outcome, decision.rule)
