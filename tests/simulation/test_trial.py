"""The table of bugs that are planted on purpose: it must fit the code as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from opsagent.simulation.bugs import BUGS, Bug, Edit
from opsagent.simulation.trial import NotPlanted, plant


def test_there_are_at_least_25_bugs_of_different_names() -> None:
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 25


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_each_edit_applies_to_the_code_as_it_is(bug: Bug) -> None:
    for edit in bug.edits:
        assert (settings.BASE_DIR / edit.path).read_text().count(edit.old) == 1, edit.path


def test_an_edit_that_does_not_apply_is_no_bug(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("pass\n")
    with pytest.raises(NotPlanted):
        plant(tmp_path, [Edit("code.py", "return", "raise")])
