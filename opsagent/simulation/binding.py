"""Values are sent beside their statements, which the server then knows for good: it reads and plans each text once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connections
from django.db.backends.postgresql import base
from psycopg._preparing import PrepareManager

# A statement is worth being known from its second use; a play uses some hundred texts.
KNOWN_AFTER, MOST_KNOWN = 1, 3000
# PostgreSQL takes no values beside these.
TAKES_NONE = "EXECUTE "


class Kept(PrepareManager):
    """What was prepared stays: psycopg forgets it with each rollback, lest a table changed, and here none does."""

    def __init__(self) -> None:
        super().__init__()
        self.prepare_threshold, self.prepared_max = KNOWN_AFTER, MOST_KNOWN

    def _should_discard(self, *_told: Any) -> bool:
        return False

    def clear(self) -> bool:
        """Forget nothing."""
        return False


# Its types leave it out.
class Cursor(base.ServerBindingCursor):  # type: ignore[name-defined, misc]
    """Writes the values into a statement where the server takes none beside it."""

    def __init__(self, connection: Any, **options: Any) -> None:
        if type(connection._prepared) is not Kept:
            connection._prepared = Kept()
        super().__init__(connection, **options)

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        if params is not None and isinstance(query, str) and query.startswith(TAKES_NONE):
            query, params = psycopg.ClientCursor(self.connection).mogrify(query, params), None
        return super().execute(query, params, **options)


@contextmanager
def at_the_server() -> Iterator[None]:
    """Within the block new connections of every thread bind so."""
    options = connections.settings["default"].setdefault("OPTIONS", {})
    before = dict(options)
    options.update(server_side_binding=True, cursor_factory=Cursor)
    _ask_anew()
    try:
        yield
    finally:
        options.clear()
        options.update(before)
        _ask_anew()


def _ask_anew() -> None:
    """Django remembers how this thread's connection binds, as when it furnished the database that is copied."""
    connections["default"].features.__dict__.pop("uses_server_side_binding", None)
