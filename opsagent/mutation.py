"""Whether the tests of authority would notice: policy and executor changed in a copy, in one place at a time.

mutmut makes the changes and plays, for each, the tests that pass through the changed function, in forks of one process:
Django starts once and not once for each of a thousand changes, as it would in cosmic-ray. It changes what stands in
functions; the table of rules itself is held by the tests of its order and of its lines. What hypothesis finds comes on
top: its tests notice much, and too slowly to be asked about every change.
https://mutmut.readthedocs.io/
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from opsagent.postgres import server_url
from opsagent.simulation import databases

COPIED = ("opsagent", "cases", "approvals", "tools", "audit", "templates", "tests")
FILES = ("conftest.py", "manage.py", "pyproject.toml")
# pytest's: a test failed, or could not even be run; and how a fork ends that a change keeps busy for ever.
NOTICED = frozenset({1, 3, 24, 36, 152, 255, -24})
AT_LEAST = 90.0


@dataclass(frozen=True)
class Subject:
    """Files to change, the tests that are to notice, and whether these need a database."""

    files: tuple[str, ...]
    tests: tuple[str, ...]
    database: bool


SUBJECTS = {
    "policy": Subject(
        ("approvals/policy.py", "approvals/bounds.py"),
        (
            "tests/authority/test_policy_table.py",
            "tests/authority/test_policy_lines.py",
            "tests/authority/test_policy_values.py",
        ),
        database=False,
    ),
    "executor": Subject(
        ("tools/execution.py", "approvals/recheck.py", "approvals/today.py"),
        (
            "tests/authority/test_recheck.py",
            "tests/authority/test_undo.py",
            "tests/authority/test_value.py",
            "tests/flow/test_execution.py",
            "tests/flow/test_held_back.py",
            "tests/flow/test_life_failed_later.py",
            "tests/flow/test_lost_answers.py",
        ),
        database=True,
    ),
}


class NotPlayed(Exception):
    """The tests don't pass on the code as it is, or mutmut isn't there: its last words are the message."""


@dataclass(frozen=True)
class Survivor:
    """A change that no test noticed; `line` is where it stands in the file."""

    name: str
    file: str
    line: int
    diff: str

    def as_json(self) -> dict[str, Any]:
        """What is printed."""
        return {"name": self.name, "file": self.file, "line": self.line, "diff": self.diff}


@dataclass(frozen=True)
class Score:
    """How many changes were made and noticed; `branches_percent` is what of the files the tests pass through."""

    subject: str
    changes: int
    noticed: int
    survivors: tuple[Survivor, ...]
    branches_percent: float | None = None

    @property
    def percent(self) -> float:
        """What share of the changes was noticed."""
        return round(100 * self.noticed / self.changes, 1) if self.changes else 0.0

    @property
    def holds(self) -> bool:
        """Whether that is enough, and no branch is left out where branches were counted."""
        return self.percent >= AT_LEAST and self.branches_percent in (None, 100.0)

    def as_json(self) -> dict[str, Any]:
        """What is printed."""
        return {
            "subject": self.subject,
            "changes": self.changes,
            "noticed": self.noticed,
            "percent": self.percent,
            "branches_percent": self.branches_percent,
            "survivors": [survivor.as_json() for survivor in self.survivors],
        }


def play(name: str) -> Score:
    """Change the subject's files in a copy, one place at a time. Raises NotPlayed."""
    subject = SUBJECTS[name]
    with _copied() as folder, _serving(subject) as environment:
        (folder / "setup.cfg").write_text(_settings(subject))
        branches = None if subject.database else _branches(folder, subject, environment)
        jobs = 1 if subject.database else os.cpu_count() or 1
        _run(folder, environment, "mutmut", "run", "--max-children", str(jobs))
        if subject.database:
            # What a change left behind in the database would make every later one look noticed.
            _run(folder, environment, *_pytest(subject))
        codes = exit_codes(folder / "mutants", subject.files)
        survivors = tuple(
            _survivor(folder, environment, change) for change, code in codes if code not in NOTICED
        )
    return Score(name, len(codes), len(codes) - len(survivors), survivors, branches)


@contextmanager
def _copied() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="opsagent-mutation-") as name:
        folder = Path(name)
        for part in COPIED:
            skipped = shutil.ignore_patterns("__pycache__", ".mypy_cache")
            shutil.copytree(settings.BASE_DIR / part, folder / part, ignore=skipped)
        for file in FILES:
            shutil.copy(settings.BASE_DIR / file, folder / file)
        yield folder


@contextmanager
def _serving(subject: Subject) -> Iterator[dict[str, str]]:
    """The environment of the tests, with the address of a database server where they need one."""
    known = {name: text for name, text in os.environ.items() if not name.startswith(("OPSAGENT_", "DJANGO_"))}
    if not subject.database:
        yield known
        return
    with databases.server():
        host = connection.get_connection_params()["host"]
        yield {**known, "DATABASE_URL": settings.DATABASE_URL or server_url(Path(host))}


def _pytest(subject: Subject) -> list[str]:
    # In one order and one process, on a test database that is made once.
    kept = ["--reuse-db"] if subject.database else []
    return [
        "pytest",
        "-q",
        "-x",
        "-n",
        "0",
        "-p",
        "no:randomly",
        "-p",
        "no:cacheprovider",
        *kept,
        *subject.tests,
    ]


def _settings(subject: Subject) -> str:
    def listed(words: Sequence[str]) -> str:
        return "".join(f"\n    {word}" for word in words)

    arguments = [word for word in _pytest(subject)[1:] if word not in (*subject.tests, "-q", "-x")]
    return (
        f"[mutmut]\nsource_paths={listed(subject.files)}\nalso_copy={listed((*COPIED, *FILES))}\n"
        f"pytest_add_cli_args={listed(arguments)}\n"
        f"pytest_add_cli_args_test_selection={listed(subject.tests)}\n"
    )


def _run(folder: Path, environment: Mapping[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, env=dict(environment), capture_output=True, check=False
    )
    said = done.stdout.decode(errors="replace")
    if done.returncode:
        raise NotPlayed(f"{' '.join(words[:2])}: {(said + done.stderr.decode(errors='replace'))[-2000:]}")
    return said


def _branches(folder: Path, subject: Subject, environment: Mapping[str, str]) -> float:
    """The share of lines and branches of the files that the tests pass through."""
    only = f"--include={','.join(subject.files)}"
    _run(folder, environment, "coverage", "run", "--branch", only, "-m", *_pytest(subject))
    told: dict[str, Any] = json.loads(_run(folder, environment, "coverage", "json", "-o", "-", "-q"))
    return round(float(told["totals"]["percent_covered"]), 2)


def exit_codes(mutants: Path, files: Sequence[str]) -> list[tuple[str, int | None]]:
    """Every change by its name with how its tests ended; None where they were not run."""
    found: list[tuple[str, int | None]] = []
    for file in files:
        told: dict[str, Any] = json.loads((mutants / f"{file}.meta").read_text())
        found += sorted(told["exit_code_by_key"].items())
    return found


def _survivor(folder: Path, environment: Mapping[str, str], name: str) -> Survivor:
    diff = _run(folder, environment, "mutmut", "show", name)
    file = next(line[4:].strip() for line in diff.splitlines() if line.startswith("--- "))
    return Survivor(name, file, line_of((folder / file).read_text(), name, diff), _changed(diff))


def line_of(source: str, name: str, diff: str) -> int:
    """Where in the file the change stands, which mutmut counts from the beginning of its function."""
    function = re.split(r"[ǁ_]", name.rpartition(".")[2].partition("__mutmut_")[0], maxsplit=1)[1]
    kind, _, method = function.rpartition("ǁ")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef) and kind == node.name:
            return _within(node, method, diff)
    return _within(ast.parse(source), method, diff)


def _within(node: ast.AST, function: str, diff: str) -> int:
    starts = [
        child.lineno
        for child in ast.iter_child_nodes(node)
        if isinstance(child, ast.FunctionDef) and child.name == function
    ]
    hunk = diff[diff.index("@@ -") :].splitlines()
    first = int(re.findall(r"\d+", hunk[0])[0])
    before = next(place for place, line in enumerate(hunk[1:]) if line.startswith("-"))
    return starts[0] + first - 1 + before


def _changed(diff: str) -> str:
    lines = diff[diff.index("@@ -") :].splitlines()
    return "\n".join(line for line in lines if line.startswith(("-", "+")))
