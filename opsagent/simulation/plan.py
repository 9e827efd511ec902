"""Which case is played how: first each story unbroken, then each failure at each point that they showed, then chance.

A recipe says all about a case: the story, its seed and the strikes. What a recipe shows in one round is what the next
one strikes at, so points that only a failure leads to are found as well.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from opsagent.simulation.kinds import KINDS
from opsagent.simulation.points import Strike
from opsagent.simulation.scenarios import SCENARIOS

# A pair that two recipes were meant to hit, and didn't, isn't tried for ever.
MOST_TRIES = 4
MOST_STRIKES = 3
ONCE = 0.4


@dataclass(frozen=True)
class Recipe:
    """One case, to be played again at will."""

    scenario: str
    seed: int
    strikes: tuple[Strike, ...] = ()


@dataclass(frozen=True)
class Result:
    """What became of a recipe. `points` are those of the refund's way, `elsewhere` all others that were passed."""

    recipe: Recipe
    points: tuple[str, ...]
    elsewhere: tuple[str, ...]
    hit: tuple[Strike, ...]
    findings: tuple[tuple[str, str], ...]
    digest: str


@dataclass
class Catalogue:
    """What has been seen so far: where each point shows, and which pairs were hit."""

    seed: int
    shown_by: dict[str, list[Recipe]] = field(default_factory=dict)
    on_path: set[str] = field(default_factory=set)
    elsewhere: set[str] = field(default_factory=set)
    hit: set[tuple[str, str]] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)
    tries: dict[tuple[str, str], int] = field(default_factory=dict)
    made: int = 0

    def learn(self, results: Iterable[Result]) -> None:
        """Take in what a round has shown."""
        for result in results:
            self.elsewhere.update(result.elsewhere)
            self.on_path.update(result.points)
            for point in result.points:
                known = self.shown_by.setdefault(point, [])
                if len(known) < MOST_TRIES and len(result.recipe.strikes) < MOST_STRIKES:
                    known.append(result.recipe)
            self.hit.update((strike.point, strike.kind) for strike in result.hit)
            self.kinds.update(strike.kind for strike in result.hit)

    @property
    def points(self) -> set[str]:
        """Every point that was passed."""
        return self.on_path | self.elsewhere

    def pairs(self) -> set[tuple[str, str]]:
        """Every point of the refund's way with every kind that can strike it."""
        return {
            (point, kind) for point in self.on_path for kind, what in KINDS.items() if what.strikes(point)
        }

    def round(self, most: int) -> list[Recipe]:
        """The next recipes, at most so many: what was never hit, else what chance brings."""
        if not self.made:
            return [Recipe(name, self._next()) for name in list(SCENARIOS)[:most]]
        missing = sorted(pair for pair in self.pairs() - self.hit if self._base(pair) is not None)
        if not missing:
            return [self._chance() for _ in range(most)]
        # Mixed, so that a run that is cut short has seen something of everything.
        random.Random(self.seed).shuffle(missing)  # noqa: S311 - to be repeated
        return [self._aimed(pair) for pair in missing[:most]]

    def _base(self, pair: tuple[str, str]) -> Recipe | None:
        """The recipe that leads to this point; another one at each try, None after the last."""
        known, tried = self.shown_by.get(pair[0], []), self.tries.get(pair, 0)
        return known[tried % len(known)] if known and tried < MOST_TRIES else None

    def _aimed(self, pair: tuple[str, str]) -> Recipe:
        base = self._base(pair)
        if base is None:
            raise ValueError("nothing leads there")
        self.tries[pair] = self.tries.get(pair, 0) + 1
        self.made += 1
        return Recipe(base.scenario, base.seed, (*base.strikes, Strike(*pair)))

    def _chance(self) -> Recipe:
        seed = self._next()
        rng = random.Random(seed)  # noqa: S311 - to be repeated
        names = list(SCENARIOS)
        name = rng.choices(names, [SCENARIOS[name].weight for name in names])[0]
        points = sorted(self.points)
        strikes = []
        for _ in range(rng.randint(1, MOST_STRIKES)):
            point = rng.choice(points)
            kinds = [kind for kind, what in KINDS.items() if what.strikes(point)]
            if kinds:
                strikes.append(Strike(point, rng.choice(kinds), rng.choice((1, 1, 2)), rng.random() < ONCE))
        return Recipe(name, seed, tuple(strikes))

    def _next(self) -> int:
        self.made += 1
        return self.seed * 1_000_003 + self.made
