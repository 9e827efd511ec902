"""What every failure of a call means, how often it is tried, and what is written down about it."""

import inspect
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from django.db import transaction
from structlog.testing import capture_logs

from tests.adapters.faking import CORRELATION, Vendor, call
from tools import wire
from tools.errors import ContractDrift, InvalidArgs, OutcomeUnknown, Refused, ToolError, Unavailable
from tools.wire import Kind
from tools.wire.client import LARGEST_ANSWER

READ, SAFE, UNSAFE = Kind.READ, Kind.IDEMPOTENT_WRITE, Kind.UNSAFE_WRITE

# What was never sent may be tried again, whatever it was; what was sent and lost only if it was a read.
EXCEPTIONS: dict[type[Exception], tuple[type[ToolError], type[ToolError]]] = {
    httpx.ConnectError: (Unavailable, Unavailable),
    httpx.ConnectTimeout: (Unavailable, Unavailable),
    httpx.PoolTimeout: (Unavailable, Unavailable),
    httpx.ProxyError: (Unavailable, Unavailable),
    httpx.UnsupportedProtocol: (InvalidArgs, InvalidArgs),
    httpx.LocalProtocolError: (InvalidArgs, InvalidArgs),
    httpx.InvalidURL: (InvalidArgs, InvalidArgs),
    httpx.ReadTimeout: (Unavailable, OutcomeUnknown),
    httpx.WriteTimeout: (Unavailable, OutcomeUnknown),
    httpx.ReadError: (Unavailable, OutcomeUnknown),
    httpx.WriteError: (Unavailable, OutcomeUnknown),
    httpx.CloseError: (Unavailable, OutcomeUnknown),
    httpx.RemoteProtocolError: (Unavailable, OutcomeUnknown),
    httpx.DecodingError: (Unavailable, OutcomeUnknown),
    httpx.TooManyRedirects: (Unavailable, OutcomeUnknown),
    httpx.HTTPStatusError: (Unavailable, OutcomeUnknown),
    httpx.CookieConflict: (Unavailable, OutcomeUnknown),
    httpx.StreamConsumed: (Unavailable, OutcomeUnknown),
    httpx.StreamClosed: (Unavailable, OutcomeUnknown),
    httpx.ResponseNotRead: (Unavailable, OutcomeUnknown),
    httpx.RequestNotRead: (Unavailable, OutcomeUnknown),
}


def leaves() -> set[type[Exception]]:
    """Every exception that httpx has and nobody derives from."""
    found = {
        thing
        for _, thing in inspect.getmembers(httpx, inspect.isclass)
        if issubclass(thing, Exception) and thing.__module__ == "httpx"
    }
    return {thing for thing in found if not (set(thing.__subclasses__()) & found)}


def made(kind: type[Exception]) -> Exception:
    if kind is httpx.HTTPStatusError:
        request = httpx.Request("GET", "https://acme.example")
        return httpx.HTTPStatusError("no", request=request, response=httpx.Response(500, request=request))
    if issubclass(kind, httpx.StreamError) and kind is not httpx.StreamError:
        return kind()  # type: ignore[call-arg]  # only the base class wants a message
    return kind("made up")


def failure(vendor: Vendor, kind: Kind = READ, **changes: Any) -> ToolError:
    with wire.transport_override(vendor.transport), pytest.raises(ToolError) as caught:
        wire.send(call(kind, **changes))
    return caught.value


def test_every_exception_of_the_http_library_has_a_meaning() -> None:
    assert leaves() == set(EXCEPTIONS)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("problem", EXCEPTIONS, ids=lambda problem: problem.__name__)
def test_a_failed_request_says_what_the_caller_may_do(problem: type[Exception], kind: Kind) -> None:
    read, write = EXCEPTIONS[problem]
    assert type(failure(Vendor(made(problem)), kind)) is (read if kind is READ else write)


# A write that was answered by a redirect or a broken server may have been executed.
STATUSES: list[tuple[range, type[ToolError], type[ToolError]]] = [
    (range(300, 400), ContractDrift, OutcomeUnknown),
    (range(400, 408), Refused, Refused),
    (range(408, 409), Unavailable, OutcomeUnknown),
    (range(409, 425), Refused, Refused),
    (range(425, 426), Unavailable, Unavailable),
    (range(426, 429), Refused, Refused),
    (range(429, 430), Unavailable, Unavailable),
    (range(430, 500), Refused, Refused),
    (range(500, 600), Unavailable, OutcomeUnknown),
]


@pytest.mark.parametrize("kind", Kind)
def test_every_status_says_what_the_caller_may_do(kind: Kind) -> None:
    seen = set()
    for statuses, read, write in STATUSES:
        for status in statuses:
            answer = wire.Answer(status, httpx.Headers(), b"")
            assert type(wire.error_of_status(call(kind), answer)) is (read if kind is READ else write), status
            seen.add(status)
    assert seen == set(range(300, 600))


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


@pytest.mark.parametrize(("kind", "times"), [(READ, 3), (SAFE, 3), (UNSAFE, 1)])
def test_only_what_may_be_repeated_is_repeated(kind: Kind, times: int) -> None:
    vendor = Vendor(httpx.ReadTimeout("lost"))
    failure(vendor, kind)
    assert len(vendor.asked) == times
    assert len({request.content for request in vendor.asked}) == 1


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


def test_the_log_holds_no_address_body_or_secret() -> None:
    vendor = Vendor(httpx.Response(200, content=b"ada@example.com"))
    with capture_logs() as lines, wire.transport_override(vendor.transport):
        wire.send(call(content=b"ada@example.com", headers={"Authorization": "Bearer hush"}))
    assert [line["outcome"] for line in lines] == ["200"]
    assert not any(word in str(lines) for word in ("acme.example", "secret", "ada@", "hush"))


@pytest.mark.django_db
def test_no_network_call_leaves_inside_a_transaction() -> None:
    vendor = Vendor(httpx.Response(200))
    with wire.transport_override(vendor.transport):
        wire.send(call())
        with transaction.atomic(), pytest.raises(RuntimeError, match="inside a database transaction"):
            wire.send(call())
    assert len(vendor.asked) == 1
