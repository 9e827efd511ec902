"""The seeded day: exact, repeatable, varied, and mostly calm."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from opsagent.demo.plots import NOISE, PLOTS
from opsagent.demo.script import Story
from opsagent.demo.story import story

START = datetime(2026, 9, 14, 16, 30, tzinfo=UTC)


@cache
def day(seed: int = 1, events: int = 200) -> Story:
    return story(seed, events, START)


def fingerprint(told: Story) -> str:
    return hashlib.sha256(repr(told).encode()).hexdigest()


def test_the_same_seed_tells_the_same_day() -> None:
    assert fingerprint(story(7, 200, START)) == fingerprint(day(7))


def test_the_same_seed_gives_the_same_ids_and_lanes_at_any_hour() -> None:
    later = story(7, 200, START + timedelta(days=3, hours=5))
    assert [step.external_id for step in later.steps] == [step.external_id for step in day(7).steps]
    assert later.expectations == day(7).expectations


def test_another_seed_tells_another_day() -> None:
    assert fingerprint(day(7)) != fingerprint(day(8))


@pytest.mark.parametrize("events", [10, 37, 60, 61, 100, 199, 200, 201, 333, 500, 1000])
@pytest.mark.parametrize("seed", [1, 2])
def test_exactly_as_many_deliveries_as_asked_for_are_signed(seed: int, events: int) -> None:
    told = day(seed, events)
    assert sum(step.signed for step in told.steps) == events


def test_a_day_too_short_for_any_story_is_refused() -> None:
    with pytest.raises(ValueError, match="ten events"):
        story(1, 9, START)


@pytest.mark.parametrize("seed", range(1, 21))
def test_two_hundred_events_show_every_plot_and_a_calm_shop(seed: int) -> None:
    told = day(seed)
    lanes = Counter(expectation.lane for expectation in told.expectations.values())
    calm = lanes["automatic"] + lanes["waiting"]
    assert told.plots() == set(PLOTS)
    assert len(told.expectations) >= 60
    assert calm / len(told.expectations) >= 0.7
    assert set(lanes) == {"automatic", "waiting", "approval", "two_factor", "human"}


def test_a_long_day_is_calmer_still_and_mostly_nobodys_case() -> None:
    told = day(3, 2000)
    lanes = Counter(expectation.lane for expectation in told.expectations.values())
    assert (lanes["automatic"] + lanes["waiting"]) / len(told.expectations) >= 0.77
    assert len(told.expectations) <= 2000 * 0.3


def test_two_hundred_events_hold_every_kind_of_bad_delivery() -> None:
    kinds = Counter(step.kind for step in day().steps)
    for kind in (
        "duplicate",
        "conflict",
        "garbage",
        "unknown_topic",
        "early",
        "late",
        "forged",
        "supplier_feed",
    ):
        assert kinds[kind], kind
    assert set(NOISE) == {
        "out_of_order",
        "same_id_other_body",
        "cut_short",
        "unheard_of_topic",
        "stock_moved",
    }


def test_a_duplicate_repeats_a_body_and_a_conflict_does_not() -> None:
    first = {}
    for step in day(5, 500).steps:
        if step.duplicate_of is None:
            assert step.external_id not in first
            first[step.external_id] = step.body
        else:
            assert (first[step.duplicate_of] == step.body) == (step.kind == "duplicate")
            assert step.sandbox == []


def test_a_fulfilment_may_come_before_its_order_but_never_before_the_sandbox_has_both() -> None:
    known: set[int] = set()
    for step in day(5, 500).steps:
        for path, effect in step.sandbox:
            if path == "/_control/orders":
                known.add(effect["id"])
            elif path.startswith("/_control/orders/"):
                assert int(path.split("/")[4]) in known
    assert known == {order["id"] for order in day(5, 500).orders}


def test_each_message_comes_after_its_order_was_announced() -> None:
    told = day(4, 1000)
    announced: set[str] = set()
    for step in told.steps:
        if step.topic == "orders/create" and step.signed and step.kind != "garbage":
            announced.add(json.loads(step.body)["name"])
        expectation = told.expectations.get(step.story_id or "")
        if expectation and expectation.order_name:
            assert expectation.order_name in announced


def test_nothing_happened_in_the_future() -> None:
    assert all(step.simulated_at <= START for step in day(6, 1000).steps)
    days = {(START - step.simulated_at).days for step in day(6, 1000).steps}
    assert max(days) <= 45
    assert max(days) >= 30


def test_only_mail_domains_kept_for_examples_are_used() -> None:
    for step in day(2, 1000).steps:
        for domain in re.findall(rb"[\w.+-]+@([\w.-]+\w)", step.body):
            assert re.search(rb"(^|\.)example\.(com|org|net)$", domain), domain


def test_urls_lead_nowhere() -> None:
    for step in day(2, 500).steps:
        for host in re.findall(rb"https?://([\w.-]+)", step.body):
            assert re.search(rb"(^|\.)example\.(com|org|net)$", host), host


def test_customers_are_many_and_share_neither_number_nor_address() -> None:
    orders = day(9, 5000).orders
    people = {order["customer"]["id"]: order for order in orders}
    assert len({order["customer"]["email"] for order in people.values()}) == len(people)
    assert len({order["customer"]["phone"] for order in people.values()}) == len(people)
    names = {(o["customer"]["first_name"], o["customer"]["last_name"]) for o in day(9).orders}
    assert len(names) >= 55
    assert {order["shipping_address"]["country_code"] for order in orders} == {
        "US", "GB", "IE", "DE", "FR", "ES", "JP",
    }  # fmt: skip


def test_order_names_and_ids_are_unique_and_sums_add_up() -> None:
    orders = day(9, 1000).orders
    assert len({(order["shop"], order["name"]) for order in orders}) == len(orders)
    assert len({order["id"] for order in orders}) == len(orders)
    for order in orders:
        places = 0 if order["currency"] == "JPY" else 2
        assert all(
            re.fullmatch(r"\d+\.\d{2}" if places else r"\d+", line["unit_price"]) for line in order["lines"]
        )
        assert _cents(order["total"]) == _cents(order["shipping"]) + sum(
            _cents(line["unit_price"]) * line["quantity"]
            + _cents(line["tax"])
            + sum(_cents(duty["amount"]) for duty in line["duties"])
            - _cents(line["discount"])
            for line in order["lines"]
        )


def _cents(text: str) -> int:
    return int(text.replace(".", ""))


def test_all_currencies_and_languages_are_heard() -> None:
    orders = day().orders
    assert {order["currency"] for order in orders} == {"USD", "EUR", "GBP", "JPY"}
    assert {order["customer"]["locale"] for order in orders} == {"en", "de", "fr", "es", "ja"}


def test_no_body_tells_which_plot_it_belongs_to() -> None:
    told = day(3, 500)
    for step in told.steps:
        if step.story_id:
            plot = step.story_id.rpartition("-")[0].encode()
            if step.kind == "message" and b"_" in plot:
                assert plot not in step.body
            assert step.story_id.encode() not in step.body
