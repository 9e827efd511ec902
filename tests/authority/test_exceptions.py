"""Exceptions: one cap lifted for one subject until a date, asked for by one person and approved by another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from approvals import exceptions
from approvals.errors import AlreadyDecided, Invalid, NotPermitted
from approvals.models import Decision, LimitException
from audit import actors, sources
from audit.models import Entry
from cases.models import Case, Shop
from tests import factories
from tests.authority.rows import acting, decide_refund, order_of, refundable_case

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def shop() -> Shop:
    return factories.make_shop()


def asked(case: Case, **changes: Any) -> LimitException:
    order = order_of(case)
    wish: dict[str, Any] = {
        "scope": "order",
        "subject": str(order.pk),
        "up_to_minor": 5000,
        "reason": "A recall: all of it goes back.",
        "expires_at": sources.now() + DAY,
        "by": acting(case.shop, "limit author"),
    }
    return exceptions.ask(shop_id=case.shop_id, **{**wish, **changes})


def approved(case: Case, **changes: Any) -> LimitException:
    return exceptions.approve(asked(case, **changes).pk, by=acting(case.shop, "limit publisher"))


def held_case(shop: Shop, **caps: int) -> Case:
    """A refund of 15.00 that a cap of 10.00 holds back."""
    factories.make_caps(shop, **(caps or {"order_cap_minor": 1000}))
    return refundable_case(shop=shop)


def rule(case: Case) -> str:
    decision: Decision = decide_refund(case).decision
    return decision.rule


def test_a_cap_holds_until_its_exception_is_approved_by_another_person(shop: Shop) -> None:
    case = held_case(shop)
    row = asked(case)
    assert rule(case) == "refund.cap.order"
    exceptions.approve(row.pk, by=acting(shop, "limit publisher"))
    assert rule(case) == "refund.tier.automatic"


@pytest.mark.parametrize(
    ("scope", "subject"),
    [
        ("customer", lambda order: order.person_id),
        ("instrument", lambda order: order.payments.get().instrument),
        ("address", lambda order: order.address_key),
    ],
)
def test_each_cap_is_lifted_for_its_own_subject(
    shop: Shop, scope: str, subject: Callable[[Any], Any]
) -> None:
    case = held_case(shop, **{f"{scope}_cap_minor": 1000})
    order = order_of(case)
    order.address_key = uuid4()
    order.save(update_fields=["address_key"])
    approved(case, scope=scope, subject=str(subject(order)))
    assert rule(case) == "refund.tier.automatic"


def test_an_exception_is_for_its_own_order_alone(shop: Shop) -> None:
    case, other = held_case(shop), refundable_case(shop=shop)
    approved(other)
    assert rule(case) == "refund.cap.order"


def test_an_exception_lifts_up_to_its_own_line(shop: Shop) -> None:
    case = held_case(shop)
    approved(case, up_to_minor=1499)
    assert rule(case) == "refund.cap.order"


def test_an_exception_lowers_no_cap(shop: Shop) -> None:
    factories.make_caps(shop, order_cap_minor=2000)
    case = refundable_case(shop=shop)
    approved(case, up_to_minor=1)
    assert rule(case) == "refund.tier.automatic"


def test_an_exception_ends_by_itself(shop: Shop) -> None:
    case = held_case(shop)
    row = approved(case)
    with sources.frozen(row.expires_at - timedelta(microseconds=1)):
        assert exceptions.lifted({"order": 1}, shop.pk, "EUR", {"order": [row.subject]}) == {"order": 5000}
    with sources.frozen(row.expires_at):
        assert exceptions.lifted({"order": 1}, shop.pk, "EUR", {"order": [row.subject]}) == {"order": 1}
        assert not exceptions.any_held(shop.pk)


def test_an_ended_exception_holds_no_more(shop: Shop) -> None:
    case = held_case(shop)
    row = approved(case)
    exceptions.end(row.pk, by=acting(shop, "limit author"))
    assert rule(case) == "refund.cap.order"
    with pytest.raises(AlreadyDecided):
        exceptions.end(row.pk, by=acting(shop, "limit publisher"))


def test_no_exception_lifts_a_flag_or_the_fourth_line(shop: Shop) -> None:
    case = held_case(shop)
    approved(case, up_to_minor=10**9)
    factories.make_limits(shop, auto_up_to_minor=1, one_approver_up_to_minor=2, two_factor_up_to_minor=3)
    assert rule(case) == "refund.tier.above"
    factories.make_flag(case, kind="fraud", source="planner.pattern")
    assert rule(case) == "risk.fraud"


def test_who_asks_does_not_approve_by_service_or_table(shop: Shop) -> None:
    row = asked(held_case(shop))
    row.author.groups.add(*factories.make_user(roles=["limit publisher"]).groups.all())
    with pytest.raises(NotPermitted, match="somebody else approves"):
        exceptions.approve(row.pk, by=actors.staff(row.author))
    with pytest.raises(IntegrityError, match="author_does_not_approve"), transaction.atomic():
        LimitException.objects.filter(pk=row.pk).update(approved_by=row.author, approved_at=factories.now())


@pytest.mark.parametrize("role", ["limit publisher", "finance approver", "admin", "agent"])
def test_only_a_limit_author_asks(shop: Shop, role: str) -> None:
    with pytest.raises(NotPermitted):
        asked(held_case(shop), by=acting(shop, role))


@pytest.mark.parametrize("role", ["limit author", "finance approver", "admin", "agent"])
def test_only_a_limit_publisher_approves(shop: Shop, role: str) -> None:
    row = asked(held_case(shop))
    with pytest.raises(NotPermitted):
        exceptions.approve(row.pk, by=acting(shop, role))
    assert not exceptions.any_held(shop.pk)


def test_an_exception_is_approved_once_and_not_when_it_is_over(shop: Shop) -> None:
    row, publisher = asked(held_case(shop)), acting(shop, "limit publisher")
    with sources.frozen(row.expires_at), pytest.raises(AlreadyDecided):
        exceptions.approve(row.pk, by=publisher)
    exceptions.approve(row.pk, by=publisher)
    with pytest.raises(AlreadyDecided):
        exceptions.approve(row.pk, by=publisher)


@pytest.mark.parametrize(
    "change",
    [
        {"reason": " "}, {"subject": "999999"}, {"subject": ""}, {"subject": "x"}, {"scope": "day"},
        {"scope": "customer", "subject": "x"}, {"up_to_minor": 0}, {"up_to_minor": -1},
    ],
)  # fmt: skip
def test_an_exception_that_makes_no_sense_is_not_stored(shop: Shop, change: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        asked(held_case(shop), **change)
    assert not LimitException.objects.exists()


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(days=90, seconds=1)])
def test_an_exception_ends_within_ninety_days(shop: Shop, ahead: timedelta) -> None:
    case = held_case(shop)
    with sources.frozen(sources.now()) as clock, pytest.raises(Invalid):
        asked(case, expires_at=clock.at + ahead)


def test_an_order_of_another_shop_is_nothing_here(shop: Shop) -> None:
    other = factories.make_order(factories.make_shop())
    with pytest.raises(Invalid):
        asked(held_case(shop), subject=str(other.pk))


@pytest.mark.parametrize("change", [{"up_to_minor": 10**9}, {"subject": "1"}, {"reason": "Because"}])
def test_the_database_refuses_to_edit_an_exception(shop: Shop, change: dict[str, Any]) -> None:
    row = asked(held_case(shop))
    with pytest.raises(DatabaseError, match="never edited"), transaction.atomic():
        LimitException.objects.filter(pk=row.pk).update(**change)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        LimitException.objects.filter(pk=row.pk)._raw_delete("default")


def test_the_log_tells_who_asked_approved_and_ended(shop: Shop) -> None:
    row = approved(held_case(shop))
    exceptions.end(row.pk, by=acting(shop, "limit publisher"))
    told = Entry.objects.filter(subject_type="approvals.limitexception", subject_id=str(row.pk)).order_by(
        "seq"
    )
    assert [entry.action for entry in told] == ["exception.asked", "exception.approved", "exception.ended"]
    assert len({entry.actor_id for entry in told}) == 3
