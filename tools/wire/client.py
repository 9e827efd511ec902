"""Connections to vendors, one exchange over them, and what tests put in their place."""

from __future__ import annotations

import atexit
import logging
import os
import random
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx
from django.db import connections

from tools.wire.call import Answer, Call

# These log whole addresses and the headers of answers, and Slack's address is a secret.
for name in ("httpx", "httpcore"):
    logging.getLogger(name).setLevel(logging.WARNING)

USER_AGENT = "opsagent/0.1"
CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
LARGEST_ANSWER = 4 * 1024 * 1024


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


def pace() -> Pace:
    """This thread's time and chance."""
    return _state.pace


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


class Progress:
    """Whether a first byte of the request may have left; what fails before that was never sent."""

    sent = False

    def __init__(self, last_look: Callable[[], None] = lambda: None) -> None:
        self.last_look = last_look

    def note(self, event: str, info: object) -> None:
        """Hears of each step from httpcore (https://www.encode.io/httpcore/extensions/#trace).

        What the last look raises ends the exchange, with nothing sent.
        """
        if event.endswith("send_request_headers.started"):
            self.last_look()
            self.sent = True


def exchange(call: Call, ends: float, progress: Progress) -> Answer:
    """One request and its whole answer; a body that drips past the deadline or never ends is a ReadTimeout.

    `ends` is on the pace's monotonic clock. Raises what httpx raises, and what gets past it.
    """
    left = max(0.1, ends - _state.pace.monotonic())
    client = _client(call.url)
    request = client.build_request(
        call.method,
        call.url,
        headers={"User-Agent": USER_AGENT, "X-Correlation-Id": str(call.correlation_id), **call.headers},
        content=call.content or None,
        timeout=httpx.Timeout(min(CONNECT_SECONDS, left), read=min(READ_SECONDS, left)),
        extensions={"trace": progress.note},
    )
    # Another transport tells nothing of its steps.
    progress.sent = _state.transport is not None
    response = client.send(request, stream=True)
    try:
        return Answer(response.status_code, response.headers, _body(response, ends))
    finally:
        response.close()


def _body(response: httpx.Response, ends: float) -> bytes:
    chunks, size = [], 0
    for chunk in response.iter_bytes():
        chunks.append(chunk)
        size += len(chunk)
        if _state.pace.monotonic() > ends or size > LARGEST_ANSWER:
            raise httpx.ReadTimeout("the answer does not end", request=response.request)
    return b"".join(chunks)


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
                limits=limits, follow_redirects=False, verify=_certificates(), cookies=_no_cookies()
            )
        return _clients[place]


def _no_cookies() -> CookieJar:
    """A jar that takes none: shops share a vendor's host, and must not share a session."""
    return CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))


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
