"""The one shape of a call: what is no answer at all, what is drift, and what a write's unreadable answer means."""

import httpx
import pytest

from tests.adapters.faking import Vendor, call
from tools import wire
from tools.adapters.asking import ask
from tools.adapters.replies import Reply
from tools.errors import ContractDrift, OutcomeUnknown, ToolError, Unavailable
from tools.models import Circuit, Drift
from tools.wire import Kind

READ, SAFE, UNSAFE = Kind.READ, Kind.IDEMPOTENT_WRITE, Kind.UNSAFE_WRITE
HTML = httpx.Response(200, text="<!DOCTYPE html><h1>We'll be right back</h1>")
HALF = httpx.Response(200, text='{"id": "re')
GOOD = httpx.Response(200, json={"id": "re_1"})


class Thing(Reply):
    id: str


def asked(vendor: Vendor, kind: Kind) -> str:
    with wire.transport_override(vendor.transport):
        return ask(call(kind, vendor="stripe"), Thing, lambda thing: thing.id)


def failure(vendor: Vendor, kind: Kind) -> ToolError:
    with pytest.raises(ToolError) as caught:
        asked(vendor, kind)
    return caught.value


@pytest.mark.parametrize("page", [HTML, HALF])
@pytest.mark.parametrize(
    ("kind", "error"), [(READ, Unavailable), (SAFE, OutcomeUnknown), (UNSAFE, OutcomeUnknown)]
)
def test_a_page_for_people_is_a_lost_answer_and_no_drift(
    page: httpx.Response, kind: Kind, error: type[ToolError]
) -> None:
    told = failure(Vendor(page), kind)
    assert (type(told), told.code) == (error, "not_json")
    assert not Drift.objects.exists()
    assert Circuit.objects.get().failures == (1 if kind is UNSAFE else 3)


@pytest.mark.parametrize("kind", [READ, SAFE])
def test_an_answer_that_got_lost_in_a_page_is_fetched_again(kind: Kind) -> None:
    assert asked(Vendor(HTML, GOOD), kind) == "re_1"


def test_a_field_of_another_type_is_drift_and_says_which() -> None:
    vendor = Vendor(httpx.Response(200, json={"id": 7}))
    error = failure(vendor, READ)
    assert isinstance(error, ContractDrift)
    assert (error.field_path, len(vendor.asked)) == ("id", 1)
    assert Drift.objects.get().field_path == "id"


def test_a_write_whose_answer_has_changed_may_have_been_executed() -> None:
    error = failure(Vendor(httpx.Response(200, json={})), SAFE)
    assert isinstance(error, OutcomeUnknown)
    assert error.drift is not None


def test_a_vendor_whose_words_have_changed_is_not_ill() -> None:
    failure(Vendor(httpx.Response(200, json={})), READ)
    assert not Circuit.objects.filter(failures__gt=0).exists()
