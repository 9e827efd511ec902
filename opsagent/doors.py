"""The short way to the webhooks' doors: a vendor's POST needs none of what a page for staff passes through.

No session, language, message or frame matters to a signed body that is answered with a bare status. Whatever isn't
plainly such a POST (another method, a host that isn't ours, http where https is wanted) goes the whole way.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.wsgi import WSGIRequest
from django.db import DEFAULT_DB_ALIAS, connections
from django.http import HttpResponse
from django.http.request import HttpHeaders
from django.urls import Resolver404, ResolverMatch, resolve

from opsagent.unreachable import come_back, unreachable

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger(__name__)

DOORS = "/hooks/"


class Headers(Mapping[str, str]):
    """A request's headers, looked up one by one: a door wants a few of some twenty."""

    def __init__(self, environ: WSGIEnvironment) -> None:
        self.environ = environ

    def __getitem__(self, name: str) -> str:
        return str(self.environ[_key(name)])

    def __iter__(self) -> Iterator[str]:
        return iter(HttpHeaders(self.environ))

    def __len__(self) -> int:
        return len(HttpHeaders(self.environ))


@lru_cache(maxsize=256)
def _key(name: str) -> str:
    """Where WSGI keeps a header: https://peps.python.org/pep-3333/#environ-variables"""
    plain = name.upper().replace("-", "_")
    return plain if plain in HttpHeaders.UNPREFIXED_HEADERS else f"HTTP_{plain}"


class Posted(WSGIRequest):
    """A vendor's POST."""

    @cached_property
    def headers(self) -> Headers:  # type: ignore[override]
        return Headers(self.META)


class Doors:
    """A WSGI application in front of the site's own."""

    def __init__(self, site: WSGIApplication) -> None:
        self.site = site

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "POST" or not environ.get("PATH_INFO", "").startswith(DOORS):
            return self.site(environ, start_response)
        request = Posted(environ)
        if not is_ours(request):
            return self.site(environ, start_response)
        try:
            door = _door(request.path_info)
        except Resolver404:
            return self.site(environ, start_response)
        answer = _answer(request, door.func, door.kwargs)
        status = HTTPStatus(answer.status_code)
        start_response(f"{status.value} {status.phrase}", list(answer.items()))
        return [answer.content]


@lru_cache(maxsize=256)
def _door(path: str) -> ResolverMatch:
    return resolve(path)


def is_ours(request: WSGIRequest) -> bool:
    """Whether it came to one of our names, and by TLS where the site wants that."""
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return request.is_secure() or not settings.SECURE_SSL_REDIRECT


def _answer(request: WSGIRequest, view: Callable[..., HttpResponse], kwargs: dict[str, str]) -> HttpResponse:
    try:
        freshen()
        answer = view(request, **kwargs)
    except Exception as error:
        if unreachable(error):
            answer = come_back(request)
        else:
            log.exception("webhook.failed", path=request.path)
            answer = HttpResponse(status=500)
        if not (database := connections[DEFAULT_DB_ALIAS]).in_atomic_block:
            database.close_if_unusable_or_obsolete()
    answer["Content-Length"] = str(len(answer.content))
    return answer


def freshen() -> None:
    """Make sure of the thread's kept connection without asking the database.

    Between two requests a sound connection is silent: what can be read from it is its end, or a message that only
    Django's own look at it can judge.
    """
    database = connections[DEFAULT_DB_ALIAS]
    if database.in_atomic_block:
        return
    database.queries_log.clear()
    database.close_if_unusable_or_obsolete()
    if database.connection is None:
        return
    poll = select.poll()
    poll.register(database.connection.fileno(), select.POLLIN)
    # Django's own name for having asked within this request.
    database.health_check_done = not poll.poll(0)  # type: ignore[attr-defined]
