"""How a call is sent: how long it is waited, when it is given up, and what goes along."""

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from django.db import transaction

from tests.adapters.faking import CORRELATION, Vendor, call
from tools import wire
from tools.errors import OutcomeUnknown, ToolError, Unavailable
from tools.wire import Kind
from tools.wire.client import LARGEST_ANSWER

READ, SAFE, UNSAFE = Kind.READ, Kind.IDEMPOTENT_WRITE, Kind.UNSAFE_WRITE


def failure(vendor: Vendor, kind: Kind = READ, **changes: Any) -> ToolError:
    with wire.transport_override(vendor.transport), pytest.raises(ToolError) as caught:
        wire.send(call(kind, **changes))
    return caught.value


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_an_answer_of_success_comes_back_whole(status: int) -> None:
    with wire.transport_override(Vendor(httpx.Response(status, content=b"done")).transport):
        assert wire.send(call()).body == b"done"


NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        (format_datetime(NOON.replace(second=9), usegmt=True), 9.0),
        (format_datetime(NOON.replace(hour=11), usegmt=True), 0.0),  # a moment that has passed
        ("-3", 0.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("", None),
    ],
)
def test_the_vendors_wish_to_wait_is_read_as_seconds_or_date(given: str, seconds: float | None) -> None:
    headers = {"Retry-After": given, "Date": format_datetime(NOON, usegmt=True)}
    assert wire.seconds_of(headers) == seconds


def test_a_busy_vendor_that_names_a_time_executed_nothing() -> None:
    error = failure(Vendor(httpx.Response(503, headers={"Retry-After": "120"})), SAFE)
    assert isinstance(error, Unavailable)
    assert error.retry_after == 120


def test_a_refusal_is_final() -> None:
    vendor = Vendor(httpx.Response(422))
    failure(vendor)
    assert len(vendor.asked) == 1


@pytest.mark.parametrize("later", [httpx.ConnectError("gone"), httpx.Response(422), httpx.Response(429)])
def test_a_lost_answer_stays_unknown_whatever_follows_it(later: httpx.Response | Exception) -> None:
    assert isinstance(failure(Vendor(httpx.ReadTimeout("lost"), later), SAFE), OutcomeUnknown)


def test_a_lost_answer_that_is_found_again_is_success() -> None:
    with wire.transport_override(Vendor(httpx.ReadTimeout("lost"), httpx.Response(200)).transport):
        assert wire.send(call(SAFE)).status == 200


def test_the_pause_before_a_second_try_is_drawn_by_lot_and_never_long() -> None:
    slept: list[float] = []
    pace = wire.Pace(sleep=slept.append, uniform=lambda low, high: high)
    vendor = Vendor(
        httpx.Response(429, headers={"Retry-After": "2"}), httpx.Response(502), httpx.Response(200)
    )
    with wire.transport_override(vendor.transport, pace):
        wire.send(call())
    assert slept == [2.5, 1.0]


def test_eight_seconds_are_for_all_pauses_of_a_call_together() -> None:
    slept: list[float] = []
    pace = wire.Pace(sleep=slept.append, uniform=lambda low, high: 0)
    vendor = Vendor(httpx.Response(429, headers={"Retry-After": "5"}))
    with wire.transport_override(vendor.transport, pace), pytest.raises(Unavailable) as caught:
        wire.send(call())
    assert (slept, len(vendor.asked), caught.value.retry_after) == ([5], 2, 5)


def test_a_pause_that_would_outlast_the_deadline_is_not_made() -> None:
    vendor = Vendor(httpx.Response(429, headers={"Retry-After": "3"}))
    failure(vendor, deadline_seconds=3.5)
    assert len(vendor.asked) == 1


def test_a_vendor_that_wants_a_long_pause_is_left_to_the_queue() -> None:
    vendor = Vendor(httpx.Response(429, headers={"Retry-After": "9"}))
    failure(vendor)
    assert len(vendor.asked) == 1


def test_an_answer_that_drips_is_cut_off_at_the_deadline() -> None:
    clock = iter(range(0, 1000, 5))
    pace = wire.Pace(sleep=lambda seconds: None, monotonic=lambda: float(next(clock)))
    dripping = httpx.Response(200, stream=httpx.ByteStream(b"drip"))
    with wire.transport_override(Vendor(dripping).transport, pace), pytest.raises(OutcomeUnknown):
        wire.send(call(UNSAFE, deadline_seconds=8))


def test_an_endless_answer_is_not_read() -> None:
    assert isinstance(failure(Vendor(httpx.Response(200, content=b"x" * (LARGEST_ANSWER + 1)))), Unavailable)


def test_a_redirect_is_not_followed() -> None:
    vendor = Vendor(httpx.Response(302, headers={"Location": "https://elsewhere.example"}))
    failure(vendor)
    assert [request.url.host for request in vendor.asked] == ["acme.example"]


def test_every_request_carries_the_correlation_id_and_our_name() -> None:
    vendor = Vendor(httpx.Response(200))
    with wire.transport_override(vendor.transport):
        wire.send(call())
    assert vendor.asked[0].headers["X-Correlation-Id"] == str(CORRELATION)
    assert vendor.asked[0].headers["User-Agent"].startswith("opsagent/")


def test_no_network_call_leaves_inside_a_transaction() -> None:
    vendor = Vendor(httpx.Response(200))
    with wire.transport_override(vendor.transport):
        wire.send(call())
        with transaction.atomic(), pytest.raises(RuntimeError, match="inside a database transaction"):
            wire.send(call())
    assert len(vendor.asked) == 1
