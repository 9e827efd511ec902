"""What every failure means: each exception and each status lands in one row of the table that the module draws."""

import re
import socket
import ssl
import zlib
from collections.abc import Iterator

import h11
import httpcore
import httpx
import pytest

from tests.adapters.faking import Vendor, call
from tools import errors as tree
from tools import wire
from tools.errors import HeldBack, OutcomeUnknown, Refused, ToolError, Unavailable
from tools.wire import Answer, Kind
from tools.wire import errors as meaning

READ, SAFE, UNSAFE = Kind.READ, Kind.IDEMPOTENT_WRITE, Kind.UNSAFE_WRITE
NOT_A_REQUEST, NEVER_SENT, LOST = "not a request", "never sent", "sent and lost"

EXCEPTIONS: dict[type[Exception], str] = {
    httpx.ConnectError: NEVER_SENT,
    httpx.ConnectTimeout: NEVER_SENT,
    httpx.PoolTimeout: NEVER_SENT,
    httpx.ProxyError: NEVER_SENT,
    httpx.UnsupportedProtocol: NOT_A_REQUEST,
    httpx.LocalProtocolError: NOT_A_REQUEST,
    httpx.InvalidURL: NOT_A_REQUEST,
    httpx.ReadTimeout: LOST,
    httpx.WriteTimeout: LOST,
    httpx.ReadError: LOST,
    httpx.WriteError: LOST,
    httpx.CloseError: LOST,
    httpx.RemoteProtocolError: LOST,
    httpx.DecodingError: LOST,
    httpx.TooManyRedirects: LOST,
    httpx.HTTPStatusError: LOST,
    httpx.CookieConflict: LOST,
    httpx.StreamConsumed: LOST,
    httpx.StreamClosed: LOST,
    httpx.ResponseNotRead: LOST,
    httpx.RequestNotRead: LOST,
    # Nobody raises these roots themselves; a new leaf that we don't know yet is one of them, and means the worst.
    httpx.HTTPError: LOST,
    httpx.RequestError: LOST,
    httpx.TransportError: LOST,
    httpx.TimeoutException: LOST,
    httpx.NetworkError: LOST,
    httpx.ProtocolError: LOST,
    httpx.StreamError: LOST,
}

# What can get past httpx, with what it means before the first byte; after it, all of them mean an answer lost.
PAST_HTTPX: dict[Exception, str] = {
    httpcore.ConnectError("no"): NEVER_SENT,
    httpcore.ReadError("no"): NEVER_SENT,
    httpcore.ConnectionNotAvailable(): NEVER_SENT,
    h11.LocalProtocolError("no"): NEVER_SENT,
    h11.RemoteProtocolError("no"): NEVER_SENT,
    ssl.SSLError("no"): NEVER_SENT,
    ssl.SSLCertVerificationError("no"): NEVER_SENT,
    socket.gaierror("no"): NEVER_SENT,
    ConnectionResetError(): NEVER_SENT,
    OSError(24, "too many open files"): NEVER_SENT,
    RuntimeError("the client has been closed"): NEVER_SENT,
    MemoryError(): NEVER_SENT,
    KeyError("no"): NEVER_SENT,
    zlib.error("no"): NEVER_SENT,
    ValueError("no"): NOT_A_REQUEST,
    UnicodeError("label too long"): NOT_A_REQUEST,
    TypeError("a header that is no text"): NOT_A_REQUEST,
}


def drawn() -> dict[str, dict[Kind, str]]:
    """The table in the module's docstring."""
    rows = re.findall(r"^    (\S.*?)  +(\w+) +(\w+) +(\w+)$", meaning.__doc__ or "", re.MULTILINE)
    return {row[0]: dict(zip((READ, SAFE, UNSAFE), row[1:], strict=True)) for row in rows[1:]}


def row_of(status: int, retry_after: str | None) -> str:
    if 200 <= status < 300:
        return "2xx"
    if status in (425, 429) or (status == 503 and retry_after):
        return "425, 429, 503 with Retry-After"
    if status == 408 or status >= 500:
        return "408, 500 and above"
    return "other 4xx" if status >= 400 else "below 200, 3xx"


def descendants(root: type[Exception]) -> Iterator[type[Exception]]:
    yield root
    for child in root.__subclasses__():
        yield from descendants(child)


def made(kind: type[Exception]) -> Exception:
    if kind is httpx.HTTPStatusError:
        request = httpx.Request("GET", "https://acme.example")
        return httpx.HTTPStatusError("no", request=request, response=httpx.Response(500, request=request))
    if issubclass(kind, httpx.StreamError) and kind is not httpx.StreamError:
        return kind()  # type: ignore[call-arg]  # only the base class wants a message
    return kind("made up")


def failure(vendor: Vendor, kind: Kind = READ) -> ToolError:
    with wire.transport_override(vendor.transport), pytest.raises(ToolError) as caught:
        wire.send(call(kind))
    return caught.value


def test_the_table_has_a_row_for_everything() -> None:
    statuses = {row_of(status, wish) for status in range(100, 1000) for wish in (None, "7")}
    assert set(drawn()) == {NOT_A_REQUEST, NEVER_SENT, LOST} | statuses


def test_the_table_speaks_of_classes_of_the_tree_alone() -> None:
    named = {name for row in drawn().values() for name in row.values()} - {"Answer"}
    assert all(issubclass(getattr(tree, name), ToolError) for name in named)


def test_every_exception_of_the_http_library_has_a_row() -> None:
    roots = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, httpx.CookieConflict)
    known = {kind for root in roots for kind in descendants(root) if kind.__module__ == "httpx"}
    assert known == set(EXCEPTIONS)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("problem", EXCEPTIONS, ids=lambda problem: problem.__name__)
def test_a_failed_request_means_what_its_row_says(problem: type[Exception], kind: Kind) -> None:
    assert type(failure(Vendor(made(problem)), kind)).__name__ == drawn()[EXCEPTIONS[problem]][kind]


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("problem", PAST_HTTPX, ids=lambda problem: type(problem).__name__)
def test_what_gets_past_the_http_library_means_what_the_first_byte_says(
    problem: Exception, kind: Kind
) -> None:
    before = meaning.error_of_exception(call(kind), problem, sent=False)
    after = meaning.error_of_exception(call(kind), problem, sent=True)
    assert type(before).__name__ == drawn()[PAST_HTTPX[problem]][kind]
    assert type(after).__name__ == drawn()[LOST][kind]


@pytest.mark.parametrize("wish", [None, "7", "soon"])
@pytest.mark.parametrize("kind", Kind)
def test_every_status_means_what_its_row_says(kind: Kind, wish: str | None) -> None:
    headers = httpx.Headers({} if wish is None else {"Retry-After": wish})
    readable = wish if wish == "7" else None
    for status in range(100, 1000):
        error = wire.error_of_status(call(kind), Answer(status, headers, b""))
        said = drawn()[row_of(status, readable)][kind]
        assert ("Answer" if error is None else type(error).__name__) == said, status


# How often the same bytes leave, for each row and kind; the pauses between cost no time here.
REPEATED = [
    (httpx.ConnectError("gone"), (3, 3, 3)),
    (httpx.LocalProtocolError("ours"), (1, 1, 1)),
    (httpx.ReadTimeout("lost"), (3, 3, 1)),
    (httpx.Response(429), (3, 3, 3)),  # it says that it executed nothing
    (httpx.Response(503, headers={"Retry-After": "1"}), (3, 3, 3)),
    (httpx.Response(503), (3, 3, 1)),
    (httpx.Response(408), (3, 3, 1)),
    (httpx.Response(422), (1, 1, 1)),
    (httpx.Response(302), (1, 3, 1)),  # a read that is sent elsewhere is drift
]


@pytest.mark.parametrize(("answer", "times"), REPEATED)
def test_only_what_may_be_repeated_is_repeated(
    answer: httpx.Response | Exception, times: tuple[int, int, int]
) -> None:
    for kind, expected in zip((READ, SAFE, UNSAFE), times, strict=True):
        vendor = Vendor(answer)
        failure(vendor, kind)
        assert (kind, len(vendor.asked)) == (kind, expected)
        assert len({request.content for request in vendor.asked}) == 1


@pytest.mark.parametrize(("word", "times"), [("true", 3), ("false", 1), ("perhaps", 3), ("", 3)])
def test_the_vendors_own_word_on_repeating_goes_before_the_status(word: str, times: int) -> None:
    vendor = Vendor(httpx.Response(500, headers={"Stripe-Should-Retry": word}))
    assert isinstance(failure(vendor, SAFE), OutcomeUnknown)
    assert len(vendor.asked) == times


def test_a_refusal_that_may_be_repeated_is_no_refusal() -> None:
    headers = {"Stripe-Should-Retry": "true", "Retry-After": "60"}
    error = failure(Vendor(httpx.Response(409, headers=headers)), SAFE)
    assert isinstance(error, Unavailable)
    assert (error.code, error.retry_after) == ("http_409", 60)


def test_the_word_of_the_vendor_repeats_no_unsafe_write_that_may_have_arrived() -> None:
    vendor = Vendor(httpx.Response(500, headers={"Stripe-Should-Retry": "true"}))
    assert isinstance(failure(vendor, UNSAFE), OutcomeUnknown)
    assert len(vendor.asked) == 1


def test_a_throttle_that_must_not_be_repeated_is_left_to_the_queue() -> None:
    vendor = Vendor(httpx.Response(429, headers={"Stripe-Should-Retry": "false"}))
    assert isinstance(failure(vendor, SAFE), Unavailable)
    assert len(vendor.asked) == 1


def test_a_judge_goes_before_the_status() -> None:
    with wire.transport_override(Vendor(httpx.Response(200)).transport), pytest.raises(Refused) as caught:
        wire.send(call(judge=lambda asked, answer: Refused(code="hidden_no")))
    assert caught.value.code == "hidden_no"


def test_being_held_back_is_a_kind_of_unavailable() -> None:
    assert isinstance(HeldBack(code=HeldBack.CIRCUIT_OPEN, retry_after=3), Unavailable)
