"""Deliveries that wait at the same moment are written together: one statement, one commit, each its own outcome.

Whoever finds nobody writing writes, and who comes meanwhile waits; the first of them then writes for all who wait. So
nobody waits where nobody writes, and neither a clock nor a thread of its own is needed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import OperationalError


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one delivery would write: its facts as JSON, its body, and its id among the outcomes.

    Sheets with a mark in common (the same event, order or customer) are never written together. `place` is where the
    sheet stands in a batch, so that batches of two processes ask for their locks in the same order.
    """

    id: str
    place: tuple[str, ...]
    marks: frozenset[Hashable]
    facts: bytes
    body: bytes


@dataclass(eq=False, slots=True)
class _Waiting:
    """Somebody's sheet. `alone`: they write it themselves, since nothing is known of a batch that held it."""

    sheet: Sheet
    woken: threading.Lock = field(default_factory=threading.Lock)
    leads: bool = False
    alone: bool = False
    lost: Exception | None = None
    written: str | None = None


class Together:
    """`write` stores sheets in one transaction and answers each one's row by the sheet's id, where it wrote it.

    `is_lost` says, after it failed, whether the calling thread's connection broke: then nobody knows what was stored.
    """

    def __init__(
        self, write: Callable[[Sequence[Sheet]], Mapping[str, str]], is_lost: Callable[[], bool], most: int
    ) -> None:
        self._write, self._is_lost, self._most = write, is_lost, most
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._is_writing = False

    def write(self, sheet: Sheet) -> str | None:
        """Returns when the sheet's fate is committed: its row, None where nothing was written.

        Raises what `write` raises for this sheet alone, and OperationalError where the connection of whoever wrote for
        it was lost.
        """
        mine = _Waiting(sheet)
        if not self._begins(mine):
            mine.woken.acquire()
        if mine.leads:
            self._lead(mine)
        if mine.lost is not None:
            raise OperationalError("The connection that wrote for several was lost.") from mine.lost
        if mine.alone:
            return self._write([sheet]).get(sheet.id)
        return mine.written

    def _begins(self, mine: _Waiting) -> bool:
        with self._lock:
            if not self._is_writing:
                self._is_writing = mine.leads = True
                return True
            mine.woken.acquire()
            self._waiting.append(mine)
            return False

    def _lead(self, mine: _Waiting) -> None:
        batch = self._batch(mine)
        for one in batch:
            # Until something better is known, also where this thread is ended in the middle.
            one.alone = True
        try:
            found = self._write([one.sheet for one in batch])
            for one in batch:
                one.alone, one.written = False, found.get(one.sheet.id)
        except Exception as problem:
            if len(batch) == 1:
                raise
            if self._is_lost():
                for one in batch:
                    one.lost = problem
        finally:
            self._go_on(batch[1:])

    def _batch(self, mine: _Waiting) -> list[_Waiting]:
        """This one and those who wait, the first first, without two that are about the same."""
        batch, marks, left = [mine], set(mine.sheet.marks), []
        with self._lock:
            for one in self._waiting:
                if len(batch) < self._most and marks.isdisjoint(one.sheet.marks):
                    batch.append(one)
                    marks |= one.sheet.marks
                else:
                    left.append(one)
            self._waiting = left
        return batch

    def _go_on(self, followers: Sequence[_Waiting]) -> None:
        """Wake the one who writes next, and who has an outcome."""
        with self._lock:
            if self._waiting:
                following = self._waiting.pop(0)
                following.leads = True
                following.woken.release()
            else:
                self._is_writing = False
        for one in followers:
            one.woken.release()
