"""Runs in the changed copy: makes the changes, and plays each in a fork of one test run that is already warm.

The program starts once and the test database is made once. A first pass tells which tests go through which function
and how long each takes; a change is then asked of those alone, first of the tests that noticed another change of the
same function and then of the quickest, until one notices. A fork whose test takes thirty times as long as it does, and
thirty seconds at least, hangs.

    python -m opsagent.mutants                    makes the changes of the files that setup.cfg names
    pytest -p opsagent.mutants --changes FILE     plays what FILE lists, and adds how each ended to it as a line
"""

from __future__ import annotations

import gc
import json
import os
import signal
import time
from collections import defaultdict
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import pytest
from django.db import connections

SLOWER = 30
# So many tests show before that a fork passes; all of them do in the end.
QUICK = 60
# How a fork ends, in mutmut's own words for it.
PASSED, FAILED, BROKEN, UNTESTED, HANGS = 0, 1, 2, 33, 36
ACTIVE = "MUTANT_UNDER_TEST"


def make() -> None:
    """Copy the tree to mutants/ with every change of the named files in it, none of them active."""
    mutmut = import_module("mutmut.__main__")
    Path("mutants").mkdir()
    mutmut.copy_src_dir()
    mutmut.copy_also_copy_files()
    mutmut.create_mutants(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--changes", help="play the changes that this file lists, one JSON text a line")
    parser.addoption("--patience", type=int, default=30, help="a test hangs after so many seconds at least")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Player(Path(config.getoption("--changes")), config.getoption("--patience")))


class _Beyond:
    """Stands for a test of another module: what the whole run holds is kept, and nothing else."""

    def __init__(self, session: pytest.Session) -> None:
        self._session = session

    def listchain(self) -> list[pytest.Session]:
        return [self._session]


class Player:
    """Plays all changes in place of the ordinary run."""

    def __init__(self, file: Path, patience: int) -> None:
        self.file, self.patience = file, patience
        self.failed = False
        self.seconds: dict[str, float] = {}
        self.through: dict[str, list[pytest.Item]] = defaultdict(list)
        self.sharp: dict[str, list[pytest.Item]] = defaultdict(list)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed = self.failed or report.failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        names = [json.loads(line) for line in self.file.read_text().splitlines()]
        session.items[:] = [item for item in session.items if not _commits(item)]
        # A run that ends with its first failure ends there for all forks, with the database. And the lines around a
        # failure are looked up in files that hold each function some hundred times.
        session.config.option.maxfail, session.config.option.tbstyle = 0, "native"
        self._first_pass(session)
        connections.close_all()
        gc.collect()
        gc.freeze()
        if self._play(session, "fail", session.items)[0] != FAILED:
            raise pytest.UsageError("A fork passes where every function raises.")
        if self._play(session, "", self._quickest(session.items)[:QUICK]) != (PASSED, -1):
            raise pytest.UsageError("A fork fails without any change.")
        for name in names:
            self._tell(name, self._ask(session, name))
        if self._play(session, "", session.items) != (PASSED, -1):
            raise pytest.UsageError("What a change left behind makes the tests fail without one.")
        return True

    def _first_pass(self, session: pytest.Session) -> None:
        """Which tests go through which function, and how long each takes."""
        hits: set[str] = import_module("mutmut.state").state()._stats
        os.environ[ACTIVE] = "stats"
        for item in session.items:
            hits.clear()
            before = time.monotonic()
            _run(session, item)
            self.seconds[item.nodeid] = time.monotonic() - before
            if self.failed:
                raise pytest.UsageError(f"{item.nodeid} fails without any change.")
            for function in hits:
                self.through[function].append(item)
        os.environ[ACTIVE] = ""

    def _ask(self, session: pytest.Session, name: str) -> int:
        function = name.partition("__mutmut_")[0]
        if not self.through[function]:
            return UNTESTED
        first = self.sharp[function]
        rest = self._quickest(self.through[function])
        tests = [*first, *(item for item in rest if item not in first)]
        code, place = self._play(session, name, tests)
        if place >= 0:
            sharp = tests[place]
            self.sharp[function] = [sharp, *(item for item in first if item is not sharp)]
        return code

    def _quickest(self, items: list[pytest.Item]) -> list[pytest.Item]:
        return sorted(items, key=lambda item: self.seconds[item.nodeid])

    def _play(self, session: pytest.Session, change: str, tests: list[pytest.Item]) -> tuple[int, int]:
        """How a fork with this change ended, and the place of the test that noticed it, -1 for none."""
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            self._in_fork(session, change, tests, write)
        os.close(write)
        with os.fdopen(read) as pipe:
            said = pipe.read()
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            return (HANGS if os.WTERMSIG(status) == signal.SIGALRM else BROKEN), -1
        return os.WEXITSTATUS(status), int(said or -1)

    def _in_fork(
        self, session: pytest.Session, change: str, tests: list[pytest.Item], write: int
    ) -> NoReturn:
        os.environ[ACTIVE] = change
        # The default ends the process also while it waits inside the database's driver.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        code = BROKEN
        try:
            for place, item in enumerate(tests):
                signal.alarm(int(max(self.patience, SLOWER * self.seconds[item.nodeid])))
                _run(session, item)
                signal.alarm(0)
                if self.failed:
                    os.write(write, str(place).encode())
                    break
            code = FAILED if self.failed else PASSED
        finally:
            os._exit(code)

    def _tell(self, name: str, code: int) -> None:
        with self.file.open("a") as file:
            file.write(f"{json.dumps([name, code])}\n")


def _commits(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("django_db")
    return mark is not None and bool(mark.kwargs.get("transaction"))


def _run(session: pytest.Session, item: pytest.Item) -> None:
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=_Beyond(session))


if __name__ == "__main__":
    make()
