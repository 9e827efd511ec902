"""Every line, cap, size and budget to its last minor unit, and what stands before what."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from approvals.bounds import CAPS, UNITS
from approvals.models import Decision
from approvals.policy import TWO_PEOPLE, Limits, judge, weight
from tests.authority.judged import FULL, LINES, MESSAGE, REFUND, USD, WHOLE

Outcome = Decision.Outcome

AUTOMATIC, ONE, LARGE, ABOVE = (
    "refund.tier.automatic",
    "refund.tier.one_approver",
    "refund.tier.two_factor",
    "refund.tier.above",
)
BY_TIER = {
    AUTOMATIC: Outcome.ALLOW_AFTER_UNDO,
    ONE: Outcome.ONE_APPROVER,
    LARGE: Outcome.TWO_FACTOR,
    TWO_PEOPLE: Outcome.TWO_FACTOR,
    ABOVE: Outcome.HUMAN,
}


@pytest.mark.parametrize("currency", LINES)
@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("off", [-1, 0, 1])
@pytest.mark.parametrize("spent", [0, 700])
def test_each_line_holds_to_the_last_minor_unit(currency: str, place: int, off: int, spent: int) -> None:
    """With what was given before as well as in one piece."""
    auto, one, two_people, above = lines = LINES[currency]
    limits = Limits(auto, one, 15, two_factor_up_to_minor=above, two_people_above_minor=two_people)
    amount = lines[place] + off - spent
    facts = replace(REFUND, currency=currency, amount_minor=amount, exposure_minor={"customer": spent})
    rule = list(BY_TIER)[place + (off > 0)]
    verdict = judge(facts, limits)
    assert (verdict.rule, verdict.outcome) == (rule, BY_TIER[rule])


@pytest.mark.parametrize("total", [100_000, 100_001, 10**12])
def test_without_a_second_line_one_signer_is_enough_up_to_the_fourth(total: int) -> None:
    open_ended = Limits(2000, 20_000, 15)
    assert judge(replace(REFUND, amount_minor=total), open_ended).rule == LARGE
    closed = Limits(2000, 20_000, 15, two_factor_up_to_minor=100_000)
    assert judge(replace(REFUND, amount_minor=total), closed).rule == (ABOVE if total > 100_000 else LARGE)


def test_the_verdict_names_both_lines_of_its_tier() -> None:
    limits = Limits(2000, 20_000, 15, two_factor_up_to_minor=500_000, two_people_above_minor=100_000)
    named = {
        amount: judge(replace(REFUND, amount_minor=amount), limits).as_json()[-1]["values"]
        for amount in (1, 2001, 20_001, 100_001, 500_001)
    }
    lines = [(values["above_minor"], values["up_to_minor"]) for values in named.values()]
    assert lines == [(0, 2000), (2000, 20_000), (20_000, 100_000), (100_000, 500_000), (500_000, None)]
    unled = judge(replace(REFUND, amount_minor=20_001), Limits(2000, 20_000, 15)).as_json()[-1]["values"]
    assert (unled["above_minor"], unled["up_to_minor"]) == (20_000, None)


def test_what_stands_exactly_on_every_line_runs_by_itself() -> None:
    assert judge(WHOLE, FULL).rule == AUTOMATIC


@pytest.mark.parametrize("scope", CAPS)
def test_one_minor_unit_over_any_cap_is_a_persons(scope: str) -> None:
    over = {**WHOLE.base_minor, scope: WHOLE.base_minor[scope] + 1}
    verdict = judge(replace(WHOLE, base_minor=over), FULL)
    assert (verdict.rule, verdict.outcome) == (f"refund.cap.{scope}", Outcome.HUMAN)
    at_most = FULL.caps[scope]
    assert verdict.seen[-1].values == {"sum_minor": at_most + 1, "at_most_minor": at_most, "currency": "EUR"}


@pytest.mark.parametrize("scope", CAPS)
def test_a_cap_of_an_unknown_sum_is_a_persons(scope: str) -> None:
    unknown = {name: minor for name, minor in WHOLE.base_minor.items() if name != scope}
    assert judge(replace(WHOLE, base_minor=unknown), FULL).rule == f"refund.cap.{scope}"
    uncapped = replace(FULL, caps={name: up_to for name, up_to in FULL.caps.items() if name != scope})
    assert judge(replace(WHOLE, base_minor=unknown), uncapped).rule == AUTOMATIC


@pytest.mark.parametrize("unit", UNITS)
def test_one_more_than_a_size_is_a_persons_whatever_the_action(unit: str) -> None:
    over = {**WHOLE.sizes, unit: 6}
    for facts in (replace(WHOLE, sizes=over), replace(MESSAGE, sizes=over)):
        verdict = judge(facts, FULL)
        assert (verdict.rule, verdict.outcome) == (f"size.{unit}", Outcome.HUMAN)
        assert verdict.seen[-1].values == {"count": 6, "at_most": 5}
    assert judge(replace(MESSAGE, sizes={**over, unit: 5}), FULL).rule == "message.template"
    assert judge(replace(MESSAGE, sizes=over), None).rule == "message.template"
    assert judge(replace(MESSAGE, sizes=over), USD).rule == "message.template"


def test_a_flood_of_acknowledgements_stops_and_a_colleague_is_never_counted() -> None:
    flood = {"messages_shop_hour": 6}
    assert judge(replace(MESSAGE, by_kind="triage", sizes=flood), FULL).rule == "size.messages_shop_hour"
    feared = replace(MESSAGE, by_kind="triage", sizes=flood, flags=("anger",))
    assert judge(feared, FULL).rule == "risk.emotion"
    assert judge(replace(MESSAGE, by_kind="staff", sizes=flood), FULL).rule == "message.by_person"
    by_staff = replace(WHOLE, by_kind="staff", sizes=dict.fromkeys(UNITS, 6))
    assert judge(by_staff, FULL).rule == AUTOMATIC


@pytest.mark.parametrize(
    ("said", "by", "rule"),
    [
        (60, "agent", AUTOMATIC),
        (59, "agent", "planner.unsure"),
        (None, "agent", "planner.unsure"),  # who doesn't say is not sure
        (100, "agent", AUTOMATIC),
        (59, "staff", AUTOMATIC),  # a person's wish has no confidence
        (None, "staff", AUTOMATIC),
        (59, "system", "planner.unsure"),
    ],
)
def test_a_doubt_takes_the_small_refund_to_an_approver(said: int | None, by: str, rule: str) -> None:
    verdict = judge(replace(WHOLE, confidence_percent=said, by_kind=by), FULL)
    assert verdict.rule == rule
    assert verdict.outcome == (Outcome.ONE_APPROVER if rule == "planner.unsure" else BY_TIER[AUTOMATIC])


def test_no_confidence_lifts_a_refund_over_a_line() -> None:
    assert judge(replace(WHOLE, confidence_percent=None), replace(FULL, unsure_below_percent=1)).rule == (
        "planner.unsure"
    )
    assert judge(replace(WHOLE, amount_minor=2001, confidence_percent=100), FULL).rule == ONE
    assert judge(replace(WHOLE, amount_minor=20_001, confidence_percent=0), FULL).rule == LARGE
    assert judge(replace(WHOLE, confidence_percent=None), USD).rule == AUTOMATIC


@pytest.mark.parametrize(
    ("spent", "by", "rule"),
    [
        (10_000, "agent", AUTOMATIC),
        (10_001, "agent", "refund.budget"),
        (None, "agent", "refund.budget"),
        (10_001, "staff", AUTOMATIC),  # the budget is the planner's
        (10_001, "system", "refund.budget"),
    ],
)
def test_a_spent_budget_asks_an_approver(spent: int | None, by: str, rule: str) -> None:
    verdict = judge(replace(WHOLE, automatic_day_minor=spent, by_kind=by), FULL)
    assert verdict.rule == rule
    if rule == "refund.budget":
        assert verdict.outcome == Outcome.ONE_APPROVER
        assert verdict.seen[-1].values == {"sum_minor": spent, "at_most_minor": 10_000, "currency": "EUR"}


def test_an_amount_that_a_person_wrote_asks_another_however_small() -> None:
    verdict = judge(replace(WHOLE, edited=True, by_kind="staff"), FULL)
    assert (verdict.rule, verdict.outcome) == ("refund.edited", Outcome.ONE_APPROVER)
    assert judge(replace(WHOLE, edited=True, amount_minor=20_001), FULL).rule == LARGE


def test_a_photo_that_nobody_has_looked_at_asks_an_approver_however_small() -> None:
    verdict = judge(replace(WHOLE, looked_at=False), FULL)
    assert (verdict.rule, verdict.outcome) == ("refund.photo", Outcome.ONE_APPROVER)
    assert verdict.seen[-1].values == {"looked_at": False}
    assert judge(replace(WHOLE, looked_at=False, amount_minor=20_001), FULL).rule == LARGE


@pytest.mark.parametrize("state", ["missing", "stale", "?"])
def test_a_rate_that_the_sums_needed_and_nobody_has_is_a_persons(state: str) -> None:
    assert judge(replace(REFUND, rates=state), USD).rule == "refund.rate"
    assert judge(replace(WHOLE, base_rates=state), FULL).rule == "refund.rate"
    # In the shop's own currency nothing is asked for where it has no cap and no budget.
    assert judge(replace(REFUND, base_rates=state), USD).rule == AUTOMATIC
    assert judge(replace(REFUND, base_rates=state), replace(USD, caps={"day": 1})).rule == "refund.rate"
    assert judge(replace(REFUND, base_rates=state), replace(USD, budget_minor=0)).rule == "refund.rate"
    verdict = judge(replace(WHOLE, base_rates=state), FULL)
    assert verdict.outcome == Outcome.HUMAN
    assert verdict.seen[-1].values == {
        "rates": "ok",
        "base_rates": state,
        "base_currency": "EUR",
        "converted": [],
    }


@pytest.mark.parametrize("kind", ["message", "close", "read", "person", "fraud", "document", ""])
@pytest.mark.parametrize("amount", [1, -1])
def test_value_that_hides_in_another_kind_of_action_is_denied(kind: str, amount: int) -> None:
    verdict = judge(replace(MESSAGE, kind=kind, amount_minor=amount), FULL)
    assert (verdict.rule, verdict.outcome) == ("action.value", Outcome.DENY)


def test_a_flag_that_nobody_taught_the_policy_is_feared_most() -> None:
    verdict = judge(replace(REFUND, flags=("moonlight", "anger")), USD)
    assert verdict.rule == "risk.fraud"
    assert verdict.seen[-1].values == {"flags": ["moonlight"], "risk": "low"}


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"flags": ("anger",)}, "risk.emotion"),
        ({"risk_level": "high"}, "risk.fraud"),
        ({}, "upstream.read_only"),
        ({"flags": ("anger",), "by_kind": "staff"}, "upstream.read_only"),
        ({"risk_level": "high", "by_kind": "staff"}, "upstream.read_only"),
    ],
)
def test_a_suspicion_speaks_before_a_vendor_that_stands_still(changes: dict[str, Any], rule: str) -> None:
    assert judge(replace(REFUND, drifting=("stripe x",), **changes), USD).rule == rule


STRICT = Limits(
    1,
    2,
    3,
    two_factor_up_to_minor=4,
    two_people_above_minor=5,
    unsure_below_percent=60,
    caps={"order": 6, "day": 7},
    budget_minor=8,
    sizes={"orders_held_day": 9},
)


@pytest.mark.parametrize(
    ("name", "looser"),
    [
        ("auto_up_to_minor", 2),
        ("one_approver_up_to_minor", 3),
        ("goodwill_percent", 4),
        ("two_factor_up_to_minor", 5),
        ("two_factor_up_to_minor", None),
        ("two_people_above_minor", 6),
        ("two_people_above_minor", None),
        ("unsure_below_percent", 59),
        ("caps", {"order": 7, "day": 8}),
        ("caps", {"order": 7}),
        ("caps", {}),
        ("budget_minor", 9),
        ("budget_minor", None),
        ("sizes", {"orders_held_day": 10}),
        ("sizes", {}),
    ],
)
def test_of_two_limits_each_stricter_number_holds(name: str, looser: Any) -> None:
    other = replace(STRICT, **{name: looser})
    assert STRICT.stricter(other) == other.stricter(STRICT) == STRICT


def test_no_line_in_both_limits_is_no_line() -> None:
    assert Limits(1, 2, 3).stricter(Limits(1, 2, 3)) == Limits(1, 2, 3)
    both = replace(STRICT, caps={"order": 6}).stricter(replace(STRICT, caps={"day": 7}))
    assert both.caps == STRICT.caps
    assert Limits(**STRICT.as_json()) == STRICT


@pytest.mark.parametrize(
    ("more", "less"),
    [
        ((Outcome.TWO_FACTOR, TWO_PEOPLE), (Outcome.TWO_FACTOR, LARGE)),
        ((Outcome.TWO_FACTOR, LARGE), (Outcome.ONE_APPROVER, ONE)),
        ((Outcome.ONE_APPROVER, "refund.budget"), (Outcome.ALLOW_AFTER_UNDO, AUTOMATIC)),
        ((Outcome.HUMAN, ABOVE), (Outcome.TWO_FACTOR, TWO_PEOPLE)),
        ((Outcome.DENY, "switch.engaged"), (Outcome.TWO_FACTOR, TWO_PEOPLE)),
        ((Outcome.ONE_APPROVER, ONE), (Outcome.ALLOW, "message.template")),
    ],
)
def test_a_verdict_that_needs_more_hands_weighs_more(more: tuple[str, str], less: tuple[str, str]) -> None:
    assert weight(*more) > weight(*less)


def test_what_needs_the_same_hands_weighs_the_same() -> None:
    assert weight(Outcome.ALLOW, "message.template") == weight(Outcome.ALLOW_AFTER_UNDO, AUTOMATIC)
    assert weight(Outcome.ONE_APPROVER, "planner.unsure") == weight(Outcome.ONE_APPROVER, ONE)
    assert weight(Outcome.HUMAN, ABOVE) == weight(Outcome.DENY, "switch.engaged")
