"""Points and kinds: how they are named, and which belongs to which."""

from __future__ import annotations

import pytest

from opsagent.simulation.kinds import KINDS
from opsagent.simulation.plan import Catalogue, Recipe, Result
from opsagent.simulation.points import Strike
from opsagent.simulation.scenarios import LESSONS, SCENARIOS

COMMIT = "commit:tools.execution._claim[issue_refund]"
CALL = "call:stripe.refunds.create"
# Where races are run, and what only a person does.
NAMED = (
    "commit:approvals.signing.approve",
    "commit:cases.paying._end",
    "commit:cases.planning._apply",
    "act:tick",
)


def shown(*points: str, strikes: tuple[Strike, ...] = (), hit: tuple[Strike, ...] = ()) -> Result:
    """A case that passed these points."""
    return Result(Recipe("automatic", 1, strikes), points, (), hit, (), "")


def test_there_are_at_least_20_kinds() -> None:
    assert len(KINDS) >= 20


@pytest.mark.parametrize(
    ("kind", "point", "strikes"),
    [
        ("commit unheard", COMMIT, True),
        ("commit unheard", CALL, False),
        ("answer lost", CALL, True),
        ("task lost", "dequeue:advance", True),
        ("webhook doubled", "hook:stripe.refund.created", True),
        ("second approver", "act:approve", True),
    ],
)
def test_a_kind_strikes_the_points_of_its_class(kind: str, point: str, strikes: bool) -> None:
    assert KINDS[kind].strikes(point) is strikes


def test_every_kind_strikes_somewhere() -> None:
    points = ("commit:a", "call:a", "enqueue:a", "dequeue:a", "task:a", "ack:a", "hook:a", "act:a", *NAMED)
    assert all(any(kind.strikes(point) for point in points) for kind in KINDS.values())


def test_a_kind_of_one_point_strikes_no_other_of_its_class() -> None:
    races = [kind for kind in KINDS.values() if any(kind.strikes(point) for point in NAMED[:3])]
    assert any(not kind.strikes("commit:a") for kind in races)


def test_the_stories_are_told_unbroken_first_and_then_the_lessons() -> None:
    first = Catalogue(1).round(100)
    unbroken, broken = first[: len(SCENARIOS)], first[len(SCENARIOS) :]
    assert {recipe.strikes for recipe in unbroken} == {()}
    assert [recipe.scenario for recipe in broken] == [lesson.scenario for lesson in LESSONS]
    assert all(recipe.strikes for recipe in broken)


def test_each_lesson_strikes_a_story_with_what_can_strike_there() -> None:
    for lesson in LESSONS:
        assert lesson.scenario in SCENARIOS
        assert all(KINDS[kind].strikes(point) for point, kind, *_nth in lesson.strikes)


def test_what_was_shown_is_struck_next_with_every_kind_that_fits() -> None:
    catalogue = Catalogue(1)
    catalogue.round(1)
    catalogue.learn([shown(COMMIT)])
    aimed = {recipe.strikes[-1] for recipe in catalogue.round(100)}
    assert aimed == {Strike(COMMIT, kind) for kind, what in KINDS.items() if what.strikes(COMMIT)}


def test_another_seed_breaks_in_another_order() -> None:
    rounds = []
    for seed in (1, 2, 1):
        catalogue = Catalogue(seed)
        catalogue.round(1)
        catalogue.learn([shown(COMMIT, CALL)])
        rounds.append([recipe.strikes for recipe in catalogue.round(100)])
    assert rounds[0] != rounds[1]
    assert rounds[0] == rounds[2]


def test_what_only_a_failure_leads_to_is_reached_by_that_failure() -> None:
    catalogue = Catalogue(1)
    catalogue.round(1)
    lost = Strike(CALL, "answer lost")
    catalogue.learn([shown("task:settle[issue_refund]", strikes=(lost,), hit=(lost,))])
    assert all(recipe.strikes[0] == lost for recipe in catalogue.round(100))


def test_what_was_hit_is_not_aimed_at_again() -> None:
    catalogue = Catalogue(1)
    catalogue.round(1)
    hit = tuple(Strike(COMMIT, kind) for kind, what in KINDS.items() if what.strikes(COMMIT))
    catalogue.learn([shown(COMMIT, hit=hit)])
    assert {len(recipe.strikes) for recipe in catalogue.round(20)} <= {1, 2, 3, 4}
    assert catalogue.pairs() == catalogue.hit


def test_a_case_is_struck_at_several_points_of_its_way() -> None:
    way = ("task:advance", "call:stripe.refunds.create", "hook:stripe.refund.created", "ack:settle")
    catalogue = Catalogue(1)
    catalogue.round(1)
    catalogue.learn([shown(*way)])
    recipes = catalogue.round(1000)
    aims = [strike for recipe in recipes for strike in recipe.strikes]
    assert {(aim.point, aim.kind) for aim in aims} == catalogue.pairs()
    assert len(aims) == len(catalogue.pairs())
    assert len(recipes) < len(aims) / 2
    for recipe in recipes:
        places = [way.index(strike.point) for strike in recipe.strikes]
        assert len(set(places)) == len(places) <= 4
        assert min(places) == places[0]


def test_a_strike_that_was_not_made_leads_nowhere() -> None:
    catalogue = Catalogue(1)
    catalogue.round(1)
    missed = Strike(CALL, "answer lost")
    catalogue.learn([shown("ack:settle", strikes=(missed,))])
    assert all(missed not in recipe.strikes for recipe in catalogue.round(100))


def test_a_point_is_not_struck_twice_at_one_visit() -> None:
    catalogue = Catalogue(1)
    catalogue.round(1)
    lost = Strike(CALL, "answer lost")
    catalogue.learn([shown(CALL, COMMIT, strikes=(lost,), hit=(lost,))])
    for recipe in catalogue.round(100):
        assert len({strike.point for strike in recipe.strikes}) == len(recipe.strikes)


def test_a_story_leads_only_to_what_could_fail_in_it() -> None:
    catalogue = Catalogue(1)
    catalogue.round(1)
    recipe = Recipe("automatic", 1)
    catalogue.learn([Result(recipe, (CALL, COMMIT), (), (), (), "", calm=frozenset({COMMIT}))])
    assert {strike.point for recipe in catalogue.round(100) for strike in recipe.strikes} == {CALL}
    assert (COMMIT, "killed before") in catalogue.pairs()


def test_what_was_met_before_the_refund_is_struck_there_as_well() -> None:
    """The door's commit is passed with the order's webhook, and on the refund's way only where one comes late."""
    catalogue = Catalogue(1)
    catalogue.round(1)
    catalogue.learn([shown(COMMIT), Result(Recipe("large", 2), (CALL,), (COMMIT,), (), (), "")])
    assert {recipe.scenario for recipe in catalogue.round(100) if COMMIT in recipe.struck} >= {"automatic"}
    late = Catalogue(1)
    late.round(1)
    calm = Result(Recipe("automatic", 1), (COMMIT,), (), (), (), "", calm=frozenset({COMMIT}))
    late.learn([calm, Result(Recipe("large", 2), (CALL,), (COMMIT,), (), (), "")])
    assert {recipe.scenario for recipe in late.round(100) if COMMIT in recipe.struck} == {"large"}
