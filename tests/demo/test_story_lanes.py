"""The amounts behind the lanes: a claim's value lies in the tier that its plot names."""

from __future__ import annotations

import base64
import csv
import io
import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from opsagent.demo.goods import SOLD_OUT
from opsagent.demo.letters import SUBJECTS
from opsagent.demo.money import minor
from opsagent.demo.people import COUNTRIES
from opsagent.demo.script import Story
from opsagent.demo.stage import line_value
from opsagent.demo.texts import LANGUAGES
from tests.demo.test_story import START, day

AUTOMATIC = {"USD": 2000, "EUR": 2000, "GBP": 2000, "JPY": 3000}
MAIN = ("wismo", "damaged", "missing", "return_wish", "angry", "legal", "distress", "stock")


def cases(told: Story, plot: str) -> list[tuple[str, dict[str, Any], str]]:
    """(story id, neutral order, text) of each case of a plot."""
    orders = {(order["shop"], order["name"]): order for order in told.orders}
    found = []
    for step in told.steps:
        if step.kind == "message" and step.story_id and step.story_id.rpartition("-")[0] == plot:
            expectation = told.expectations[step.story_id]
            found.append(
                (step.story_id, orders[expectation.shop, str(expectation.order_name)], text_of(step.body))
            )
    return found


def text_of(body: bytes) -> str:
    message = json.loads(body)
    if "TextBody" in message:
        return str(message["TextBody"])
    return str(message["entry"][0]["changes"][0]["value"]["messages"][0]["text"]["body"])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_forty_deliveries_show_every_size_of_refund(seed: int) -> None:
    plots = {story_id.rpartition("-")[0] for story_id in day(seed, 40).expectations}
    assert plots >= {f"damaged_{size}" for size in ("small", "mid", "large", "grand", "vast")}


@pytest.mark.parametrize(
    ("plot", "low", "high"),
    [
        ("damaged_small", 0, 1),
        ("damaged_mid", 1, 10),
        ("damaged_large", 10, 99),
        ("damaged_grand", 100, 250),
        ("damaged_vast", 250, 500),
        ("missing_small", 0, 1),
    ],
)
def test_a_claim_is_worth_what_its_lane_says(plot: str, low: int, high: int) -> None:
    for _, order, text in cases(day(11, 3000), plot):
        named = [
            line_value(line, order["currency"])
            for line in order["lines"]
            if any(said.lower() in text.lower() for said in _words(line["sku"], order["customer"]["locale"]))
        ]
        limit = AUTOMATIC[order["currency"]]
        assert len(named) == 1, (text, order["lines"])
        assert low * limit < named[0] <= high * limit


def _words(sku: str, language: str) -> list[str]:
    from opsagent.demo.goods import GOODS

    item = next(item for goods in GOODS.values() for item in goods if item.sku == sku)
    said = item.name(language).said
    return [said, f"den {said[4:]}"] if language == "de" and said.startswith("der ") else [said]


def test_two_of_a_cheap_set_stay_below_the_automatic_limit_though_the_line_does_not() -> None:
    found = cases(day(11, 3000), "some_broken_small")
    assert found
    for _, order, _ in found:
        line = max(order["lines"], key=lambda line: int(line["quantity"]))
        assert line["quantity"] >= 4
        assert 2 * minor(line["unit_price"], order["currency"]) <= AUTOMATIC[order["currency"]]
        assert line_value(line, order["currency"]) > AUTOMATIC[order["currency"]]


def test_a_late_return_is_late_and_a_timely_one_is_not() -> None:
    told = day(11, 3000)
    handed: dict[int, datetime] = {}
    for step in told.steps:
        for path, effect in step.sandbox:
            if path.endswith("/fulfilments") and "delivered_at" in effect:
                handed[int(path.split("/")[4])] = datetime.fromisoformat(effect["delivered_at"])
    for _, order, _ in cases(told, "return_too_late"):
        assert START - handed[order["id"]] > timedelta(days=33)
    for _, order, _ in cases(told, "return_in_time"):
        assert START - handed[order["id"]] < timedelta(days=20)


def test_refunds_made_by_hand_reach_the_sandbox_before_the_question() -> None:
    told = day(11, 3000)
    refunded = {
        path.split("/")[4] for step in told.steps for path, _ in step.sandbox if path.endswith("/refunds")
    }
    assert {str(order["id"]) for _, order, _ in cases(told, "refunded_already")} <= refunded


def test_claims_of_damage_bring_photos() -> None:
    for step in day(2, 1000).steps:
        if step.kind == "message" and (step.story_id or "").startswith("damaged_small"):
            photos = json.loads(step.body)["Attachments"]
            assert 1 <= len(photos) <= 3
            assert base64.b64decode(photos[0]["Content"]).startswith(b"\x89PNG")


def test_the_supplier_names_a_date_for_everything_that_is_sold_out() -> None:
    for step in day().steps:
        if step.kind == "supplier_feed":
            rows = list(csv.DictReader(io.StringIO(step.body.decode())))
            out = {row["sku"]: row["restock_date"] for row in rows if row["available"] == "0"}
            assert set(out) == set(SOLD_OUT[step.shop])
            assert all(START.date().isoformat() < date for date in out.values())


def test_both_feeds_of_a_shop_name_the_same_dates() -> None:
    dates: dict[str, list[list[str]]] = {"north": [], "sakura": []}
    for step in day().steps:
        if step.kind == "supplier_feed":
            rows = csv.DictReader(io.StringIO(step.body.decode()))
            dates[step.shop].append([row["restock_date"] for row in rows])
    assert all(len(pair) == 2 and pair[0] == pair[1] for pair in dates.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_topic_has_enough_wordings_in_every_language(language: str) -> None:
    letters = LANGUAGES[language].letters
    assert set(letters) == set(SUBJECTS)
    for topic, wordings in letters.items():
        assert len(set(wordings)) == len(wordings)
        assert len(wordings) >= (8 if language == "en" and topic in MAIN else 5), topic


def test_two_customers_hardly_ever_write_the_same() -> None:
    texts = [text_of(step.body) for step in day(2, 1000).steps if step.kind == "message"]
    assert len(set(texts)) / len(texts) > 0.97


def test_some_customers_leave_the_number_out() -> None:
    asked = cases(day(2, 3000), "where_is_it")
    without = [order for _, order, text in asked if order["name"][1:] not in text]
    assert 0.08 < len(without) / len(asked) < 0.5


def test_a_hidden_number_leaves_only_the_business_scoped_id() -> None:
    step = next(step for step in day().steps if step.story_id == "hidden_number-1")
    value = json.loads(step.body)["entry"][0]["changes"][0]["value"]
    assert "wa_id" not in value["contacts"][0]
    assert "from" not in value["messages"][0]
    assert value["messages"][0]["from_user_id"] == value["contacts"][0]["user_id"]


def test_every_country_speaks_a_language_that_customers_can_write() -> None:
    assert {country.language for country in COUNTRIES.values()} == set(LANGUAGES)
