"""What an order tells of its taxes, rate by rate, of its duties, and of what shipping cost with tax."""

import json
from typing import Any

import pytest

from tests.adapters import bodies
from tests.adapters import shopify_answers as told
from tests.adapters.bodies import both
from tests.adapters.faking import CORRELATION, NORTH
from tools import wire
from tools.adapters import shopify, shopify_webhooks
from tools.errors import ContractDrift
from tools.snapshots import DutySnapshot, OrderSnapshot, TaxSnapshot


def read(**changes: Any) -> OrderSnapshot:
    with wire.transport_override(told.shop(OpsOrder={"order": told.order(**changes)}).transport):
        return shopify.read_order(NORTH, "1001", correlation_id=CORRELATION)


def heard(**changes: Any) -> OrderSnapshot:
    raw = json.dumps(bodies.shopify_order(**changes)).encode()
    seen = shopify_webhooks.parse("orders/create", raw)
    assert isinstance(seen, OrderSnapshot)
    return seen


def taxed(*taxes: dict[str, Any]) -> tuple[TaxSnapshot, ...]:
    return read(lineItems=told.page(told.line(taxLines=list(taxes)))).lines[0].taxes


def test_a_line_tells_each_of_its_taxes_with_its_rate() -> None:
    assert read().lines[0].taxes == (
        TaxSnapshot(title="State tax", rate_ppm=51_000, amount_minor=102),
        TaxSnapshot(title="County tax", rate_ppm=25_000, amount_minor=50),
    )


@pytest.mark.parametrize(
    ("rate", "percentage", "ppm"),
    [
        (0.19, 19, 190_000),
        (0.07, None, 70_000),  # 0.07 * 1_000_000 is 70000.00000000001
        (0.08875, 8.875, 88_750),
        (None, 8.25, 82_500),  # told as a percentage alone
        (0, 0, 0),
        (1, 100, 1_000_000),
        (None, None, None),
    ],
)
def test_a_rate_is_read_exactly(rate: Any, percentage: Any, ppm: int | None) -> None:
    assert taxed(told.tax("1.00", rate, percentage))[0].rate_ppm == ppm


@pytest.mark.parametrize("wrong", [-0.19, 200.0, 1e300, "0.19"])
def test_what_is_no_rate_is_drift(wrong: Any) -> None:
    with pytest.raises(ContractDrift) as caught:
        taxed(told.tax("1.00", wrong))
    assert caught.value.field_path.endswith(".rate")


def test_a_tax_below_nothing_is_drift() -> None:
    with pytest.raises(ContractDrift):
        taxed(told.tax("-1.00", 0.19))


def test_a_line_tells_its_duties_by_their_ids() -> None:
    line = told.line(duties=[told.duty(61, "3.00"), told.duty(62, "0.55")])
    (seen,) = read(lineItems=told.page(line)).lines
    assert seen.duties == (
        DutySnapshot(external_id="61", amount_minor=300),
        DutySnapshot(external_id="62", amount_minor=55),
    )
    assert seen.duty_minor == 355


@pytest.mark.parametrize(("included", "amount"), [(True, 300), (False, 360)])
def test_a_duty_tells_its_taxes_in_it_or_on_top(included: bool, amount: int) -> None:
    line = told.line(duties=[told.duty(61, "3.00", told.tax("0.60", 0.2))])
    (seen,) = read(lineItems=told.page(line), taxesIncluded=included).lines
    taxes = (TaxSnapshot(title="State tax", rate_ppm=200_000, amount_minor=60),)
    assert seen.duties == (DutySnapshot(external_id="61", amount_minor=amount, taxes=taxes),)
    assert seen.duty_minor == amount


def test_shipping_is_told_after_discounts_and_with_its_tax() -> None:
    line = {"discountedPriceSet": told.bag("4.00"), "taxLines": [told.tax("0.28", 0.07)]}
    seen = read(shippingLine=line)
    assert (seen.shipping_minor, seen.taxes_included) == (428, False)
    assert seen.shipping_taxes == (TaxSnapshot(title="State tax", rate_ppm=70_000, amount_minor=28),)


def test_tax_that_is_in_the_price_of_shipping_is_not_added_again() -> None:
    line = {"discountedPriceSet": told.bag("4.28"), "taxLines": [told.tax("0.28", 0.07)]}
    seen = read(shippingLine=line, taxesIncluded=True)
    assert (seen.shipping_minor, seen.taxes_included) == (428, True)
    assert read(shippingLine=None).shipping_minor == 0


def test_a_refund_tells_which_duties_went_back() -> None:
    duties = [{"amountSet": told.bag("1.50"), "originalDuty": {"id": told.gid("Duty", 61)}},
              {"amountSet": told.bag("0.25"), "originalDuty": None}]  # fmt: skip
    (made,) = read(refunds=[told.refund(duties=duties)]).refunds
    assert made.duties == (
        DutySnapshot(external_id="61", amount_minor=150),
        DutySnapshot(external_id="", amount_minor=25),
    )
    assert read(refunds=[told.refund(duties=None)]).refunds[0].duties == ()


SHIPPING = {
    "discounted_price_set": both("4.00"),
    "is_removed": False,
    "tax_lines": [{"title": "MwSt", "rate": 0.07, "price_set": both("0.28")}],
}
DOLLARS = both("3.00", "USD")["presentment_money"]
LINE = {
    **bodies.shopify_order()["line_items"][0],
    "tax_lines": [{"title": "MwSt", "rate": 0.07, "price_set": both("1.40")}],
    "duties": [{"id": 61, "price_set": both("3.00")}],
}


@pytest.mark.parametrize(
    "duty",
    [
        {"id": 61, "price_set": both("3.00")},
        {"id": "61", "presentment_money": both("3.00")["presentment_money"]},
    ],
)
def test_a_webhook_tells_the_same_of_taxes_and_duties(duty: dict[str, Any]) -> None:
    (line,) = heard(line_items=[{**LINE, "duties": [duty]}]).lines
    assert line.taxes == (TaxSnapshot(title="MwSt", rate_ppm=70_000, amount_minor=140),)
    assert line.duties == (DutySnapshot(external_id="61", amount_minor=300),)
    assert (line.total_minor, line.discount_minor, line.tax_minor, line.duty_minor) == (2140, 400, 140, 300)


@pytest.mark.parametrize(("included", "minor"), [(False, 428), (True, 400)])
def test_a_webhook_tells_shipping_with_its_tax(included: bool, minor: int) -> None:
    gone = {**SHIPPING, "is_removed": True}
    seen = heard(shipping_lines=[SHIPPING, gone], taxes_included=included)
    assert (seen.shipping_minor, seen.taxes_included) == (minor, included)
    assert seen.shipping_taxes == (TaxSnapshot(title="MwSt", rate_ppm=70_000, amount_minor=28),)


@pytest.mark.parametrize(
    "changes",
    [
        {"line_items": [{**LINE, "duties": [{"id": "61", "presentment_money": DOLLARS}]}]},
        {"line_items": [{**LINE, "duties": [{"id": 61}]}]},
        {"line_items": [{**LINE, "tax_lines": [{"title": "MwSt", "rate": "0.07", "price_set": both("1.40")}]}]},
        {"shipping_lines": [{**SHIPPING, "discounted_price_set": both("4.00", "USD")}]},
        {"shipping_lines": [{"tax_lines": []}]},
    ],
)  # fmt: skip
def test_a_webhook_in_another_form_is_drift(changes: dict[str, Any]) -> None:
    with pytest.raises(ContractDrift):
        heard(**changes)
