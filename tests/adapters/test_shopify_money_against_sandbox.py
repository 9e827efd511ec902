"""Taxes, duties, several tenders and records of others' refunds, against the stand-in over real HTTP."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.adapters.faking import CORRELATION, KEY, NORTH
from tests.adapters.stand_ins import LAMP_BACK, stand_ins
from tests.sandbox.test_shopify_money import german, mixed
from tests.sandbox.world import Caller, order
from tools.adapters import shopify
from tools.errors import OutcomeUnknown, Refused
from tools.snapshots import DutySnapshot, OrderSnapshot, RefundResult, SuggestedRefund, TaxSnapshot

RECORD = shopify.RecordedRefund(
    "5001001", 1200, "USD", "stripe", lines=(shopify.RefundedLine("11", 1),), note="case 5"
)


@pytest.fixture
def control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swift: None) -> Iterator[Caller]:
    with stand_ins(tmp_path, monkeypatch) as caller:
        yield caller


def read() -> OrderSnapshot:
    return shopify.read_order(NORTH, "5001001", correlation_id=CORRELATION)


def refund(**changes: Any) -> RefundResult:
    return shopify.refund(NORTH, replace(LAMP_BACK, **changes), key=KEY, correlation_id=CORRELATION)


def suggested(**changes: Any) -> SuggestedRefund:
    wish = replace(LAMP_BACK, transaction_external_id="", gateway="", **changes)
    return shopify.suggested_refund(NORTH, wish, correlation_id=CORRELATION)


def record(**changes: Any) -> RefundResult:
    return shopify.record_refund(NORTH, replace(RECORD, **changes), key=KEY, correlation_id=CORRELATION)


def test_taxes_duties_and_shipping_are_read_as_they_are(control: Caller) -> None:
    control.control("orders", german())
    seen = read()
    assert seen.lines[0].taxes == (TaxSnapshot(title="MwSt", rate_ppm=190_000, amount_minor=383),)
    assert seen.lines[0].duties == (DutySnapshot(external_id="61", amount_minor=301),)
    assert (seen.shipping_minor, seen.taxes_included) == (490, True)
    assert seen.shipping_taxes == (TaxSnapshot(title="MwSt", rate_ppm=190_000, amount_minor=78),)


def test_a_refund_with_duties_is_made_and_read_again(control: Caller) -> None:
    control.control("orders", german())
    refund(currency="EUR", amount_minor=1350, duties=(shopify.RefundedDuty("61"),))
    (made,) = read().refunds
    assert made.duties == (DutySnapshot(external_id="61", amount_minor=150),)


def test_shipping_with_tax_on_top_goes_back_as_it_was_paid(control: Caller) -> None:
    taxes = [{"title": "State", "rate": "0.1", "amount": "0.49"}]
    changes: dict[str, Any] = {"gateway": "shopify_payments", "charge": None, "total": "29.39"}
    control.control("orders", order(taxes_included=False, shipping_taxes=taxes, **changes))
    assert (read().shipping_minor, read().taxes_included) == (539, False)
    wish: dict[str, Any] = {"lines": (), "shipping_minor": 539, "shipping_tax_minor": 49}
    assert suggested(**wish).amount_minor == 539
    refund(**wish, amount_minor=539)
    assert [made.shipping_minor for made in read().refunds] == [539]


def test_the_shops_split_reaches_every_tender_in_calls_of_their_own(control: Caller) -> None:
    control.control("orders", mixed())
    parts = suggested().parts
    assert [(part.transaction_external_id, part.amount_minor) for part in parts] == [("31", 830), ("32", 370)]
    for part, lines in zip(parts, (LAMP_BACK.lines, ()), strict=True):
        wish = replace(
            LAMP_BACK,
            transaction_external_id=part.transaction_external_id,
            gateway=part.gateway,
            amount_minor=part.amount_minor,
            lines=lines,
        )
        shopify.refund(NORTH, wish, key=uuid4(), correlation_id=CORRELATION)
    assert [row["amount_minor"] for row in control.ledger()["refunds"]] == [830, 370]
    assert [len(made.lines) for made in read().refunds] == [1, 0]


def test_a_refund_of_less_than_its_pieces_cost_takes_the_pieces_and_that_much(control: Caller) -> None:
    """A fee that the shop keeps of a return has no line of its own at Shopify: the transaction is smaller."""
    control.control("orders", order(gateway="shopify_payments", charge=None))
    wish = replace(LAMP_BACK, amount_minor=710)
    shopify.refuse_more_than(suggested(), wish)
    assert refund(amount_minor=710).amount_minor == 710
    (made,) = read().refunds
    assert [part.amount_minor for part in made.parts] == [710]
    assert [(line.line_external_id, line.quantity) for line in made.lines] == [("11", 1)]


def test_a_tender_that_shopify_can_pay_is_known_as_such(control: Caller) -> None:
    control.control("orders", mixed())
    assert [(one.vendor, one.gateway, one.captured_minor) for one in read().payments] == [
        ("shopify", "shopify_payments", 2000),
        ("shopify", "gift_card", 890),
    ]


def test_what_stripe_paid_shows_in_the_order_and_is_paid_once(control: Caller) -> None:
    control.refund("s1", 1200)
    assert record().status == "succeeded"
    (made,) = read().refunds
    assert (made.call_key, [part.amount_minor for part in made.parts]) == (str(KEY), [1200])
    assert [line.quantity for line in made.lines] == [1]
    assert [row["vendor"] for row in control.ledger()["refunds"]] == ["stripe"]
    assert read().financial_status == "partially_refunded"


def test_a_record_is_written_once_under_its_key(control: Caller) -> None:
    assert record() == record()
    assert len(read().refunds) == 1


def test_a_record_whose_answer_was_lost_is_found(control: Caller) -> None:
    control.control(
        "faults", {"vendor": "shopify", "operation": "refundCreate", "kind": "dropped_after", "times": 9}
    )
    with pytest.raises(OutcomeUnknown):
        record()
    found = shopify.find_recorded_refund(NORTH, "5001001", key=KEY, correlation_id=CORRELATION)
    assert found is not None
    assert (found.amount_minor, found.status) == (1200, "succeeded")
    other = shopify.find_recorded_refund(NORTH, "5001001", key=uuid4(), correlation_id=CORRELATION)
    assert other is None


def test_cash_that_was_given_back_is_written_under_the_tender_that_took_it(control: Caller) -> None:
    control.control("orders", order(gateway="cash_on_delivery", charge=None))
    assert [payment.vendor for payment in read().payments] == ["manual"]
    assert record(gateway="cash_on_delivery", transaction_external_id="31").status == "succeeded"
    assert [part.payment_external_id for part in read().refunds[0].parts] == ["31"]
    assert control.ledger()["refunds"] == []


def test_more_than_was_paid_is_not_written_down(control: Caller) -> None:
    with pytest.raises(Refused):
        record(amount_minor=2891)


@pytest.mark.parametrize("ends", ["succeeded", "failed"])
def test_a_refund_on_its_way_is_read_until_it_settled(control: Caller, ends: str) -> None:
    control.control("shops", {"slug": "north", "refund_seconds": 60, "refund_ends": ends})
    control.control("orders", order(gateway="shopify_payments", charge=None))
    assert refund().status == "pending"
    control.wait(61)
    found = shopify.find_refund(NORTH, "5001001", key=KEY, correlation_id=CORRELATION)
    assert found is not None
    assert found.status == ends
