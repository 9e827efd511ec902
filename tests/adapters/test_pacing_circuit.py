"""The circuit: a vendor that doesn't answer is left alone, and asked by one caller whether it is back."""

import pytest

from tests.adapters.passing import pass_time
from tests.flow.threads import at_once
from tools import circuits
from tools.circuits import Line
from tools.models import Circuit

READS = Line("north", "stripe", Circuit.Work.READ)
WRITES = Line("north", "stripe", Circuit.Work.WRITE)


def fail(times: int, line: Line = READS) -> None:
    for _ in range(times):
        circuits.failed(line, probe=False)


def fail_probe(line: Line = READS) -> float:
    """A probe that finds nobody; returns for how long the vendor is left alone after that."""
    left = circuits.left(line)
    assert left is not None
    pass_time(left + 0.1)
    assert circuits.claim_probe(line, 20)
    circuits.failed(line, probe=True)
    return round(circuits.left(line) or 0)


def test_four_failures_change_nothing_and_the_fifth_gives_it_half_a_minute() -> None:
    fail(4)
    assert circuits.left(READS) is None
    fail(1)
    assert circuits.left(READS) == pytest.approx(30, abs=1)


def test_only_failures_in_a_row_count() -> None:
    fail(4)
    circuits.answered(READS)
    fail(4)
    assert circuits.left(READS) is None


def test_reading_and_writing_do_not_trip_each_other() -> None:
    fail(5, READS)
    assert circuits.left(WRITES) is None
    fail(5, WRITES)
    circuits.answered(READS)
    assert circuits.left(READS) is None
    assert circuits.left(WRITES) is not None


def test_each_failed_probe_gives_it_a_minute() -> None:
    fail(5)
    assert [fail_probe() for _ in range(4)] == [60, 60, 60, 60]


def test_failures_that_were_under_way_do_not_prolong_the_rest() -> None:
    fail(5 + 20)
    assert circuits.left(READS) == pytest.approx(30, abs=1)
    pass_time(31)
    fail(3)
    left = circuits.left(READS)
    assert left is not None
    assert left < 0


def test_nobody_probes_before_the_time() -> None:
    fail(5)
    assert not circuits.claim_probe(READS, 20)
    pass_time(31)
    assert circuits.claim_probe(READS, 20)
    assert not circuits.claim_probe(READS, 20)


def test_an_answer_to_the_probe_closes_it_and_forgets() -> None:
    fail(5)
    pass_time(31)
    assert circuits.claim_probe(READS, 20)
    circuits.answered(READS)
    assert circuits.left(READS) is None
    fail(4)
    assert circuits.left(READS) is None


def test_a_prober_that_died_blocks_nobody_for_long() -> None:
    fail(5)
    pass_time(31)
    assert circuits.claim_probe(READS, 20)
    pass_time(31)
    assert circuits.claim_probe(READS, 20)


def test_a_probe_that_found_nothing_out_is_handed_on() -> None:
    fail(5)
    pass_time(31)
    assert circuits.claim_probe(READS, 20)
    circuits.let_go(READS)
    assert circuits.claim_probe(READS, 20)


def test_letting_go_does_not_open_what_has_been_closed() -> None:
    circuits.failed(READS, probe=False)
    circuits.let_go(READS)
    assert circuits.left(READS) is None


@pytest.mark.django_db(transaction=True)
def test_of_eight_at_once_exactly_one_probes() -> None:
    fail(5)
    for _ in range(5):
        pass_time(700)
        assert sum(at_once(lambda number: circuits.claim_probe(READS, 20))) == 1


@pytest.mark.django_db(transaction=True)
def test_no_failure_is_lost_among_eight_at_once() -> None:
    at_once(lambda number: circuits.failed(READS, probe=False), 4)
    assert Circuit.objects.get().failures == 4
    at_once(lambda number: circuits.failed(READS, probe=False))
    assert Circuit.objects.get().failures == circuits.OPENS_AFTER
