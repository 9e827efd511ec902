"""The simulator as it is run: what it reaches, what it finds, and that the same seed is the same run.

All in one file, so that one worker runs it: each further one would furnish a database server of its own.
"""

from __future__ import annotations

import pytest

from tests.simulation.commands import simulate

MINUTES = 60
# Found by the stories alone, so that it is quick.
QUICK = "pending counts as done"


@pytest.mark.timeout(5 * MINUTES)
def test_broken_cases_break_no_invariant() -> None:
    said = simulate("--cases", "150", "--seed", "1", "--jobs", "2")
    assert said["violations"] == []
    assert said["cases"] == 150
    assert said["points"] >= 100
    assert said["kinds"] >= 20
    assert said["refund_path"]["hit"] >= 100


@pytest.mark.nightly
@pytest.mark.timeout(15 * MINUTES)
def test_a_thousand_broken_cases_break_no_invariant() -> None:
    said = simulate("--cases", "1000", "--seed", "1", "--jobs", "2")
    assert said["violations"] == []
    assert said["cases"] == 1000
    assert said["points"] >= 100
    assert said["kinds"] >= 20
    assert said["refund_path"]["hit"] == said["refund_path"]["pairs"]


@pytest.mark.timeout(5 * MINUTES)
def test_the_same_seed_is_the_same_run_on_any_number_of_processes() -> None:
    once, again = (simulate("--cases", "24", "--seed", "7", "--jobs", jobs) for jobs in ("1", "2"))
    assert once == again


# Every run begins with the stories and lessons, whatever its seed: what is broken by chance comes after them.
@pytest.mark.nightly
@pytest.mark.timeout(15 * MINUTES)
def test_the_same_seed_breaks_the_same_and_another_does_not() -> None:
    once, again = (simulate("--cases", "120", "--seed", "7", "--jobs", jobs) for jobs in ("1", "2"))
    assert once == again
    assert simulate("--cases", "120", "--seed", "8", "--jobs", "2")["trace"] != once["trace"]


@pytest.mark.timeout(5 * MINUTES)
def test_a_planted_bug_is_found() -> None:
    said = simulate("--trial", "--only", QUICK, "--cases", "100")
    (verdict,) = said["trial"]
    assert verdict["found"]
    assert verdict["seed"] is not None


@pytest.mark.nightly
@pytest.mark.timeout(90 * MINUTES)
def test_twenty_thousand_broken_cases_break_no_invariant() -> None:
    said = simulate("--cases", "20000", "--seed", "2", "--jobs", "2")
    assert (said["violations"], said["cases"]) == ([], 20_000)


@pytest.mark.nightly
@pytest.mark.timeout(180 * MINUTES)
def test_every_planted_bug_is_found() -> None:
    assert simulate("--trial")["missed"] == []
