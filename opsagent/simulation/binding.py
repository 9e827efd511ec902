"""Values are sent beside their statements, which the server then knows for good: it reads and plans each text once.

What psycopg does around a statement costs this process more than the statement costs the server, so that a statement
with values goes straight to the library below it; everything else goes psycopg's own way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import psycopg
from django.db import connections
from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper
from psycopg import errors
from psycopg._queries import PostgresQuery
from psycopg.abc import Buffer
from psycopg.adapt import Loader, PyFormat, Transformer
from psycopg.pq import ExecStatus, TransactionStatus

# PostgreSQL takes no values beside these.
TAKES_NONE = "EXECUTE "
# Each database is as small as the next, so one plan for all values is as good as one for each.
ONE_PLAN = "-c plan_cache_mode=force_generic_plan"
IDLE, ROWS, DONE = TransactionStatus.IDLE, ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK


class UtcLoader(Loader):
    """A moment as Python reads it; Django's own loader takes it apart by a pattern."""

    timezone = UTC

    def load(self, data: Buffer) -> datetime:
        return datetime.fromisoformat(str(data, "ascii"))


@dataclass
class Text:
    """One statement: its words as the server reads them, and its names there by the types of its values."""

    words: bytes
    formats: list[PyFormat]
    # Of values that go by names.
    order: list[str] | None
    names: dict[tuple[int, ...], bytes] = field(default_factory=dict)


class Known:
    """What one connection has told its server: a statement that is prepared stays so, also after a rollback."""

    def __init__(self, session: psycopg.Connection[Any]) -> None:
        session.adapters.register_loader("timestamptz", UtcLoader)
        self.session = session
        # Keeps how each type is written and read, which psycopg looks up anew for each statement.
        self.values = Transformer.from_context(session)
        self.texts: dict[str, Text] = {}
        self.given = 0

    def run(self, query: str, params: Any) -> Any:
        """The server's answer, good or bad."""
        text = self.texts.get(query)
        if text is None:
            text = self.texts[query] = self._read(query, params)
        server, values = self._begun(), self.values
        told = params if text.order is None else [params[name] for name in text.order]
        sent = values.dump_sequence(told, text.formats)
        types = values.types or ()
        name = text.names.get(types)
        if name is None:
            self.given += 1
            name = b"s%d" % self.given
            answer = server.prepare(name, text.words, types)
            if answer.status != DONE:
                return answer
            text.names[types] = name
        return server.exec_prepared(name, sent, values.formats)

    def run_bare(self, query: str) -> Any:
        """The server's answer to one statement without values."""
        return self._begun().exec_(query.encode())

    def _begun(self) -> Any:
        """The library's connection, in a transaction where one is due."""
        session = self.session
        if not session._autocommit and session.pgconn.transaction_status == IDLE:
            session.wait(session._start_query())
        return session.pgconn

    def _read(self, query: str, params: Any) -> Text:
        read = PostgresQuery(Transformer.from_context(self.session))
        read.convert(query, params)
        return Text(read.query, list(read._want_formats or ()), read._order)


class Cursor:
    """Holds the rows of its last statement; what it can't do itself a cursor of psycopg's does."""

    def __init__(self, session: Any) -> None:
        known = session.__dict__.get("known")
        if known is None:
            known = session.known = Known(session)
        self._known: Known = known
        self._rows: list[Any] | None = None
        self._place = 0
        self.rowcount = -1

    def execute(self, query: Any, params: Any = None) -> None:
        self._rows = None
        if type(query) is str and query.startswith(TAKES_NONE) and params:
            query, params = psycopg.ClientCursor(self._known.session).mogrify(query, params), None
        if type(query) is not str:
            self._plainly(query, params)
        elif params is not None:
            self._answered(self._known.run(query, params))
        elif ";" in query:
            self._plainly(query, None)
        else:
            self._answered(self._known.run_bare(query))

    def _answered(self, answer: Any) -> None:
        if answer.status == ROWS:
            values, self.rowcount = self._known.values, answer.ntuples
            values.set_pgresult(answer)
            self._rows, self._place = values.load_rows(0, self.rowcount, tuple), 0
        elif answer.status == DONE:
            self.rowcount = answer.command_tuples or 0
        else:
            raise errors.error_from_result(answer)

    def _plainly(self, query: Any, params: Any) -> None:
        self._plain.execute(query, params)
        self.rowcount = self._plain.rowcount
        if self._plain.pgresult is not None and self._plain.pgresult.status == ROWS:
            self._rows, self._place = self._plain.fetchall(), 0

    @cached_property
    def _plain(self) -> Any:
        return self._known.session.cursor()

    def fetchmany(self, size: int = 1) -> list[Any]:
        if self._rows is None:
            raise psycopg.ProgrammingError("the last statement gave no rows")
        began = self._place
        self._place = began + size
        return self._rows[began : self._place]

    def fetchone(self) -> Any:
        found = self.fetchmany(1)
        return found[0] if found else None

    def fetchall(self) -> list[Any]:
        return self.fetchmany(self.rowcount)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fetchall())

    def close(self) -> None:
        """Nothing is held that a connection would miss."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain, name)


PLAIN = base.DatabaseWrapper.cursor


def cursor(wrapper: Any) -> Any:
    """As Django's, without what it asks about threads and event loops each time."""
    return (
        PLAIN(wrapper) if wrapper.connection is None else CursorWrapper(Cursor(wrapper.connection), wrapper)
    )


@contextmanager
def at_the_server() -> Iterator[None]:
    """Within the block new connections of every thread bind so."""
    options = connections.settings["default"].setdefault("OPTIONS", {})
    before = dict(options)
    options.update(server_side_binding=True, options=f"{options.get('options', '')} {ONE_PLAN}".strip())
    _ask_anew()
    real: Any = base.DatabaseWrapper
    real.cursor = cursor
    try:
        yield
    finally:
        real.cursor = PLAIN
        options.clear()
        options.update(before)
        _ask_anew()


def _ask_anew() -> None:
    """Django remembers how this thread's connection binds, as when it furnished the database that is copied."""
    connections["default"].features.__dict__.pop("uses_server_side_binding", None)
