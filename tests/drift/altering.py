"""The stand-ins' own answers with one thing changed on the way, as a vendor would change it overnight."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx

Change = Callable[[dict[str, Any], str], None]


def removed(thing: dict[str, Any], name: str) -> None:
    thing.pop(name, None)


def set_to(value: object) -> Change:
    def change(thing: dict[str, Any], name: str) -> None:
        if name in thing:
            thing[name] = value

    return change


def added(thing: dict[str, Any], name: str) -> None:
    thing[name] = "new"


def at(content: Any, path: str, change: Change) -> None:
    """Changes what stands at a dotted path; `*` is every item of a list."""
    step, _, rest = path.partition(".")
    if isinstance(content, list):
        for item in content:
            at(item, rest if step == "*" else path, change)
    elif isinstance(content, dict):
        if rest:
            at(content.get(step), rest, change)
        else:
            change(content, step)


class Altered(httpx.BaseTransport):
    """Passes everything on to the stand-ins; answers to requests that hold `needle` come back changed."""

    def __init__(
        self,
        needle: str = "",
        path: str = "",
        change: Change = removed,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.inner = httpx.HTTPTransport(limits=httpx.Limits(max_keepalive_connections=0))
        self.needle, self.path, self.change, self.headers = needle, path, change, headers or {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        asked = f"{request.url} {request.read().decode()}"
        answer = self.inner.handle_request(request)
        body = answer.read()
        if self.needle not in asked:
            return httpx.Response(answer.status_code, headers=answer.headers, content=body)
        headers = httpx.Headers(answer.headers)
        headers.pop("Content-Length", None)
        headers.update(self.headers)
        if self.path:
            content = json.loads(body)
            at(content, self.path, self.change)
            body = json.dumps(content).encode()
        return httpx.Response(answer.status_code, headers=headers, content=body)
