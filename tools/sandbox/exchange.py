"""One HTTP request and its answer, as the stand-ins see them."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from sqlite3 import Connection
from typing import Any
from urllib.parse import parse_qsl

Doc = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """One planted failure; `seconds` is how long a silent connection is held, `latency_ms` how late an answer is.

    `field` is a dotted path into the answer, `value` what is put there or into the header.
    """

    kind: str
    seconds: float = 30.0
    latency_ms: int = 0
    retry_after: str = "1"
    executes: bool = False
    field: str = ""
    value: Any = None


@dataclass(frozen=True)
class When:
    """`at` is when something happened in the vendor's world (ISO 8601, UTC), `now` the sandbox's clock in seconds.

    They differ where a story of another day is told. `told`: whoever reported the change named the instant. `events`
    are that story's own ids for Stripe's events, by type.
    """

    at: str
    now: float
    told: bool = False
    events: Mapping[str, str] | None = None

    def moved(self, at: str) -> "When":
        """The change at the instant that the thing itself tells, unless another one was named."""
        return self if self.told else replace(self, at=at)


@dataclass(frozen=True)
class Request:
    """A parsed request: `path` is what follows /{shop}/{vendor}, header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    now: datetime
    shop: str = ""
    fault: Fault | None = None

    @property
    def at(self) -> str:
        return iso(self.now)

    @property
    def when(self) -> When:
        return When(self.at, self.now.timestamp())

    @property
    def parameters(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))

    def json(self) -> Any:
        """The body as JSON; raises ValueError when it isn't."""
        return json.loads(self.body)

    def stumbles(self, kind: str) -> bool:
        return self.fault is not None and self.fault.kind == kind


@dataclass(frozen=True)
class Answer:
    """Status, body and headers that go out; Content-Length and Date are the server's.

    With `drip` the body goes out byte by byte, that many seconds apart.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    drip: float = 0.0

    @classmethod
    def json(
        cls,
        status: int,
        content: Any,
        headers: Mapping[str, str] | None = None,
        kind: str = "application/json",
    ) -> "Answer":
        body = json.dumps(content, ensure_ascii=False).encode()
        return cls(status, body, {"Content-Type": kind, **(headers or {})})

    @classmethod
    def text(cls, status: int, content: str, kind: str = "text/plain; charset=utf-8") -> "Answer":
        return cls(status, content.encode(), {"Content-Type": kind})


def no_key(request: Request) -> str | None:
    """For vendors without idempotency keys."""
    return None


def never_busy(request: Request) -> Answer:
    raise AssertionError("a vendor without idempotency keys has no request in progress under one")


@dataclass(frozen=True)
class Vendor:
    """What the server needs of a stand-in: name the operation, find its idempotency key, answer.

    `busy` answers a request whose key is still being worked on by another connection.
    """

    operation: Callable[[Request], str]
    answer: Callable[[Request, Connection], Answer]
    key: Callable[[Request], str | None] = no_key
    busy: Callable[[Request], Answer] = never_busy


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_of(seconds: float) -> str:
    return iso(datetime.fromtimestamp(seconds, UTC))


def utc(text: str) -> str:
    """The same instant, written as Shopify writes it; ValueError for no instant."""
    return iso_of(unix(text))


def unix(text: str) -> int:
    """Seconds since 1970 of an ISO 8601 moment; one without a zone is read as UTC."""
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def token(*parts: object, length: int = 24) -> str:
    """A stable id that looks like a vendor's, made from what it names."""
    return hashlib.sha256(":".join(map(str, parts)).encode()).hexdigest()[:length]
