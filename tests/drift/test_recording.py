"""One row per changed field, however many see it at once; and no write while it is open."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Entry
from cases.models import Shop
from tests import factories as f
from tests.adapters.faking import CORRELATION, Vendor
from tests.drift.calls import call
from tests.flow.threads import THREADS, at_once
from tools import upstreams, wire
from tools.adapters import table
from tools.adapters.asking import ask, tell
from tools.adapters.operation import Operation
from tools.adapters.replies import Reply
from tools.errors import ContractDrift, OutcomeUnknown, ReadOnly
from tools.models import Drift
from tools.wire import Kind

BODY = json.dumps({"id": "th_1", "state": "paused", "name": "Inês Carvalho"}).encode()


class Thing(Reply):
    id: str
    amount: int


def drift(path: str = "amount", finding: str = "missing", **changes: Any) -> ContractDrift:
    facts = {"vendor": "stripe", "operation": "thing", "field_path": path, "finding": finding, **changes}
    return ContractDrift("missing", **facts)


def open_row(shop: Shop, **fields: Any) -> Drift:
    upstreams.record_drift(shop.slug, drift(**fields), BODY, correlation_id=CORRELATION)
    return Drift.objects.latest("pk")


def test_a_read_that_drifts_leaves_one_row_and_one_entry(shop: Shop) -> None:
    with wire.transport_override(Vendor(httpx.Response(200, content=BODY)).transport):
        for _ in range(3):
            with pytest.raises(ContractDrift):
                ask(call(), Thing, lambda thing: thing.amount)
    row = Drift.objects.get()
    assert (row.vendor, row.operation, row.field_path, row.finding) == (
        "stripe",
        "thing",
        "amount",
        "missing",
    )
    assert (row.count, row.state) == (3, "open")
    assert Entry.objects.filter(action="drift.found", stream="shop/north").count() == 1
    assert "Carvalho" not in row.sample


def test_a_write_that_drifts_is_unknown_and_stops_the_next_one(shop: Shop) -> None:
    vendor = Vendor(httpx.Response(200, content=BODY))
    with wire.transport_override(vendor.transport):
        with pytest.raises(OutcomeUnknown):
            ask(call(Kind.IDEMPOTENT_WRITE), Thing, lambda thing: thing.amount)
        with pytest.raises(ReadOnly):
            tell(call(Kind.IDEMPOTENT_WRITE))
    assert len(vendor.asked) == 1


def test_a_write_rests_on_readings_whose_drift_stops_it_too(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Operation("stripe", "make", Kind.IDEMPOTENT_WRITE, None, tuple, rests_on=("thing",))
    monkeypatch.setattr(table, "OPERATIONS", (write,))
    open_row(shop)
    with pytest.raises(ReadOnly) as refused:
        upstreams.refuse_while_drifting(call(Kind.IDEMPOTENT_WRITE, operation="make"))
    assert "thing amount" in str(refused.value)
    assert upstreams.open_drift(shop.pk, "stripe", "make")


def test_reads_go_out_while_a_drift_is_open(shop: Shop) -> None:
    open_row(shop)
    upstreams.refuse_while_drifting(call(Kind.READ))


@pytest.mark.parametrize(
    "other",
    [{"vendor": "other"}, {"operation": "other"}, {"shop": "south"}],
    ids=["vendor", "operation", "shop"],
)
def test_a_drift_stops_nothing_else(shop: Shop, other: dict[str, str]) -> None:
    f.make_shop("south")
    open_row(shop)
    upstreams.refuse_while_drifting(call(Kind.IDEMPOTENT_WRITE, **other))


def test_asking_before_a_write_costs_one_query(shop: Shop) -> None:
    with CaptureQueriesContext(connection) as captured:
        upstreams.refuse_while_drifting(call(Kind.IDEMPOTENT_WRITE))
    assert len(captured) == 1


def test_a_cleared_drift_that_comes_again_is_a_new_row(shop: Shop) -> None:
    first = open_row(shop)
    Drift.objects.filter(pk=first.pk).update(state="cleared", cleared_at=f.now(), cleared_by=f.make_user())
    assert open_row(shop).pk != first.pk
    assert Entry.objects.filter(action="drift.found").count() == 2


def test_every_item_of_a_list_is_the_same_drift(shop: Shop) -> None:
    for index in range(4):
        open_row(shop, path=f"lines.{index}.id")
    assert Drift.objects.get().count == 4


def test_the_unknown_value_is_told_where_it_is_a_code(shop: Shop) -> None:
    assert open_row(shop, path="state", finding="unknown_value").detail == "missing paused"
    assert "Carvalho" not in open_row(shop, path="name", finding="unknown_value").detail


def test_another_version_is_told_as_it_was_served(shop: Shop) -> None:
    served = ContractDrift(
        "v25.0",
        vendor="whatsapp",
        operation="templates",
        field_path="Facebook-Api-Version",
        finding="version",
    )
    upstreams.record_drift("north", served, b"", correlation_id=CORRELATION)
    assert Drift.objects.get().detail == "v25.0"


def test_a_drift_that_can_not_be_written_does_not_hide_the_drift_itself(db: None) -> None:
    """The shop of this call isn't in the database."""
    upstreams.record_drift("nowhere", drift(), BODY, correlation_id=CORRELATION)
    assert not Drift.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_threads_that_see_it_at_once_open_one_row(shop: Shop) -> None:
    def see(_number: int) -> None:
        for _ in range(5):
            upstreams.record_drift("north", drift(), BODY, correlation_id=CORRELATION)

    at_once(see)
    assert Drift.objects.get().count == 5 * THREADS
    assert Entry.objects.filter(action="drift.found").count() == 1
