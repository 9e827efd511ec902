"""The pieces of an order: which have left, which were taken off it, and under which numbers they travel."""

import pytest

from cases.models import Shop
from tests.tools.telling import later, line, order, parcel, payment, refund
from tools import orders
from tools.models import LedgerEntry, OrderLine, Shipment


def the_line() -> OrderLine:
    return OrderLine.objects.get(external_id="11")


def test_a_reading_tells_what_has_not_left_and_a_webhook_does_not_take_it_back(shop: Shop) -> None:
    orders.record_order(shop.pk, order(lines=(line(unfulfilled=2),), location="71", is_test=False))
    orders.record_order(shop.pk, order(lines=(line(),), updated_at=later(5), complete=False))
    assert the_line().unfulfilled_quantity == 2
    assert (the_line().order.location, the_line().order.is_test) == ("71", False)


def test_goods_that_were_moved_apart_have_no_one_place_any_more(shop: Shop) -> None:
    orders.record_order(shop.pk, order(location="71"))
    orders.record_order(shop.pk, order(location="", updated_at=later(5)))
    assert the_line().order.location == ""


def test_pieces_that_were_taken_off_the_order_can_not_be_refunded(shop: Shop) -> None:
    change = orders.record_order(shop.pk, order(lines=(line(removed=1),)))
    assert change.changed
    assert (the_line().removed_quantity, the_line().elsewhere_quantity, the_line().left) == (1, 0, 2)
    assert (the_line().share_minor(2), the_line().left_minor) == (2000, 2000)


def test_the_same_pieces_are_taken_off_once(shop: Shop) -> None:
    for minutes in range(3):
        orders.record_order(shop.pk, order(lines=(line(removed=1),), updated_at=later(minutes)))
    assert the_line().removed_quantity == 1
    assert LedgerEntry.objects.count() == 1


def test_refunded_pieces_are_gone_once_and_not_twice(shop: Shop) -> None:
    """A refund of one lamp: Shopify tells of it, and that one lamp is no longer part of the order."""
    seen = order(lines=(line(removed=1),), refunds=(refund(),), payments=(payment(),))
    for minutes in range(2):
        orders.record_order(shop.pk, seen.model_copy(update={"updated_at": later(minutes)}))
    assert (the_line().elsewhere_quantity, the_line().elsewhere_minor) == (1, 1000)
    assert the_line().removed_quantity == 0


def test_a_reading_that_overtakes_its_refund_does_not_count_the_piece_twice(shop: Shop) -> None:
    orders.record_order(shop.pk, order(lines=(line(removed=3),), payments=(payment(),)))
    told = orders.record_refund(shop.pk, refund())
    assert told is not None
    assert told.over == ()
    assert (the_line().elsewhere_quantity, the_line().removed_quantity, the_line().left) == (1, 2, 0)


def test_a_refund_by_one_and_a_removal_by_another_are_two(shop: Shop) -> None:
    orders.record_order(shop.pk, order(lines=(line(removed=2),), refunds=(refund(),)))
    assert (the_line().elsewhere_quantity, the_line().removed_quantity) == (1, 1)


def test_more_was_taken_off_than_was_bought_is_all_of_it(shop: Shop) -> None:
    orders.record_order(shop.pk, order(lines=(line(removed=9),)))
    assert (the_line().removed_quantity, the_line().left, the_line().left_minor) == (3, 0, 0)


def test_an_old_reading_of_a_line_that_is_not_known_takes_nothing_off(shop: Shop) -> None:
    orders.record_order(shop.pk, order(updated_at=later(5)))
    stale = order(lines=(line(external_id="12", removed=1),))
    assert not orders.record_order(shop.pk, stale).changed


def test_a_parcel_in_several_pieces_keeps_all_its_numbers(shop: Shop) -> None:
    orders.record_order(shop.pk, order())
    orders.record_shipment(shop.pk, parcel(tracking_numbers=("JD01", "JD02")))
    row = Shipment.objects.get()
    assert (row.tracking_number, row.tracking_numbers) == ("JD01", ["JD01", "JD02"])


@pytest.mark.parametrize(("minutes", "numbers"), [(5, ["JD03"]), (-5, ["JD01"])])
def test_the_newest_message_tells_the_numbers(shop: Shop, minutes: int, numbers: list[str]) -> None:
    orders.record_order(shop.pk, order())
    orders.record_shipment(shop.pk, parcel())
    orders.record_shipment(shop.pk, parcel(minutes, tracking_numbers=("JD03",)))
    assert Shipment.objects.get().tracking_numbers == numbers


def test_a_message_without_numbers_forgets_none(shop: Shop) -> None:
    orders.record_order(shop.pk, order())
    orders.record_shipment(shop.pk, parcel())
    orders.record_shipment(shop.pk, parcel(5, tracking_numbers=()))
    assert Shipment.objects.get().tracking_number == "JD01"


def test_people_read_all_numbers_of_a_parcel() -> None:
    assert Shipment(tracking_number="JD01", tracking_numbers=["JD01", "JD02"]).all_numbers == "JD01, JD02"
    assert Shipment(tracking_number="JD01").all_numbers == "JD01"
