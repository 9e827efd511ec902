"""Who writes for whom while several wait, with a table in memory in the database's place."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.db import DataError, OperationalError

from cases.intake.together import Sheet, Together

SECONDS = 10


class Table:
    """What was written, batch by batch. The batch in which `held` stands begins to be written and goes on with `go`."""

    def __init__(self, held: str = "first") -> None:
        self.batches: list[list[str]] = []
        self.held, self.begun, self.go = held, threading.Event(), threading.Event()
        self.poison: set[str] = set()
        self.failure: BaseException = DataError("does not fit")
        self.is_lost = False

    def write(self, sheets: Sequence[Sheet]) -> dict[str, str]:
        names = [sheet.id for sheet in sheets]
        if self.held in names:
            self.begun.set()
            assert self.go.wait(SECONDS)
        self.batches.append(names)
        if self.poison.intersection(names):
            raise self.failure
        return {name: f"row of {name}" for name in names if not name.startswith("known")}


class Door:
    """A door whose writer is held until all have come."""

    def __init__(self, table: Table, most: int = 16) -> None:
        self.table = table
        self.together = Together(table.write, lambda: table.is_lost, most)
        self.pool = ThreadPoolExecutor(16)

    def come(self, *names: str, marks: dict[str, str] | None = None) -> dict[str, Future[str | None]]:
        """The first one writes, and the others have come, in this order, before it goes on."""
        found = {names[0]: self._one(names[0], marks or {})}
        assert self.table.begun.wait(SECONDS)
        for number, name in enumerate(names[1:], 1):
            found[name] = self._one(name, marks or {})
            self._wait_for(number)
        self.table.go.set()
        self.pool.shutdown(wait=True)
        return found

    def _one(self, name: str, marks: dict[str, str]) -> Future[str | None]:
        sheet = Sheet(name, (name,), frozenset({marks.get(name, name)}), b"{}", b"")
        return self.pool.submit(self.together.write, sheet)

    def _wait_for(self, number: int) -> None:
        pause = threading.Event()
        for _ in range(SECONDS * 1000):
            if len(self.together._waiting) == number:
                return
            pause.wait(0.001)
        raise AssertionError(f"{number} don't wait.")


def test_an_idle_door_writes_at_once() -> None:
    table = Table(held="")
    together = Together(table.write, lambda: False, 16)
    for name in ("one", "two"):
        assert together.write(Sheet(name, (), frozenset({name}), b"", b"")) == f"row of {name}"
    assert table.batches == [["one"], ["two"]]


def test_who_waits_is_written_together_and_hears_of_their_own_row() -> None:
    table = Table()
    found = Door(table).come("first", "b", "known c", "d")
    assert table.batches == [["first"], ["b", "known c", "d"]]
    rows = {name: future.result() for name, future in found.items()}
    assert rows == {"first": "row of first", "b": "row of b", "known c": None, "d": "row of d"}


def test_two_about_the_same_are_written_one_after_the_other() -> None:
    table = Table()
    Door(table).come("first", "b", "again b", "c", marks={"again b": "b"})
    assert table.batches == [["first"], ["b", "c"], ["again b"]]


def test_no_batch_is_larger_than_it_may_be() -> None:
    table = Table()
    Door(table, most=2).come("first", "b", "c", "d")
    assert table.batches == [["first"], ["b", "c"], ["d"]]


def test_one_that_fails_fails_alone() -> None:
    table = Table()
    table.poison = {"bad"}
    found = Door(table).come("first", "b", "bad", "c")
    assert isinstance(found["bad"].exception(), DataError)
    assert [found[name].result() for name in ("b", "c")] == ["row of b", "row of c"]
    assert table.batches[:2] == [["first"], ["b", "bad", "c"]]
    assert sorted(table.batches[2:]) == [["b"], ["bad"], ["c"]]


def test_nobody_tries_again_where_nobody_knows_what_was_stored() -> None:
    table = Table()
    table.poison, table.failure, table.is_lost = {"b"}, OperationalError("terminated"), True
    found = Door(table).come("first", "b", "c")
    for name in ("b", "c"):
        error = found[name].exception()
        assert isinstance(error, OperationalError)
        assert error.__cause__ is table.failure
    assert table.batches == [["first"], ["b", "c"]]
    assert found["first"].result() == "row of first"


def test_a_failure_of_one_alone_is_its_own() -> None:
    table = Table()
    table.poison, table.is_lost = {"first"}, True
    found = Door(table).come("first", "b")
    assert found["first"].exception() is table.failure
    assert found["b"].result() == "row of b"


class Ended(BaseException):
    """The thread is ended from outside."""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_who_waited_for_a_thread_that_was_ended_writes_alone() -> None:
    table = Table()
    table.poison, table.failure = {"b"}, Ended()
    door = Door(table)
    found = door.come("first", "b", "c")
    assert isinstance(found["b"].exception(), Ended)
    assert found["c"].result() == "row of c"
    assert door.together.write(Sheet("later", (), frozenset(), b"", b"")) == "row of later"
