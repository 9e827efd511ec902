"""A statement that the server knows by name, for what comes in rushes: psycopg's own cursor weighs each use anew."""

from __future__ import annotations

import struct
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import ProgrammingError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from psycopg import pq

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn, PGresult

# A plan is kept with its connection, and one that was made while the tables were small reads them from end to end.
# After so many uses, and after twice as many each time, all are made anew, those of foreign keys and triggers too.
FIRST_LOOK_AT_PLANS = 32

# An array's dimensions, whether it may hold NULLs, its elements' type, how many they are, and the first one's number.
_HEAD = struct.Struct("!iiIii")
_LENGTH = struct.Struct("!i")
# https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat
_BYTEA = 17


class ForgottenError(Exception):
    """The server knows the statement no more, as after another's DISCARD ALL; the next use prepares it again."""


class Prepared:
    """One statement in PostgreSQL's own form ($1, $2, …), prepared at its first use on a connection.

    Its types are those of the places where the parameters stand. Each look-up in it must be by a key, since it is
    planned once for all values.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name.encode(), text
        self.uses: WeakKeyDictionary[Any, int] = WeakKeyDictionary()

    def rows(
        self, database: BaseDatabaseWrapper, values: Sequence[bytes | None], binary: Collection[int]
    ) -> list[tuple[str, str]]:
        """Execute it; the first two columns of what it answers, as the server writes them.

        The values stand as the server reads them, in its binary form those whose places are named. Raises
        ForgottenError, and what the database raises.
        """
        database.ensure_connection()
        raw = database.connection
        used = self.uses.get(raw, 0)
        if not used:
            raw.execute("SET plan_cache_mode = force_generic_plan")
            _checked(raw.pgconn, raw.pgconn.prepare(self.name, self.text.encode()))
        elif used >= FIRST_LOOK_AT_PLANS and used.bit_count() == 1:
            raw.execute("DISCARD PLANS")
        self.uses[raw] = used + 1
        formats = [pq.Format.BINARY if place in binary else pq.Format.TEXT for place in range(len(values))]
        with CursorWrapper(_Cursor(raw.pgconn, self, formats), database) as cursor:
            try:
                cursor.execute(self.text, values)
            except ProgrammingError as error:
                if not isinstance(error.__cause__, psycopg.errors.InvalidSqlStatementName):
                    raise
                del self.uses[raw]
                raise ForgottenError from error
            found: list[tuple[str, str]] = cursor.fetchall()
        return found


class _Cursor:
    """As much of a cursor as Django's wrapper needs, so that its errors and whoever watches statements stay."""

    def __init__(self, server: PGconn, statement: Prepared, formats: Sequence[pq.Format]) -> None:
        self.server, self.statement, self.formats = server, statement, formats
        self.result: PGresult | None = None

    def execute(self, text: str, values: Sequence[bytes | None]) -> None:
        # NULL is None, which psycopg's own types don't say.
        told: list[Any] = list(values)
        if text == self.statement.text:
            self.result = self.server.exec_prepared(self.statement.name, told, self.formats)
        else:
            # Whoever watches statements may send another one in its stead.
            self.result = self.server.exec_params(text.encode(), told, None, self.formats[: len(told)])
        _checked(self.server, self.result)

    def fetchall(self) -> list[tuple[str, str]]:
        found = self.result
        if found is None:
            return []
        return [(_text(found, row, 0), _text(found, row, 1)) for row in range(found.ntuples)]

    def close(self) -> None:
        self.result = None


def is_lost(database: BaseDatabaseWrapper) -> bool:
    """Whether there is no connection, or one that broke."""
    return database.connection is None or database.connection.pgconn.status == pq.ConnStatus.BAD


def array_of_bytes(values: Sequence[bytes]) -> bytes:
    """A bytea[] in PostgreSQL's binary form: https://www.postgresql.org/docs/current/arrays.html"""
    parts = [_HEAD.pack(1, 0, _BYTEA, len(values), 1)]
    for value in values:
        parts += (_LENGTH.pack(len(value)), value)
    return b"".join(parts)


def _text(result: PGresult, row: int, column: int) -> str:
    return (result.get_value(row, column) or b"").decode()


def _checked(server: PGconn, result: PGresult) -> None:
    if result.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
        return
    if server.status == pq.ConnStatus.BAD:
        raise psycopg.OperationalError(server.get_error_message("utf-8"))
    raise psycopg.errors.error_from_result(result)
