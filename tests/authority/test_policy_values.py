"""What a verdict keeps for whoever reads it later: each rule in its order, with the values that it saw."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from approvals.policy import MONEY_ONLY, RULES, SENTENCES, judge
from tests.authority.judged import FULL, MESSAGE, WHOLE

UP_TO = {"amount_minor": 1000, "together_minor": 1000, "currency": "USD"}
# What each rule says that it saw of a small refund on which nothing is wrong and every limit is set.
SEEN: dict[str, dict[str, Any]] = {
    "switch.engaged": {"switches": []},
    "action.resolved": {"problem": ""},
    "action.value": {"kind": "money", "amount_minor": 1000},
    "shop.connected": {"connected": True},
    "person.asked": {"kind": "money"},
    "fraud.marked": {"kind": "money"},
    "upstream.read_only": {"drifting": []},
    "message.acknowledgement": {"by": "agent"},
    "message.by_person": {"by": "agent"},
    "risk.fraud": {"flags": [], "risk": "low"},
    "risk.emotion": {"flags": []},
    "case.taken_over": {"human_only": False},
    "case.refused_before": {"refused_before": False},
    "size.messages_case_day": {"count": 5, "at_most": 5},
    "size.messages_customer_day": {"count": 5, "at_most": 5},
    "size.messages_shop_hour": {"count": 5, "at_most": 5},
    "size.orders_held_day": {"count": 5, "at_most": 5},
    "size.items_set_day": {"count": 5, "at_most": 5},
    "case.close": {"kind": "money"},
    "message.reachable": {"reachable": True},
    "message.contact_only": {"tells_order": False, "sender_is_contact": True},
    "message.template": {"kind": "money"},
    "refund.risk_read": {"risk": "low"},
    "refund.contact": {"sender_is_contact": True},
    "refund.entitled": {"entitled_by": "terms.damaged", "refusal": ""},
    "refund.limits": {"currency": "USD"},
    "refund.amount": {"amount_minor": 1000},
    "refund.goodwill": {"percent": 0, "at_most": 15},
    "refund.rate": {"rates": "ok", "base_rates": "ok", "base_currency": "EUR", "converted": []},
    "refund.cap.order": {"sum_minor": 5000, "at_most_minor": 5000, "currency": "EUR"},
    "refund.cap.customer": {"sum_minor": 6000, "at_most_minor": 6000, "currency": "EUR"},
    "refund.cap.instrument": {"sum_minor": 7000, "at_most_minor": 7000, "currency": "EUR"},
    "refund.cap.address": {"sum_minor": 8000, "at_most_minor": 8000, "currency": "EUR"},
    "refund.cap.day": {"sum_minor": 90_000, "at_most_minor": 90_000, "currency": "EUR"},
    "refund.tier.above": {**UP_TO, "above_minor": 500_000, "up_to_minor": None},
    "refund.tier.two_people": {**UP_TO, "above_minor": 100_000, "up_to_minor": 500_000},
    "refund.tier.two_factor": {**UP_TO, "above_minor": 20_000, "up_to_minor": 100_000},
    "refund.tier.one_approver": {**UP_TO, "above_minor": 2000, "up_to_minor": 20_000},
    "refund.edited": {"edited": False},
    "refund.photo": {"looked_at": True},
    "planner.unsure": {"confidence_percent": 60, "at_least": 60},
    "refund.budget": {"sum_minor": 10_000, "at_most_minor": 10_000, "currency": "EUR"},
    "refund.tier.automatic": {**UP_TO, "above_minor": 0, "up_to_minor": 2000},
}


def test_every_rule_is_asked_in_its_order_and_keeps_what_it_saw() -> None:
    kept = judge(WHOLE, FULL).as_json()
    assert [entry["rule"] for entry in kept] == list(SEEN) == list(RULES)
    assert {entry["rule"]: entry["values"] for entry in kept} == SEEN
    assert [entry["answer"] for entry in kept] == [""] * (len(SEEN) - 1) + ["allow_after_undo"]
    assert [set(entry) for entry in kept] == [{"rule", "answer", "values"}] * len(SEEN)


def test_without_limits_nothing_is_made_up() -> None:
    kept = {entry["rule"]: entry["values"] for entry in judge(WHOLE, None).as_json()}
    assert list(kept)[-1] == "refund.limits"
    assert kept["size.messages_case_day"] == {"count": 5, "at_most": None}
    bare = judge(replace(MESSAGE, sizes={}), FULL).as_json()
    assert {entry["rule"]: entry["values"] for entry in bare}["size.items_set_day"] == {
        "count": 0,
        "at_most": 5,
    }


@pytest.mark.parametrize(
    ("changes", "rule", "values"),
    [
        ({"switches": ("everything:",)}, "switch.engaged", {"switches": ["everything:"]}),
        ({"flags": ("anger", "fraud")}, "risk.fraud", {"flags": ["fraud"], "risk": "low"}),
        ({"flags": ("anger", "legal")}, "risk.emotion", {"flags": ["anger", "legal"]}),
        ({"drifting": ("a", "b")}, "upstream.read_only", {"drifting": ["a", "b"]}),
        (
            {"rates": "stale", "converted": ("EUR/USD 2 2026-11-02 bank",)},
            "refund.rate",
            {
                "rates": "stale",
                "base_rates": "ok",
                "base_currency": "EUR",
                "converted": ["EUR/USD 2 2026-11-02 bank"],
            },
        ),
        (
            {"exposure_minor": {"order": 7, "address": 1500}},
            "refund.tier.one_approver",
            {
                **UP_TO,
                "together_minor": 2500,
                "above_minor": 2000,
                "up_to_minor": 20_000,
                "address_minor": 1500,
                "order_minor": 7,
            },
        ),
    ],
)
def test_what_answers_keeps_the_values_that_made_it(
    changes: dict[str, Any], rule: str, values: dict[str, Any]
) -> None:
    last = judge(replace(WHOLE, **changes), FULL).seen[-1]
    assert (last.rule, dict(last.values)) == (rule, values)


def test_a_denial_and_an_error_keep_why() -> None:
    denied = judge(replace(MESSAGE, kind="read"), FULL).as_json()[-1]
    assert denied == {"rule": "default.deny", "answer": "deny", "values": {"kind": "read"}}
    broken = judge(replace(WHOLE, flags=None), FULL).as_json()  # type: ignore[arg-type]
    assert broken[-1] == {"rule": "policy.error", "answer": "deny", "values": {"error": "TypeError"}}
    # What was asked before it broke is kept.
    assert [entry["rule"] for entry in broken[:-1]] == list(RULES)[: len(broken) - 1] != []


def test_what_is_no_money_is_asked_none_of_the_rules_about_it() -> None:
    asked = {seen.rule for seen in judge(replace(MESSAGE, kind="read"), FULL).seen}
    assert asked == {*(set(RULES) - MONEY_ONLY), "default.deny"}
    assert {rule for rule in RULES if rule.split(".")[0] in ("refund", "planner")} == MONEY_ONLY


def test_no_two_rules_say_the_same_to_staff() -> None:
    assert len({str(sentence) for sentence in SENTENCES.values()}) == len(SENTENCES)
