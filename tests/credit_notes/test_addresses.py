"""Where a bill goes: kept encrypted, printed as letters to that country are written, and never changed afterwards."""

from __future__ import annotations

import json

import pytest
from django.db import transaction

from audit.actors import SYSTEM
from cases import personal
from cases.addresses import buyer_block
from cases.models import PersonalText, Shop
from tests import factories as f
from tests.credit_notes.conftest import document
from tools.credit_notes.sheet import sheet_of
from tools.models import CreditNote, Order
from tools.snapshots import AddressSnapshot

OSLO = AddressSnapshot(name="Ida Berg", address1="Elm Lane 1", zip="0150", city="Oslo", country="NO")
MOVED = OSLO.model_copy(update={"address1": "Birch Road 2"})


def told(order: Order, address: AddressSnapshot | None) -> Order:
    """The order, once the shop was heard."""
    with transaction.atomic():
        personal.keep_address(order, address)
    return Order.objects.get(pk=order.pk)


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        (OSLO, ["Ida Berg", "Elm Lane 1", "0150 Oslo", "Land"]),
        (
            {
                "company": "Berg AS",
                "address1": "Elm Lane 1",
                "address2": "2nd floor",
                "city": "Oslo",
                "country": "NO",
            },
            ["Berg AS", "Somebody", "Elm Lane 1", "2nd floor", "Oslo", "Land"],
        ),
        (
            {
                "address1": "1 Elm St",
                "city": "Boston",
                "province_code": "MA",
                "zip": "02108",
                "country": "US",
            },
            ["Somebody", "1 Elm St", "Boston, MA 02108", "Land"],
        ),
        (
            {"address1": "4 Chapel Row", "city": "Leeds", "zip": "LS1 4AP", "country": "GB"},
            ["Somebody", "4 Chapel Row", "Leeds", "LS1 4AP", "Land"],
        ),
        (
            {
                "address1": "中目黒1-2",
                "city": "目黒区",
                "province": "東京都",
                "zip": "153-0061",
                "country": "JP",
            },
            ["Somebody", "〒153-0061", "東京都 目黒区", "中目黒1-2", "Land"],
        ),
        ({"address1": "A\nB", "country": "NO"}, ["Somebody", "A B", "Land"]),  # no line can be smuggled in
        (None, ["Somebody", "Land"]),
    ],
)
def test_a_buyer_is_named_as_letters_to_the_country_are_addressed(
    address: AddressSnapshot | dict[str, str] | None, lines: list[str]
) -> None:
    given = AddressSnapshot.model_validate(address) if isinstance(address, dict) else address
    assert buyer_block("Somebody", "Land", given).splitlines() == lines


def test_a_document_names_the_buyers_street_and_keeps_it_when_the_buyer_moves(shop: Shop) -> None:
    order = told(f.make_order(shop), OSLO)
    case = f.make_case(order=order)
    note = document(case)
    assert sheet_of(note).buyer == ("Ida Berg", "Elm Lane 1", "0150 Oslo", "Norway")
    told(order, MOVED)
    assert sheet_of(CreditNote.objects.get()).buyer[1] == "Elm Lane 1"
    assert sheet_of(document(case)).buyer[1] == "Birch Road 2"


def test_an_address_stands_nowhere_in_clear_and_is_kept_once(shop: Shop) -> None:
    order = told(f.make_order(shop), OSLO)
    for _ in range(2):
        told(order, MOVED)
    row = PersonalText.objects.get()
    assert json.loads(row.text or "")["address1"] == "Birch Road 2"
    assert b"Birch" not in bytes(row.sealed)


def test_a_deleted_customers_address_is_unreadable_and_stays_away(shop: Shop) -> None:
    order = told(f.make_order(shop), OSLO)
    assert order.person is not None
    note = document(f.make_case(order=order))
    personal.erase(order.person, by=SYSTEM)
    assert sheet_of(CreditNote.objects.get(pk=note.pk)).buyer == ("(personal data erased)",)
    assert personal.address_of(told(order, OSLO)) is None


def test_nothing_told_leaves_what_is_known(shop: Shop) -> None:
    assert personal.address_of(told(told(f.make_order(shop), OSLO), None)) == OSLO
    assert told(f.make_order(shop, person=None), OSLO).bill_to_id is None
