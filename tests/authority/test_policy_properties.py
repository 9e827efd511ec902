"""What holds for all facts: an outcome always, never looser for more risk, and no money without its four grounds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from approvals.bounds import CAPS, SCOPES, UNITS
from approvals.models import Decision
from approvals.policy import PERSON_FIRST, Facts, Limits, judge, weight

Outcome = Decision.Outcome

# The same examples in every run, kept nowhere.
steady = settings(max_examples=100, derandomize=True, database=None, deadline=None)
FLAGS = ("fraud", "dispute", "unheard_of", *PERSON_FIRST)
# A person decides after both, so neither is looser than the other.
STRICTNESS = {
    Outcome.ALLOW: 0,
    Outcome.ALLOW_AFTER_UNDO: 1,
    Outcome.ONE_APPROVER: 2,
    Outcome.TWO_FACTOR: 3,
    Outcome.HUMAN: 4,
    Outcome.DENY: 4,
}
MOVES_MONEY = (Outcome.ALLOW, Outcome.ALLOW_AFTER_UNDO, Outcome.ONE_APPROVER, Outcome.TWO_FACTOR)
MINOR = st.integers(min_value=0, max_value=50_000)
COUNT = st.integers(min_value=0, max_value=12)
STATES = st.sampled_from(["ok", "ok", "ok", "stale", "missing"])
PERCENT = st.integers(min_value=0, max_value=100)
# Sums and sizes are found for every scope or unit, or the policy fears the worst.
base = st.fixed_dictionaries(dict.fromkeys(CAPS, MINOR))
sizes = st.fixed_dictionaries(dict.fromkeys(UNITS, COUNT))

facts = st.builds(
    Facts,
    kind=st.sampled_from(["money", "message", "person", "fraud", "close", "read", "else"]),
    by_kind=st.sampled_from(["agent", "triage", "staff", "system"]),
    amount_minor=st.integers(min_value=-10, max_value=50_000),
    currency=st.sampled_from(["USD", "JPY"]),
    exposure_minor=st.dictionaries(st.sampled_from(SCOPES), MINOR),
    base_minor=base,
    automatic_day_minor=MINOR,
    sizes=sizes,
    rates=STATES,
    base_rates=STATES,
    confidence_percent=st.one_of(st.none(), PERCENT),
    flags=st.lists(st.sampled_from(FLAGS), max_size=2).map(tuple),
    risk_level=st.sampled_from(["low", "medium", "high", "pending", "unknown", "?"]),
    switches=st.sampled_from([(), (), (), ("everything:",)]),
    human_only=st.booleans(),
    connected=st.sampled_from([True, True, False]),
    entitled_by=st.sampled_from(["terms.damaged", "terms.goodwill", ""]),
    looked_at=st.booleans(),
    goodwill_percent=st.integers(min_value=0, max_value=100),
    reachable=st.booleans(),
    template_tells_order=st.booleans(),
    sender_is_contact=st.sampled_from([True, True, False]),
    refused_before=st.sampled_from([False, False, True]),
    problem=st.sampled_from(["", "", "", "line.not_of_order"]),
)
# Facts that reach the tiers, which random ones seldom do.
good_refunds = st.builds(
    Facts,
    kind=st.just("money"),
    by_kind=st.just("agent"),
    amount_minor=MINOR,
    currency=st.just("USD"),
    exposure_minor=st.dictionaries(st.sampled_from(SCOPES), MINOR),
    base_minor=base,
    automatic_day_minor=MINOR,
    sizes=sizes,
    base_rates=STATES,
    confidence_percent=st.one_of(st.none(), PERCENT),
    risk_level=st.sampled_from(["low", "medium"]),
    entitled_by=st.just("terms.damaged"),
    sender_is_contact=st.just(True),
)


@st.composite
def limits(draw: st.DrawFn) -> Limits:
    auto, above = draw(MINOR), draw(MINOR)
    maybe = st.one_of(st.none(), st.integers(min_value=0, max_value=120_000))
    # Lines may stand in any order: what a person mistyped loosens nothing.
    return Limits(
        auto,
        auto + above,
        draw(PERCENT),
        two_factor_up_to_minor=draw(maybe),
        two_people_above_minor=draw(maybe),
        unsure_below_percent=draw(PERCENT),
        caps=draw(st.dictionaries(st.sampled_from(CAPS), st.integers(min_value=20_000, max_value=60_000))),
        budget_minor=draw(maybe),
        sizes=draw(st.dictionaries(st.sampled_from(UNITS), st.integers(min_value=8, max_value=14))),
    )


some_facts = st.one_of(facts, good_refunds)
some_limits = st.one_of(st.none(), limits())
garbage = st.one_of(
    st.none(),
    st.text(),
    st.integers(),
    st.floats(),
    st.lists(st.integers()),
    st.dictionaries(st.text(), st.text()),
)


def strictness(seen: Facts, line: Limits | None) -> int:
    return STRICTNESS[judge(seen, line).outcome]


@given(some_facts, some_limits)
@steady
def test_there_is_always_an_outcome_and_a_rule_that_gave_it(seen: Facts, line: Limits | None) -> None:
    verdict = judge(seen, line)
    assert verdict.outcome in Outcome
    assert verdict.seen[-1].rule == verdict.rule
    assert [step.answer for step in verdict.seen[:-1]] == [""] * (len(verdict.seen) - 1)


@given(st.dictionaries(st.sampled_from(sorted(Facts.__dataclass_fields__)), garbage), some_limits)
@steady
def test_nonsense_never_raises(nonsense: dict[str, Any], line: Limits | None) -> None:
    verdict = judge(Facts(**{"kind": "money", "by_kind": "agent", **nonsense}), line)
    assert verdict.outcome in Outcome


@given(some_facts, some_limits)
@steady
def test_the_same_facts_give_the_same_verdict(seen: Facts, line: Limits | None) -> None:
    assert judge(seen, line) == judge(seen, line)


@given(some_facts, some_limits, st.sampled_from(SCOPES), MINOR)
@steady
def test_more_exposure_never_loosens(seen: Facts, line: Limits | None, scope: str, more: int) -> None:
    grown = {**seen.exposure_minor, scope: seen.exposure_minor.get(scope, 0) + more}
    assert strictness(replace(seen, exposure_minor=grown), line) >= strictness(seen, line)


@given(some_facts, some_limits, st.sampled_from(FLAGS))
@steady
def test_one_more_flag_never_loosens(seen: Facts, line: Limits | None, flag: str) -> None:
    assert strictness(replace(seen, flags=(*seen.flags, flag)), line) >= strictness(seen, line)


@given(good_refunds, limits(), st.integers(min_value=1, max_value=50_000))
@steady
def test_a_larger_amount_never_loosens(seen: Facts, line: Limits, more: int) -> None:
    if seen.amount_minor > 0:
        larger = replace(seen, amount_minor=seen.amount_minor + more)
        assert strictness(larger, line) >= strictness(seen, line)


@given(good_refunds, limits(), MINOR, MINOR)
@steady
def test_lower_limits_never_loosen(seen: Facts, line: Limits, less: int, less_for_one: int) -> None:
    auto = max(0, line.auto_up_to_minor - less)
    one = max(auto, line.one_approver_up_to_minor - less_for_one)
    lower = replace(line, auto_up_to_minor=auto, one_approver_up_to_minor=one)
    assert strictness(seen, lower) >= strictness(seen, line)


@given(some_facts, some_limits)
@steady
def test_money_never_moves_without_entitlement_limits_a_read_risk_and_the_contact(
    seen: Facts, line: Limits | None
) -> None:
    if seen.kind != "money" or judge(seen, line).outcome not in MOVES_MONEY:
        return
    assert seen.entitled_by
    assert line is not None
    assert seen.risk_level in ("low", "medium")
    assert seen.sender_is_contact
    assert not any([seen.flags, seen.switches, seen.problem, seen.human_only, seen.refused_before])
    assert seen.amount_minor > 0
    assert seen.goodwill_percent <= line.goodwill_percent


@given(good_refunds, limits())
@steady
def test_money_never_runs_by_itself_above_the_line(seen: Facts, line: Limits) -> None:
    total = seen.amount_minor + max(seen.exposure_minor.values(), default=0)
    outcome = judge(seen, line).outcome
    assert outcome != Outcome.ALLOW
    if outcome == Outcome.ALLOW_AFTER_UNDO:
        assert 0 < total <= line.auto_up_to_minor
        assert all(seen.base_minor[scope] <= cap for scope, cap in line.caps.items())
        assert line.budget_minor is None or (seen.automatic_day_minor or 0) <= line.budget_minor
        assert (seen.confidence_percent or 0) >= line.unsure_below_percent


@given(good_refunds, limits())
@steady
def test_what_fits_under_every_line_runs_by_itself(seen: Facts, line: Limits) -> None:
    """The other half of the bound: without it a policy that always asks people would pass every test above."""
    wide = Limits(200_000, 200_000, line.goodwill_percent)
    fits = judge(replace(seen, base_rates="ok"), wide).outcome == Outcome.ALLOW_AFTER_UNDO
    assert fits == (seen.amount_minor > 0)


@given(some_facts, some_limits, st.sampled_from(CAPS), MINOR)
@steady
def test_more_money_in_any_sum_never_loosens(seen: Facts, line: Limits | None, cap: str, more: int) -> None:
    grown = replace(
        seen,
        base_minor={**seen.base_minor, cap: seen.base_minor[cap] + more},
        automatic_day_minor=(seen.automatic_day_minor or 0) + more,
    )
    assert strictness(grown, line) >= strictness(seen, line)


@given(some_facts, some_limits, PERCENT)
@steady
def test_more_doubt_never_loosens_and_no_confidence_is_the_greatest(
    seen: Facts, line: Limits | None, less: int
) -> None:
    said = seen.confidence_percent or 0
    for doubt in (max(0, said - less), None):
        assert strictness(replace(seen, confidence_percent=doubt), line) >= strictness(seen, line)


@given(some_facts, some_limits, st.sampled_from(UNITS), COUNT)
@steady
def test_more_of_anything_never_loosens(seen: Facts, line: Limits | None, unit: str, more: int) -> None:
    grown = replace(seen, sizes={**seen.sizes, unit: seen.sizes[unit] + more})
    assert strictness(grown, line) >= strictness(seen, line)


@given(some_facts, some_limits, st.sampled_from(["rates", "base_rates"]))
@steady
def test_a_lost_rate_never_loosens(seen: Facts, line: Limits | None, which: str) -> None:
    lost = replace(seen, **{which: "missing"})  # type: ignore[arg-type]
    assert strictness(lost, line) >= strictness(seen, line)


@given(some_facts, limits(), limits())
@steady
def test_the_stricter_of_two_limits_is_no_looser_than_either(seen: Facts, one: Limits, other: Limits) -> None:
    both = one.stricter(other)
    assert strictness(seen, both) >= max(strictness(seen, one), strictness(seen, other))
    assert both == other.stricter(one)
    assert one.stricter(one) == one


@given(limits())
@steady
def test_limits_are_kept_whole(line: Limits) -> None:
    assert Limits(**line.as_json()) == line


@given(good_refunds, limits(), MINOR)
@steady
def test_a_larger_amount_never_weighs_less(seen: Facts, line: Limits, more: int) -> None:
    if seen.amount_minor > 0:
        small, large = judge(seen, line), judge(replace(seen, amount_minor=seen.amount_minor + more), line)
        assert weight(large.outcome, large.rule) >= weight(small.outcome, small.rule)


@given(some_facts, some_limits, st.sampled_from(["flag", "risk"]))
@steady
def test_fraud_always_goes_to_people(seen: Facts, line: Limits | None, how: str) -> None:
    suspect = replace(seen, flags=("fraud",)) if how == "flag" else replace(seen, risk_level="high")
    words = suspect.kind == "message" and suspect.by_kind in ("triage", "staff")
    if not words:
        assert judge(suspect, line).outcome in (Outcome.HUMAN, Outcome.DENY)
