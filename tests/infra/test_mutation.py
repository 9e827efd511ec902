"""The score of the tests of authority: what counts as noticed, and where a change stands that nobody noticed."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from opsagent.management.commands.mutation import told
from opsagent.mutation import NOTICED, SUBJECTS, Score, Survivor, exit_codes, line_of, play

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


def test_what_was_not_run_or_passed_is_not_noticed(tmp_path: Path) -> None:
    codes = {"a": 1, "b": 0, "c": None, "d": 33, "e": 36}
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "x.py.meta").write_text(json.dumps({"exit_code_by_key": codes}))
    found = exit_codes(tmp_path, ["tools/x.py"])
    assert [name for name, code in found if code in NOTICED] == ["a", "e"]


@pytest.mark.parametrize(
    ("noticed", "branches", "holds"),
    [(90, 100.0, True), (89, 100.0, False), (90, 99.99, False), (100, None, True), (89, None, False)],
)
def test_a_score_holds_from_ninety_percent_with_every_branch(
    noticed: int, branches: float | None, holds: bool
) -> None:
    assert Score("policy", 100, noticed, (), branches).holds is holds
    assert not Score("policy", 0, 0, (), 100.0).holds


def test_each_survivor_is_told_with_its_line() -> None:
    said = told(Score("policy", 10, 9, (SURVIVOR,), 100.0))
    assert "9 of 10 noticed, 90 %" in said
    assert "approvals/policy.py:12" in said
    assert Score("policy", 10, 9, (SURVIVOR,)).as_json()["survivors"] == [SURVIVOR.as_json()]


def test_every_file_and_test_that_is_named_is_there() -> None:
    root = Path(__file__).parents[2]
    for subject in SUBJECTS.values():
        assert [name for name in (*subject.files, *subject.tests) if not (root / name).is_file()] == []


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.skipif(find_spec("mutmut") is None, reason="mutmut isn't installed: see requirements-dev.txt")
def test_the_tests_notice_nine_of_ten_changes_of_the_policy() -> None:
    score = play("policy")
    assert score.holds, told(score)
