"""The picture of the lines on a request's and a decision's page: all that are in force, seen and heard."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from approvals.admin.ruler import lines_of, place, ruler
from approvals.models import LimitVersion
from approvals.policy import RULES
from cases.models import Shop
from tests import factories
from tests.admin.test_pages import clean
from tests.authority.rows import decide_refund, refundable_case

SignIn = Callable[..., Client]


def limits(auto: int, one: int, two: int | None, last: int) -> LimitVersion:
    return LimitVersion(
        auto_up_to_minor=auto,
        one_approver_up_to_minor=one,
        two_people_above_minor=two,
        two_factor_up_to_minor=last,
    )


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        (
            limits(20, 200, 2000, 5000),
            {"automatic": 20, "one": 200, "two": 2000, "people": 5000, "nobody": None},
        ),
        # Nobody needs a second person.
        (limits(20, 200, None, 5000), {"automatic": 20, "one": 200, "two": 5000, "nobody": None}),
        # Everything above one approver takes two people.
        (limits(20, 200, 200, 5000), {"automatic": 20, "one": 200, "people": 5000, "nobody": None}),
        # Nothing runs by itself, and above one approver nobody decides here.
        (limits(0, 200, None, 200), {"one": 200, "nobody": None}),
        (limits(0, 0, None, 0), {"nobody": None}),
    ],
)
def test_every_line_that_leaves_room_is_a_zone(row: LimitVersion, shown: dict[str, int | None]) -> None:
    assert dict(lines_of(row)) == shown


@pytest.mark.parametrize(
    ("minor", "at"),
    [
        (0, 0),
        (10, 10),
        (20, 20),
        (110, 30),
        (200, 40),
        (1100, 50),
        (2000, 60),
        (3500, 70),
        (5000, 80),
        (10_000, 90),
    ],
)
def test_an_amount_stands_in_its_zone_and_on_its_line(minor: int, at: float) -> None:
    assert place(minor, [20, 200, 2000, 5000, None]) == pytest.approx(at)


def test_a_larger_amount_never_stands_further_left() -> None:
    found = [place(minor, [20, 200, 2000, 5000, None]) for minor in range(0, 20_000, 7)]
    assert found == sorted(found)
    assert found[-1] < 100


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("amount_minor", "key"),
    [(2000, "automatic"), (2001, "one"), (20_001, "two"), (200_001, "people"), (500_001, "nobody")],
)
def test_the_zone_that_is_marked_is_the_one_that_policy_chose(amount_minor: int, key: str) -> None:
    shop = factories.make_shop()
    factories.make_limits(shop, "EUR", two_people_above_minor=200_000, two_factor_up_to_minor=500_000)
    decision = decide_refund(refundable_case(amount_minor, shop=shop)).decision
    rules = {
        "automatic": "automatic",
        "one": "one_approver",
        "two": "two_factor",
        "people": "two_people",
        "nobody": "above",
    }
    assert decision.rule == f"refund.tier.{rules[key]}"
    assert decision.rule in RULES
    found = ruler(decision)
    assert found is not None
    assert [zone.key for zone in found.zones if zone.here] == [key]


@pytest.mark.django_db
def test_both_pages_name_every_line_to_those_who_see_no_picture(sign_in: SignIn, shop: Shop) -> None:
    factories.make_limits(shop, "EUR", two_people_above_minor=200_000, two_factor_up_to_minor=500_000)
    made = decide_refund(refundable_case(6000, shop=shop))
    assert made.request is not None
    client = sign_in("approver")
    for url in (
        reverse("admin:approvals_approvalrequest_change", args=[made.request.pk]),
        reverse("admin:approvals_decision_change", args=[made.decision.pk]),
    ):
        page = client.get(url).content.decode()
        clean(page)
        assert (
            'aria-label="€60.00 together: one approver (up to €200.00). The zones are not to scale."' in page
        )
        found = re.search(r'<div class="ruler">.*?</ol>', page, re.DOTALL)
        assert found is not None
        words = re.sub(r"<[^>]+>|\s+", " ", found[0].partition("<ol>")[2])
        assert " ".join(words.split()) == (
            "automatic up to €20.00 one approver up to €200.00 second factor up to €2,000.00"
            " two people up to €5,000.00 nobody here above €5,000.00"
        )
        assert found[0].count('aria-current="true"') == 1
