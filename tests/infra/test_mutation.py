"""The score of the tests of authority: what counts as noticed, and where a change stands that nobody noticed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from opsagent.management.commands.mutation import told
from opsagent.mutants import BROKEN, FAILED, HANGS, PASSED, UNTESTED
from opsagent.mutation import (
    NOTICED,
    SUBJECTS,
    Passed,
    Passing,
    Score,
    Survivor,
    changes,
    line_of,
    passing,
    play,
)

needs_mutmut = pytest.mark.skipif(
    find_spec("mutmut") is None, reason="mutmut isn't installed: see requirements-dev.txt"
)
SOURCE = '''"""Two functions of one name."""


def keep(a: int) -> int:
    return a


class Box:
    """Has one too."""

    def keep(self, a: int) -> int:
        b = a + 1
        return b
'''
DIFF = """# name: survived
--- approvals/policy.py
+++ approvals/policy.py
@@ -1,3 +1,3 @@
 def keep(self, a: int) -> int:
-    b = a + 1
+    b = a - 1
     return b
"""
SURVIVOR = Survivor("box", "approvals/policy.py", 12, "-    b = a + 1\n+    b = a - 1")


def test_a_change_is_found_in_its_file_though_it_is_told_by_its_function() -> None:
    assert line_of(SOURCE, "approvals.policy.xǁBoxǁkeep__mutmut_2", DIFF) == 12
    assert line_of(SOURCE, "approvals.policy.x_keep__mutmut_1", DIFF) == 5
    private = SOURCE.replace("def keep(a", "def _keep(a")
    assert line_of(private, "approvals.policy.x__keep__mutmut_1", DIFF) == 5


WHOLE = Passed(100.0)


def test_every_change_of_every_file_is_played(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    for name, codes in (("x", {"x.b": None, "x.a": None}), ("y", {"y.a": 1})):
        (tmp_path / "tools" / f"{name}.py.meta").write_text(json.dumps({"exit_code_by_key": codes}))
    assert changes(tmp_path, ["tools/x.py", "tools/y.py"]) == ["x.a", "x.b", "y.a"]


def test_what_was_not_run_or_passed_or_broke_the_run_is_not_noticed() -> None:
    assert frozenset({FAILED, HANGS}) == NOTICED
    assert not NOTICED & {PASSED, UNTESTED, BROKEN}


@pytest.mark.parametrize(
    ("noticed", "branches", "holds"), [(90, 100.0, True), (89, 100.0, False), (90, 99.99, False)]
)
def test_a_score_holds_from_ninety_percent_with_every_branch(
    noticed: int, branches: float, holds: bool
) -> None:
    assert Score("policy", 100, noticed, (), Passed(branches)).holds is holds
    assert Passing("policy", Passed(branches)).holds is (branches == WHOLE.percent)
    assert not Score("policy", 0, 0, (), WHOLE).holds


def test_each_survivor_is_told_with_its_line() -> None:
    said = told(Score("policy", 10, 9, (SURVIVOR,), WHOLE, hung=("approvals.policy.x_a__mutmut_1",)))
    assert "9 of 10 noticed, 90 %" in said
    assert "approvals/policy.py:12" in said
    assert "never ended: approvals.policy.x_a__mutmut_1" in said
    assert Score("policy", 10, 9, (SURVIVOR,), WHOLE).as_json()["survivors"] == [SURVIVOR.as_json()]


def test_a_way_that_no_test_takes_is_told() -> None:
    missed = Passing("executor", Passed(99.5, ("tools/execution.py:97->98",)))
    assert "99.5 %" in told(missed)
    assert "not passed: tools/execution.py:97->98" in told(missed)


PLAYED = """
def x_half__mutmut_orig(a):
    return a // 2


def x_half__mutmut_1(a):
    return a // 3


def x_half__mutmut_2(a):
    while True:
        pass


def x_half__mutmut_3(a):
    return a // 2 or 0


def half(a):
    name = os.environ.get("MUTANT_UNDER_TEST", "")
    if name == "stats":
        state()._stats.add("thing.x_half")
    if name == "fail":
        raise RuntimeError
    return globals().get(name.rpartition(".")[2], x_half__mutmut_orig)(a)
"""
ASKED = """
from pathlib import Path

import pytest
from thing import half


@pytest.fixture(scope="session")
def database():
    yield
    with Path("dropped").open("a") as file:
        file.write("once ")


def test_half(database):
    assert half(10) == 5


def test_alone():
    assert True
"""


@needs_mutmut
def test_a_fork_notices_a_change_or_a_hang_and_passes_what_changes_nothing(tmp_path: Path) -> None:
    names = [f"thing.x_half__mutmut_{number}" for number in (1, 2, 3)] + ["thing.x_other__mutmut_1"]
    (tmp_path / "thing.py").write_text(f"import os\nfrom mutmut.state import state\n{PLAYED}")
    (tmp_path / "test_thing.py").write_text(ASKED)
    (tmp_path / "changes").write_text("".join(f"{json.dumps(name)}\n" for name in names))
    words = [
        "-q",
        "-x",
        "-n",
        "0",
        "-p",
        "no:cacheprovider",
        "-p",
        "opsagent.mutants",
        "--changes",
        "changes",
        "--patience",
        "1",
    ]
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{root}"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, "--rootdir", str(tmp_path), "test_thing.py"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    ended = (tmp_path / "changes").read_text().splitlines()[len(names) :]
    assert [json.loads(line)[1] for line in ended] == [FAILED, HANGS, PASSED, UNTESTED]
    # A fork that fails takes nothing away from those after it.
    assert (tmp_path / "dropped").read_text() == "once "


def test_every_file_and_test_that_is_named_is_there() -> None:
    root = Path(__file__).parents[2]
    for subject in SUBJECTS.values():
        assert [name for name in (*subject.files, *subject.tests) if not (root / name).is_file()] == []


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", sorted(SUBJECTS))
def test_every_branch_is_passed(name: str) -> None:
    found = passing(name)
    assert found.holds, told(found)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@needs_mutmut
@pytest.mark.parametrize("name", sorted(SUBJECTS))
def test_the_tests_notice_nine_of_ten_changes(name: str) -> None:
    score = play(name)
    assert score.holds, told(score)
