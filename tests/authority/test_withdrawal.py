"""What the law gives beside the shop's terms: the right to withdraw, its period and the delivery it pays back."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from approvals.entitlement import (
    Back,
    Stage,
)
from approvals.terms import withdrawal_by_law
from approvals.windows import window
from tests.authority.claims import (
    A_MOMENT,
    ARRIVED,
    MIDNIGHT,
    OSLO,
    claim,
    item,
    judged,
    parcel,
    returned,
)


@pytest.mark.parametrize(
    ("country", "asked_at", "answer"),
    [
        ("DE", MIDNIGHT - A_MOMENT, "terms.withdrawal"),
        ("DE", MIDNIGHT, "window.return"),
        ("NO", MIDNIGHT - A_MOMENT, "terms.withdrawal"),
        ("US", MIDNIGHT - A_MOMENT, "window.return"),
        ("", MIDNIGHT - A_MOMENT, "window.return"),
    ],
)
def test_the_law_gives_14_days_where_it_holds(country: str, asked_at: datetime, answer: str) -> None:
    wish = returned(Back(Stage.INSPECTED, asked_at), country=country)
    assert judged(wish, return_days=0) == answer


@pytest.mark.parametrize(
    ("arrived", "ends"),
    [
        # The 14th day is a Saturday, a Sunday, a Monday: what ends on a weekend ends with the next working day.
        (datetime(2026, 11, 7, 9, tzinfo=OSLO), datetime(2026, 11, 24, tzinfo=OSLO)),
        (datetime(2026, 11, 8, 9, tzinfo=OSLO), datetime(2026, 11, 24, tzinfo=OSLO)),
        (datetime(2026, 11, 9, 9, tzinfo=OSLO), datetime(2026, 11, 24, tzinfo=OSLO)),
        (datetime(2026, 11, 6, 9, tzinfo=OSLO), datetime(2026, 11, 21, tzinfo=OSLO)),
        # The clocks go back in between: days are those of the calendar, not of 24 hours.
        (datetime(2026, 10, 20, 9, tzinfo=OSLO), datetime(2026, 11, 4, tzinfo=OSLO)),
    ],
)
def test_a_period_by_law_ends_on_no_weekend(arrived: datetime, ends: datetime) -> None:
    answers = []
    for asked_at in (ends - A_MOMENT, ends):
        back = Back(Stage.INSPECTED, asked_at)
        wish = claim("returned", item(parcel(arrived), back=back), country="DE")
        answers.append(judged(wish, return_days=0))
    assert answers == ["terms.withdrawal", "window.return"]


@pytest.mark.parametrize(
    ("country", "arrived", "ends"),
    [
        # Christmas on a Friday, the second day on a Saturday: the period lasts until Monday.
        ("DE", date(2026, 12, 11), date(2026, 12, 28)),
        # In the United Kingdom Monday is the holiday that fell on the Saturday.
        ("GB", date(2026, 12, 11), date(2026, 12, 29)),
        # The first of May, a Friday, is one in Germany and none in the United Kingdom.
        ("DE", date(2026, 4, 17), date(2026, 5, 4)),
        ("GB", date(2026, 4, 17), date(2026, 5, 1)),
        # Good Friday, the weekend, Easter Monday.
        ("DE", date(2026, 3, 20), date(2026, 4, 7)),
        ("FR", date(2026, 3, 20), date(2026, 4, 3)),
        # New Year's Day belongs to the next year.
        ("SE", date(2026, 12, 18), date(2027, 1, 4)),
        # Nobody knows the holidays of a place that isn't there, and no law lengthens what a shop promises.
        ("XX", date(2026, 12, 11), date(2026, 12, 25)),
        ("", date(2026, 12, 11), date(2026, 12, 25)),
    ],
)
def test_a_period_by_law_ends_on_no_public_holiday_of_the_customers_country(
    country: str, arrived: date, ends: date
) -> None:
    begins = datetime.combine(arrived, time(9), tzinfo=OSLO)
    assert window(begins, 14, (OSLO,), law_of=country).last == ends


def test_no_country_with_a_right_of_withdrawal_lacks_its_holidays() -> None:
    christmas = datetime(2026, 12, 11, 9, tzinfo=OSLO)
    late = {
        country
        for country in withdrawal_by_law()
        if window(christmas, 14, (OSLO,), law_of=country).last.day == 25
    }
    assert late == set()


def test_a_withdrawal_begins_with_the_last_parcel_of_the_order() -> None:
    late = Back(Stage.INSPECTED, MIDNIGHT)
    old = parcel(ARRIVED)
    for other in (parcel(ARRIVED + timedelta(days=2)), parcel(None, "in_transit")):
        wish = claim("returned", item(old, back=late), country="DE", parcels=[old, other])
        assert judged(wish, return_days=0) == "terms.withdrawal"


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        # The whole order: what the standard delivery costs goes back, and a wish that keeps it is none by law.
        ({"whole_order": True, "shipping": True, "shipping_paid_minor": 490}, "terms.withdrawal"),
        ({"whole_order": True, "shipping_paid_minor": 490, "shipping_left_minor": 490}, "shipping.owed"),
        ({"whole_order": True, "shipping_paid_minor": 490}, "terms.withdrawal"),
        ({"whole_order": True}, "terms.withdrawal"),
        # Express was dearer: the difference isn't owed, and a person gives back the standard part.
        ({"whole_order": True, "shipping": True, "shipping_paid_minor": 491}, "shipping.dearer"),
        (
            {"whole_order": True, "shipping": True, "shipping_paid_minor": 9, "currency": "USD"},
            "shipping.no_rate",
        ),
        # A part of the order: the delivery was needed for the rest.
        ({"shipping": True, "shipping_paid_minor": 490}, "shipping.part"),
        ({"shipping_paid_minor": 490, "shipping_left_minor": 490}, "terms.withdrawal"),
    ],
)
def test_a_withdrawal_gives_the_standard_shipping_back(fields: dict[str, Any], answer: str) -> None:
    assert judged(returned(country="FR", **fields)) == answer


@pytest.mark.parametrize(
    ("outward", "fields", "answer"),
    [
        ("kept", {"whole_order": True, "shipping": True}, "shipping.kept"),
        ("kept", {"whole_order": True}, "terms.returned"),
        ("refunded", {"whole_order": True, "shipping": True}, "terms.returned"),
        ("refunded", {"shipping": True}, "shipping.part"),
    ],
)
def test_the_shop_says_who_pays_the_delivery_of_what_comes_back_by_choice(
    outward: str, fields: dict[str, Any], answer: str
) -> None:
    assert judged(returned(**fields), outward_shipping=outward) == answer
