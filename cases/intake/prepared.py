"""A statement that the server knows by name, for what comes in rushes: psycopg's own cursor weighs each use anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID
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

Value = str | int | bytes | datetime | UUID | None


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

    def first_value(self, database: BaseDatabaseWrapper, values: Sequence[Value]) -> str | None:
        """Execute it; the first column of its first row as the server writes it, None without a row.

        Raises ForgottenError, and what the database raises.
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
        with CursorWrapper(_Cursor(raw.pgconn, self), database) as cursor:
            try:
                cursor.execute(self.text, values)
            except ProgrammingError as error:
                if not isinstance(error.__cause__, psycopg.errors.InvalidSqlStatementName):
                    raise
                del self.uses[raw]
                raise ForgottenError from error
            found: str | None = cursor.fetchone()
        return found


class _Cursor:
    """As much of a cursor as Django's wrapper needs, so that its errors and whoever watches statements stay."""

    def __init__(self, server: PGconn, statement: Prepared) -> None:
        self.server, self.statement = server, statement
        self.result: PGresult | None = None

    def execute(self, text: str, values: Sequence[Value]) -> None:
        told, formats = _told(values)
        if text == self.statement.text:
            self.result = self.server.exec_prepared(self.statement.name, told, formats)
        else:
            # Whoever watches statements may send another one in its stead.
            self.result = self.server.exec_params(text.encode(), told, None, formats)
        _checked(self.server, self.result)

    def fetchone(self) -> str | None:
        found = self.result.get_value(0, 0) if self.result is not None and self.result.ntuples else None
        return None if found is None else found.decode()

    def close(self) -> None:
        self.result = None


def _told(values: Sequence[Value]) -> tuple[list[Any], list[pq.Format]]:
    """Each value as the server reads it, and in which form that is."""
    told: list[Any] = []
    formats = [pq.Format.TEXT] * len(values)
    for place, value in enumerate(values):
        if isinstance(value, str):
            told.append(value.encode())
        elif isinstance(value, bytes):
            formats[place] = pq.Format.BINARY
            told.append(value)
            continue
        elif value is None:
            told.append(None)
            continue
        else:
            told.append((value.isoformat() if isinstance(value, datetime) else str(value)).encode())
        if b"\0" in told[-1]:
            # The server would take it for the text's end.
            raise psycopg.DataError("A text for the database has no NUL character.")
    return told, formats


def _checked(server: PGconn, result: PGresult) -> None:
    if result.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
        return
    if server.status == pq.ConnStatus.BAD:
        raise psycopg.OperationalError(server.get_error_message("utf-8"))
    raise psycopg.errors.error_from_result(result)
