"""What holds of every claim, whatever the terms say: examples that nobody chose."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from approvals.entitlement import NEEDED, Back, Claim, Grant, Item, Parcel, Stage, entitled
from approvals.terms import Terms, defaults
from approvals.windows import zones_of

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
ALWAYS = 3650
WINDOWS = ("return_days", "damage_days", "wrong_item_days", "missing_days", "goodwill_days")
FAULTS = ("damaged", "wrong_item", "missing")

times = st.integers(-60 * 24 * 60, 0).map(lambda minutes: NOW + timedelta(minutes=minutes))
parcels = st.builds(
    Parcel, st.sampled_from(["delivered", "delivered", "in_transit", "failure"]), st.none() | times
)
backs = st.builds(Back, st.sampled_from(Stage), times, st.booleans())
items = st.builds(
    Item,
    line=st.integers(1, 9),
    sku=st.sampled_from(["MUG-1", "SALE-1", "EARRING-1", ""]),
    parcels=st.lists(parcels, max_size=3),
    back=st.none() | backs,
    final_sale=st.booleans(),
)
claims = st.builds(
    Claim,
    reason=st.sampled_from([*FAULTS, "returned", "returned", "lost", "goodwill"]),
    items=st.lists(items, max_size=3),
    parcels=st.lists(parcels, max_size=3),
    zones=st.sampled_from(["DE", "US", "JP", "NZ"]).map(zones_of),
    country=st.sampled_from(["DE", "US", "JP", "CH", ""]),
    currency=st.sampled_from(["EUR", "JPY"]),
    amount_minor=st.integers(0, 9000),
    given_minor=st.integers(0, 9000),
    whole_order=st.booleans(),
    shipping=st.booleans(),
    shipping_paid_minor=st.integers(0, 900),
    shipping_left_minor=st.integers(0, 900),
    goodwill_percent=st.sampled_from([0, 0, 0, 10]),
    photos=st.integers(0, 1),
    heard=st.lists(times, max_size=2),
)
promises = st.fixed_dictionaries(
    {
        **dict.fromkeys(WINDOWS, st.integers(0, 40)),
        "withdrawal": st.sampled_from([{}, {"DE": 14}, {"DE": 20, "CH": 7}]),
        "final_sale": st.sampled_from([[], ["SALE-*"]]),
        "hygiene": st.sampled_from([[], ["EARRING-?"]]),
        "refund_on": st.sampled_from(list(NEEDED)),
        "outward_shipping": st.sampled_from(["kept", "refunded"]),
        "standard_shipping": st.sampled_from([{}, {"EUR": 490}]),
        "photo_above": st.sampled_from([{}, {"EUR": 5000}]),
    }
)


def terms(changes: dict[str, Any]) -> Terms:
    return Terms(**{**defaults(), **changes})


def granted(claim: Claim, changes: dict[str, Any]) -> Grant | None:
    answer = entitled(claim, terms(changes), NOW)
    assert answer.sentence.endswith(".")
    return answer if isinstance(answer, Grant) else None


@given(claims, promises, st.sampled_from(WINDOWS), st.integers(0, 40))
def test_a_longer_window_takes_nothing_away(
    claim: Claim, changes: dict[str, Any], which: str, more: int
) -> None:
    if granted(claim, changes):
        assert granted(claim, {**changes, which: changes[which] + more})


@given(claims, promises)
def test_what_is_not_delivered_is_never_missing_nor_damaged(claim: Claim, changes: dict[str, Any]) -> None:
    grant = granted(claim, changes)
    if grant and grant.rule in {f"terms.{reason}" for reason in FAULTS}:
        for item in claim.items:
            assert item.parcels
            assert all(parcel.status == "delivered" for parcel in item.parcels)


@given(claims, promises)
def test_a_return_in_transit_is_never_received(claim: Claim, changes: dict[str, Any]) -> None:
    grant = granted(claim, changes)
    if grant and grant.rule in ("terms.returned", "terms.withdrawal"):
        stages = [item.back.stage for item in claim.items if item.back]
        least = NEEDED[changes["refund_on"]]
        by_law = grant.rule == "terms.withdrawal"
        assert len(stages) == len(claim.items)
        assert min(stages) >= (min(least, Stage.RECEIVED) if by_law else least)


@given(claims, promises)
def test_no_more_shipping_goes_back_than_the_terms_give(claim: Claim, changes: dict[str, Any]) -> None:
    grant = granted(claim, changes)
    if grant and grant.shipping:
        assert claim.whole_order
        if grant.rule == "terms.withdrawal" and claim.shipping_paid_minor:
            assert claim.shipping_paid_minor <= changes["standard_shipping"][claim.currency]
        if grant.rule == "terms.returned":
            assert changes["outward_shipping"] == "refunded"


@given(claims, promises)
def test_a_grant_covers_exactly_what_was_claimed(claim: Claim, changes: dict[str, Any]) -> None:
    grant = granted(claim, changes)
    if grant:
        assert grant.lines == tuple(item.line for item in claim.items)
        assert grant.shipping == claim.shipping
        assert not grant.look or claim.photos
