"""Separation of duties: whoever had a hand in it signs nothing, and a third person says who stands in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from approvals.duties import end_delegation, give_delegation
from approvals.eligibility import for_request, who_can_decide
from approvals.errors import Invalid, NotPermitted
from approvals.models import ApprovalRequest, Delegation, LimitException, Signature
from approvals.signing import lost
from approvals.standing import why_not
from audit import actors, sources
from audit.actors import Actor
from cases.models import Shop, User
from cases.services import decide_approval
from tests import factories
from tests.authority.rows import acting, signer

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
RIGHT = "approvals.approve_refund"


def approve(request: ApprovalRequest, by: User) -> ApprovalRequest:
    return decide_approval(request.pk, approve=True, proof=None, reason="", by=actors.staff(by))


def lend(shop: Shop, lender: User, to: User, by: Actor | None = None, **dates: object) -> Delegation:
    now = sources.now()
    given = {"starts_at": now - DAY, "ends_at": now + DAY, "reason": "On holiday", **dates}
    return give_delegation(
        shop_id=shop.pk,
        right=RIGHT,
        to_id=to.pk,
        instead_of_id=lender.pk,
        by=by or acting(shop, "admin"),
        **given,  # type: ignore[arg-type]  # as the test says
    )


def test_a_stand_in_signs_between_its_dates() -> None:
    request = factories.make_approval()
    lender, to = signer(request.shop), signer(request.shop, "agent")
    assert why_not(request, to)
    lend(request.shop, lender, to)
    assert approve(request, to).state == "approved"
    assert Signature.objects.get().instead_of == lender


@pytest.mark.parametrize(("starts", "ends"), [(1, 2), (-2, 1)])
def test_before_and_after_its_dates_it_lends_nothing(starts: int, ends: int) -> None:
    request = factories.make_approval()
    lender, to = signer(request.shop), signer(request.shop, "agent")
    now = sources.now()
    lend(request.shop, lender, to, starts_at=now + starts * DAY, ends_at=now + ends * DAY)
    with sources.frozen(now if starts > 0 else now + 1.5 * DAY):
        assert why_not(request, to)


def test_a_lender_who_lost_the_role_lends_nothing() -> None:
    request = factories.make_approval()
    lender, to = signer(request.shop), signer(request.shop, "agent")
    lend(request.shop, lender, to)
    lender.groups.clear()
    with pytest.raises(NotPermitted):
        approve(request, to)


def test_a_lender_who_loses_the_role_later_takes_the_signature_with_it() -> None:
    request = factories.make_approval()
    lender, to = signer(request.shop), signer(request.shop, "agent")
    row = lend(request.shop, lender, to)
    approve(request, to)
    assert not lost(request)
    end_delegation(row.pk, by=actors.staff(lender))
    assert lost(request)


def test_it_is_never_for_the_stand_ins_own_requests() -> None:
    shop = factories.make_shop()
    lender, to = signer(shop), signer(shop, "agent")
    factories.make_limits(shop, author=to, published_by=factories.make_user())
    request = factories.make_approval(shop=shop)
    lend(shop, lender, to)
    with pytest.raises(NotPermitted, match="limits"):
        approve(request, to)


def test_it_is_never_for_the_lenders_own_requests() -> None:
    shop = factories.make_shop()
    lender, to = signer(shop), signer(shop, "agent")
    factories.make_limits(shop, author=lender, published_by=factories.make_user())
    request = factories.make_approval(shop=shop)
    lend(shop, lender, to)
    with pytest.raises(NotPermitted, match="stand in"):
        approve(request, to)


@pytest.mark.parametrize("who", ["lender", "to"])
def test_only_a_third_person_gives_it(who: str) -> None:
    shop = factories.make_shop()
    people = {"lender": signer(shop), "to": signer(shop, "agent")}
    people[who].groups.add(*factories.make_user(roles=["admin"]).groups.all())
    with pytest.raises(NotPermitted, match="third"):
        lend(shop, people["lender"], people["to"], by=actors.staff(people[who]))


def test_the_database_knows_that_it_takes_three() -> None:
    shop = factories.make_shop()
    lender, to, now = signer(shop), signer(shop, "agent"), sources.now()
    with pytest.raises(IntegrityError, match="delegation_is_given_by_a_third_person"), transaction.atomic():
        Delegation.objects.create(
            shop=shop, right=RIGHT, to=to, instead_of=lender, given_by=to, reason="x", given_at=now,
            starts_at=now, ends_at=now + DAY,
        )  # fmt: skip


@pytest.mark.parametrize("role", ["approver", "finance approver", "limit publisher", "agent"])
def test_no_other_role_lends_signatures(role: str) -> None:
    shop = factories.make_shop()
    with pytest.raises(NotPermitted):
        lend(shop, signer(shop), signer(shop, "agent"), by=acting(shop, role))


def test_nobody_lends_what_they_do_not_have() -> None:
    shop = factories.make_shop()
    with pytest.raises(Invalid):
        lend(shop, signer(shop, "agent"), signer(shop, "agent"))


def test_a_delegation_of_another_shop_lends_nothing_here() -> None:
    request, elsewhere = factories.make_approval(), factories.make_shop()
    lender, to = signer(request.shop), signer(request.shop, "agent")
    lender.shops.add(elsewhere)
    to.shops.add(elsewhere)
    lend(elsewhere, lender, to)
    assert why_not(request, to)


@pytest.mark.parametrize("hand", ["author", "published_by"])
def test_nobody_signs_under_caps_that_they_wrote_or_published(hand: str) -> None:
    shop = factories.make_shop()
    user = signer(shop)
    others: dict[str, Any] = {"author": factories.make_user(), "published_by": factories.make_user()}
    factories.make_caps(shop, **{**others, hand: user})
    request = factories.make_approval(shop=shop)
    with pytest.raises(NotPermitted, match="limits"):
        approve(request, user)


@pytest.mark.parametrize("hand", ["author", "published_by"])
def test_limits_written_after_the_request_bar_their_writers_too(hand: str) -> None:
    request = factories.make_approval()
    user = signer(request.shop)
    others: dict[str, Any] = {"author": factories.make_user(), "published_by": factories.make_user()}
    factories.make_limits(request.shop, **{**others, hand: user})
    with pytest.raises(NotPermitted, match="limits"):
        approve(request, user)


def excepted(request: ApprovalRequest, scope: str, subject: object, *people: User) -> LimitException:
    """Somebody asks and somebody else approves that a cap is lifted for a day."""
    author, approver = people
    now = sources.now()
    return LimitException.objects.create(
        shop=request.shop, scope=scope, subject=str(subject), currency=request.shop.base_currency,
        up_to_minor=900_000, reason="A wedding", author=author, created_at=now, approved_by=approver,
        approved_at=now, expires_at=now + DAY,
    )  # fmt: skip


@pytest.mark.parametrize("scope", ["order", "customer"])
@pytest.mark.parametrize("hand", [0, 1])
def test_nobody_signs_under_an_exception_that_they_asked_for_or_approved(scope: str, hand: int) -> None:
    factories.make_caps(factories.make_shop("north"))
    request = factories.make_approval(shop=Shop.objects.get())
    user, other = signer(request.shop), factories.make_user()
    order = request.case.order
    assert order is not None
    subject = order.pk if scope == "order" else order.person_id
    row = excepted(request, scope, subject, *((user, other) if hand == 0 else (other, user)))
    with pytest.raises(NotPermitted, match="exception"):
        approve(request, user)
    assert "exception" in dict(for_request(request).others)[user]
    LimitException.objects.filter(pk=row.pk).update(ended_at=sources.now(), ended_by=other)
    assert approve(request, user).state == "approved"


def test_an_exception_for_somebody_else_bars_nobody() -> None:
    request = factories.make_approval()
    factories.make_caps(request.shop)
    user = signer(request.shop)
    excepted(request, "order", factories.make_order(request.shop).pk, user, factories.make_user())
    assert why_not(request, user) == ""


NEVER = [({"is_superuser": True}, "uperuser"), ({"roles": ["admin"]}, "gives out roles")]


@pytest.mark.parametrize(("who", "why"), NEVER)
def test_superusers_and_who_gives_out_roles_sign_nothing(who: dict[str, Any], why: str) -> None:
    request = factories.make_approval()
    roles = ["finance approver", *who.get("roles", [])]
    user = factories.make_user(**{**who, "roles": roles}, shops=[request.shop])
    with pytest.raises(NotPermitted, match=why):
        approve(request, user)
    assert ApprovalRequest.objects.get().state == "pending"
    (row,) = [row for row in who_can_decide(request.shop_id) if row.tier == "one_approver"]
    assert user not in row.eligible
    assert why in dict(row.others)[user]


@pytest.mark.parametrize(("who", "why"), NEVER)
def test_nothing_is_lent_to_superusers_nor_to_who_gives_out_roles(who: dict[str, Any], why: str) -> None:
    request = factories.make_approval()
    lender, to = signer(request.shop), factories.make_user(**who, shops=[request.shop])
    with pytest.raises(Invalid, match=why):
        lend(request.shop, lender, to)
    factories.make_delegation(request.shop, lender, to)
    assert why in why_not(request, to)
