"""The simulator on trial: each bug is planted in a copy of this checkout, where it is played until it is found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from opsagent.postgres import server_url
from opsagent.simulation import databases
from opsagent.simulation.bugs import BUGS, Bug, Edit
from opsagent.simulation.story_bugs import STORY_BUGS

COPIED = ("opsagent", "cases", "approvals", "tools", "audit", "templates")
TABLE: tuple[Bug, ...] = (*BUGS, *STORY_BUGS)
MOST_CASES = 1000
MOST_SECONDS = 1800


class NotPlanted(Exception):
    """An edit's old text doesn't stand in the file exactly once: the code has moved on, and so must the table."""


@dataclass(frozen=True)
class Verdict:
    """What the simulator found of one bug, after how many cases and seconds: the case's seed, and what it broke."""

    bug: str
    found: bool
    seed: int | None = None
    cases: int = 0
    seconds: int = 0
    invariant: str = ""

    def as_json(self) -> dict[str, Any]:
        """What is printed."""
        return {
            "bug": self.bug,
            "found": self.found,
            "seed": self.seed,
            "cases": self.cases,
            "seconds": self.seconds,
            "invariant": self.invariant,
        }


def trial(only: str = "", seed: int = 1, cases: int = MOST_CASES, jobs: int = 1) -> Iterator[Verdict]:
    """Plant every bug whose name holds `only`, and yield what the simulator says of each, in the table's order."""
    with databases.server(), databases.furnished(), ThreadPoolExecutor(jobs) as pool:
        url = settings.DATABASE_URL or _address()

        def judged(bug: Bug) -> Verdict:
            with planted(bug) as folder:
                return _judged(bug, folder, url, seed, cases)

        yield from pool.map(judged, [bug for bug in TABLE if only in bug.name])


@contextmanager
def planted(bug: Bug) -> Iterator[Path]:
    """A copy of the code with the bug in it. Raises NotPlanted."""
    with tempfile.TemporaryDirectory(prefix="opsagent-trial-") as name:
        folder = Path(name)
        for part in COPIED:
            skipped = shutil.ignore_patterns("__pycache__", "static", "locale")
            shutil.copytree(settings.BASE_DIR / part, folder / part, ignore=skipped)
        shutil.copy(settings.BASE_DIR / "manage.py", folder / "manage.py")
        plant(folder, bug.edits)
        yield folder


def plant(folder: Path, edits: Iterable[Edit]) -> None:
    """Make the edits. Raises NotPlanted."""
    for edit in edits:
        path = folder / edit.path
        text = path.read_text()
        if text.count(edit.old) != 1:
            raise NotPlanted(f"{edit.path}: {text.count(edit.old)} times {edit.old!r}")
        path.write_text(text.replace(edit.old, edit.new))


def _judged(bug: Bug, folder: Path, url: str, seed: int, cases: int) -> Verdict:
    began = time.monotonic()
    wish = ["--cases", str(cases), "--seed", str(seed), "--until-found", "--json"]
    done = subprocess.run(
        [sys.executable, "manage.py", "simulate", *wish],
        cwd=folder,
        env=_environment(folder, url),
        capture_output=True,
        check=False,
        timeout=MOST_SECONDS,
    )
    lines = done.stdout.decode().strip().splitlines()
    if not lines:
        raise RuntimeError(f"{bug.name}: {done.stderr.decode(errors='replace')[-2000:]}")
    said: dict[str, Any] = json.loads(lines[-1])
    took = round(time.monotonic() - began)
    first = next(iter(said["violations"]), None)
    if first is None:
        return Verdict(bug.name, found=False, cases=said["cases"], seconds=took)
    return Verdict(
        bug.name,
        found=True,
        seed=first["seed"],
        cases=said["cases"],
        seconds=took,
        invariant=first["invariant"],
    )


def _environment(folder: Path, url: str) -> dict[str, str]:
    """The copy uses this process's database server, and data of its own for all else."""
    data = {"OPSAGENT_MODE": settings.MODE, "OPSAGENT_DATA_DIR": str(folder / ".data")}
    return {**os.environ, **data, "DATABASE_URL": url}


def _address() -> str:
    socket = connection.get_connection_params()["host"]
    return server_url(Path(socket))
