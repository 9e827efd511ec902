"""Who is there to decide, and what leaves nobody; what nobody decided is asked again, then a person's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group

from approvals import versions
from approvals.caps import CAPS
from approvals.duties import cancel_absence, write_absence, write_hours
from approvals.duty import Stretch
from approvals.eligibility import newly_without, who_can_decide
from approvals.errors import Invalid, LeavesNobody, NotPermitted
from approvals.limits import LIMITS
from approvals.models import ApprovalRequest, DutyHours
from audit import actors, sources
from cases import tasks
from cases.models import Case, Handoff, Message, Shop
from cases.renewing import renew
from cases.staff import would_leave_nobody
from tests import factories
from tests.authority.rows import (
    acting,
    decide_refund,
    device_of,
    money_calls,
    order_of,
    refundable_case,
    signer,
)
from tests.authority.test_lifetimes import HOUR, NINE_TO_FIVE
from tools.models import Order

pytest_db = pytest.mark.django_db


def late_request(renewals: int = 0) -> ApprovalRequest:
    """A request that ran out a second ago, of an order that was read just now."""
    case = refundable_case(6640)
    request = decide_refund(case).request
    assert request is not None
    Case.objects.filter(pk=case.pk).update(state=Case.State.APPROVAL)
    Order.objects.filter(pk=order_of(case).pk).update(read_at=sources.now())
    ApprovalRequest.objects.filter(pk=request.pk).update(expires_at=sources.now() - timedelta(seconds=1))
    factories.make_caps(case.shop, renewals=renewals)
    return request


@pytest_db
def test_a_request_that_ran_out_is_asked_again_with_a_fresh_verdict() -> None:
    old = late_request(renewals=1)
    assert renew(old.pk)
    old.refresh_from_db()
    new = ApprovalRequest.objects.get(state="pending")
    assert (old.state, new.renewed_from_id, new.renewals) == ("expired", old.pk, 1)
    assert new.decision.facts_at > old.decision.facts_at
    assert new.expires_at > sources.now()
    assert Case.objects.get(pk=old.case_id).state == Case.State.APPROVAL


@pytest_db
def test_a_fresh_verdict_may_be_another_one() -> None:
    old = late_request(renewals=1)
    factories.make_flag(old.case, kind="fraud")
    assert renew(old.pk)
    assert not ApprovalRequest.objects.filter(state="pending").exists()
    assert old.case.handoffs.get().detail == "risk.fraud"
    assert money_calls() == 0


@pytest_db
def test_at_last_a_person_owns_the_case_and_the_customer_hears_once() -> None:
    old = late_request(renewals=0)
    assert renew(old.pk)
    assert not renew(old.pk)
    assert old.case.handoffs.get().reason == Handoff.Reason.EXPIRED
    told = Message.objects.filter(case=old.case, direction="out")
    assert [message.template.key for message in told if message.template] == ["takes_longer"]


@pytest_db
@pytest.mark.parametrize("language", ["de", "en", "es", "fr", "ja"])
def test_the_customer_hears_it_in_their_language(language: str) -> None:
    old = late_request(renewals=0)
    Case.objects.filter(pk=old.case_id).update(language=language)
    renew(old.pk)
    message = Message.objects.get(case=old.case, direction="out")
    assert message.language == language


@pytest_db
def test_a_request_is_asked_again_so_many_times_and_not_once_more() -> None:
    request = late_request(renewals=2)
    for _time in range(2):
        assert renew(request.pk)
        request = ApprovalRequest.objects.get(state="pending")
        ApprovalRequest.objects.filter(pk=request.pk).update(expires_at=sources.now() - timedelta(seconds=1))
    assert renew(request.pk)
    assert (ApprovalRequest.objects.filter(state="expired").count(), request.case.handoffs.count()) == (3, 1)


@pytest_db
def test_a_request_that_is_not_late_is_left_alone() -> None:
    request = factories.make_approval()
    assert not renew(request.pk)
    request.refresh_from_db()
    assert request.state == "pending"


@pytest_db
def test_the_sweep_finds_what_ran_out_and_leaves_the_reading_to_a_task() -> None:
    late_request()
    assert tasks.sweep() >= 1


@pytest_db
def test_a_request_that_is_asked_again_stands_at_the_head_of_the_queue() -> None:
    old = late_request(renewals=1)
    first = factories.make_approval(shop=old.shop, expires_at=sources.now() + timedelta(minutes=1))
    renew(old.pk)
    waiting = ApprovalRequest.waiting().filter(shop=old.shop)
    assert [row.pk == first.pk for row in waiting] == [False, True]


def tiers(shop: Shop, **asked: object) -> dict[str, tuple[list[str], dict[str, str]]]:
    found = who_can_decide(shop.pk, **asked)  # type: ignore[arg-type]  # as the test says
    return {
        row.tier: ([user.username for user in row.eligible], {user.username: why for user, why in row.others})
        for row in found
    }


@pytest_db
def test_who_can_decide_now_says_why_the_others_cannot() -> None:
    shop = factories.make_shop()
    approver, finance, author = signer(shop), signer(shop, "finance approver"), signer(shop)
    device_of(finance)
    away, night, agent = signer(shop), signer(shop), signer(shop, "agent")
    factories.make_limits(shop, author=author, published_by=factories.make_user())
    now = sources.now()
    admin = actors.staff(away)
    write_absence(away.pk, starts_at=now - HOUR, ends_at=now + HOUR, by=admin)
    gone = now.weekday() - 3
    write_hours(night.pk, [Stretch(gone % 7, 0, 1, "UTC")], by=actors.staff(night))
    found = tiers(shop)
    assert set(found["one_approver"][0]) == {approver.username, finance.username}
    why = found["one_approver"][1]
    assert "limits" in why[author.username]
    assert why[away.username].startswith("away until")
    assert why[night.username] == "off duty at this hour"
    assert "no role" in why[agent.username]
    assert found["two_factor"][0] == [finance.username]


@pytest_db
def test_a_large_refund_takes_somebody_with_a_second_factor() -> None:
    shop = factories.make_shop()
    user = signer(shop, "finance approver")
    assert tiers(shop)["two_factor"][1][user.username] == "has no second factor"


@pytest_db
def test_who_can_decide_asks_the_same_however_many_people_there_are(
    django_assert_max_num_queries: object,
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    shop = factories.make_shop()
    counts = []
    for _round in range(2):
        signer(shop)
        signer(shop, "finance approver")
        with CaptureQueriesContext(connection) as captured:
            who_can_decide(shop.pk)
        counts.append(len(captured))
    assert counts[0] == counts[1]


@pytest_db
def test_an_absence_that_leaves_nobody_takes_a_yes() -> None:
    shop = factories.make_shop()
    user, now = signer(shop), sources.now()
    dates: dict[str, Any] = {"starts_at": now + HOUR, "ends_at": now + 24 * HOUR}
    with pytest.raises(LeavesNobody, match="mid-size"):
        write_absence(user.pk, **dates, by=actors.staff(user))
    assert write_absence(user.pk, **dates, leaves_nobody_ok=True, by=actors.staff(user)).pk


@pytest_db
def test_an_absence_with_a_stand_in_leaves_somebody() -> None:
    shop, now = factories.make_shop(), sources.now()
    lender, to = signer(shop), signer(shop, "agent")
    dates: dict[str, Any] = {"starts_at": now, "ends_at": now + HOUR, "by": actors.staff(lender)}
    with pytest.raises(LeavesNobody):
        write_absence(lender.pk, **dates)
    factories.make_delegation(shop, lender, to)
    assert write_absence(lender.pk, **dates).pk


@pytest_db
def test_two_absences_that_meet_leave_nobody_either() -> None:
    shop = factories.make_shop()
    one, other, now = signer(shop), signer(shop), sources.now()
    write_absence(one.pk, starts_at=now + 5 * HOUR, ends_at=now + 9 * HOUR, by=actors.staff(one))
    with pytest.raises(LeavesNobody):
        write_absence(other.pk, starts_at=now + HOUR, ends_at=now + 6 * HOUR, by=actors.staff(other))


@pytest_db
def test_an_absence_that_is_cancelled_counts_no_more() -> None:
    shop = factories.make_shop()
    user, now = signer(shop), sources.now()
    row = write_absence(
        user.pk, starts_at=now - HOUR, ends_at=now + HOUR, leaves_nobody_ok=True, by=actors.staff(user)
    )
    assert tiers(shop)["one_approver"][0] == []
    cancel_absence(row.pk, by=actors.staff(user))
    assert tiers(shop)["one_approver"][0] == [user.username]


@pytest_db
def test_limits_under_which_nobody_could_decide_are_named_before_they_hold() -> None:
    shop = factories.make_shop()
    user = signer(shop)
    draft = factories.make_limits(shop, author=user, published_at=None, effective_at=None)
    assert [row.tier for row in newly_without(shop.pk, limits=draft)] == ["one_approver"]


@pytest_db
@pytest.mark.parametrize(("kind", "noun"), [(LIMITS, "limit"), (CAPS, "caps")])
def test_publishing_what_leaves_nobody_takes_a_yes(kind: versions.Kind[Any], noun: str) -> None:
    shop = factories.make_shop()
    make = factories.make_limits if noun == "limit" else factories.make_caps
    row = make(shop, author=signer(shop), published_at=None, effective_at=None)
    by = acting(shop, "limit publisher")
    with pytest.raises(LeavesNobody, match="mid-size"):
        versions.publish(kind, row.pk, by=by)
    assert versions.publish(kind, row.pk, leaves_nobody_ok=True, by=by).published_at


@pytest_db
def test_publishing_what_leaves_somebody_takes_none() -> None:
    shop = factories.make_shop()
    signer(shop)
    row = factories.make_limits(shop, author=signer(shop), published_at=None, effective_at=None)
    assert versions.publish(LIMITS, row.pk, by=acting(shop, "limit publisher")).published_at


@pytest_db
def test_two_people_where_there_is_one_take_a_yes() -> None:
    shop = factories.make_shop()
    device_of(signer(shop, "finance approver"))
    row = factories.make_limits(
        shop,
        two_people_above_minor=100_000,
        author=factories.make_user(),
        published_at=None,
        effective_at=None,
    )
    by = acting(shop, "limit publisher")
    with pytest.raises(LeavesNobody, match="very large"):
        versions.publish(LIMITS, row.pk, by=by)
    device_of(signer(shop, "finance approver"))
    assert versions.publish(LIMITS, row.pk, by=by).published_at


@pytest_db
def test_a_further_currency_that_its_only_approver_writes_takes_a_yes() -> None:
    shop = factories.make_shop()
    user = signer(shop)
    row = factories.make_limits(shop, "CHF", author=user, published_at=None, effective_at=None)
    by = acting(shop, "limit publisher")
    with pytest.raises(LeavesNobody, match="CHF"):
        versions.publish(LIMITS, row.pk, by=by)
    assert versions.publish(LIMITS, row.pk, leaves_nobody_ok=True, by=by).published_at


LEAVING: list[dict[str, Any]] = [
    {"is_active": False}, {"is_staff": False}, {"is_superuser": True}, {"groups": []}, {"shops": []},
]  # fmt: skip


@pytest_db
@pytest.mark.parametrize("new", LEAVING)
def test_whatever_takes_the_last_signer_away_leaves_nobody(new: dict[str, Any]) -> None:
    shop = factories.make_shop()
    last = signer(shop)
    assert would_leave_nobody(last, {}) == []
    assert [row.tier for row in would_leave_nobody(last, new)] == ["one_approver"]
    signer(shop)
    assert would_leave_nobody(last, new) == []


@pytest_db
def test_the_last_signer_who_is_to_give_out_roles_leaves_nobody() -> None:
    last = signer(factories.make_shop())
    roles = Group.objects.filter(name__in=["approver", "admin"])
    assert [row.tier for row in would_leave_nobody(last, {"groups": roles})] == ["one_approver"]


@pytest_db
@pytest.mark.parametrize("new", [{"is_active": False}, {"is_staff": False}, {"shops": []}])
def test_a_stand_in_who_goes_while_the_other_is_away_leaves_nobody(new: dict[str, Any]) -> None:
    shop, now = factories.make_shop(), sources.now()
    lender, to = signer(shop), signer(shop, "agent")
    factories.make_delegation(shop, lender, to)
    write_absence(lender.pk, starts_at=now - HOUR, ends_at=now + HOUR, by=actors.staff(lender))
    assert [row.tier for row in would_leave_nobody(to, new)] == ["one_approver"]
    assert would_leave_nobody(to, {"groups": []}) == []


@pytest_db
def test_people_write_their_own_hours_and_nobody_elses() -> None:
    shop = factories.make_shop()
    user = signer(shop)
    with pytest.raises(NotPermitted):
        write_hours(user.pk, NINE_TO_FIVE, by=acting(shop))
    write_hours(user.pk, NINE_TO_FIVE, by=acting(shop, "admin"))
    assert DutyHours.objects.filter(user=user).count() == 5


@pytest_db
@pytest.mark.parametrize(
    "stretch",
    [
        Stretch(7, 0, 60, "UTC"),
        Stretch(0, 60, 60, "UTC"),
        Stretch(0, 0, 60, "Oslo"),
        Stretch(0, 0, 1441, "UTC"),
    ],
)
def test_hours_that_cannot_be_are_refused(stretch: Stretch) -> None:
    user = signer(factories.make_shop())
    with pytest.raises(Invalid):
        write_hours(user.pk, [stretch], by=actors.staff(user))


@pytest_db
def test_the_reading_before_a_renewal_waits_for_the_shop_and_then_a_person_has_it() -> None:
    old = late_request(renewals=2)
    Order.objects.filter(pk=order_of(old.case).pk).update(read_at=None)
    assert not renew(old.pk)
    ApprovalRequest.objects.filter(pk=old.pk).update(expires_at=sources.now() - 2 * HOUR)
    assert renew(old.pk)
    assert old.case.handoffs.get().reason == Handoff.Reason.EXPIRED


@pytest_db
def test_a_second_request_that_runs_out_in_the_case_is_not_told_of_again() -> None:
    old = late_request(renewals=0)
    assert renew(old.pk)
    now = sources.now()
    who = factories.make_user()
    old.case.handoffs.update(state="resolved", claimed_by=who, claimed_at=now, resolved_at=now)
    Case.objects.filter(pk=old.case_id).update(state=Case.State.OPEN, human_only=False)
    again = decide_refund(Case.objects.get(pk=old.case_id)).request
    assert again is not None
    ApprovalRequest.objects.filter(pk=again.pk).update(expires_at=now - timedelta(seconds=1))
    assert renew(again.pk)
    assert old.case.handoffs.exclude(state="resolved").get().reason == Handoff.Reason.EXPIRED
    told = Message.objects.filter(case=old.case, direction="out", template__key="takes_longer")
    assert told.count() == 1
