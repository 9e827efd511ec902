"""Whom the demo's kill -9 hits: the same seed hits the same, and each kind that matters has its share."""

from __future__ import annotations

from collections import Counter

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from opsagent.demo.kills import NEEDS_POSTGRES, OTHERS, SHARES, planned


def test_the_same_seed_kills_the_same() -> None:
    assert planned(3, 50, ours=True) == planned(3, 50, ours=True) != planned(4, 50, ours=True)


@pytest.mark.parametrize("wanted", [50, 60, 200])
def test_a_long_run_kills_each_kind_and_postgresql_often(wanted: int) -> None:
    kinds = Counter(planned(1, wanted, ours=True))
    assert kinds.total() == wanted
    assert set(kinds) == {*SHARES, *OTHERS}
    assert kinds["postgres"] >= 5
    assert kinds["everything"] >= 4


def test_a_database_that_somebody_else_runs_is_spared() -> None:
    kinds = planned(1, 50, ours=False)
    assert len(kinds) == 50
    assert set(kinds).isdisjoint(NEEDS_POSTGRES)


def test_kills_are_refused_where_people_are_at_work() -> None:
    with pytest.raises(CommandError, match="--headless"):
        call_command("demo", "--kills", "3")
