"""Who acts, and what time it is."""

import threading
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from audit import sources
from audit.actors import AGENT, SYSTEM, TRIAGE, Actor, customer, staff, vendor

NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


@pytest.mark.django_db
def test_a_member_of_staff_is_known_by_key_and_shown_by_name() -> None:
    user = get_user_model().objects.create_user(username="mira")
    assert staff(user) == Actor("staff", str(user.pk), "mira")


def test_somebody_who_is_not_signed_in_is_no_actor() -> None:
    with pytest.raises(ValueError, match="not signed in"):
        staff(get_user_model()(username="nobody"))


def test_agent_triage_and_system_are_three_actors() -> None:
    assert [actor.kind for actor in (AGENT, TRIAGE, SYSTEM)] == ["agent", "triage", "system"]


def test_a_vendor_and_a_customer_are_known_by_code_and_random_id() -> None:
    assert vendor("stripe") == Actor("vendor", "stripe", "Stripe")
    assert customer(uuid.UUID(int=1)).id == "00000000-0000-0000-0000-000000000001"


@pytest.mark.parametrize("wrong_id", ["", "ada@example.com", "x" * 101])
def test_an_actor_is_never_known_by_an_address(wrong_id: str) -> None:
    with pytest.raises(ValueError, match="actor's id"):
        Actor("customer", wrong_id, "Ada")


def test_an_actor_of_an_unknown_kind_is_refused() -> None:
    kind: Any = "ghost"
    with pytest.raises(ValueError, match="An actor is one of"):
        Actor(kind, "1", "Ghost")


@pytest.mark.django_db
def test_the_clock_is_the_databases_and_moves_within_a_transaction() -> None:
    first, second = sources.now(), sources.now()
    assert first.tzinfo is UTC
    assert first < second
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        assert cursor.fetchone()[0] - second < timedelta(seconds=5)


def test_a_frozen_clock_stands_in_every_thread_until_it_is_advanced() -> None:
    seen: list[datetime] = []
    with sources.frozen(NOON) as clock:
        clock.advance(timedelta(hours=1))
        thread = threading.Thread(target=lambda: seen.append(sources.now()))
        thread.start()
        thread.join()
    assert seen == [NOON + timedelta(hours=1)]


@pytest.mark.django_db
def test_the_clock_runs_again_after_a_frozen_block_even_if_it_failed() -> None:
    with sources.frozen(NOON):
        with pytest.raises(ZeroDivisionError), sources.frozen(NOON + timedelta(days=1)):
            raise ZeroDivisionError
        assert sources.now() == NOON
    assert sources.now() != NOON


def test_a_clock_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"), sources.frozen(datetime(2026, 7, 1)):  # noqa: DTZ001
        pass


def test_the_same_seed_gives_the_same_ids() -> None:
    with sources.seeded(7):
        first = [sources.random_id() for _ in range(3)]
    with sources.seeded(7):
        assert [sources.random_id() for _ in range(3)] == first
    assert sources.random_id() not in first
    assert {one.version for one in first} == {4}
    assert len(set(first)) == 3
