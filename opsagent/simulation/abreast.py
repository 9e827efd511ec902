"""A second process beside the one that is played: a thread with a connection, and so with locks, of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.pq import TransactionStatus

# Between two looks at whether the other one waits for us. What is found doesn't hang on it, only how long it takes.
LOOK_SECONDS = 0.003
WAITS_FOR_ME = "SELECT pg_backend_pid() = ANY(pg_blocking_pids(%s))"


class Other:
    """Does one thing at a time; whoever asked goes on when it is done, or waits for a lock of theirs."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._theirs: Any = self._thread.submit(lambda: connections["default"]).result()

    def do(self, work: Callable[[], Any]) -> None:
        """All of it, while this thread stands still."""
        self._thread.submit(work).result()

    def do_until_it_waits(self, work: Callable[[], Any], then: Callable[[], Any]) -> Any:
        """Let the other one go as far as our locks let it, do `then`, and see the other one's end."""
        doing = self._thread.submit(work)
        while not self._over(doing) and not self._waits():
            pass
        try:
            return then()
        finally:
            doing.result()

    def _over(self, doing: Future[Any]) -> bool:
        return not wait([doing], timeout=LOOK_SECONDS).not_done

    def _waits(self) -> bool:
        """Whether the other one's server process wants a lock that this thread's transaction holds."""
        mine: BaseDatabaseWrapper = connections["default"]
        theirs = self._theirs.connection
        if not _in_transaction(mine) or theirs is None or theirs.closed:
            return False
        # Beside Django: this is no statement of the play's.
        found = mine.connection.execute(WAITS_FOR_ME, [theirs.info.backend_pid]).fetchone()
        return bool(found[0])

    def close(self) -> None:
        """End the thread and its connection."""
        self.do(connections.close_all)
        self._thread.shutdown()


def _in_transaction(mine: BaseDatabaseWrapper) -> bool:
    """As the server sees it: Django has put its own mark away when it commits."""
    return bool(mine.connection.info.transaction_status != TransactionStatus.IDLE)


@contextmanager
def another() -> Iterator[Other]:
    """Somebody to work beside us, for the block."""
    other = Other()
    try:
        yield other
    finally:
        other.close()
