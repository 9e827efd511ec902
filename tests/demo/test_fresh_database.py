"""The headless demo makes its database anew, and drops none that anybody else has filled."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.core.management.base import CommandError
from django.db import connection
from psycopg import sql

from opsagent.demo.house import _recreate, _refuse_foreign

NAME = "opsagent_somebodys_headless"
Fill = Callable[..., None]


@pytest.fixture
def fill(database_url: str) -> Iterator[Fill]:
    """Make the database of that name, with these statements run in it."""
    with psycopg.connect(database_url, autocommit=True) as main:
        name = sql.Identifier(NAME)

        def make(*statements: str) -> None:
            main.execute(sql.SQL("CREATE DATABASE {}").format(name))
            with psycopg.connect(database_url, dbname=NAME) as other:
                for statement in statements:
                    other.execute(statement.encode())

        yield make
        main.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


SHOP = "CREATE TABLE cases_shop (slug text)"
FOREIGN = {
    "tables of something else": ("CREATE TABLE orders (id int)",),
    "another Django project": ("CREATE TABLE django_migrations (id int)", "CREATE TABLE auth_user (id int)"),
    "tables beside ours": (SHOP, "CREATE TABLE ledger (id int)"),
    "tables in a schema": (SHOP, "CREATE SCHEMA x", "CREATE TABLE x.ledger (id int)"),
    "a real shop": (SHOP, "INSERT INTO cases_shop VALUES ('north'), ('acme')"),
}


@pytest.mark.parametrize("statements", FOREIGN.values(), ids=FOREIGN)
def test_somebody_elses_database_is_never_dropped(fill: Fill, statements: tuple[str, ...]) -> None:
    fill(*statements)
    with pytest.raises(CommandError):
        _recreate(NAME)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME])
        assert cursor.fetchone()


@pytest.mark.parametrize(
    "statements",
    [(), (SHOP, "CREATE TABLE otp_totp_totpdevice (id int)", "INSERT INTO cases_shop VALUES ('sakura')")],
    ids=["empty", "the demo's own"],
)
def test_the_demos_own_database_may_go(fill: Fill, statements: tuple[str, ...]) -> None:
    fill(*statements)
    _refuse_foreign(NAME)
