"""The two reading tools that answer from our own rows: a case's customer and its shop's stock, nobody else's."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests import factories
from tools.base import Scope
from tools.catalog import lookup_customer, lookup_stock
from tools.models import StockLevel

pytestmark = pytest.mark.django_db


def test_a_history_counts_the_customers_own_orders_and_refunds() -> None:
    call = factories.make_call()
    factories.make_call()
    scope = Scope(call.shop_id, call.case_id, call.case.order_id, uuid4())
    history = lookup_customer.read(lookup_customer.LookupCustomer(), scope)
    assert (history.orders, history.refunds) == (1, 1)
    assert history.refunded_minor == {call.currency: call.amount_minor}


def test_a_case_without_an_order_has_no_history() -> None:
    history = lookup_customer.read(lookup_customer.LookupCustomer(), Scope(1, 1, None, uuid4()))
    assert (history.orders, history.refunds, history.refunded_minor) == (0, 0, {})


def test_stock_is_the_shops_own_and_what_nobody_told_is_unknown() -> None:
    shop, other = factories.make_shop(), factories.make_shop()
    for place, pieces in ((shop, 4), (other, 9)):
        StockLevel.objects.create(shop=place, sku="MUG", available=pieces, at=factories.now())
    wish = lookup_stock.LookupStock(skus=["MUG", "POT"])
    found = lookup_stock.read(wish, Scope(shop.pk, 1, None, uuid4()))
    assert [(row.sku, row.available, row.restock_on) for row in found] == [
        ("MUG", 4, None),
        ("POT", None, None),
    ]
