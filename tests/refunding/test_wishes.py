"""What the shop is asked for: duties by their own ids, and the tax that it adds to its shipping by itself."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import make_order, make_shop
from tools.adapters.shopify import RefundedDuty
from tools.models import Order
from tools.refunding.wishes import duties_of, tax_on_top

pytestmark = pytest.mark.django_db
TAXES = [{"title": "State", "rate_ppm": 100_000, "amount_minor": 49}]


def order(**fields: Any) -> Order:
    return make_order(make_shop("north"), (("Tent", 2, 1500), ("Peg", 1, 400)), **fields)


def test_the_duties_of_the_pieces_that_go_back_are_named_by_their_ids() -> None:
    tent, peg = (bought := order()).lines.order_by("id")
    tent.duties = [{"external_id": "61", "amount_minor": 90}, {"external_id": "", "amount_minor": 5}]
    peg.duties = [{"external_id": "62", "amount_minor": 20}]
    tent.save()
    peg.save()
    parts = [{"line": tent.pk, "quantity": 1}, {"line": peg.pk, "quantity": 0}]  # the second is goodwill
    assert duties_of(bought, parts) == (RefundedDuty("61", "PROPORTIONAL"),)


@pytest.mark.parametrize(("included", "minor"), [(False, 49), (True, 0), (None, 0)])
def test_tax_is_left_to_the_shop_only_where_its_prices_are_without(included: bool | None, minor: int) -> None:
    assert tax_on_top(order(taxes_included=included), TAXES) == minor
