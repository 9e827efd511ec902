"""Whether the tests of authority would notice: policy and executor changed in a copy, in one place at a time.

mutmut makes the changes, and `opsagent.mutants` plays, for each, the tests that pass through the changed function, in
forks of one process: Django starts and the test database is made once, and not once for each of a thousand changes.
It changes what stands in functions; the table of rules itself is held by the tests of its order and of its lines. What
hypothesis finds comes on top: its tests notice much, and too slowly to be asked about every change.
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

COPIED = ("opsagent", "cases", "approvals", "tools", "audit", "templates", "tests")
FILES = ("conftest.py", "manage.py", "pyproject.toml")
# How a fork ends: a test failed, or a change kept it busy for ever.
FAILED, HANGS = 1, 36
NOTICED = frozenset({FAILED, HANGS})
AT_LEAST = 90.0
WHOLE = 100.0


@dataclass(frozen=True)
class Subject:
    """Files to change, and the tests that are to notice."""

    files: tuple[str, ...]
    tests: tuple[str, ...]


SUBJECTS = {
    "policy": Subject(
        ("approvals/policy.py", "approvals/bounds.py"),
        (
            "tests/authority/test_policy_table.py",
            "tests/authority/test_policy_lines.py",
            "tests/authority/test_policy_values.py",
        ),
    ),
    "executor": Subject(
        (
            "tools/execution.py",
            "tools/outcomes.py",
            "tools/ledger.py",
            "tools/settling.py",
            "approvals/recheck.py",
            "approvals/today.py",
        ),
        (
            "tests/executor/test_asked_again.py",
            "tests/executor/test_books.py",
            "tests/executor/test_finding_out.py",
            "tests/executor/test_held.py",
            "tests/executor/test_one_try.py",
            "tests/executor/test_what_follows.py",
            "tests/executor/test_without_a_try.py",
            "tests/authority/test_recheck.py",
            "tests/authority/test_stricter_of_both.py",
            "tests/authority/test_value.py",
        ),
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
class Passed:
    """What share of lines and branches the tests pass through, and the ways that they don't take."""

    percent: float
    missed: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """What is printed."""
        return {"branches_percent": self.percent, "missed": list(self.missed)}


@dataclass(frozen=True)
class Passing:
    """What the tests of one subject pass through, asked alone."""

    subject: str
    passed: Passed

    @property
    def holds(self) -> bool:
        """Whether no branch is left out."""
        return self.passed.percent == WHOLE

    def as_json(self) -> dict[str, Any]:
        """What is printed."""
        return {"subject": self.subject, **self.passed.as_json()}


@dataclass(frozen=True)
class Score:
    """How many changes were made and noticed, and what of the files the tests pass through.

    `hung` are those that were noticed since a test never ended.
    """

    subject: str
    changes: int
    noticed: int
    survivors: tuple[Survivor, ...]
    passed: Passed
    hung: tuple[str, ...] = ()

    @property
    def percent(self) -> float:
        """What share of the changes was noticed."""
        return round(100 * self.noticed / self.changes, 1) if self.changes else 0.0

    @property
    def holds(self) -> bool:
        """Whether that is enough, and no branch is left out."""
        return self.percent >= AT_LEAST and self.passed.percent == WHOLE

    def as_json(self) -> dict[str, Any]:
        """What is printed."""
        return {
            "subject": self.subject,
            "changes": self.changes,
            "noticed": self.noticed,
            "percent": self.percent,
            **self.passed.as_json(),
            "hung": list(self.hung),
            "survivors": [survivor.as_json() for survivor in self.survivors],
        }


def play(name: str) -> Score:
    """Change the subject's files in a copy, one place at a time. Raises NotPlayed."""
    subject, environment = SUBJECTS[name], _environment()
    with _copied() as folder:
        (folder / "setup.cfg").write_text(_settings(subject))
        passed = _passed(folder, subject, environment)
        _run(folder, environment, "opsagent.mutants")
        codes = _played(folder / "mutants", subject, environment)
        survivors = tuple(
            _survivor(folder, environment, change) for change, code in codes if code not in NOTICED
        )
    hung = tuple(change for change, code in codes if code == HANGS)
    return Score(name, len(codes), len(codes) - len(survivors), survivors, passed, hung)


def passing(name: str) -> Passing:
    """What of the subject's files its tests pass through, without any change. Raises NotPlayed."""
    with _copied() as folder:
        return Passing(name, _passed(folder, SUBJECTS[name], _environment()))


def _played(mutants: Path, subject: Subject, environment: Mapping[str, str]) -> list[tuple[str, int]]:
    """Every change by its name with how its tests ended."""
    names = changes(mutants, subject.files)
    told = mutants / "changes.jsonl"
    told.write_text("".join(f"{json.dumps(name)}\n" for name in names))
    _run(mutants, environment, *_pytest(subject), "-p", "opsagent.mutants", "--changes", told.name)
    ended = [json.loads(line) for line in told.read_text().splitlines()[len(names) :]]
    if [name for name, _code in ended] != names:
        raise NotPlayed(f"{len(ended)} of {len(names)} changes were played.")
    return [(name, code) for name, code in ended]


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


def _environment() -> dict[str, str]:
    """The tests' own, with the place where they may start a database server."""
    known = {name: text for name, text in os.environ.items() if not name.startswith(("OPSAGENT_", "DJANGO_"))}
    return {**known, "OPSAGENT_DATA_DIR": str(settings.DATA_DIR)}


def _pytest(subject: Subject) -> list[str]:
    # In one order and one process.
    plain = ["-q", "-x", "-n", "0", "--timeout", "0", "-p", "no:randomly", "-p", "no:cacheprovider"]
    return ["pytest", *plain, *subject.tests]


def _settings(subject: Subject) -> str:
    def listed(words: Sequence[str]) -> str:
        return "".join(f"\n    {word}" for word in words)

    return f"[mutmut]\nsource_paths={listed(subject.files)}\nalso_copy={listed((*COPIED, *FILES))}\n"


def _run(folder: Path, environment: Mapping[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, env=dict(environment), capture_output=True, check=False
    )
    said = done.stdout.decode(errors="replace")
    if done.returncode:
        raise NotPlayed(f"{' '.join(words[:2])}: {(said + done.stderr.decode(errors='replace'))[-2000:]}")
    return said


def _passed(folder: Path, subject: Subject, environment: Mapping[str, str]) -> Passed:
    only = f"--include={','.join(subject.files)}"
    _run(folder, environment, "coverage", "run", "--branch", only, "-m", *_pytest(subject))
    told: dict[str, Any] = json.loads(_run(folder, environment, "coverage", "json", "-o", "-", "-q"))
    missed = [
        f"{file}:{place}"
        for file, seen in sorted(told["files"].items())
        for place in (*seen["missing_lines"], *(f"{a}->{b}" for a, b in seen["missing_branches"]))
    ]
    return Passed(round(float(told["totals"]["percent_covered"]), 2), tuple(missed))


def changes(mutants: Path, files: Sequence[str]) -> list[str]:
    """Every change by its name."""
    found: list[str] = []
    for file in files:
        told: dict[str, Any] = json.loads((mutants / f"{file}.meta").read_text())
        found += sorted(told["exit_code_by_key"])
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
