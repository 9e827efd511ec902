"""Judges a wish and writes down what follows: a decision with its verdict, and its calls or an approval request.

All of it happens in the caller's transaction. The text of a message is written by the caller, in `compose`, since
people's words live one layer up.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from approvals import exposure, lifetimes, policy
from approvals.entitlement import Answer, Grant
from approvals.entitling import Entitled, return_fee
from approvals.facts import InForce, Situation, gathered, in_force
from approvals.models import ApprovalRequest, Decision
from approvals.policy import Facts, Verdict
from audit import sources
from audit.actors import Actor
from audit.services import record as audit
from tools import ledger
from tools.base import Effect, Kind, Leaves, Scope, Step, Tool, canonical
from tools.elsewhere import newest_entry
from tools.errors import InvalidArgs
from tools.models import ToolCall
from tools.registry import TOOLS, catalogue_hash, parse

Compose = Callable[[Step], int | None]
Outcome = Decision.Outcome

ASKED = (Outcome.ONE_APPROVER, Outcome.TWO_FACTOR)
UNRESOLVED = Kind.CLOSE


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for: a tool and arguments, from which planner, with which text to staff."""

    tool: str
    arguments: Mapping[str, Any]
    planner_id: int
    prompt_hash: str = ""
    machine_text_id: int | None = None


@dataclass(frozen=True, slots=True)
class Before:
    """The request that this one takes the place of: one that ran out, or one whose amount a person changed."""

    renews: ApprovalRequest | None = None
    edits: ApprovalRequest | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """What was read to judge a wish: the facts, what the terms say of it, and the numbers in force."""

    facts: Facts
    said: Entitled
    rules: InForce


@dataclass(frozen=True, slots=True)
class Made:
    """What was written: the decision always, calls if it may run, a request if somebody must sign."""

    decision: Decision
    effect: Effect
    calls: tuple[ToolCall, ...] = ()
    request: ApprovalRequest | None = None


def resolve(wish: Wish, scope: Scope, *, by_planner: bool = True) -> tuple[Effect, str]:
    """The exact effect of a wish; an effect without steps and the problem's code where it has none."""
    try:
        tool, arguments = parse(wish.tool, dict(wish.arguments), by_planner=by_planner)
        effect = tool.resolve(arguments, scope)
        fee = return_fee(effect, scope)
        effect = tool.resolve(arguments, replace(scope, return_fee_minor=fee)) if fee else effect
    except InvalidArgs as error:
        kind = TOOLS[wish.tool].kind if wish.tool in TOOLS else UNRESOLVED
        return Effect(wish.tool[:48], kind, {}), error.code
    return (effect, "") if counted(tool, effect) else (Effect(effect.tool, effect.kind, {}), "tool.value")


def counted(tool: Tool, effect: Effect) -> bool:
    """Whether all that leaves the shop by this effect is declared by its tool and counted by its steps."""
    worth = effect.worth
    if worth is None:
        return not any(step.worth for step in effect.steps)
    steps = sum(step.worth.amount_minor for step in effect.steps if step.worth)
    money = effect.money.amount_minor if effect.money else 0
    return tool.leaves is not Leaves.NOTHING and steps >= worth.amount_minor >= money


def decide(
    wish: Wish,
    *,
    scope: Scope,
    situation: Situation,
    undo: timedelta,
    compose: Compose,
    by: Actor,
    before: Before = Before(),
) -> Made:
    """Judge a wish and write the decision with what follows from it. Needs a transaction."""
    effect, problem = resolve(wish, scope, by_planner=by.kind == "agent")
    exposure.lock(effect)
    if situation.by_kind != "staff":
        # People's own messages aren't counted.
        exposure.lock_messages(effect, scope)
    rules = in_force(scope.shop_id, effect, situation.planner)
    facts, said = gathered(effect, scope, replace(situation, problem=problem))
    verdict = policy.judge(facts, rules.for_policy)
    decision = _write(wish, effect, scope, verdict, Read(facts, said, rules), by)
    if verdict.outcome in (Outcome.ALLOW, Outcome.ALLOW_AFTER_UNDO):
        wait = undo if verdict.outcome == Outcome.ALLOW_AFTER_UNDO else timedelta(0)
        return Made(decision, effect, make_calls(decision, effect, decision.at + wait, compose, by=by))
    if verdict.outcome in ASKED:
        return Made(decision, effect, request=_ask(decision, effect, before, by))
    return Made(decision, effect)


def _write(wish: Wish, effect: Effect, scope: Scope, verdict: Verdict, read: Read, by: Actor) -> Decision:
    now, facts, rules, limits = sources.now(), read.facts, read.rules, read.rules.for_policy
    decision = Decision.objects.create(
        shop_id=scope.shop_id,
        case_id=scope.case_id,
        tool=effect.tool,
        action=_kept(wish, by),
        effect=dict(effect.body),
        effect_hash=effect.digest,
        entitled_by=facts.entitled_by,
        outcome=verdict.outcome,
        rule=verdict.rule,
        values=verdict.as_json(),
        policy_version=policy.VERSION,
        limits=rules.limits,
        limits_hash=rules.digest,
        judged_under={
            "limits": limits.as_json() if limits else None,
            "confidence_percent": facts.confidence_percent,
            "entitlement": _said(read.said.answer),
            # Whatever others do to the order's money after this was done without its being judged.
            "entry": newest_entry(effect.body["order"]) if effect.worth and "order" in effect.body else None,
        },
        terms=read.said.terms,
        planner_id=wish.planner_id,
        prompt_hash=wish.prompt_hash,
        catalogue_hash=catalogue_hash(),
        machine_text_id=wish.machine_text_id,
        by_kind=by.kind,
        by_id=by.id,
        correlation_id=scope.correlation_id,
        facts_at=now,
        at=now,
    )
    tell(
        "decision.made",
        decision,
        decision,
        by,
        rule=decision.rule,
        outcome=decision.outcome,
        tool=decision.tool,
    )
    return decision


def _said(answer: Answer | None) -> dict[str, Any] | None:
    """The rule that grants it or the code of why none does, with the values of its sentence."""
    if answer is None:
        return None
    rule = answer.rule if isinstance(answer, Grant) else answer.code
    return {"rule": rule, "values": dict(answer.values)}


def _kept(wish: Wish, by: Actor) -> dict[str, Any]:
    """The arguments as they were validated; of what doesn't fit the tool nothing is kept, since it may be anything."""
    try:
        _tool, arguments = parse(wish.tool, dict(wish.arguments), by_planner=by.kind == "agent")
    except InvalidArgs:
        return {}
    return arguments.model_dump(mode="json")


def make_calls(
    decision: Decision, effect: Effect, not_before: datetime, compose: Compose, *, by: Actor
) -> tuple[ToolCall, ...]:
    """Store the calls with their keys and set their money aside: from here on they may be sent.

    Raises tools.errors.Refused or IntegrityError where the money is no longer there; nothing is kept then.
    """
    calls = []
    for position, step in enumerate(effect.steps):
        call = ToolCall.objects.create(
            shop_id=decision.shop_id,
            case_id=decision.case_id,
            decision=decision,
            position=position,
            tool=step.tool,
            vendor=step.vendor,
            idempotency_key=sources.random_id(),
            correlation_id=decision.correlation_id,
            request=canonical(step.request),
            message_id=compose(step) if step.template else None,
            payment_id=step.payment_id,
            amount_minor=step.money.amount_minor if step.money else 0,
            value_minor=step.worth.amount_minor if step.worth else 0,
            currency=step.worth.currency if step.worth else "",
            not_before=not_before,
            created_at=sources.now(),
        )
        ledger.reserve(call)
        amount = f"{call.amount_minor} {call.currency}".strip()
        tell("call.reserved", call, decision, by, tool=call.tool, vendor=call.vendor, amount_minor=amount)
        calls.append(call)
    return tuple(calls)


def _ask(decision: Decision, effect: Effect, before: Before, by: Actor) -> ApprovalRequest:
    if effect.worth is None:
        raise ValueError("Only what has a value is approved.")
    tier, renews = ApprovalRequest.Tier(decision.outcome), before.renews
    edited_from = before.edits.decision if before.edits else renews.edited_from if renews else None
    request = ApprovalRequest(
        shop_id=decision.shop_id,
        decision=decision,
        case_id=decision.case_id,
        tier=tier,
        people_needed=2 if decision.rule == policy.TWO_PEOPLE else 1,
        renewed_from=renews,
        renewals=renews.renewals + 1 if renews else 0,
        edited_from=edited_from,
        effect_hash=decision.effect_hash,
        amount_minor=effect.worth.amount_minor,
        currency=effect.worth.currency,
        requested_at=decision.at,
    )
    request.expires_at = lifetimes.expires_at(request)
    request.save(force_insert=True)
    amount = f"{request.amount_minor} {request.currency}"
    if renews is not None:
        tell("approval.renewed", request, decision, by, times=request.renewals)
    tell("approval.requested", request, decision, by, tier=request.tier, amount_minor=amount)
    return request


def tell(action: str, subject: Any, decision: Decision, by: Actor, **data: str | int | None) -> None:
    """One audit entry about a decision or what hangs on it, in the case's stream."""
    audit(
        action,
        by=by,
        stream=f"case/{decision.case_id}",
        subject=subject,
        shop_id=decision.shop_id,
        correlation_id=uuid.UUID(str(decision.correlation_id)),
        data={"decision": decision.pk, "effect": decision.effect_hash, **data},
    )
