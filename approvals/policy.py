"""The judge: a pure, total, default-deny function of (action, facts, limits) to a verdict.

Rules are asked in order and the first that answers decides, so the stricter stands before the looser. Nothing here
reads a clock, a database or a setting, and what a planner says reaches an answer only through facts that the server
found itself, or as a doubt: its confidence takes autonomy away and never gives any.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from approvals.bounds import UNITS, Facts, Limits
from approvals.models import Decision
from tools.base import Kind

__all__ = ["VERSION", "Facts", "Limits", "Seen", "Verdict", "judge", "weight"]

VERSION = "2026-11.5"

Outcome = Decision.Outcome
PERSON_FIRST = ("legal", "distress", "anger")


@dataclass(frozen=True, slots=True)
class Seen:
    """One rule, the values it looked at, and its answer (empty where it had none)."""

    rule: str
    answer: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome, the rule that decided, and every rule that was asked on the way."""

    outcome: Decision.Outcome
    rule: str
    seen: tuple[Seen, ...]

    def as_json(self) -> list[dict[str, Any]]:
        """For `Decision.values`."""
        return [{"rule": seen.rule, "answer": seen.answer, "values": dict(seen.values)} for seen in self.seen]


Answer = tuple[Decision.Outcome | None, Mapping[str, Any]]
Rule = Callable[[Facts, Limits | None], Answer]
Line = Callable[[Limits], int | None]


def _switch(facts: Facts, limits: Limits | None) -> Answer:
    return (Outcome.DENY if facts.switches else None), {"switches": list(facts.switches)}


def _resolved(facts: Facts, limits: Limits | None) -> Answer:
    return (Outcome.DENY if facts.problem else None), {"problem": facts.problem}


def _connected(facts: Facts, limits: Limits | None) -> Answer:
    return (None if facts.connected else Outcome.DENY), {"connected": facts.connected}


def _declared(facts: Facts, limits: Limits | None) -> Answer:
    # What has a value is judged as money, whatever else its tool does.
    hidden = facts.amount_minor != 0 and facts.kind != Kind.MONEY
    return (Outcome.DENY if hidden else None), {"kind": facts.kind, "amount_minor": facts.amount_minor}


def _person_asked(facts: Facts, limits: Limits | None) -> Answer:
    return (Outcome.HUMAN if facts.kind == Kind.PERSON else None), {"kind": facts.kind}


def _fraud_marked(facts: Facts, limits: Limits | None) -> Answer:
    return (Outcome.HUMAN if facts.kind == Kind.FRAUD else None), {"kind": facts.kind}


def _read_only(facts: Facts, limits: Limits | None) -> Answer:
    # Before anybody is asked to sign, since nothing could be sent. A suspicion speaks first, by its own rule below.
    later = (facts.flags or facts.risk_level == "high") and facts.by_kind == "agent"
    return (Outcome.HUMAN if facts.drifting and not later else None), {"drifting": list(facts.drifting)}


def _acknowledgement(facts: Facts, limits: Limits | None) -> Answer:
    # Said before any flag is asked: the flag is the reason why the customer hears that a person will read.
    fits = facts.kind == Kind.MESSAGE and facts.by_kind == "triage" and not facts.template_tells_order
    flood = any(_outgrown(facts, limits, unit) for unit in UNITS)
    return (Outcome.ALLOW if fits and facts.reachable and not flood else None), {"by": facts.by_kind}


def _staff_words(facts: Facts, limits: Limits | None) -> Answer:
    fits = facts.kind == Kind.MESSAGE and facts.by_kind == "staff" and facts.reachable
    return (Outcome.ALLOW if fits else None), {"by": facts.by_kind}


def _fraud(facts: Facts, limits: Limits | None) -> Answer:
    # A kind of flag that nobody has taught the policy is feared most.
    flags = [flag for flag in facts.flags if flag not in PERSON_FIRST]
    suspect = flags or facts.risk_level == "high"
    return (Outcome.HUMAN if suspect else None), {"flags": flags, "risk": facts.risk_level}


def _emotion(facts: Facts, limits: Limits | None) -> Answer:
    flags = [flag for flag in facts.flags if flag in PERSON_FIRST]
    return (Outcome.HUMAN if flags else None), {"flags": flags}


def _taken_over(facts: Facts, limits: Limits | None) -> Answer:
    return (Outcome.HUMAN if facts.human_only else None), {"human_only": facts.human_only}


def _refused_before(facts: Facts, limits: Limits | None) -> Answer:
    return (Outcome.HUMAN if facts.refused_before else None), {"refused_before": facts.refused_before}


def _close(facts: Facts, limits: Limits | None) -> Answer:
    return (Outcome.ALLOW if facts.kind == Kind.CLOSE else None), {"kind": facts.kind}


def _reachable(facts: Facts, limits: Limits | None) -> Answer:
    stuck = facts.kind == Kind.MESSAGE and not facts.reachable
    return (Outcome.HUMAN if stuck else None), {"reachable": facts.reachable}


def _contact_only(facts: Facts, limits: Limits | None) -> Answer:
    leaks = facts.kind == Kind.MESSAGE and facts.template_tells_order and not facts.sender_is_contact
    values = {"tells_order": facts.template_tells_order, "sender_is_contact": facts.sender_is_contact}
    return (Outcome.DENY if leaks else None), values


def _template(facts: Facts, limits: Limits | None) -> Answer:
    return (Outcome.ALLOW if facts.kind == Kind.MESSAGE else None), {"kind": facts.kind}


def _risk_read(facts: Facts, limits: Limits | None) -> Answer:
    unread = facts.risk_level not in ("low", "medium")
    return (Outcome.HUMAN if unread else None), {"risk": facts.risk_level}


def _money_to_contact(facts: Facts, limits: Limits | None) -> Answer:
    return (None if facts.sender_is_contact else Outcome.HUMAN), {
        "sender_is_contact": facts.sender_is_contact
    }


def _entitled(facts: Facts, limits: Limits | None) -> Answer:
    values = {"entitled_by": facts.entitled_by, "refusal": facts.refusal}
    return (None if facts.entitled_by else Outcome.HUMAN), values


def _limits_exist(facts: Facts, limits: Limits | None) -> Answer:
    return (None if limits else Outcome.HUMAN), {"currency": facts.currency}


def _goodwill(facts: Facts, limits: Limits | None) -> Answer:
    at_most = limits.goodwill_percent if limits else 0
    values = {"percent": facts.goodwill_percent, "at_most": at_most}
    return (Outcome.HUMAN if facts.goodwill_percent > at_most else None), values


def _something(facts: Facts, limits: Limits | None) -> Answer:
    return (None if facts.amount_minor > 0 else Outcome.DENY), {"amount_minor": facts.amount_minor}


def _outgrown(facts: Facts, limits: Limits | None, unit: str) -> bool:
    at_most = limits.sizes.get(unit) if limits else None
    return at_most is not None and facts.by_kind != "staff" and facts.sizes.get(unit, 0) > at_most


def _size(unit: str, facts: Facts, limits: Limits | None) -> Answer:
    at_most = limits.sizes.get(unit) if limits else None
    values = {"count": facts.sizes.get(unit, 0), "at_most": at_most}
    return (Outcome.HUMAN if _outgrown(facts, limits, unit) else None), values


def _rates(facts: Facts, limits: Limits | None) -> Answer:
    in_base = limits is not None and (limits.caps or limits.budget_minor is not None)
    bad = facts.rates != "ok" or (in_base and facts.base_rates != "ok")
    values = {
        "rates": facts.rates,
        "base_rates": facts.base_rates,
        "base_currency": facts.base_currency,
        "converted": list(facts.converted),
    }
    return (Outcome.HUMAN if bad else None), values


def _cap(scope: str, facts: Facts, limits: Limits | None) -> Answer:
    up_to, total = limits.caps.get(scope) if limits else None, facts.base_minor.get(scope)
    values = {"sum_minor": total, "at_most_minor": up_to, "currency": facts.base_currency}
    # A sum that nobody has found may be any.
    over = up_to is not None and (total is None or total > up_to)
    return (Outcome.HUMAN if over else None), values


def _unsure(facts: Facts, limits: Limits | None) -> Answer:
    least, said = limits.unsure_below_percent if limits else 0, facts.confidence_percent
    unsure = facts.by_kind != "staff" and (said or 0) < least
    return (Outcome.ONE_APPROVER if unsure else None), {"confidence_percent": said, "at_least": least}


def _edited(facts: Facts, limits: Limits | None) -> Answer:
    # A smaller amount needs a second pair of eyes too: it is another effect than the one that was asked for.
    return (Outcome.ONE_APPROVER if facts.edited else None), {"edited": facts.edited}


def _looked_at(facts: Facts, limits: Limits | None) -> Answer:
    return (None if facts.looked_at else Outcome.ONE_APPROVER), {"looked_at": facts.looked_at}


def _budget(facts: Facts, limits: Limits | None) -> Answer:
    up_to, total = limits.budget_minor if limits else None, facts.automatic_day_minor
    values = {"sum_minor": total, "at_most_minor": up_to, "currency": facts.base_currency}
    spent = up_to is not None and (total is None or total > up_to)
    return (Outcome.ONE_APPROVER if spent and facts.by_kind != "staff" else None), values


def _tier(outcome: Decision.Outcome, above: Line, up_to: Line, facts: Facts, limits: Limits | None) -> Answer:
    """Answers where all together are above the one line and not above the other; a line may be missing."""
    total = facts.amount_minor + max(facts.exposure_minor.values(), default=0)
    low, high = (above(limits), up_to(limits)) if limits else (None, None)
    values = {
        "amount_minor": facts.amount_minor,
        "together_minor": total,
        "above_minor": low,
        "up_to_minor": high,
        "currency": facts.currency,
        **{f"{scope}_minor": minor for scope, minor in sorted(facts.exposure_minor.items())},
    }
    fits = low is not None and total > low and (high is None or total <= high)
    return (outcome if fits else None), values


def _endless(limits: Limits) -> int | None:
    return None


def _one_signer(limits: Limits) -> int | None:
    """Up to where one person with a second factor is enough."""
    lines = (limits.two_people_above_minor, limits.two_factor_up_to_minor)
    return min((line for line in lines if line is not None), default=None)


RULES: dict[str, tuple[Rule, Promise]] = {
    "switch.engaged": (_switch, _("A kill switch stops this.")),
    "action.resolved": (_resolved, _("The action names something that isn't there or no longer possible.")),
    "action.value": (_declared, _("Something of value would leave by an action that doesn't say so.")),
    "shop.connected": (_connected, _("Older than the shop's connection: history is only read.")),
    "person.asked": (_person_asked, _("The planner asks for a person.")),
    "fraud.marked": (_fraud_marked, _("Marked as fraud: a person takes it from here.")),
    "upstream.read_only": (
        _read_only,
        _("A vendor's answers have changed, so nothing is sent there for now."),
    ),
    "message.acknowledgement": (_acknowledgement, _("Tells the customer that a person will read it.")),
    "message.by_person": (_staff_words, _("A person writes to the customer in their own words.")),
    "risk.fraud": (_fraud, _("Fraud-suspect always goes to a person.")),
    "risk.emotion": (_emotion, _("An angry, distressed or legal message goes to a person.")),
    "case.taken_over": (_taken_over, _("A person took this case over: the agent is silent.")),
    "case.refused_before": (_refused_before, _("A person said no to the same effect before.")),
    "size.messages_case_day": (
        partial(_size, "messages_case_day"),
        _("More messages in one case in a day than the agent may send."),
    ),
    "size.messages_customer_day": (
        partial(_size, "messages_customer_day"),
        _("More messages to one customer in a day than the agent may send."),
    ),
    "size.messages_shop_hour": (
        partial(_size, "messages_shop_hour"),
        _("More messages of the shop in an hour than the agent may send."),
    ),
    "size.orders_held_day": (
        partial(_size, "orders_held_day"),
        _("More orders held in a day than the agent may hold."),
    ),
    "size.items_set_day": (
        partial(_size, "items_set_day"),
        _("More items set in a day than the agent may set."),
    ),
    "case.close": (_close, _("Closing needs nobody.")),
    "message.reachable": (_reachable, _("There is no address that the message could go to.")),
    "message.contact_only": (_contact_only, _("Order data goes to the order's own contact only.")),
    "message.template": (_template, _("An approved template may be sent.")),
    "refund.risk_read": (_risk_read, _("The order's risk isn't known, and pending is not low.")),
    "refund.contact": (_money_to_contact, _("The order's own contact did not ask for this.")),
    "refund.entitled": (_entitled, _("No rule of the shop entitles the customer to this refund.")),
    "refund.limits": (_limits_exist, _("The currency has no limits, so a person decides.")),
    "refund.amount": (_something, _("A refund of nothing is none.")),
    "refund.goodwill": (_goodwill, _("More goodwill than the limits allow.")),
    "refund.rate": (
        _rates,
        _("The sums need an exchange rate that is missing or too old, so a person decides."),
    ),
    "refund.cap.order": (partial(_cap, "order"), _("More than the agent may give for one order.")),
    "refund.cap.customer": (
        partial(_cap, "customer"),
        _("More than the agent may give one customer in 30 days."),
    ),
    "refund.cap.instrument": (
        partial(_cap, "instrument"),
        _("More than the agent may give to one payment method in 30 days."),
    ),
    "refund.cap.address": (
        partial(_cap, "address"),
        _("More than the agent may give to one address in 30 days."),
    ),
    "refund.cap.day": (partial(_cap, "day"), _("More than the agent may give for the whole shop in a day.")),
    "refund.tier.above": (
        partial(_tier, Outcome.HUMAN, lambda limits: limits.two_factor_up_to_minor, _endless),
        _("Above what may be approved here: people act outside the agent."),
    ),
    "refund.tier.two_people": (
        partial(
            _tier,
            Outcome.TWO_FACTOR,
            lambda limits: limits.two_people_above_minor,
            lambda limits: limits.two_factor_up_to_minor,
        ),
        _("Very large: two people approve, each with a second factor."),
    ),
    "refund.tier.two_factor": (
        partial(_tier, Outcome.TWO_FACTOR, lambda limits: limits.one_approver_up_to_minor, _one_signer),
        _("Large: locked behind an approval with a second factor."),
    ),
    "refund.tier.one_approver": (
        partial(
            _tier,
            Outcome.ONE_APPROVER,
            lambda limits: limits.auto_up_to_minor,
            lambda limits: limits.one_approver_up_to_minor,
        ),
        _("Mid-size: one approver decides."),
    ),
    "refund.edited": (_edited, _("A person changed the amount, so another person approves it.")),
    "refund.photo": (_looked_at, _("It rests on a photo, and one approver looks at it first.")),
    "planner.unsure": (_unsure, _("The planner is too unsure of this to let it run by itself.")),
    "refund.budget": (_budget, _("The day's budget of automatic money is spent, so one approver decides.")),
    "refund.tier.automatic": (
        partial(_tier, Outcome.ALLOW_AFTER_UNDO, lambda limits: 0, lambda limits: limits.auto_up_to_minor),
        _("Small enough to run by itself, after the undo window."),
    ),
}
MONEY_ONLY = frozenset({"planner.unsure", *(name for name in RULES if name.startswith("refund."))})
TWO_PEOPLE = "refund.tier.two_people"
DEFAULT = "default.deny"
ERROR = "policy.error"
SENTENCES: dict[str, Promise] = {
    **{name: sentence for name, (_rule, sentence) in RULES.items()},
    DEFAULT: _("No rule allows it."),
    ERROR: _("The policy failed, and what it can't judge it denies."),
}


def judge(facts: Facts, limits: Limits | None) -> Verdict:
    """The verdict about one action. Never raises: an exception in a rule denies."""
    seen: list[Seen] = []
    try:
        for name, (rule, _sentence) in RULES.items():
            if name in MONEY_ONLY and facts.kind != Kind.MONEY:
                continue
            outcome, values = rule(facts, limits)
            seen.append(Seen(name, outcome or "", values))
            if outcome is not None:
                return Verdict(outcome, name, tuple(seen))
    except Exception as error:
        return Verdict(
            Outcome.DENY, ERROR, (*seen, Seen(ERROR, Outcome.DENY, {"error": type(error).__name__}))
        )
    return Verdict(Outcome.DENY, DEFAULT, (*seen, Seen(DEFAULT, Outcome.DENY, {"kind": facts.kind})))


WEIGHTS = {Outcome.ALLOW: 0, Outcome.ALLOW_AFTER_UNDO: 0, Outcome.ONE_APPROVER: 1, Outcome.TWO_FACTOR: 2}
NOBODY_HERE = 9


def weight(outcome: str, rule: str) -> int:
    """How many hands a verdict asks for; a larger one is not covered by what was decided under a smaller."""
    if rule == TWO_PEOPLE:
        return WEIGHTS[Outcome.TWO_FACTOR] + 1
    return WEIGHTS.get(Outcome(outcome), NOBODY_HERE)
