"""What the web answers while PostgreSQL can't be reached: 503 with Retry-After, to people, vendors and programs.

Vendors deliver again what got no 2xx, so nothing that arrives meanwhile is lost.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import psycopg
import structlog
from django.db.utils import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.defaults import server_error

from opsagent.admin_site import site

log = structlog.get_logger(__name__)

RETRY_SECONDS = 5
# No connection, one that broke, a server that starts or stops, and no slot left: what time alone may cure.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
AWAY_STATES = ("08", "57P", "53300")
# The first is for whoever takes anything.
KINDS = ("application/json", "text/plain", "text/html")


class Unreachable:
    """Middleware that answers for a view which found no database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return come_back(request) if unreachable(error) else None


def failed(request: HttpRequest) -> HttpResponse:
    """handler500: other middleware asks the database as well, and none of it has a `process_exception`."""
    error = sys.exc_info()[1]
    return come_back(request) if error and unreachable(error) else server_error(request)


def come_back(request: HttpRequest) -> HttpResponse:
    """503 in the form that was asked for; a page that was only read is asked for again by the browser."""
    log.warning("database_unreachable", path=request.path)
    kind = request.get_preferred_type(list(KINDS)) or KINDS[0]
    sentence = _("The database can't be reached right now. Try again in a few seconds.")
    if kind == "text/html":
        names = {"site_header": site.site_header, "site_title": site.site_title}
        sent = request.method not in ("GET", "HEAD")
        page = render_to_string("admin/unreachable.html", {**names, "sent": sent})
        answer = HttpResponse(page, status=503)
        if request.method == "GET":
            answer["Refresh"] = str(RETRY_SECONDS)
    elif kind == "text/plain":
        answer = HttpResponse(f"{sentence}\n", status=503, content_type="text/plain; charset=utf-8")
    else:
        answer = JsonResponse({"error": "database_unreachable", "detail": sentence}, status=503)
    answer["Retry-After"] = str(RETRY_SECONDS)
    answer["Cache-Control"] = "no-store"
    return answer


def unreachable(error: BaseException) -> bool:
    """Whether it tells of a lost or impossible connection, itself or by what it came from."""
    return any(_tells(part) for part in _chain(error))


def _tells(error: BaseException) -> bool:
    if isinstance(error, InterfaceError | psycopg.InterfaceError):
        return True
    if not isinstance(error, OperationalError | psycopg.OperationalError):
        return False
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    # A connection that could not be made, or broke without a word, comes without a state.
    state = cause.sqlstate if isinstance(cause, psycopg.Error) else None
    return state is None or state.startswith(AWAY_STATES)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
