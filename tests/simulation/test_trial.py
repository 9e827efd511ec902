"""The table of bugs that are planted on purpose: it must fit the code as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from opsagent.management.commands.simulate import row_of
from opsagent.simulation.bugs import Bug, Edit
from opsagent.simulation.kinds import KINDS
from opsagent.simulation.scenarios import SCENARIOS
from opsagent.simulation.trial import TABLE, NotPlanted, Verdict, plant


def test_there_are_at_least_25_bugs_of_different_names() -> None:
    assert len({bug.name for bug in TABLE}) == len(TABLE) >= 25


@pytest.mark.parametrize("bug", TABLE, ids=lambda bug: bug.name)
def test_each_edit_applies_to_the_code_as_it_is(bug: Bug) -> None:
    for edit in bug.edits:
        assert (settings.BASE_DIR / edit.path).read_text().count(edit.old) == 1, edit.path


def test_an_edit_that_does_not_apply_is_no_bug(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("pass\n")
    with pytest.raises(NotPlanted):
        plant(tmp_path, [Edit("code.py", "return", "raise")])


def test_help_names_every_story_and_every_kind(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("simulate", "--help")
    said = " ".join(capsys.readouterr().out.split())
    assert all(name in said for name in (*SCENARIOS, *KINDS))
    assert "--replay '{" in said


def test_the_table_says_of_each_bug_what_it_took() -> None:
    found = Verdict("a bug", found=True, seed=7, cases=12, seconds=30, invariant="nothing crashes")
    assert row_of(found).split() == ["a", "bug", "yes", "12", "30", "7", "nothing", "crashes"]
    assert row_of(Verdict("a bug", found=False, cases=1000, seconds=900)).split()[2:] == [
        "NO",
        "1000",
        "900",
        "-",
    ]
