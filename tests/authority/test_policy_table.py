"""The policy as a table: every boundary, every rule alone, and which of two rules speaks first."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest

from approvals.models import Decision
from approvals.policy import DEFAULT, ERROR, RULES, SENTENCES, Facts, Limits, judge
from tests.authority.judged import JPY, MESSAGE, REFUND, USD

Outcome = Decision.Outcome


@pytest.mark.parametrize(
    ("amount", "limits", "outcome"),
    [
        (1, USD, Outcome.ALLOW_AFTER_UNDO),
        (1999, USD, Outcome.ALLOW_AFTER_UNDO),
        (2000, USD, Outcome.ALLOW_AFTER_UNDO),  # "up to" includes the limit itself
        (2001, USD, Outcome.ONE_APPROVER),
        (19_999, USD, Outcome.ONE_APPROVER),
        (20_000, USD, Outcome.ONE_APPROVER),
        (20_001, USD, Outcome.TWO_FACTOR),
        (10**15, USD, Outcome.TWO_FACTOR),
        (2999, JPY, Outcome.ALLOW_AFTER_UNDO),
        (3000, JPY, Outcome.ALLOW_AFTER_UNDO),
        (3001, JPY, Outcome.ONE_APPROVER),
        (30_000, JPY, Outcome.ONE_APPROVER),
        (30_001, JPY, Outcome.TWO_FACTOR),
        (1, Limits(0, 0, 0), Outcome.TWO_FACTOR),  # limits of nothing let nothing run by itself
        (2000, Limits(2000, 2000, 0), Outcome.ALLOW_AFTER_UNDO),
        (2001, Limits(2000, 2000, 0), Outcome.TWO_FACTOR),  # no room for one approver alone
        (1, None, Outcome.HUMAN),  # a currency without limits is a person's
        (0, USD, Outcome.DENY),  # a refund of nothing, or less, is no refund
        (-1, USD, Outcome.DENY),
    ],
)
def test_the_amount_decides_the_tier(amount: int, limits: Limits | None, outcome: Outcome) -> None:
    assert judge(replace(REFUND, amount_minor=amount), limits).outcome == outcome


@pytest.mark.parametrize(
    ("exposure", "outcome"),
    [
        ({"address": 1001}, Outcome.ONE_APPROVER),
        ({"order": 1000}, Outcome.ALLOW_AFTER_UNDO),
        ({"order": 1001}, Outcome.ONE_APPROVER),
        ({"customer": 1001}, Outcome.ONE_APPROVER),
        ({"instrument": 1001}, Outcome.ONE_APPROVER),
        ({"order": 0, "customer": 19_000}, Outcome.ONE_APPROVER),
        ({"order": 0, "customer": 19_001}, Outcome.TWO_FACTOR),
        ({"order": 600, "customer": 600}, Outcome.ALLOW_AFTER_UNDO),  # the same money, seen twice
    ],
)
def test_small_sums_add_up_to_their_tier(exposure: dict[str, int], outcome: Outcome) -> None:
    assert judge(replace(REFUND, exposure_minor=exposure), USD).outcome == outcome


# For each rule the change of an otherwise good refund that makes it answer.
STOPS: dict[str, tuple[dict[str, Any], Outcome]] = {
    "switch.engaged": ({"switches": ("everything:",)}, Outcome.DENY),
    "action.resolved": ({"problem": "line.not_of_order"}, Outcome.DENY),
    "action.value": ({"kind": "close"}, Outcome.DENY),
    "shop.connected": ({"connected": False}, Outcome.DENY),
    "risk.fraud": ({"flags": ("fraud",)}, Outcome.HUMAN),
    "risk.emotion": ({"flags": ("anger",)}, Outcome.HUMAN),
    "upstream.read_only": ({"drifting": ("stripe refunds.create amount",)}, Outcome.HUMAN),
    "case.taken_over": ({"human_only": True}, Outcome.HUMAN),
    "case.refused_before": ({"refused_before": True}, Outcome.HUMAN),
    "refund.risk_read": ({"risk_level": "pending"}, Outcome.HUMAN),
    "refund.contact": ({"sender_is_contact": False}, Outcome.HUMAN),
    "refund.entitled": ({"entitled_by": ""}, Outcome.HUMAN),
    "refund.amount": ({"amount_minor": 0}, Outcome.DENY),
    "refund.goodwill": ({"goodwill_percent": 16}, Outcome.HUMAN),
    "refund.rate": ({"rates": "stale"}, Outcome.HUMAN),
}


@pytest.mark.parametrize("rule", STOPS)
def test_each_rule_alone_stops_a_refund(rule: str) -> None:
    changes, outcome = STOPS[rule]
    verdict = judge(replace(REFUND, **changes), USD)
    assert (verdict.rule, verdict.outcome) == (rule, outcome)


# Nothing at all has no value that could hide.
PAIRS = [pair for pair in combinations(STOPS, 2) if pair != ("action.value", "refund.amount")]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_of_two_reasons_the_earlier_rule_speaks(first: str, second: str) -> None:
    changes = {**STOPS[second][0], **STOPS[first][0]}
    if "flags" in STOPS[first][0] and "flags" in STOPS[second][0]:
        changes["flags"] = (*STOPS[second][0]["flags"], *STOPS[first][0]["flags"])
    assert judge(replace(REFUND, **changes), USD).rule == first


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"flags": ("dispute",)}, "risk.fraud"),
        ({"flags": ("legal",)}, "risk.emotion"),
        ({"flags": ("distress",)}, "risk.emotion"),
        ({"risk_level": "high"}, "risk.fraud"),
        ({"risk_level": "unknown"}, "refund.risk_read"),
        ({"risk_level": "invented"}, "refund.risk_read"),
        ({"risk_level": "medium"}, "refund.tier.automatic"),
        ({"goodwill_percent": 15}, "refund.tier.automatic"),
    ],
)
def test_values_at_the_edge_of_a_rule(changes: dict[str, Any], rule: str) -> None:
    assert judge(replace(REFUND, **changes), USD).rule == rule


def test_missing_limits_are_a_persons_matter_even_for_goodwill() -> None:
    assert judge(replace(REFUND, goodwill_percent=16), None).rule == "refund.limits"


@pytest.mark.parametrize(
    ("changes", "rule", "outcome"),
    [
        ({}, "message.template", Outcome.ALLOW),
        ({"template_tells_order": True}, "message.template", Outcome.ALLOW),
        (
            {"template_tells_order": True, "sender_is_contact": False},
            "message.contact_only",
            Outcome.DENY,
        ),
        ({"sender_is_contact": False}, "message.template", Outcome.ALLOW),
        ({"reachable": False}, "message.reachable", Outcome.HUMAN),
        ({"flags": ("anger",)}, "risk.emotion", Outcome.HUMAN),
        ({"human_only": True}, "case.taken_over", Outcome.HUMAN),
        # Triage says that a person will read, whatever is feared; it tells no order data.
        ({"by_kind": "triage", "flags": ("anger",)}, "message.acknowledgement", Outcome.ALLOW),
        (
            {"by_kind": "triage", "template_tells_order": True, "flags": ("anger",)},
            "risk.emotion",
            Outcome.HUMAN,
        ),
        ({"by_kind": "triage", "reachable": False}, "message.reachable", Outcome.HUMAN),
        ({"by_kind": "staff", "human_only": True, "flags": ("legal",)}, "message.by_person", Outcome.ALLOW),
        ({"by_kind": "staff", "reachable": False}, "message.reachable", Outcome.HUMAN),
        ({"by_kind": "staff", "switches": ("tool:send_message",)}, "switch.engaged", Outcome.DENY),
        ({"by_kind": "triage", "switches": ("everything:",)}, "switch.engaged", Outcome.DENY),
    ],
)
def test_who_may_say_what_to_whom(changes: dict[str, Any], rule: str, outcome: Outcome) -> None:
    verdict = judge(replace(MESSAGE, **changes), None)
    assert (verdict.rule, verdict.outcome) == (rule, outcome)


@pytest.mark.parametrize("by", ["triage", "staff", "agent", "system"])
def test_nobody_moves_money_by_the_rules_for_messages(by: str) -> None:
    verdict = judge(replace(REFUND, by_kind=by, entitled_by=""), USD)
    assert verdict.rule == "refund.entitled"


@pytest.mark.parametrize(
    ("kind", "rule", "outcome"),
    [
        ("person", "person.asked", Outcome.HUMAN),
        ("fraud", "fraud.marked", Outcome.HUMAN),
        ("close", "case.close", Outcome.ALLOW),
        ("read", DEFAULT, Outcome.DENY),  # a tool that only reads is no decision
        ("teleport", DEFAULT, Outcome.DENY),
        ("", DEFAULT, Outcome.DENY),
    ],
)
def test_what_no_rule_knows_is_denied(kind: str, rule: str, outcome: Outcome) -> None:
    verdict = judge(Facts(kind=kind, by_kind="agent"), USD)
    assert (verdict.rule, verdict.outcome) == (rule, outcome)


def test_an_angry_case_is_not_closed_by_the_agent() -> None:
    assert judge(Facts(kind="close", by_kind="agent", flags=("anger",)), None).outcome == Outcome.HUMAN


@pytest.mark.parametrize(
    "broken",
    [
        {"flags": None},
        {"exposure_minor": {"order": "much"}},
        {"goodwill_percent": None},
        {"amount_minor": "10"},
    ],
)
def test_an_exception_in_a_rule_denies(broken: dict[str, Any]) -> None:
    verdict = judge(replace(REFUND, **broken), USD)
    assert (verdict.rule, verdict.outcome) == (ERROR, Outcome.DENY)
    assert verdict.seen[-1].values["error"] in ("TypeError", "AttributeError")


def test_the_verdict_keeps_every_rule_that_was_asked_and_what_it_saw() -> None:
    verdict = judge(replace(REFUND, amount_minor=2001, exposure_minor={"order": 5}), USD)
    asked = [entry["rule"] for entry in verdict.as_json()]
    # The stricter tiers are asked first, so that nothing stands above them that lets more run by itself.
    names = list(RULES)
    assert asked == names[: names.index("refund.tier.one_approver") + 1]
    assert verdict.as_json()[-1]["values"] == {
        "amount_minor": 2001,
        "together_minor": 2006,
        "above_minor": 2000,
        "up_to_minor": 20_000,
        "currency": "USD",
        "order_minor": 5,
    }


def test_every_rule_has_a_sentence_for_staff() -> None:
    assert set(SENTENCES) == {*RULES, DEFAULT, ERROR}
    assert all(str(sentence).endswith(".") for sentence in SENTENCES.values())
