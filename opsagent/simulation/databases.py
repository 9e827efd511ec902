"""Databases of the simulation's own: one that is migrated and furnished once, and a copy of it for each stretch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db import connection, connections
from psycopg import sql

from opsagent.migrating import Executor
from opsagent.postgres import Postgres
from opsagent.simulation import binding
from opsagent.simulation.furnishing import furnish

# Two runs in one checkout each take a server of their own.
SERVERS = 16
PREFIX = "opsagent_simulation"
# Processes are killed here, never the server: nothing has to outlive it. Each database is dropped before it would have
# to be swept or its tables be counted, and nobody asks what the server is doing.
UNWATCHED = {
    "autovacuum": "off",
    "track_counts": "off",
    "track_activities": "off",
    "checkpoint_timeout": "1h",
}
# What a furnished database depends on.
MADE_FROM = (
    "*/migrations/*.py",
    "cases/roles.py",
    "cases/seeding.py",
    "cases/shops.py",
    "approvals/caps.py",
    "approvals/limits.py",
    "approvals/versions.py",
    "opsagent/migrating.py",
    "opsagent/simulation/furnishing.py",
)


@contextmanager
def server() -> Iterator[None]:
    """A database server for the block: the one that DATABASE_URL names, else an embedded one without fsync."""
    if settings.DATABASE_URL:
        yield
        return
    mine = _free_server()
    settings.POSTGRES_PLACE = mine.place
    with mine:
        try:
            yield
        finally:
            connections.close_all()


def _free_server() -> Postgres:
    for number in range(SERVERS):
        state = settings.DATA_DIR / f"simulation-postgres-{number}"
        found = Postgres(state, state / "place", durable=False)
        found.settings = found.settings | UNWATCHED
        if found.own():
            return found
    raise CommandError(f"{SERVERS} simulations in this checkout hold a database server each.")


@contextmanager
def furnished() -> Iterator[str]:
    """The furnished database's name; it is made where this code's isn't there yet.

    The embedded server keeps it for the next run. On a server that somebody named nothing is left.
    """
    name = f"{PREFIX}_{_digest()}"
    with _admin() as admin:
        known = _exists(admin, name)
    if not known:
        _furnish(name)
    try:
        yield name
    finally:
        if settings.DATABASE_URL and not known:
            with _admin() as admin:
                _drop(admin, name)


def _furnish(name: str) -> None:
    draft = f"{name}_draft"
    with _admin() as admin:
        _drop(admin, draft)
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(draft)))
    with using(draft):
        _migrate()
        furnish()
    with _admin() as admin:
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        admin.execute(rename.format(sql.Identifier(draft), sql.Identifier(name)))


def _migrate() -> None:
    """As the command does; quickly also on a server that somebody named, since nobody's data is in here."""
    emit_pre_migrate_signal(0, False, "default")
    executor = Executor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    emit_post_migrate_signal(0, False, "default")


@contextmanager
def copy(of: str, name: str) -> Iterator[None]:
    """A copy of a furnished database, which this thread uses for the block; dropped at its end."""
    name = f"{PREFIX}_{name}"
    with _admin() as admin:
        _drop(admin, name)
        make = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        admin.execute(make.format(sql.Identifier(name), sql.Identifier(of)))
    try:
        with binding.at_the_server(), using(name):
            yield
    finally:
        with _admin() as admin:
            _drop(admin, name)


@contextmanager
def using(name: str) -> Iterator[None]:
    """Every thread's default connection leads to this database within the block."""
    known = connections.settings["default"]
    before = known["NAME"]
    connections.close_all()
    _lead_to(name)
    try:
        yield
    finally:
        connections.close_all()
        _lead_to(before)


def _lead_to(name: str) -> None:
    connections.settings["default"]["NAME"] = name
    connection.settings_dict["NAME"] = name


@contextmanager
def _admin() -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection beside Django's, for what can't be done from within the database that it is done to."""
    params = {**connection.get_connection_params(), "dbname": _maintenance()}
    for name in ("cursor_factory", "context", "prepare_threshold"):
        params.pop(name, None)
    with psycopg.connect(**params, autocommit=True) as admin:
        yield admin


def _maintenance() -> str:
    return settings.DATABASES["default"]["NAME"] if settings.DATABASE_URL else "postgres"


def _exists(admin: psycopg.Connection[tuple[object, ...]], name: str) -> bool:
    return admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def _drop(admin: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _digest() -> str:
    found = hashlib.sha256()
    for pattern in MADE_FROM:
        for path in sorted(Path(settings.BASE_DIR).glob(pattern)):
            found.update(path.read_bytes())
    return found.hexdigest()[:12]
