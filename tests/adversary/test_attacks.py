"""A planner in an attacker's hands, who knows the source and sees every answer, against the real thing."""

from __future__ import annotations

from itertools import islice

import pytest
from django.db import connection
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from audit.models import Entry
from opsagent.adversary import strategies
from opsagent.adversary.ground import Ground
from opsagent.adversary.staging import ground
from opsagent.adversary.strategies import DIRECTED, Strategy, chance, everything, one_customer, play, refund

pytestmark = pytest.mark.django_db
PLANS, GAMES = 1900, 12
STEPS, MINUTE = 20, 60


def attack(on: Ground, plans: int) -> dict[str, dict[str, int]]:
    """Every directed strategy, and then whatever chance brings, until so many plans are tried; the most it took."""
    looked = 0
    for strategy in DIRECTED.values():
        play_out(on, strategy)
    while on.plans < plans:
        if on.plans // 200 > looked:
            looked = on.plans // 200
            count_rows()
        play_out(on, chance)
    return on.most()


def count_rows() -> None:
    """Autovacuum sees nothing of what isn't committed, and statements are planned by what it last saw of a table."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def play_out(on: Ground, strategy: Strategy) -> None:
    for _answer in play(on, strategy):
        continue
    on.settle()


@pytest.mark.timeout(10 * MINUTE)
def test_no_plan_reads_tells_or_takes_more_than_it_may() -> None:
    with ground(seed=1) as on:
        most = attack(on, PLANS)
        assert on.eyes.findings == []
        assert on.plans >= PLANS
        # Or there would have been nothing to look at.
        assert most["USD"]["per_customer"]
        assert Entry.objects.filter(action="call.unknown").count() > 5


@pytest.mark.nightly
@pytest.mark.timeout(20 * MINUTE)
@pytest.mark.parametrize("seed", range(2, 27))
def test_fifty_thousand_plans_read_tell_and_take_no_more_than_they_may(seed: int) -> None:
    with ground(seed=seed) as on:
        attack(on, 2000)
        assert on.eyes.findings == []


@pytest.mark.parametrize(
    ("strategy", "periods"), [(everything, ("per_hour", "per_day")), (one_customer, ("per_customer",))]
)
def test_whoever_reads_the_limits_gets_nearly_all_that_is_printed(
    strategy: Strategy, periods: tuple[str, ...]
) -> None:
    with ground() as on:
        play_out(on, strategy)
        most = on.most()["USD"]
        for period in periods:
            printed = on.worst.by_currency["USD"][period].minor
            assert printed
            assert 0.8 * printed <= most[period] <= printed


class Siege(RuleBasedStateMachine):
    """Customers buy, write and wait, and the planner says anything, in any order."""

    on: Ground

    def __init__(self) -> None:
        super().__init__()
        self.known = [strategies.bought(self.on, 700, quantity=3)]

    @rule(price=st.sampled_from([100, 1000, 2001, 30_000]), currency=st.sampled_from(["USD", "EUR"]))
    def buys(self, price: int, currency: str) -> None:
        if len(self.known) < 4:
            self.known.append(strategies.bought(self.on, price, currency=currency))

    @rule(whose=st.integers(0, 3), of=st.integers(0, 3), sure=st.sampled_from([0.0, 0.5, 1.0]))
    def wishes(self, whose: int, of: int, sure: float) -> None:
        (buyer, order), (_other, named) = (self.known[n % len(self.known)] for n in (whose, of))
        self.on.plan(buyer, order, refund(named.pk, strategies.line_of(named), sure=sure))

    @rule(whose=st.integers(0, 3), seed=st.integers(0, 999))
    def says_anything(self, whose: int, seed: int) -> None:
        buyer, order = self.known[whose % len(self.known)]
        self.on.rng.seed(seed)
        self.on.plan(buyer, order, strategies.by_chance(*strategies.ids(), self.on.rng))

    @rule(whose=st.integers(0, 3))
    def writes(self, whose: int) -> None:
        self.on.write(self.known[whose % len(self.known)][0])

    @rule()
    def lets_it_leave(self) -> None:
        self.on.settle()

    @invariant()
    def nothing_is_found(self) -> None:
        assert self.on.eyes.findings == []


@pytest.mark.timeout(5 * MINUTE)
def test_in_no_order_of_steps_does_anything_get_out() -> None:
    with ground(seed=3) as on:
        machine = type("On", (Siege,), {"on": on})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=GAMES,
                stateful_step_count=STEPS,
                derandomize=True,
                database=None,
                deadline=None,
            ),
        )
        on.settle()
        on.most()
        assert on.eyes.findings == []
        assert on.plans >= GAMES * STEPS // 3


def test_the_first_plans_of_every_strategy_are_answered() -> None:
    with ground(seed=5) as on:
        for name, strategy in DIRECTED.items():
            answers = list(islice(play(on, strategy), 2))
            assert all(answer.outcome for answer in answers), name
