"""The real client against a real socket: what the faked wire can't show."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count

import httpx
import pytest

from tests.adapters.faking import call
from tools import wire
from tools.errors import HeldBack, InvalidArgs, OutcomeUnknown, ToolError, Unavailable
from tools.wire import Kind
from tools.wire import client as inside

SAFE, UNSAFE = Kind.IDEMPOTENT_WRITE, Kind.UNSAFE_WRITE
pytestmark = pytest.mark.usefixtures("swift")
Talk = Callable[[socket.socket], None]


@contextmanager
def server(talk: Talk) -> Iterator[tuple[str, list[bytes]]]:
    """Its address, and what each connection was sent; `talk` answers once the request's body has come."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                try:
                    connection, _ = listening.accept()
                except TimeoutError:
                    continue
                with connection:
                    connection.settimeout(5)
                    heard.append(hear(connection))
                    talk(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1/thing", heard
        finally:
            stop.set()
            thread.join()


def hear(connection: socket.socket) -> bytes:
    """A request up to its body `{}`, or what came before the other side hung up or began to speak TLS."""
    got = b""
    while not got.endswith(b"\r\n\r\n{}") and got[:1] != b"\x16":
        piece = connection.recv(4096)
        if not piece:
            break
        got += piece
    return got


def says(*lines: str, body: bytes = b"") -> Talk:
    return lambda connection: connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def failure(url: str, kind: Kind, **changes: object) -> ToolError:
    with pytest.raises(ToolError) as caught:
        wire.send(call(kind, url=url, **changes))
    return caught.value


def test_a_vendor_that_hangs_up_after_the_request_may_have_executed_it() -> None:
    with server(lambda connection: None) as (url, heard):
        assert isinstance(failure(url, UNSAFE), OutcomeUnknown)
    assert len(heard) == 1
    assert heard[0].endswith(b"{}")


def test_a_retry_sends_the_same_bytes() -> None:
    with server(lambda connection: None) as (url, heard):
        assert isinstance(failure(url, SAFE), OutcomeUnknown)
    assert len(heard) == 3
    assert len(set(heard)) == 1


def test_half_an_answer_is_no_answer() -> None:
    half = says("HTTP/1.1 200 OK", "Content-Length: 100", body=b'{"id": ')
    with server(half) as (url, _heard):
        assert isinstance(failure(url, UNSAFE), OutcomeUnknown)


def test_an_answer_that_cannot_be_unpacked_is_no_answer() -> None:
    garbage = says("HTTP/1.1 200 OK", "Content-Encoding: gzip", "Content-Length: 4", body=b"abcd")
    with server(garbage) as (url, _heard):
        assert failure(url, UNSAFE).code == "DecodingError"


def test_words_that_are_not_http_are_no_answer() -> None:
    with server(says("SSH-2.0-OpenSSH_9.9")) as (url, _heard):
        assert isinstance(failure(url, UNSAFE), OutcomeUnknown)


def test_a_vendor_that_cannot_be_reached_was_sent_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    error = failure(f"http://127.0.0.1:{port}/", UNSAFE)
    assert isinstance(error, Unavailable)
    assert error.code == "ConnectError"


def test_a_vendor_without_tls_was_sent_nothing() -> None:
    with server(says("HTTP/1.1 400 Bad Request")) as (url, heard):
        error = failure(url.replace("http:", "https:"), UNSAFE)
    assert isinstance(error, Unavailable)
    assert not any(b"thing" in request for request in heard)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"headers": {"Idempotency-Key": "schlüssel"}}, "UnicodeEncodeError"),
        ({"headers": {"Idempotency-Key": 7}}, "TypeError"),
        ({"headers": {"Idempotency-Key": "a\r\nb: c"}}, "LocalProtocolError"),
        ({"url": f"http://{'a' * 70}.example/"}, "UnicodeError"),  # no label of a host is that long
        ({"url": "http://127.0.0.1:port/"}, "InvalidURL"),
        ({"url": "ftp://127.0.0.1/"}, "UnsupportedProtocol"),
        ({"url": "not an address"}, "UnsupportedProtocol"),
    ],
)
def test_a_request_that_is_none_is_never_sent(change: dict[str, object], code: str) -> None:
    with server(says("HTTP/1.1 200 OK", "Content-Length: 0")) as (url, heard):
        error = failure(**{"url": url, "kind": UNSAFE, **change})  # type: ignore[arg-type]
    assert isinstance(error, InvalidArgs)
    assert (error.code, b"".join(heard)) == (code, b"")


def test_a_client_that_is_closed_under_us_has_sent_nothing() -> None:
    with server(says("HTTP/1.1 200 OK", "Content-Length: 0")) as (url, heard):
        wire.send(call(UNSAFE, url=url))
        for client in inside._clients.values():
            client.close()
        error = failure(url, UNSAFE)
    assert isinstance(error, Unavailable)
    assert (error.code, len(heard)) == ("RuntimeError", 1)


class Closing(wire.Gate):
    """Lets an attempt begin, and is shut by the time that the connection stands."""

    def still(self, call: wire.Call) -> None:
        raise HeldBack(vendor=call.vendor, code=HeldBack.SWITCH)


@pytest.mark.parametrize(("each_step", "sent"), [(1.0, False), (0.0, True)])
def test_what_is_stopped_while_the_connection_is_made_has_not_left(each_step: float, sent: bool) -> None:
    """A connection may take five seconds; where it took none the gate was asked a moment ago."""
    steps = count()
    slow = wire.Pace(monotonic=lambda: next(steps) * each_step, sleep=lambda seconds: None)
    with server(says("HTTP/1.1 200 OK", "Content-Length: 0")) as (url, heard):
        with wire.transport_override(None, slow), suppress(HeldBack):  # type: ignore[arg-type]  # the real network
            wire.send(call(UNSAFE, url=url), Closing())
            assert sent
        wire.send(call(UNSAFE, url=url))
    assert [bool(request) for request in heard] == [sent, True]


def test_no_redirect_is_followed_and_no_cookie_is_kept() -> None:
    answer = says(
        "HTTP/1.1 302 Found", "Location: http://127.0.0.1:1/", "Set-Cookie: a=b", "Connection: close",
        "Content-Length: 0",
    )  # fmt: skip
    with server(answer) as (url, heard):
        failure(url, UNSAFE)
        failure(url, UNSAFE)
    assert len(heard) == 2
    assert not any(b"cookie" in request.lower() for request in heard)


def test_a_child_process_opens_connections_of_its_own() -> None:
    with server(says("HTTP/1.1 200 OK", "Content-Length: 0")) as (url, _heard):
        wire.send(call(UNSAFE, url=url))
        (place,) = inside._clients
        inside._clients[0, place[1]] = httpx.Client()  # as a parent's would look
        assert inside._client(url) is not inside._clients[0, place[1]]
        inside._clients.pop((0, place[1])).close()
