"""How long a request waits: in the hours of those who may sign it, also when people write other hours meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from approvals import lifetimes
from approvals.duties import cancel_absence, end_delegation, give_delegation, write_absence, write_hours
from approvals.duty import Stretch, Week, merged, runs_out
from approvals.models import Absence, ApprovalRequest
from audit import actors, sources
from audit.models import Entry
from cases.models import User
from tests import factories
from tests.authority.rows import (
    acting,
    decide_refund,
    refundable_case,
    signer,
)

HOUR = timedelta(hours=1)
# A Monday.
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
NINE_TO_FIVE = tuple(Stretch(day, 9 * 60, 17 * 60, "UTC") for day in range(5))


def at(day: int, hour: int) -> datetime:
    return MONDAY + timedelta(days=day, hours=hour)


@pytest.mark.parametrize(
    ("starts", "lifetime", "ends"),
    [
        (at(0, 10), 4 * HOUR, at(0, 14)),
        # Over the night, which counts for nothing.
        (at(0, 15), 4 * HOUR, at(1, 11)),
        # Over the weekend.
        (at(4, 16), 4 * HOUR, at(7, 12)),
        # Asked at night: the clock starts in the morning.
        (at(0, 2), HOUR, at(0, 10)),
        # To the minute in which the day ends.
        (at(0, 9), 8 * HOUR, at(0, 17)),
        # Three days of eight hours.
        (at(0, 9), 24 * HOUR, at(2, 17)),
    ],
)
def test_a_lifetime_counts_hours_on_duty(starts: datetime, lifetime: timedelta, ends: datetime) -> None:
    assert runs_out(starts, lifetime, [Week(NINE_TO_FIVE)]) == ends


def test_two_people_who_overlap_do_not_count_twice() -> None:
    late = Week((Stretch(0, 13 * 60, 21 * 60, "UTC"),))
    assert runs_out(at(0, 9), 12 * HOUR, [Week(NINE_TO_FIVE), late]) == at(0, 21)


def test_who_has_no_hours_is_there_at_any_hour() -> None:
    assert runs_out(at(5, 3), 4 * HOUR, [Week()]) == at(5, 7)


def test_an_absence_stops_the_clock() -> None:
    away = Week(NINE_TO_FIVE, ((at(0, 12), at(1, 9)),))
    assert runs_out(at(0, 10), 4 * HOUR, [away]) == at(1, 11)


def test_with_nobody_at_all_the_plain_clock_runs() -> None:
    assert runs_out(at(0, 10), 4 * HOUR, []) == at(0, 14)


def test_a_lifetime_ends_after_a_month_at_the_latest() -> None:
    rare = Week((Stretch(0, 0, 1, "UTC"),))
    assert runs_out(at(0, 0), 4 * HOUR, [rare]) == at(30, 0)


def test_hours_are_by_the_clock_on_the_wall() -> None:
    week = Week((Stretch(6, 0, 4 * 60, "Europe/Oslo"),))
    # The last Sunday of March has no hour between two and three.
    night = datetime(2026, 3, 28, 12, tzinfo=UTC)
    (span,) = week.spans(night, night + timedelta(days=1))
    assert span[1] - span[0] == 3 * HOUR


def test_time_that_touches_is_one() -> None:
    assert merged([(at(0, 3), at(0, 4)), (at(0, 1), at(0, 3)), (at(0, 6), at(0, 7))]) == [
        (at(0, 1), at(0, 4)),
        (at(0, 6), at(0, 7)),
    ]


pytest_db = pytest.mark.django_db


@pytest_db
def test_a_request_waits_for_the_hours_of_its_approvers() -> None:
    case = refundable_case(6640)
    user = signer(case.shop)
    write_hours(user.pk, NINE_TO_FIVE, by=actors.staff(user))
    with sources.frozen(factories.now()):
        request = decide_refund(case).request
    assert request is not None
    weeks = [Week(NINE_TO_FIVE)]
    assert request.expires_at == runs_out(request.requested_at, 24 * HOUR, weeks)
    assert request.expires_at > request.requested_at + 24 * HOUR


def waiting_request() -> tuple[ApprovalRequest, User]:
    """A request of this moment and the only approver of its shop, who is there at any hour."""
    case = refundable_case(6640)
    user = signer(case.shop)
    request = decide_refund(case).request
    assert request is not None
    return request, user


def waits_for(request: ApprovalRequest) -> timedelta:
    request.refresh_from_db()
    return request.expires_at - request.requested_at


@pytest_db
def test_an_absence_that_is_written_afterwards_stops_the_clock_and_one_that_ends_lets_it_go_on() -> None:
    with sources.frozen(factories.now()) as clock:
        (request, user), now = waiting_request(), sources.now()
        by = actors.staff(user)
        dates: dict[str, Any] = {"starts_at": now + HOUR, "ends_at": now + 5 * HOUR}
        row = write_absence(user.pk, **dates, leaves_nobody_ok=True, by=by)
        assert waits_for(request) == 28 * HOUR
        clock.advance(2 * HOUR)
        cancel_absence(row.pk, by=by)
        # One hour of it has passed, and that one stays uncounted.
        assert waits_for(request) == 25 * HOUR
    told = Entry.objects.filter(action__in=["absence.written", "absence.cancelled"])
    assert [entry.data["moved"] for entry in told] == [[request.pk], [request.pk]]


@pytest_db
def test_hours_that_are_written_afterwards_move_the_end() -> None:
    with sources.frozen(factories.now()):
        (request, user), now = waiting_request(), sources.now()
        write_hours(user.pk, NINE_TO_FIVE, by=actors.staff(user))
        assert waits_for(request) == runs_out(now, 24 * HOUR, [Week(NINE_TO_FIVE)]) - now
        write_hours(user.pk, [], by=actors.staff(user))
        assert waits_for(request) == 24 * HOUR


@pytest_db
def test_a_stand_in_lets_the_clock_run_within_its_dates() -> None:
    with sources.frozen(factories.now()) as clock:
        (request, user), now = waiting_request(), sources.now()
        by, keeper = actors.staff(user), acting(request.shop, "admin")
        dates: dict[str, Any] = {"starts_at": now, "ends_at": now + 240 * HOUR}
        write_absence(user.pk, **dates, leaves_nobody_ok=True, by=by)
        assert waits_for(request) == 264 * HOUR
        lent: dict[str, Any] = {
            "right": "approvals.approve_refund",
            "to_id": signer(request.shop, "agent").pk,
        }
        row = give_delegation(
            shop_id=request.shop_id, instead_of_id=user.pk, reason="Away", by=keeper,
            starts_at=now + 10 * HOUR, ends_at=now + 100 * HOUR, **lent,
        )  # fmt: skip
        assert waits_for(request) == 34 * HOUR
        clock.advance(20 * HOUR)
        end_delegation(row.pk, by=keeper)
        assert waits_for(request) == 254 * HOUR


@pytest_db
def test_what_was_decided_meanwhile_keeps_its_end() -> None:
    request, user = waiting_request()
    was = lifetimes.left([request.shop_id])
    ApprovalRequest.objects.filter(pk=request.pk).update(state="voided", decided_at=sources.now())
    Absence.objects.create(
        user=user, starts_at=sources.now(), ends_at=sources.now() + 9 * HOUR, written_by=user,
        written_at=sources.now(),
    )  # fmt: skip
    assert lifetimes.go_on(was) == []
    assert waits_for(request) == 24 * HOUR


@pytest_db
@pytest.mark.parametrize("barred", ["author", "superuser", "gives out roles"])
def test_only_hours_of_those_who_may_sign_count(barred: str) -> None:
    case = refundable_case(6640)
    write_hours((user := signer(case.shop)).pk, NINE_TO_FIVE, by=actors.staff(user))
    roles = ["approver", *(["admin"] if barred == "gives out roles" else [])]
    other = factories.make_user(is_superuser=barred == "superuser", roles=roles, shops=[case.shop])
    if barred == "author":
        factories.make_limits(case.shop, author=other, published_by=factories.make_user())
    with sources.frozen(factories.now()):
        request = decide_refund(case).request
        assert request is not None
    assert request.expires_at == runs_out(request.requested_at, 24 * HOUR, [Week(NINE_TO_FIVE)])
