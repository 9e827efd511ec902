"""Which of the shop's terms grants a refund: windows at their edges, parcels that aren't there, what the law gives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from approvals.entitlement import (
    NOT_YET,
    Back,
    Claim,
    Grant,
    Item,
    Refusal,
    Stage,
    entitled,
)
from approvals.entitlement_words import GRANTS, REFUSALS
from approvals.terms import EU
from approvals.windows import zones_of
from tests.authority.claims import (
    A_MOMENT,
    ARRIVED,
    BACK,
    MIDNIGHT,
    NOW,
    OSLO,
    claim,
    item,
    judged,
    parcel,
    returned,
    terms,
)


@pytest.mark.parametrize("reason", ["damaged", "wrong_item", "missing"])
@pytest.mark.parametrize(
    ("at", "ok"),
    [
        (ARRIVED, True),
        # The day of the delivery isn't counted, and the last day is a whole one.
        (MIDNIGHT - A_MOMENT, True),
        (MIDNIGHT, False),
    ],
)
def test_a_window_ends_with_its_last_day_where_the_customer_lives(
    reason: str, at: datetime, ok: bool
) -> None:
    assert judged(claim(reason), at) == (f"terms.{reason}" if ok else "window.over")


@pytest.mark.parametrize(
    ("reason", "days"),
    [("damaged", "damage_days"), ("wrong_item", "wrong_item_days"), ("missing", "missing_days")],
)
def test_each_reason_has_a_window_of_its_own(reason: str, days: str) -> None:
    none: dict[str, Any] = dict.fromkeys(("damage_days", "wrong_item_days", "missing_days"), 0)
    assert judged(claim(reason), **none) == "window.over"
    assert judged(claim(reason), **{**none, days: 14}) == f"terms.{reason}"


def test_a_day_is_one_of_the_customers_own_country() -> None:
    late = datetime(2026, 11, 19, 7, 59, tzinfo=UTC)
    # It is still the 18th in California and on Hawaii, and long over in Japan.
    in_us = claim("damaged", zones=zones_of("US"))
    in_japan = claim("damaged", zones=zones_of("JP"))
    assert [judged(in_us, late), judged(in_japan, late)] == ["terms.damaged", "window.over"]


def test_a_country_with_several_zones_counts_by_the_one_that_lasts_longest() -> None:
    wish = claim("damaged", zones=(ZoneInfo("Asia/Tokyo"), OSLO))
    assert judged(wish, MIDNIGHT - A_MOMENT) == "terms.damaged"
    assert zones_of("XX") == ()


@pytest.mark.parametrize("status", ["created", "in_transit", "out_for_delivery", "failure"])
def test_what_has_not_arrived_is_neither_damaged_nor_wrong_nor_missing(status: str) -> None:
    way = parcel(status=status)
    found = [judged(claim(reason, item(way))) for reason in ("damaged", "missing", "wrong_item")]
    assert found == ["parcel.not_delivered"] * 3
    assert judged(claim("missing", item(parcel(), way))) == "parcel.not_delivered"
    assert judged(claim("missing", item(), item(way))) == "parcel.not_delivered"


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (claim("damaged", item(parcel(None))), "parcel.no_time"),
        (claim("damaged", Item(7, "MUG-1", ())), "parcel.none"),
        (Claim("damaged", (), (), (OSLO,)), "claim.empty"),
        # The carrier's loss is a person's matter, as is a word that we don't know.
        (claim("lost"), "claim.lost"),
        (claim("goodwill"), "claim.reason"),
        (claim("because"), "claim.reason"),
    ],
)
def test_what_nobody_can_prove_is_a_persons(wish: Claim, code: str) -> None:
    assert judged(wish) == code


def test_the_last_parcel_of_a_line_starts_its_window_and_each_line_has_its_own() -> None:
    old, new = parcel(ARRIVED - timedelta(days=20)), parcel()
    assert judged(claim("damaged", item(old, new))) == "terms.damaged"
    assert judged(claim("damaged", item(old), item(new))) == "window.over"


def test_what_was_said_in_time_holds_however_long_the_answer_takes() -> None:
    wish = claim("damaged", heard=[MIDNIGHT - A_MOMENT])
    assert judged(wish, MIDNIGHT + timedelta(days=9)) == "terms.damaged"
    # What was written before the delivery, or long ago, was about something else.
    assert judged(claim("damaged", heard=[ARRIVED - A_MOMENT]), MIDNIGHT) == "window.over"
    assert judged(wish, MIDNIGHT + timedelta(days=31)) == "window.over"


def test_shipping_goes_back_with_a_whole_order_that_was_faulty() -> None:
    assert judged(claim("damaged", shipping=True, whole_order=True)) == "terms.damaged"
    assert judged(claim("damaged", shipping=True)) == "shipping.part"


@pytest.mark.parametrize(
    ("reason", "fields", "answer"),
    [
        ("damaged", {"amount_minor": 5000}, "terms.damaged"),
        ("damaged", {"amount_minor": 5001}, "photo.missing"),
        ("wrong_item", {"amount_minor": 5001}, "photo.missing"),
        ("damaged", {"amount_minor": 5001, "photos": 1}, "terms.damaged"),
        # Small claims on one order add up.
        ("damaged", {"amount_minor": 2000, "given_minor": 3001}, "photo.missing"),
        # Nobody can photograph what isn't there, and no amount was said for yen.
        ("missing", {"amount_minor": 9000}, "terms.missing"),
        ("damaged", {"amount_minor": 9000, "currency": "JPY"}, "terms.damaged"),
    ],
)
def test_a_photo_is_asked_for_above_an_amount(reason: str, fields: dict[str, Any], answer: str) -> None:
    assert judged(claim(reason, **fields), photo_above={"EUR": 5000}) == answer


def test_somebody_looks_at_a_photo_and_at_nothing_else() -> None:
    looks = [
        entitled(claim("damaged", amount_minor=minor, photos=1), terms(photo_above={"EUR": 5000}), NOW)
        for minor in (5000, 5001)
    ]
    assert [isinstance(answer, Grant) and answer.look for answer in looks] == [False, True]


@pytest.mark.parametrize(
    ("refund_on", "stage", "answer"),
    [
        ("scan", Stage.ASKED, "return.not_sent"),
        ("scan", Stage.ON_ITS_WAY, "terms.returned"),
        ("receipt", Stage.ASKED, "return.not_sent"),
        ("receipt", Stage.ON_ITS_WAY, "return.in_transit"),
        ("receipt", Stage.RECEIVED, "terms.returned"),
        ("inspection", Stage.ON_ITS_WAY, "return.in_transit"),
        ("inspection", Stage.RECEIVED, "return.not_inspected"),
        ("inspection", Stage.INSPECTED, "terms.returned"),
    ],
)
def test_the_money_of_a_return_goes_back_when_the_terms_say(
    refund_on: str, stage: Stage, answer: str
) -> None:
    assert judged(returned(Back(stage, BACK.asked_at)), refund_on=refund_on) == answer


def test_a_withdrawal_waits_for_the_goods_and_for_no_inspection() -> None:
    came, way = (
        returned(Back(stage, BACK.asked_at), country="DE") for stage in (Stage.RECEIVED, Stage.ON_ITS_WAY)
    )
    assert judged(came, refund_on="inspection") == "terms.withdrawal"
    assert judged(way, refund_on="inspection") == "return.in_transit"
    assert judged(way, refund_on="scan") == "terms.withdrawal"


def test_a_return_entitles_to_what_it_holds() -> None:
    assert judged(claim("returned")) == "return.none"
    assert judged(claim("returned", item(back=BACK), item())) == "return.none"
    unnamed = Back(Stage.INSPECTED, BACK.asked_at, whole=True)
    # A return that names no lines proves a whole order: sending back the cheap thing pays for no dear one.
    assert judged(returned(unnamed)) == "return.none"
    assert judged(returned(unnamed, whole_order=True)) == "terms.returned"
    assert judged(claim("damaged", item(back=BACK)), MIDNIGHT) == "window.over"


def test_the_furthest_behind_of_several_returns_counts() -> None:
    behind = item(back=Back(Stage.ASKED, BACK.asked_at))
    assert judged(claim("returned", item(back=BACK), behind)) == "return.not_sent"


def test_a_final_sale_takes_no_right_away_that_the_law_gives() -> None:
    sold: dict[str, Any] = {"item": {"sku": "sale-mug"}}
    assert judged(returned(**sold), final_sale=["SALE-*"]) == "goods.final_sale"
    assert judged(returned(**sold, country="DE"), final_sale=["SALE-*"]) == "terms.withdrawal"
    assert judged(returned(item={"final_sale": True})) == "goods.final_sale"
    assert judged(claim("damaged", item(sku="SALE-MUG")), final_sale=["SALE-*"]) == "terms.damaged"


@pytest.mark.parametrize("country", ["DE", "US"])
def test_a_person_looks_at_the_seal_of_hygiene_goods(country: str) -> None:
    sold: dict[str, Any] = {"item": {"sku": "EARRING-2"}, "country": country}
    assert judged(returned(**sold), hygiene=["EARRING-?"]) == "goods.hygiene"
    assert judged(claim("damaged", item(sku="EARRING-2")), hygiene=["EARRING-?"]) == "terms.damaged"
    # What has no SKU may be anything, once some goods are special.
    unknown: dict[str, Any] = {"item": {"sku": ""}, "country": country}
    assert judged(returned(**unknown), hygiene=["EARRING-?"]) == "goods.no_sku"
    assert judged(returned(**unknown), final_sale=["SALE-*"]) == "goods.no_sku"


@pytest.mark.parametrize(
    ("at", "answer"), [(MIDNIGHT - A_MOMENT, "terms.goodwill"), (MIDNIGHT, "window.over")]
)
def test_goodwill_has_a_window_of_its_own_whatever_reason_stands_beside_it(at: datetime, answer: str) -> None:
    for reason in ("goodwill", "returned", "lost"):
        assert judged(claim(reason, goodwill_percent=10), at, damage_days=0) == answer


def test_a_shop_may_give_no_goodwill_at_all() -> None:
    assert judged(claim("goodwill", goodwill_percent=1), goodwill_days=None) == "goodwill.none"
    assert judged(claim("goodwill", goodwill_percent=1, shipping=True)) == "shipping.part"


def test_a_return_by_choice_needs_its_parcel_and_its_window() -> None:
    assert judged(claim("returned", item(parcel(None), back=BACK))) == "parcel.no_time"
    two = (item(parcel(ARRIVED - timedelta(days=30)), back=BACK), item(back=BACK))
    assert judged(claim("returned", *two)) == "window.return"


def test_a_grant_says_its_rule_with_its_values_and_what_it_covers() -> None:
    wish = returned(
        country="DE", whole_order=True, shipping=True, shipping_paid_minor=490, shipping_left_minor=490
    )
    grant = entitled(wish, terms(return_shipping="shop"), NOW)
    assert grant == Grant(
        "terms.withdrawal",
        {
            "arrived": "2026-11-04",
            "until": "2026-11-18",
            "days": 14,
            "country": "DE",
            "return_shipping": "shop",
        },
        lines=(7,),
        shipping=True,
    )
    assert "within 14 days (DE)" in grant.sentence
    assert "the last day is 18 Nov 2026" in grant.sentence


def test_every_grant_and_refusal_has_a_sentence_for_staff() -> None:
    values: dict[str, str | int] = {
        "arrived": "2026-11-04",
        "until": "2026-11-18",
        "days": 14,
        "country": "DE",
        "currency": "EUR",
        "percent": 10,
        "above_minor": 5000,
        "standard_minor": 490,
        "kept_minor": 490,
        "unnamed_minor": 500,
    }
    for code in (*GRANTS, *REFUSALS):
        sentence = Refusal(code, values).sentence
        assert sentence.endswith(".")
        assert "%(" not in sentence
    assert "€50.00" in Refusal("photo.missing", values).sentence
    assert set(NOT_YET.values()) < set(REFUSALS)
    assert Refusal("nothing.known").sentence == ""


@pytest.mark.parametrize(
    "change",
    [
        {"withdrawal": {"DE": 13}}, {"withdrawal": {"GB": 7}}, {"withdrawal": {"de": 14}},
        {"withdrawal": {"CH": 0}}, {"return_days": -1}, {"return_days": 30.0}, {"return_days": True},
        {"goodwill_days": 3651}, {"final_sale": ["sale"]}, {"final_sale": "SALE-1"}, {"hygiene": [""]},
        {"refund_on": "never"}, {"return_shipping": ""}, {"standard_shipping": {"EURO": 1}},
        {"standard_shipping": {"EUR": 4.9}}, {"photo_above": {"EUR": -1}}, {"photos": 1},
    ],
)  # fmt: skip
def test_what_no_shop_can_promise_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        terms(**change)


def test_a_shop_may_promise_more_than_the_law() -> None:
    assert terms(withdrawal={"DE": 30, "CH": 7}).withdrawal == {"DE": 30, "CH": 7}
    assert set(EU) < set(terms().withdrawal)
