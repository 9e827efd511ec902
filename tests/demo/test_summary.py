"""The demo's verdict on its day: good only if what was posted arrived and every event ended where somebody sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from django.db import IntegrityError, transaction

from approvals.policy import TWO_PEOPLE
from cases.invariants import violations
from cases.models import Case
from opsagent.demo.player import Player
from opsagent.demo.script import Step, Story
from opsagent.demo.summary import ABOVE_ALL, Summary, _cases, _events
from tests import factories

GOOD = Summary(wanted=20, posted=20, events=20, accepted=18, duplicates=2, ended=18, books_equal=True)

# The same in every process, since it stands in a test's name.
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def test_a_day_on_which_all_went_well_is_good() -> None:
    assert GOOD.good


@pytest.mark.parametrize(
    "fields",
    [
        {"posted": 19},
        {"posted": 21},
        {"accepted": 17, "ended": 17},
        {"duplicates": 1},
        # One more than was posted, though no answer was lost.
        {"duplicates": 3},
        {"duplicates": 4, "lost_answers": 1},
        {"ended": 17},
        {"books_equal": False},
        {"invariant_violations": 1},
    ],
    ids=str,
)
def test_a_day_is_not_good_where_a_number_is_off(fields: dict[str, int]) -> None:
    assert not replace(GOOD, **fields).good  # type: ignore[arg-type]  # each of its field's type


def test_a_delivery_whose_answer_was_lost_may_count_twice() -> None:
    assert replace(GOOD, duplicates=3, lost_answers=1).good


def test_a_demo_that_goes_on_where_it_stopped_is_held_to_no_number() -> None:
    assert replace(GOOD, wanted=0, posted=3).good


def step(external_id: str, *, signed: bool = True) -> Step:
    now = datetime.now(UTC)
    return Step("mail", "north", "email", "inbound", external_id, "", b"{}", {}, [], None, signed, None, now)


def day(*external_ids: str) -> Story:
    return Story(1, datetime.now(UTC), [], [step(external_id) for external_id in external_ids])


def played(*answers: Callable[[httpx.Request], httpx.Response], signed: bool = True) -> Player:
    """A player after one mail that the door answered so."""
    given = iter(answers)

    def door(request: httpx.Request) -> httpx.Response:
        return next(given)(request)

    player = Player(
        "http://web", "http://sandbox", {"NORTH_ANYMAIL_WEBHOOK_SECRETS": "user:word"}, lambda: None
    )
    player.web = httpx.Client(base_url="http://web", transport=httpx.MockTransport(door))
    story = Story(1, datetime.now(UTC), [], [step("1", signed=signed)])
    player.play(story, 0, lambda place, step: None)
    player.close()
    return player


def lost(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("gone")


def answers(status: int) -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: httpx.Response(status)


def test_a_delivery_counts_as_posted_once_it_is_taken() -> None:
    assert played(answers(200)).tally.posted == 1
    tally = played(lost, answers(503), answers(200)).tally
    assert (tally.posted, tally.lost_answers) == (1, 2)


def test_a_refused_delivery_does_not_count_as_posted() -> None:
    assert played(answers(401)).tally.posted == 0
    assert played(answers(413)).tally.posted == 0
    assert played(answers(401), signed=False).tally.refused == 1


@pytest.mark.django_db
def test_requests_for_two_people_and_what_nobody_may_approve_are_counted_by_case() -> None:
    for rule in (TWO_PEOPLE, TWO_PEOPLE, ABOVE_ALL, "refund.tier.two_factor"):
        factories.make_decision(factories.make_case(), rule=rule, outcome="human")
    asked_again = factories.make_case()
    for _ in range(2):
        factories.make_decision(asked_again, rule=ABOVE_ALL, outcome="human")
    result = Summary()
    _cases(result)
    assert (result.two_people, result.above_all) == (2, 2)


def ended(case: Case) -> int:
    event = factories.make_event(case.shop, case=case, state="case")
    result = Summary()
    _events(result, day(event.external_id))
    assert result.accepted == 1
    return result.ended


@pytest.mark.django_db
def test_what_the_vendors_tell_of_our_own_effects_and_what_is_found_late_is_no_delivery_of_the_day() -> None:
    told, found = factories.make_event(duplicates=2), factories.make_event(found_late_seconds=200)
    factories.make_event(source="stripe", topic="refund.created")
    result = Summary()
    _events(result, day(told.external_id, found.external_id))
    assert (result.accepted, result.duplicates, result.found_late) == (1, 2, 1)


@pytest.mark.django_db
class TestEnded:
    @pytest.mark.parametrize(
        ("fields", "count"),
        [
            ({"state": "open"}, 0),
            ({"state": "waiting", "wait_reason": "customer"}, 1),
            # The agent itself still has to finish this one.
            ({"state": "waiting", "wait_reason": "effect"}, 0),
            ({"state": "closed", "closed_at": NOON}, 1),
            ({"state": "approval"}, 0),
            ({"state": "handoff"}, 0),
        ],
        ids=str,
    )
    def test_a_state_alone_ends_only_what_needs_nobody(self, fields: dict[str, Any], count: int) -> None:
        if fields["state"] == "waiting":
            fields = {**fields, "wake_at": datetime.now(UTC) + timedelta(days=1)}
        assert ended(factories.make_case(**fields)) == count

    def test_an_event_has_ended_at_a_pending_request(self) -> None:
        assert ended(factories.make_approval().case) == 1

    def test_a_voided_request_is_no_end(self) -> None:
        request = factories.make_approval(state="voided", decided_at=datetime.now(UTC))
        assert ended(request.case) == 0

    def test_an_event_has_ended_in_an_open_hand_off(self) -> None:
        assert ended(factories.make_handoff().case) == 1

    def test_a_resolved_hand_off_is_no_end(self) -> None:
        case = factories.make_case(state="handoff")
        user = factories.make_user(roles=["agent"], shops=[case.shop])
        at = datetime.now(UTC)
        factories.make_handoff(case, state="resolved", claimed_by=user, claimed_at=at, resolved_at=at)
        assert ended(case) == 0


def broken() -> list[str]:
    """The invariants that don't hold, but for those about rows that factories make by hand."""
    return [row.invariant for row in violations() if row.invariant.startswith(("a case ", "what "))]


@pytest.mark.django_db
class TestInvariants:
    def test_rows_that_belong_together_break_nothing(self) -> None:
        factories.make_approval()
        factories.make_handoff()
        assert broken() == []

    def test_a_case_that_waits_for_a_signature_nobody_can_give_is_found(self) -> None:
        factories.make_case(state="approval")
        assert broken() == ["a case that waits for approval has its request"]

    def test_a_case_with_a_person_that_no_list_shows_is_found(self) -> None:
        factories.make_case(state="handoff")
        assert broken() == ["a case with a person has its hand-off"]

    def test_a_request_in_a_case_that_went_on_is_found(self) -> None:
        Case.objects.filter(pk=factories.make_approval().case_id).update(state="open")
        assert broken() == ["what waits for a signature belongs to a case that waits for approval"]

    def test_a_hand_off_in_a_case_that_went_on_is_found(self) -> None:
        Case.objects.filter(pk=factories.make_handoff().case_id).update(state="open")
        assert broken() == ["what a person has to finish belongs to a case with a person"]

    def test_the_database_takes_no_wait_without_a_date(self) -> None:
        case = factories.make_case()
        with pytest.raises(IntegrityError), transaction.atomic():
            Case.objects.filter(pk=case.pk).update(state="waiting", wait_reason="customer")
