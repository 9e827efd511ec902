"""Fields that are new are counted and shown; they are never an error and cost nothing while there are none."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import httpx
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pydantic import Field

from cases.models import Shop
from tests.adapters.faking import Vendor
from tests.drift.calls import call
from tests.flow.world import World, deliver
from tools import new_fields, wire
from tools.adapters.asking import ask
from tools.adapters.replies import Reply
from tools.models import NewField
from tools.new_fields import MOST_PATHS, count_new_fields, unknown


class Line(Reply):
    sku: str


class Refund(Reply):
    id: str


class Failure(Reply):
    code: int
    reason: str


class Thing(Reply):
    also_known: ClassVar[frozenset[str]] = frozenset({"created"})

    id: str
    amount: int
    sender: str = Field(default="", alias="from")
    lines: tuple[Line, ...] = ()
    inner: Line | None = None
    outcome: Refund | Failure | None = None
    metadata: dict[str, str] = {}
    receipt: Any = None


GOOD = {"id": "th_1", "amount": 1}


def paths(**more: Any) -> list[str]:
    return sorted(unknown({**GOOD, **more}, Thing))


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({}, []),
        ({"created": 1}, []),  # known, and not read
        ({"from": "x"}, []),
        ({"sender": "x"}, ["sender"]),  # our own name is not the vendor's
        ({"fee": 1}, ["fee"]),
        ({"lines": [{"sku": "a"}, {"sku": "b", "weight": 1}]}, ["lines.*.weight"]),
        ({"inner": {"sku": "a", "weight": {"unit": "kg"}}}, ["inner.weight"]),
        ({"inner": None, "lines": None}, []),
        ({"outcome": {"code": 1, "reason": "x", "hint": "y"}}, ["outcome.hint"]),  # the union's fitting part
        ({"metadata": {"anything": "goes"}}, []),
        ({"receipt": {"anything": {"goes": 1}}}, []),
        ({"ines@customer.example": 1}, ["key(21)"]),  # a key may be an address
    ],
)
def test_what_neither_model_nor_version_knows_is_new(more: dict[str, Any], found: list[str]) -> None:
    assert paths(**more) == found


def answer(**more: Any) -> bytes:
    return json.dumps({**GOOD, **more}).encode()


def test_a_new_field_is_counted_and_the_answer_is_used(shop: Shop) -> None:
    with wire.transport_override(Vendor(httpx.Response(200, content=answer(fee=3))).transport):
        assert ask(call(), Thing, lambda thing: thing.amount) == 1
    row = NewField.objects.get()
    assert (row.vendor, row.operation, row.field_path, row.count) == ("stripe", "thing", "fee", 1)


def test_an_answer_without_news_costs_no_query(shop: Shop) -> None:
    with CaptureQueriesContext(connection) as captured:
        count_new_fields(call(), Thing, answer())
    assert len(captured) == 0


def test_a_field_that_stays_new_costs_no_query_either(shop: Shop) -> None:
    count_new_fields(call(), Thing, answer(fee=1))
    with CaptureQueriesContext(connection) as captured:
        for _ in range(5):
            count_new_fields(call(), Thing, answer(fee=1))
    assert len(captured) == 0


def test_what_was_counted_meanwhile_goes_along_with_the_next_writing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        count_new_fields(call(), Thing, answer(fee=1))
    monkeypatch.setattr(new_fields, "WRITE_EVERY_SECONDS", -1.0)
    count_new_fields(call(), Thing, answer(fee=1))
    assert NewField.objects.get().count == 4


def test_another_process_counts_on(shop: Shop) -> None:
    count_new_fields(call(), Thing, answer(fee=1))
    new_fields.forget()
    count_new_fields(call(), Thing, answer(fee=1, tax=1))
    assert dict(NewField.objects.values_list("field_path", "count")) == {"fee": 2, "tax": 1}


def test_an_operation_keeps_a_bounded_number_of_new_fields(shop: Shop) -> None:
    for start in (0, 40, 80):
        count_new_fields(call(), Thing, answer(**{f"field_{start + n}": 1 for n in range(40)}))
        new_fields.forget()
    assert NewField.objects.count() <= MOST_PATHS
    assert NewField.objects.count() >= 40


def test_a_shop_that_is_not_there_loses_the_count_and_not_the_answer(db: None) -> None:
    count_new_fields(call(shop="nowhere"), Thing, answer(fee=3))
    assert not NewField.objects.exists()


def test_what_a_webhook_has_more_than_we_read_is_not_new(world: World) -> None:
    order = world.sold(world.customer())
    for step in (world.order_step(order, surcharge="1.00"), world.charge_step(order)):
        deliver(step)
    assert not NewField.objects.exists()
