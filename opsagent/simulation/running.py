"""Plays rounds of cases, on one or several processes, and adds up what they showed."""

from __future__ import annotations

import gc
import hashlib
import logging
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from datetime import timedelta
from typing import Any

from django.db import connections
from django.test import Client

from audit import sources
from cases.invariants import violations
from opsagent.simulation import databases
from opsagent.simulation.abreast import Other, another
from opsagent.simulation.checks import check
from opsagent.simulation.compiling import compiled_once
from opsagent.simulation.engine import Play
from opsagent.simulation.furnishing import BEGINS, ENVIRONMENT
from opsagent.simulation.plan import Catalogue, Recipe, Result
from opsagent.simulation.points import Strike
from opsagent.simulation.scenarios import SCENARIOS
from opsagent.simulation.vendors import Vendors

# Cases that share a database. What one leaves behind lies days back for the next.
STRETCH = 40
# A round's size: what it shows is known only at its end.
ROUND = 160
BETWEEN_CASES = timedelta(days=3)
# Objects that were made and not freed, until the collector looks.
COLLECTED_AFTER = (50_000, 20, 100)
# Of the pairs that were missed.
NAMED = 20


@dataclass(frozen=True)
class Wish:
    """What to run. With `until_found` the run ends with the stretch that found something."""

    cases: int
    seed: int
    jobs: int = 1
    until_found: bool = False


Progress = Callable[[int, int], None]


def simulate(wish: Wish, progress: Progress = lambda cases, violations: None) -> dict[str, Any]:
    """Play so many cases. Returns what is printed; `progress` hears after each stretch how far it is."""
    os.environ.update(ENVIRONMENT)
    with (
        databases.server(),
        databases.furnished() as template,
        _silence(),
        _rare_collections(),
        compiled_once(),
        _players(wish.jobs) as play,
    ):
        return _rounds(wish, template, play, progress)


@contextmanager
def _silence() -> Iterator[None]:
    """Every failure that is made here is logged by whoever meets it, which nobody wants to read."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _rounds(wish: Wish, template: str, play: Any, progress: Progress) -> dict[str, Any]:
    catalogue, results = Catalogue(wish.seed), list[Result]()
    stretch = STRETCH // 4 if wish.until_found else STRETCH
    while len(results) < wish.cases:
        recipes = catalogue.round(min(ROUND, wish.cases - len(results)))
        stretches = [
            (template, f"{os.getpid()}_{len(results) + place}", recipes[place : place + stretch])
            for place in range(0, len(recipes), stretch)
        ]
        for found in play(stretches):
            results += found
            progress(len(results), sum(len(result.findings) for result in results))
            if wish.until_found and any(result.findings for result in found):
                return report(catalogue, results)
        catalogue.learn(results[-len(recipes) :])
    return report(catalogue, results)


@contextmanager
def _players(jobs: int) -> Iterator[Any]:
    if jobs <= 1:
        yield lambda stretches: map(play_stretch, stretches)
        return
    connections.close_all()
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("fork")) as pool:
        yield lambda stretches: pool.map(play_stretch, stretches)


def replay(violation: dict[str, Any]) -> tuple[list[str], Result]:
    """Play the one case that a violation names once more: what it passed, line by line, and what was found."""
    os.environ.update(ENVIRONMENT)
    strikes = tuple(Strike(*strike) for strike in violation["strikes"])
    recipe = Recipe(violation["story"], violation["seed"], strikes)
    with databases.server(), databases.furnished() as template, _silence(), compiled_once():
        (played,) = _play_all((template, f"{os.getpid()}_again", [recipe]))
    return played[0].trace.lines, played[1]


def play_stretch(job: tuple[str, str, list[Recipe]]) -> list[Result]:
    """Play some cases, one after the other, in a database of their own."""
    return [result for _play, result in _play_all(job)]


def _play_all(job: tuple[str, str, list[Recipe]]) -> list[tuple[Play, Result]]:
    template, name, recipes = job
    played = []
    with _stage(template, name) as (clock, other):
        vendors, client = Vendors(lambda: clock.at), Client(raise_request_exception=False)
        known: set[tuple[str, str]] = set()
        for number, recipe in enumerate(recipes):
            story, strikes = SCENARIOS[recipe.scenario], list(recipe.strikes)
            play = Play(recipe.seed, number, story, strikes, clock, vendors, client, other)
            play.run()
            found = check(play) + [(one.invariant, str(one)) for one in violations(cases=play.cases())]
            fresh = [one for one in dict.fromkeys(found) if one not in known]
            known.update(fresh)
            played.append((play, _result(recipe, play, fresh)))
            clock.advance(BETWEEN_CASES)
    return played


@contextmanager
def _stage(template: str, name: str) -> Iterator[tuple[sources.Clock, Other]]:
    """A database, a clock and a second worker for some cases."""
    with databases.copy(template, name), another() as other, sources.frozen(BEGINS) as clock:
        yield clock, other


@contextmanager
def _rare_collections() -> Iterator[None]:
    """What is imported stays, and a case leaves little that only the collector could free."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED_AFTER)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _result(recipe: Recipe, play: Play, findings: list[tuple[str, str]]) -> Result:
    trace = play.trace
    return Result(
        recipe=recipe,
        points=tuple(trace.on_path),
        elsewhere=tuple(point for point in trace.visits if point not in trace.on_path),
        hit=tuple(trace.hit),
        findings=tuple(findings),
        digest=trace.digest(),
        calm=frozenset(trace.calm),
    )


def report(catalogue: Catalogue, results: list[Result]) -> dict[str, Any]:
    """What the command prints."""
    whole = Catalogue(catalogue.seed)
    whole.learn(results)
    pairs = whole.pairs()
    trace = hashlib.sha256("".join(result.digest for result in results).encode()).hexdigest()
    return {
        "seed": catalogue.seed,
        "cases": len(results),
        "points": len(whole.points),
        "kinds": len(whole.kinds),
        "refund_path": {
            "points": len(whole.on_path),
            "pairs": len(pairs),
            "hit": len(pairs & whole.hit),
            "missed": [" / ".join(pair) for pair in sorted(pairs - whole.hit)[:NAMED]],
        },
        "violations": [_violation(result, one) for result in results for one in result.findings],
        "trace": trace,
    }


def _violation(result: Result, finding: tuple[str, str]) -> dict[str, Any]:
    recipe = result.recipe
    return {
        "seed": recipe.seed,
        "invariant": finding[0],
        "row": finding[1],
        "story": recipe.scenario,
        "strikes": [list(astuple(strike)) for strike in recipe.strikes],
    }
