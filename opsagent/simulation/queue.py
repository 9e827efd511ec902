"""The queue's own rows, worked on one at a time in this process, with a point at each step."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.utils.module_loading import import_string
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from tools.models import ToolCall

if TYPE_CHECKING:
    from opsagent.simulation.engine import Play

OF_A_CALL = ("execute", "settle")
OLDEST = """
    SELECT id, payload FROM django_q_ormq WHERE id <> ALL(%s::bigint[]) ORDER BY id = ANY(%s::bigint[]), id LIMIT 1
"""


class Queue:
    """All clusters of the play, in one worker; a second one works on the same task where a race is asked for."""

    def __init__(self, play: Play, taken: tuple[int, ...] = ()) -> None:
        self.play, self._taken = play, taken
        self._row: OrmQ | None = None
        self._left_out: list[int] = []
        self.running: Callable[[], Any] | None = None

    def step(self) -> bool:
        """Take the oldest task, run it and acknowledge it; False where the queue is empty."""
        left_out, self._left_out = self._left_out, []
        if not self.play.queued:
            return False
        row = _oldest(self._taken, left_out)
        if row is None:
            # Another worker doesn't see what isn't committed yet.
            if threading.current_thread() is threading.main_thread():
                self.play.queued = False
            return False
        task = SignedPackage.loads(row.payload)
        name, work = _named(task, self.play.tools), _work(task)
        self._row = row
        self.play.as_process(lambda: self._through(row, name, work))
        return True

    def _through(self, row: OrmQ, name: str, work: Callable[[], Any]) -> None:
        trace = self.play.trace
        trace.around(f"dequeue:{name}", lambda: True)
        if self._row is None:
            return
        if name.startswith("advance"):
            trace.on_the_way = True
        trace.context = name[name.find("[") :] if "[" in name else ""
        self.running = work
        # A task that fails is acknowledged as well; whoever is killed in it acknowledges nothing.
        with self.play.at_work(work):
            alive = self.play.attempt(lambda: trace.around(f"task:{name}", work))
        trace.context, self.running = "", None
        if alive:
            trace.around(f"ack:{name}", lambda: _delete(row))
        self._row = None

    @property
    def in_hand(self) -> tuple[int, ...]:
        """Rows that somebody works on."""
        return (*self._taken, *([self._row.pk] if self._row is not None else []))

    def forget_current(self) -> None:
        """The task in hand is lost."""
        if self._row is not None:
            _delete(self._row)
        self._row = None

    def defer_current(self) -> None:
        """The task in hand comes after the next one."""
        if self._row is not None:
            self._left_out.append(self._row.pk)
        self._row = None


def _oldest(taken: Sequence[int], left_out: Sequence[int]) -> OrmQ | None:
    """The first row that nobody has in hand; one that was left out only where there is no other.

    Asked several times a second of a play's time, so it goes to the database without the ORM's detours.
    """
    with connection.cursor() as cursor:
        cursor.execute(OLDEST, [list(taken), list(left_out)])
        found = cursor.fetchone()
    return None if found is None else OrmQ(pk=found[0], payload=found[1])


def _delete(row: OrmQ) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_q_ormq WHERE id = %s", [row.pk])


def _named(task: dict[str, Any], tools: dict[int, str]) -> str:
    """The short name; of a call's task with the call's tool."""
    name: str = task["func"].rpartition(".")[2]
    if name not in OF_A_CALL:
        return name
    call_id = task["args"][0]
    if call_id not in tools:
        tools[call_id] = ToolCall.objects.values_list("tool", flat=True).get(pk=call_id)
    return f"{name}[{tools[call_id]}]"


def _work(task: dict[str, Any]) -> Callable[[], Any]:
    return lambda: import_string(task["func"])(*task["args"], **task["kwargs"])
