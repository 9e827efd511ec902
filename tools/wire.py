"""The one way out to vendors: deadlines, retries, logs, and the mapping of all that can fail onto tools.errors."""

from __future__ import annotations

import atexit
import logging
import os
import random
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import cache
from uuid import UUID

import httpx
import structlog
from django.db import connections

from tools.errors import ContractDrift, InvalidArgs, OutcomeUnknown, Refused, ToolError, Unavailable

log = structlog.get_logger(__name__)
# httpx logs whole addresses, and Slack's is a secret.
logging.getLogger("httpx").setLevel(logging.WARNING)

USER_AGENT = "opsagent/0.1"
TIMEOUT = httpx.Timeout(5.0, read=10.0)
DEADLINE_SECONDS = 20.0
RETRIES = 2
LONGEST_SLEEP_SECONDS = 8.0
LARGEST_ANSWER = 4 * 1024 * 1024

NUMBER = re.compile(r"^-?\d{1,9}(?:\.\d{1,9})?$", re.ASCII)
# These say that nothing was executed, as does 503 with Retry-After.
NOT_EXECUTED = frozenset({425, 429})
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
OUR_FAULT = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL)


class Kind(StrEnum):
    """What may be done again: reads always, idempotent writes with the same key and bytes, unsafe ones never."""

    READ = "read"
    IDEMPOTENT_WRITE = "idempotent_write"
    UNSAFE_WRITE = "unsafe_write"


@dataclass(frozen=True)
class Answer:
    """A complete reply; its body is bytes, since only the adapter knows what it should be."""

    status: int
    headers: httpx.Headers
    body: bytes


def _no_verdict(call: Call, answer: Answer) -> ToolError | None:
    return None


@dataclass(frozen=True)
class Call:
    """One request to a vendor, sent with the same bytes at each attempt.

    `judge` sees an answer of any status first and names the error that the vendor hides in it (Shopify's THROTTLED
    comes with 200); None leaves it to the status. `cost` is what the call takes from the vendor's rate budget.
    """

    vendor: str
    operation: str
    shop: str
    kind: Kind
    method: str
    url: str
    correlation_id: UUID
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes = field(default=b"", repr=False)
    judge: Callable[[Call, Answer], ToolError | None] = _no_verdict
    deadline_seconds: float = DEADLINE_SECONDS
    cost: float = 1.0


@dataclass(frozen=True)
class Pace:
    """Time and chance, replaceable in tests; `uniform(low, high)` gives the jitter."""

    sleep: Callable[[float], None] = time.sleep
    uniform: Callable[[float, float], float] = random.uniform
    monotonic: Callable[[], float] = time.monotonic


class _State(threading.local):
    """What a test has put in place of the network and of time, in its own thread alone."""

    transport: httpx.BaseTransport | None = None
    pace: Pace = Pace()


_state = _State()
_clients: dict[tuple[int, str], httpx.Client] = {}
_clients_lock = threading.Lock()


@contextmanager
def transport_override(transport: httpx.BaseTransport, pace: Pace | None = None) -> Iterator[None]:
    """Answers all calls of this thread by another transport (httpx.MockTransport), with another pace if given."""
    before = (_state.transport, _state.pace)
    _state.transport, _state.pace = transport, pace or Pace(sleep=lambda seconds: None)
    try:
        yield
    finally:
        _state.transport, _state.pace = before


def forbid_inside_transaction() -> None:
    """Raises RuntimeError inside a database transaction, so that no row stays locked while a stranger thinks.

    HTTP, SMTP, IMAP, SFTP and the language model's client all call it. The test case's own outer block doesn't count.
    """
    for connection in connections.all(initialized_only=True):
        if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
            raise RuntimeError("a network call inside a database transaction")


class Gate:
    """Asked before each attempt and told of each; this one lets everything pass.

    `before` returns, or raises Unavailable to hold the attempt back; `after` sees its answer or its error.
    """

    def before(self, call: Call) -> None:
        """Nothing stands in the way."""

    def after(self, call: Call, answer: Answer | None, error: ToolError | None) -> None:
        """Nothing is learned."""


OPEN = Gate()


def send(call: Call, gate: Gate = OPEN) -> Answer:
    """Sends a call until it is answered, refused or hopeless, and returns its 2xx answer.

    At most two retries with full jitter, within the call's deadline in seconds, never of an unsafe write. Raises
    one of the classes of tools.errors, and RuntimeError inside a transaction. Once an attempt's outcome is unknown,
    nothing but success takes that back: a later "no" may be the first attempt's own doing.
    """
    forbid_inside_transaction()
    pace = _state.pace
    ends = pace.monotonic() + call.deadline_seconds
    attempt, doubt = 0, None
    while True:
        try:
            return _attempt(call, attempt, ends, gate)
        except ToolError as error:
            doubt = error if isinstance(error, OutcomeUnknown) else doubt
            pause = _pause(call, error, attempt, ends - pace.monotonic())
            if pause is None:
                raise doubt or error from error.__cause__
        pace.sleep(pause)
        attempt += 1


def _pause(call: Call, error: ToolError, attempt: int, left: float) -> float | None:
    """Seconds until the next attempt, or None where there must be none."""
    if not isinstance(error, Unavailable | OutcomeUnknown):
        return None
    if call.kind is Kind.UNSAFE_WRITE or attempt >= RETRIES:
        return None
    pause = _state.pace.uniform(0, 0.5 * 2**attempt)
    if isinstance(error, Unavailable) and error.retry_after is not None:
        pause += error.retry_after
    return pause if pause <= min(LONGEST_SLEEP_SECONDS, left - 1) else None


def _attempt(call: Call, attempt: int, ends: float, gate: Gate) -> Answer:
    gate.before(call)
    began = _state.pace.monotonic()
    outcome, answer, error = "error", None, None
    try:
        answer = _exchange(call, ends)
        outcome = str(answer.status)
        error = call.judge(call, answer) or error_of_status(call, answer)
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict) as problem:
        outcome, error = type(problem).__name__, error_of_exception(call, problem)
        raise error from problem
    finally:
        log.info(
            "vendor_call",
            vendor=call.vendor,
            operation=call.operation,
            shop=call.shop,
            kind=str(call.kind),
            outcome=outcome,
            attempt=attempt + 1,
            milliseconds=round((_state.pace.monotonic() - began) * 1000),
            correlation_id=str(call.correlation_id),
        )
        gate.after(call, answer, error)
    if error is not None:
        raise error
    return answer


def _exchange(call: Call, ends: float) -> Answer:
    """One request and its whole answer; a body that drips past the deadline or never ends is a ReadTimeout."""
    pace = _state.pace
    left = max(0.1, ends - pace.monotonic())
    timeout = httpx.Timeout(min(5.0, left), read=min(10.0, left))
    headers = {"User-Agent": USER_AGENT, "X-Correlation-Id": str(call.correlation_id), **call.headers}
    client = _client(call.url)
    with client.stream(
        call.method, call.url, headers=headers, content=call.content or None, timeout=timeout
    ) as response:
        chunks, size = [], 0
        for chunk in response.iter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if pace.monotonic() > ends or size > LARGEST_ANSWER:
                raise httpx.ReadTimeout("the answer does not end", request=response.request)
        return Answer(response.status_code, response.headers, b"".join(chunks))


def _client(url: str) -> httpx.Client:
    """The connections to one vendor host, kept per process, for a socket must not be shared over a fork."""
    if _state.transport is not None:
        return httpx.Client(transport=_state.transport, follow_redirects=False, trust_env=False)
    parsed = httpx.URL(url)
    place = (os.getpid(), f"{parsed.scheme}://{parsed.netloc.decode('ascii')}")
    with _clients_lock:
        if place not in _clients:
            limits = httpx.Limits(max_connections=20, max_keepalive_connections=5, keepalive_expiry=5.0)
            _clients[place] = httpx.Client(
                timeout=TIMEOUT, limits=limits, follow_redirects=False, verify=_certificates()
            )
        return _clients[place]


@cache
def _certificates() -> ssl.SSLContext:
    """Made once: reading all authorities takes some 30 ms."""
    return httpx.create_ssl_context()


def close() -> None:
    """Closes this process's connections to vendors; the next call opens new ones."""
    with _clients_lock:
        mine = [place for place in _clients if place[0] == os.getpid()]
        for place in mine:
            _clients.pop(place).close()


def _after_fork() -> None:
    """A child must not inherit a lock that some thread of its parent holds."""
    global _clients_lock  # noqa: PLW0603 - there is one per process
    _clients_lock = threading.Lock()


atexit.register(close)
os.register_at_fork(after_in_child=_after_fork)


def error_of_exception(call: Call, problem: Exception) -> ToolError:
    """What an exception of httpx means for this call."""
    code = type(problem).__name__
    if isinstance(problem, NEVER_SENT):
        return Unavailable(vendor=call.vendor, operation=call.operation, code=code)
    if isinstance(problem, OUR_FAULT):
        return InvalidArgs(vendor=call.vendor, operation=call.operation, code=code)
    return lost(call, code)


def error_of_status(call: Call, answer: Answer) -> ToolError | None:
    """What a status means for this call; None for 2xx."""
    status, code = answer.status, f"http_{answer.status}"
    if 200 <= status < 300:
        return None
    retry_after = seconds_of(answer.headers)
    if status in NOT_EXECUTED or (status == 503 and retry_after is not None):
        return Unavailable(vendor=call.vendor, operation=call.operation, code=code, retry_after=retry_after)
    if 400 <= status < 500 and status != 408:
        return Refused(vendor=call.vendor, operation=call.operation, code=code)
    if status < 400 and call.kind is Kind.READ:
        return ContractDrift(code, vendor=call.vendor, operation=call.operation, field_path="status")
    return lost(call, code)


def lost(call: Call, code: str) -> ToolError:
    """A call that was sent and not answered: a read can be made again, a write may have been executed."""
    if call.kind is Kind.READ:
        return Unavailable(vendor=call.vendor, operation=call.operation, code=code)
    return OutcomeUnknown(vendor=call.vendor, operation=call.operation, code=code)


def seconds_of(headers: Mapping[str, str]) -> float | None:
    """Retry-After in seconds, from seconds or an HTTP date (RFC 9110 10.2.3); None where absent or unreadable.

    A date is compared with the answer's own Date, so that a wrong clock on either side cancels out.
    """
    text = headers.get("Retry-After", "").strip()
    if NUMBER.match(text):
        return max(0.0, float(text))
    moment = _http_date(text)
    if moment is None:
        return None
    present = _http_date(headers.get("Date", "")) or datetime.now(UTC)
    return max(0.0, (moment - present).total_seconds())


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
