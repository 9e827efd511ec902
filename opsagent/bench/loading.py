"""Posts prepared requests over a few kept connections, as fast as the answers come.

Raw sockets in one thread, because a client library would take more of the machine than the servers that it measures.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

ANSWER_SECONDS = 30.0
READ_BYTES = 65536


@dataclass
class Load:
    """What came of one round. `seconds` holds how long each answer took; `answers` counts them by status."""

    took: float = 0.0
    seconds: list[float] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        return len(self.seconds) / self.took


@dataclass
class _Line:
    connection: socket.socket
    sent_at: float = 0.0
    answer: bytes = b""


def request(path: str, headers: dict[str, str], body: bytes, host: str = "127.0.0.1") -> bytes:
    """One POST as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def post(port: int, requests: Sequence[bytes], connections: int) -> Load:
    """Post all of them to a server of this machine; raises TimeoutError when it falls silent."""
    load, left = Load(), iter(requests)
    with selectors.DefaultSelector() as selector:
        for _ in range(min(connections, len(requests))):
            line = _Line(socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS))
            line.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(line.connection, selectors.EVENT_READ, line)
        began = time.perf_counter()
        for key in list(selector.get_map().values()):
            _send(selector, key.data, left)
        while selector.get_map():
            ready = selector.select(ANSWER_SECONDS)
            if not ready:
                raise TimeoutError(f"No answer within {ANSWER_SECONDS:.0f} seconds.")
            for key, _events in ready:
                _receive(selector, key.data, left, load)
        load.took = time.perf_counter() - began
    return load


def _send(selector: selectors.BaseSelector, line: _Line, left: Iterator[bytes]) -> None:
    following = next(left, None)
    if following is None:
        selector.unregister(line.connection)
        line.connection.close()
        return
    line.answer, line.sent_at = b"", time.perf_counter()
    line.connection.sendall(following)


def _receive(selector: selectors.BaseSelector, line: _Line, left: Iterator[bytes], load: Load) -> None:
    piece = line.connection.recv(READ_BYTES)
    if not piece:
        raise ConnectionError("The server hung up.")
    line.answer += piece
    if not whole(line.answer):
        return
    load.seconds.append(time.perf_counter() - line.sent_at)
    load.answers[int(line.answer[9:12])] += 1
    _send(selector, line, left)


def whole(answer: bytes) -> bool:
    """Whether these bytes are a full HTTP/1.1 answer."""
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    headers = head.lower()
    if b"transfer-encoding: chunked" in headers:
        return body.endswith(b"0\r\n\r\n")
    _before, named, after = headers.partition(b"content-length:")
    return not named or len(body) >= int(after.split(b"\r\n", 1)[0])
