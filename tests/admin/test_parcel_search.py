"""Staff find an order by any number of its parcels, and see them all."""

import pytest
from django.test import Client
from django.urls import reverse

from cases.models import Shop
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("words", ["JD00010001", "JD00010002"])
def test_the_search_finds_an_order_by_each_of_its_tracking_numbers(
    agent: Client, shop: Shop, words: str
) -> None:
    order = factories.make_order(shop)
    numbers = ["JD00010001", "JD00010002"]
    factories.make_shipment(order, tracking_number=numbers[0], tracking_numbers=numbers)
    assert order.name in agent.get(reverse("admin:search"), {"q": words}).content.decode()


def test_part_of_a_number_finds_nobody_elses_parcel(agent: Client, shop: Shop) -> None:
    order = factories.make_order(shop)
    factories.make_shipment(order, tracking_number="JD1", tracking_numbers=["JD00010001", "JD00010002"])
    assert order.name not in agent.get(reverse("admin:search"), {"q": "JD0001000"}).content.decode()


def test_the_case_page_shows_every_number_of_a_parcel(agent: Client, shop: Shop) -> None:
    case = factories.make_case(shop)
    assert case.order is not None
    numbers = ["JD00010001", "JD00010002"]
    factories.make_shipment(case.order, tracking_number=numbers[0], tracking_numbers=numbers)
    page = agent.get(reverse("admin:cases_case_change", args=[case.pk])).content.decode()
    assert "JD00010001, JD00010002" in page
