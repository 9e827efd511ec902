"""What the web says while PostgreSQL is away, and that a delivery which it caught in the middle comes again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
import structlog
from django.db import connection
from django.db.utils import DataError, IntegrityError, InterfaceError, OperationalError
from django.test import Client
from psycopg import errors

from cases.models import Case, InboundEvent, Message
from opsagent.demo.player import hook_path, signed_headers
from opsagent.demo.script import Step
from opsagent.unreachable import RETRY_SECONDS, unreachable
from opsagent.watch import Watch
from tests import factories
from tests.flow.world import SECRETS, World, queued
from tests.signing import sign_in

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PAGES = ("/admin/", "/admin/login/", "/admin/cases/case/", "/admin/search/?q=anna")

together = pytest.mark.django_db(transaction=True)


@pytest.fixture
def web() -> Client:
    return Client(raise_request_exception=False)


@contextmanager
def away() -> Iterator[None]:
    """Nobody listens at the database's port."""
    known = connection.settings_dict["PORT"]
    connection.close()
    connection.settings_dict["PORT"] = "1"
    try:
        yield
    finally:
        connection.settings_dict["PORT"] = known
        connection.close()


@contextmanager
def cut_after(queries: int, database_url: str) -> Iterator[None]:
    """The server ends our connection right after the query of that number."""
    done = 0

    def count(execute: Callable[..., Any], *asked: Any) -> Any:
        nonlocal done
        answer = execute(*asked)
        done += 1
        if done == queries:
            with psycopg.connect(database_url) as other:
                other.execute(
                    "SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid]
                )
        return answer

    connection.ensure_connection()
    with connection.execute_wrapper(count):
        yield
    connection.close()


def delivered(web: Client, step: Step) -> Any:
    content = {"data": step.body, "content_type": "application/json"}
    return web.post(hook_path(step), **content, headers=signed_headers(step, SECRETS))  # type: ignore[arg-type]


def asks_to_come_back(answer: Any) -> bool:
    return (answer.status_code, answer.headers.get("Retry-After")) == (503, str(RETRY_SECONDS))


@together
def test_a_delivery_is_asked_to_come_back_and_then_taken(world: World, web: Client) -> None:
    step = world.mail(world.customer(), "Where is my parcel?")
    with away():
        answer = delivered(web, step)
    assert asks_to_come_back(answer)
    assert json.loads(answer.content)["error"] == "database_unreachable"
    assert delivered(web, step).status_code == 200
    assert (InboundEvent.objects.count(), Message.objects.count(), Case.objects.count()) == (1, 1, 1)


@together
def test_a_connection_cut_after_any_query_of_a_delivery_loses_and_doubles_nothing(
    world: World, web: Client, database_url: str
) -> None:
    step = world.mail(world.customer(), "Where is my parcel?")
    refused = 0
    for place in range(1, 200):
        with cut_after(place, database_url):
            answer = delivered(web, step)
        if answer.status_code == 200:
            break
        assert asks_to_come_back(answer), (place, answer.status_code)
        assert not InboundEvent.objects.exists()
        assert queued() == []
        refused += 1
    assert refused > 10
    assert (InboundEvent.objects.count(), Message.objects.count(), Case.objects.count()) == (1, 1, 1)
    assert len(queued()) == 1


@together
def test_people_read_a_page_that_asks_again_by_itself(world: World, web: Client) -> None:
    sign_in(web, factories.make_user(roles=["agent"]))
    for path in PAGES:
        with away():
            answer = web.get(path, headers=BROWSER)
        assert asks_to_come_back(answer), path
        assert answer["Refresh"] == str(RETRY_SECONDS)
        assert answer["Cache-Control"] == "no-store"
        assert "script-src 'self'" in answer["Content-Security-Policy"]
        assert "One moment: the database can't be reached" in answer.content.decode()
        assert "Traceback" not in answer.content.decode()
    assert web.get("/admin/", headers=BROWSER).status_code == 200


@together
def test_a_page_whose_connection_breaks_in_the_middle_is_no_fault_of_ours(
    world: World, web: Client, database_url: str
) -> None:
    sign_in(web, factories.make_user(roles=["agent"]))
    for place in range(1, 200, 4):
        with cut_after(place, database_url):
            answer = web.get("/admin/", headers=BROWSER)
        if answer.status_code == 200:
            break
        assert asks_to_come_back(answer), place
    assert place > 3


@together
def test_who_pressed_a_button_is_told_to_look_before_pressing_again(world: World, web: Client) -> None:
    sign_in(web, factories.make_user(roles=["agent"]))
    case = factories.make_case(world.shop)
    with away():
        answer = web.post(f"/admin/cases/case/{case.pk}/change/", headers=BROWSER)
    assert asks_to_come_back(answer)
    assert "Refresh" not in answer.headers
    assert "may have been saved or not" in answer.content.decode()


@together
def test_a_program_is_answered_in_its_own_form(web: Client) -> None:
    kinds = {"*/*": "application/json", "text/plain": "text/plain", "image/png": "application/json"}
    with away():
        for accept, kind in kinds.items():
            answer = web.post("/hooks/north/stripe/", headers={"Accept": accept})
            assert asks_to_come_back(answer)
            assert answer["Content-Type"].startswith(kind)


@pytest.mark.django_db
def test_another_failure_of_the_database_stays_a_fault(web: Client) -> None:
    sign_in(web, factories.make_user(roles=["agent"]))
    with connection.execute_wrapper(lambda execute, sql, params, *rest: execute("SELECT 1/0", (), *rest)):
        assert web.get("/admin/", headers=BROWSER).status_code == 500
        assert web.post("/hooks/north/stripe/").status_code == 500


@together
def test_the_watch_says_that_the_database_is_away_and_goes_on() -> None:
    watch = Watch({"cases.tasks.sweep": 0.0})
    with structlog.testing.capture_logs() as logs:
        with away():
            watch.turn()
        watch.turn()
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("database_unreachable", "warning")]


def test_nobody_waits_long_for_a_server_that_is_not_there() -> None:
    assert int(connection.get_connection_params()["connect_timeout"]) <= 10


def caused(outer: Exception, cause: Exception) -> Exception:
    outer.__cause__ = cause
    return outer


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (caused(OperationalError(), psycopg.OperationalError("connection refused")), True),
        (caused(OperationalError(), errors.AdminShutdown()), True),
        (caused(OperationalError(), errors.CrashShutdown()), True),
        (caused(OperationalError(), errors.CannotConnectNow()), True),
        (caused(OperationalError(), errors.TooManyConnections()), True),
        (caused(OperationalError(), errors.ConnectionException()), True),
        (InterfaceError("connection already closed"), True),
        (errors.AdminShutdown(), True),
        (caused(ValueError(), caused(OperationalError(), errors.CrashShutdown())), True),
        (caused(OperationalError(), errors.DeadlockDetected()), False),
        (caused(OperationalError(), errors.LockNotAvailable()), False),
        (caused(OperationalError(), errors.QueryCanceled()), False),
        (caused(OperationalError(), errors.DiskFull()), False),
        (caused(DataError(), errors.NumericValueOutOfRange()), False),
        (caused(IntegrityError(), errors.UniqueViolation()), False),
        (ValueError(), False),
    ],
)
def test_only_what_time_alone_may_cure_counts_as_away(error: Exception, away: bool) -> None:
    assert unreachable(error) is away
