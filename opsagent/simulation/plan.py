"""Which case is played how: first each story unbroken, then each failure at each point that they showed, then chance.

A recipe says all about a case: the story, its seed and the strikes. What a recipe shows in one round is what the next
one strikes at, so points that only a failure leads to are found as well. One case is struck at several points: where
it lives through the first, it goes on to the next.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from opsagent.simulation.kinds import KINDS
from opsagent.simulation.points import Strike
from opsagent.simulation.scenarios import LESSONS, SCENARIOS

# A pair that two recipes were meant to hit, and didn't, isn't tried for ever.
MOST_TRIES = 4
MOST_STRIKES = 4
# Recipes that are kept for a point: those with the fewest strikes, since most of them is left to be told.
MOST_BASES = 4
ONCE = 0.4
# How often chance strikes a case once, twice, and so on: most of what two strikes do alone one has shown already.
FEWER_RATHER = (4, 3, 2, 1)


@dataclass(frozen=True)
class Recipe:
    """One case, to be played again at will."""

    scenario: str
    seed: int
    strikes: tuple[Strike, ...] = ()

    @property
    def struck(self) -> set[str]:
        """The points at which it strikes."""
        return {strike.point for strike in self.strikes}


@dataclass(frozen=True)
class Result:
    """What became of a recipe. `points` are those of the refund's way in their order, `elsewhere` all others.

    `calm` are those that were passed first when nothing could fail any more.
    """

    recipe: Recipe
    points: tuple[str, ...]
    elsewhere: tuple[str, ...]
    hit: tuple[Strike, ...]
    findings: tuple[tuple[str, str], ...]
    digest: str
    calm: frozenset[str] = frozenset()


@dataclass
class Catalogue:
    """What has been seen so far: where each point shows, and which pairs were hit."""

    seed: int
    shown_by: dict[str, list[Recipe]] = field(default_factory=dict)
    way: dict[Recipe, tuple[str, ...]] = field(default_factory=dict)
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
            self._keep(result)
            self.hit.update((strike.point, strike.kind) for strike in result.hit)
            self.kinds.update(strike.kind for strike in result.hit)

    def _keep(self, result: Result) -> None:
        """Let the next round lead to what was passed here; a strike that was not made led nowhere."""
        recipe = Recipe(result.recipe.scenario, result.recipe.seed, result.hit)
        if recipe in self.way:
            return
        # Most of what doesn't belong to the refund comes before it; a point of its way may be met there first.
        passed = (*result.elsewhere, *result.points)
        self.way[recipe] = tuple(point for point in passed if point not in result.calm)
        for point in self.way[recipe]:
            known = self.shown_by.setdefault(point, [])
            known.append(recipe)
            known.sort(key=lambda one: len(one.strikes))
            del known[MOST_BASES:]

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
            return self._told(most)
        missing = sorted(pair for pair in self.pairs() - self.hit if self._base(pair) is not None)
        if not missing:
            return [self._chance() for _ in range(most)]
        # Mixed, so that a run that is cut short has seen something of everything.
        random.Random(self.seed).shuffle(missing)  # noqa: S311 - to be repeated
        recipes: list[Recipe] = []
        while missing and len(recipes) < most:
            recipes.append(self._aimed(missing))
        return recipes

    def _told(self, most: int) -> list[Recipe]:
        """Each story unbroken, then what is known to be hard in some."""
        lessons = [(one.scenario, tuple(Strike(*aim) for aim in one.strikes)) for one in LESSONS]
        first = [*((name, ()) for name in SCENARIOS), *lessons]
        return [Recipe(name, self._next(), strikes) for name, strikes in first[:most]]

    def _base(self, pair: tuple[str, str]) -> Recipe | None:
        """The recipe that leads to this point; another one at each try, None after the last."""
        tried = self.tries.get(pair, 0)
        known = [one for one in self.shown_by.get(pair[0], []) if pair[0] not in one.struck]
        return known[tried % len(known)] if known and tried < MOST_TRIES else None

    def _aimed(self, missing: list[tuple[str, str]]) -> Recipe:
        """A recipe that strikes the first of these pairs, and others further on; what it strikes is taken out."""
        pair = missing.pop(0)
        base = self._base(pair)
        if base is None:
            raise ValueError("nothing leads there")
        self.tries[pair] = self.tries.get(pair, 0) + 1
        self.made += 1
        aims = [pair, *self._further(base, pair[0], missing)]
        for also in aims[1:]:
            missing.remove(also)
        return Recipe(base.scenario, base.seed, (*base.strikes, *(Strike(*aim) for aim in aims)))

    def _further(self, base: Recipe, point: str, missing: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Pairs at later points of the same story, each at another, as many as a case may suffer."""
        way = self.way[base]
        later = set(way[way.index(point) + 1 :]) - base.struck
        found: dict[str, tuple[str, str]] = {}
        for pair in missing:
            if len(found) + 1 + len(base.strikes) >= MOST_STRIKES:
                break
            if pair[0] in later:
                found.setdefault(pair[0], pair)
        return list(found.values())

    def _chance(self) -> Recipe:
        seed = self._next()
        rng = random.Random(seed)  # noqa: S311 - to be repeated
        names = list(SCENARIOS)
        name = rng.choices(names, [SCENARIOS[name].weight for name in names])[0]
        points = sorted(self.points)
        strikes = []
        for _ in range(rng.choices(range(1, MOST_STRIKES + 1), FEWER_RATHER)[0]):
            point = rng.choice(points)
            kinds = [kind for kind, what in KINDS.items() if what.strikes(point)]
            if kinds:
                strikes.append(Strike(point, rng.choice(kinds), rng.choice((1, 1, 2)), rng.random() < ONCE))
        return Recipe(name, seed, tuple(strikes))

    def _next(self) -> int:
        self.made += 1
        return self.seed * 1_000_003 + self.made
