"""Which term grants a refund: windows at their edges, and parcels that aren't there yet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from approvals.entitlement import Claim, Parcel, Terms, entitled_by

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TERMS = Terms(return_days=30, damage_days=14, missing_days=7)
A_MOMENT = timedelta(microseconds=1)


def arrived(ago: timedelta) -> Parcel:
    return Parcel("delivered", NOW - ago)


def granted(reason: str, *parcels: list[Parcel], goodwill: int = 0, back: bool = False) -> str:
    returned_at = NOW if back else None
    claim = Claim(reason, parcels, whole_order=True, returned_at=returned_at, goodwill_percent=goodwill)
    return entitled_by(claim, TERMS, NOW)


@pytest.mark.parametrize(
    ("reason", "ago", "term"),
    [
        ("damaged", timedelta(0), "terms.damaged"),
        ("damaged", timedelta(days=14), "terms.damaged"),
        ("damaged", timedelta(days=14) + A_MOMENT, ""),
        ("wrong_item", timedelta(days=14), "terms.wrong_item"),
        ("wrong_item", timedelta(days=14) + A_MOMENT, ""),
        ("missing", timedelta(days=7), "terms.missing"),
        ("missing", timedelta(days=7) + A_MOMENT, ""),
        # Nothing but a return that the shop has received entitles to these.
        ("returned", timedelta(days=1), ""),
        # The carrier's loss and kindness are a person's matter, as is a word that we don't know.
        ("lost", timedelta(days=1), ""),
        ("goodwill", timedelta(days=1), ""),
        ("because", timedelta(days=1), ""),
    ],
)
def test_a_window_ends_to_the_moment(reason: str, ago: timedelta, term: str) -> None:
    assert granted(reason, [arrived(ago)]) == term


@pytest.mark.parametrize("status", ["created", "in_transit", "out_for_delivery", "failure"])
def test_what_has_not_arrived_is_neither_damaged_nor_missing(status: str) -> None:
    parcel = Parcel(status, NOW - timedelta(days=1))
    assert [granted(reason, [parcel]) for reason in ("damaged", "missing", "wrong_item")] == ["", "", ""]


def test_a_delivery_without_a_time_proves_nothing() -> None:
    assert granted("damaged", [Parcel("delivered", None)]) == ""


def test_a_line_that_was_never_sent_entitles_to_nothing() -> None:
    assert granted("damaged", []) == ""
    assert granted("damaged", [arrived(timedelta(days=1))], []) == ""
    assert granted("damaged") == ""


def test_every_parcel_of_a_line_must_have_arrived() -> None:
    on_its_way = Parcel("in_transit", None)
    assert granted("damaged", [arrived(timedelta(days=1)), on_its_way]) == ""


def test_the_last_parcel_of_a_line_starts_the_window() -> None:
    assert granted("damaged", [arrived(timedelta(days=20)), arrived(timedelta(days=2))]) == "terms.damaged"


def test_one_line_out_of_its_window_spoils_the_whole_claim() -> None:
    assert granted("damaged", [arrived(timedelta(days=2))], [arrived(timedelta(days=20))]) == ""


def test_a_return_counts_once_the_shop_has_it() -> None:
    assert granted("returned", [arrived(timedelta(days=30))], back=True) == "terms.returned"
    assert granted("returned", [arrived(timedelta(days=30) + A_MOMENT)], back=True) == ""
    assert granted("damaged", [arrived(timedelta(days=90))], back=True) == ""


@pytest.mark.parametrize(("ago", "term"), [(14, "terms.goodwill"), (15, "")])
def test_goodwill_has_the_window_of_damage_whatever_reason_stands_beside_it(ago: int, term: str) -> None:
    for reason in ("goodwill", "returned", "lost"):
        assert granted(reason, [arrived(timedelta(days=ago))], goodwill=10, back=True) == term


def test_a_part_of_the_order_takes_no_shipping_along() -> None:
    parcels = [[arrived(timedelta(days=1))]]
    assert (
        entitled_by(Claim("damaged", parcels, whole_order=True, shipping=True), TERMS, NOW) == "terms.damaged"
    )
    assert entitled_by(Claim("damaged", parcels, shipping=True), TERMS, NOW) == ""


@pytest.mark.parametrize(
    ("change", "term"),
    [
        ({}, "terms.returned"),
        # A return names no lines yet: sending back the cheap item is no reason to refund the dear one.
        ({"whole_order": False}, ""),
        ({"final_sale": True}, ""),
        ({"returned_at": NOW - timedelta(days=10)}, "terms.returned"),
        ({"returned_at": NOW + timedelta(days=1)}, ""),
    ],
)
def test_a_return_entitles_to_the_whole_order_in_time(change: dict[str, Any], term: str) -> None:
    parcels = [[arrived(timedelta(days=30))]]
    claim = Claim("returned", parcels, **{"whole_order": True, "returned_at": NOW, **change})
    assert entitled_by(claim, TERMS, NOW) == term
