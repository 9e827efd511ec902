"""The test run: its own embedded server, the loopback alone, every warning an error."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import django
import pytest
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase
from psycopg import sql
from pytest_django import DjangoDbBlocker

from opsagent.postgres import Postgres, server_url

os.environ["OPSAGENT_MODE"] = "test"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opsagent.settings")
# pytest-django looks for settings before it reads this file, when the mode is not yet known.
django.setup()
# Every client of a test has middleware of its own, which would list all static files again: it looks for one that is
# asked for instead.
settings.WHITENOISE_AUTOREFRESH = True

# Two runs in one checkout each take a server of their own.
SERVERS = 16
TRUNCATE_TRIGGERS = """
    SELECT relname, tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE NOT tgisinternal AND tgtype & 32 <> 0
"""


# Python's own (700, 10, 10) are those of a small program.
SWEEPS = (100_000, 20, 100)

# Each worker has a database server of its own, so more of them than this would wait for the disk.
MOST_WORKERS = 4


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """As many workers as there are cores for the whole run; none where somebody names what to run."""
    if config.args != config.getini("testpaths"):
        return 0
    return min(os.cpu_count() or 1, MOST_WORKERS)


def pytest_collection_finish(session: pytest.Session) -> None:
    """What was collected stays until the end, so that no sweep for garbage looks at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*SWEEPS)


@pytest.fixture(scope="session")
def embedded_postgres() -> Iterator[Postgres | None]:
    """The run's database server, or None where DATABASE_URL names another."""
    if settings.DATABASE_URL:
        yield None
        return
    server = free_server(settings.DATA_DIR)
    settings.POSTGRES_PLACE = server.place
    with server:
        yield server


@pytest.fixture(scope="session")
def embedded_server(embedded_postgres: Postgres | None) -> Path | None:
    """The socket folder of the run's database server, or None where DATABASE_URL names another."""
    return embedded_postgres.socket() if embedded_postgres else None


@pytest.fixture(scope="session")
def django_db_modify_db_settings(embedded_server: Path | None) -> None:
    """Starts the server before pytest-django makes its database."""


@pytest.fixture(scope="session")
def monkeypatch_session() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, monkeypatch_session: pytest.MonkeyPatch
) -> None:
    """Empties tables fast after a test that commits; where we may not, lets Django's flush truncate.

    The append-only tables forbid both everywhere else.
    """
    from tests.leftovers import AsMigrated, may_pass_triggers

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        if may_pass_triggers(cursor):
            left = AsMigrated.remember()
            monkeypatch_session.setattr(TransactionTestCase, "_fixture_teardown", lambda _: left.put_back())
        cursor.execute(TRUNCATE_TRIGGERS)
        for table, name in cursor.fetchall():
            cursor.execute(
                sql.SQL("DROP TRIGGER {} ON {}").format(sql.Identifier(name), sql.Identifier(table))
            )


@pytest.fixture
def database_url(db: None, embedded_server: Path | None) -> str:
    """DATABASE_URL of the run's test database, for a process that a test starts."""
    name = connection.settings_dict["NAME"]
    if embedded_server is None:
        base, _, _ = settings.DATABASE_URL.rpartition("/")
        return f"{base}/{name}"
    return server_url(embedded_server, name)


def free_server(data_dir: Path) -> Postgres:
    for number in range(SERVERS):
        state = data_dir / f"test-postgres-{number}"
        server = Postgres(state, state / "place", durable=False)
        if server.own():
            return server
    raise pytest.UsageError(f"{SERVERS} test runs in this checkout hold a database server each.")
