"""The judge: a pure, total, default-deny function of (action, facts, limits) to a verdict.

Rules are asked in order and the first that answers decides. Nothing here reads a clock, a database or a setting,
and nothing that a planner says can reach an answer but through facts that the server found itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from approvals.models import Decision
from tools.base import Kind

VERSION = "2026-11.2"

Outcome = Decision.Outcome
NO_HANDS = ("fraud", "dispute")
PERSON_FIRST = ("legal", "distress", "anger")


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits in force for the action's currency, in minor units."""

    auto_up_to_minor: int
    one_approver_up_to_minor: int
    goodwill_percent: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What the server knows about an action. Amounts are minor units of the action's currency.

    `exposure_minor` is what the same order, customer and payment method got or may still get besides this action,
    by the name of the scope. `by_kind` is the actor's kind. `connected` is False for what is older than the shop's
    connection. `drifting` names the vendors' changed operations that the action can't be sent without. `problem` is
    why the action could not be resolved, as a code.
    """

    kind: str
    by_kind: str
    amount_minor: int = 0
    currency: str = ""
    exposure_minor: Mapping[str, int] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    risk_level: str = "unknown"
    switches: tuple[str, ...] = ()
    human_only: bool = False
    connected: bool = True
    entitled_by: str = ""
    goodwill_percent: int = 0
    reachable: bool = True
    template_tells_order: bool = False
    sender_is_contact: bool = False
    refused_before: bool = False
    drifting: tuple[str, ...] = ()
    problem: str = ""


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


def _switch(facts: Facts, limits: Limits | None) -> Answer:
    return (Outcome.DENY if facts.switches else None), {"switches": list(facts.switches)}


def _resolved(facts: Facts, limits: Limits | None) -> Answer:
    return (Outcome.DENY if facts.problem else None), {"problem": facts.problem}


def _connected(facts: Facts, limits: Limits | None) -> Answer:
    return (None if facts.connected else Outcome.DENY), {"connected": facts.connected}


def _person_asked(facts: Facts, limits: Limits | None) -> Answer:
    return (Outcome.HUMAN if facts.kind == Kind.PERSON else None), {"kind": facts.kind}


def _fraud_marked(facts: Facts, limits: Limits | None) -> Answer:
    return (Outcome.HUMAN if facts.kind == Kind.FRAUD else None), {"kind": facts.kind}


def _read_only(facts: Facts, limits: Limits | None) -> Answer:
    # Before anybody is asked to sign, since nothing could be sent. A suspicion speaks first, by its own rule below.
    grave = facts.risk_level == "high" or any(flag in (*NO_HANDS, *PERSON_FIRST) for flag in facts.flags)
    later = grave and facts.by_kind == "agent"
    return (Outcome.HUMAN if facts.drifting and not later else None), {"drifting": list(facts.drifting)}


def _acknowledgement(facts: Facts, limits: Limits | None) -> Answer:
    # Said before any flag is asked: the flag is the reason why the customer hears that a person will read.
    fits = facts.kind == Kind.MESSAGE and facts.by_kind == "triage" and not facts.template_tells_order
    if fits and facts.reachable:
        return Outcome.ALLOW, {"by": facts.by_kind}
    return None, {"by": facts.by_kind}


def _staff_words(facts: Facts, limits: Limits | None) -> Answer:
    fits = facts.kind == Kind.MESSAGE and facts.by_kind == "staff" and facts.reachable
    return (Outcome.ALLOW if fits else None), {"by": facts.by_kind}


def _fraud(facts: Facts, limits: Limits | None) -> Answer:
    flags = [flag for flag in facts.flags if flag in NO_HANDS]
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
    return (None if facts.entitled_by else Outcome.HUMAN), {"entitled_by": facts.entitled_by}


def _limits_exist(facts: Facts, limits: Limits | None) -> Answer:
    return (None if limits else Outcome.HUMAN), {"currency": facts.currency}


def _goodwill(facts: Facts, limits: Limits | None) -> Answer:
    at_most = limits.goodwill_percent if limits else 0
    values = {"percent": facts.goodwill_percent, "at_most": at_most}
    return (Outcome.HUMAN if facts.goodwill_percent > at_most else None), values


def _exposure(facts: Facts) -> int:
    return facts.amount_minor + max(facts.exposure_minor.values(), default=0)


def _tier(outcome: Decision.Outcome, line: Callable[[Limits], int | None]) -> Rule:
    def rule(facts: Facts, limits: Limits | None) -> Answer:
        total, up_to = _exposure(facts), line(limits) if limits else 0
        values = {
            "amount_minor": facts.amount_minor,
            "together_minor": total,
            "up_to_minor": up_to,
            "currency": facts.currency,
            **{f"{scope}_minor": minor for scope, minor in sorted(facts.exposure_minor.items())},
        }
        fits = facts.amount_minor > 0 and (up_to is None or total <= up_to)
        return (outcome if fits else None), values

    return rule


RULES: dict[str, tuple[Rule, Promise]] = {
    "switch.engaged": (_switch, _("A kill switch stops this.")),
    "action.resolved": (_resolved, _("The action names something that isn't there or no longer possible.")),
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
    "case.close": (_close, _("Closing needs nobody.")),
    "message.reachable": (_reachable, _("There is no address that the message could go to.")),
    "message.contact_only": (_contact_only, _("Order data goes to the order's own contact only.")),
    "message.template": (_template, _("An approved template may be sent.")),
    "refund.risk_read": (_risk_read, _("The order's risk isn't known, and pending is not low.")),
    "refund.contact": (_money_to_contact, _("The order's own contact did not ask for this.")),
    "refund.entitled": (_entitled, _("No rule of the shop entitles the customer to this refund.")),
    "refund.limits": (_limits_exist, _("The currency has no limits, so a person decides.")),
    "refund.goodwill": (_goodwill, _("More goodwill than the limits allow.")),
    "refund.tier.automatic": (
        _tier(Outcome.ALLOW_AFTER_UNDO, lambda limits: limits.auto_up_to_minor),
        _("Small enough to run by itself, after the undo window."),
    ),
    "refund.tier.one_approver": (
        _tier(Outcome.ONE_APPROVER, lambda limits: limits.one_approver_up_to_minor),
        _("Mid-size: one approver decides."),
    ),
    "refund.tier.two_factor": (
        _tier(Outcome.TWO_FACTOR, lambda limits: None),
        _("Large: locked behind an approval with a second factor."),
    ),
}
MONEY_ONLY = frozenset(name for name in RULES if name.startswith("refund."))
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
