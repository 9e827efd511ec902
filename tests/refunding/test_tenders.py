"""Who pays a refund back: each tender no more than it took, and nobody where nobody can say."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.adapters.shopify_gateways import is_manual
from tools.errors import InvalidArgs
from tools.models import Payment
from tools.refunding.tenders import Tender, tenders
from tools.types import Money


def payment(pk: int, captured_minor: int, vendor: str = "shopify", gateway: str = "", **gone: int) -> Payment:
    return Payment(
        pk=pk,
        vendor=vendor,
        gateway=gateway or ("shopify_payments" if vendor == "shopify" else vendor),
        currency="EUR",
        captured_minor=captured_minor,
        livemode=False if vendor == "stripe" else None,
        **gone,
    )


def euros(minor: int) -> Money:
    return Money(minor, "EUR")


def refusal(payments: Sequence[Payment], minor: int, quoted: dict[int, int] | None = None) -> str:
    with pytest.raises(InvalidArgs) as refused:
        tenders(payments, euros(minor), quoted)
    return refused.value.code


@pytest.mark.parametrize(
    ("vendor", "gateway"),
    [
        ("stripe", "stripe"),
        ("shopify", "klarna"),
        ("shopify", "gift_card"),
        ("manual", "Cash on Delivery (COD)"),
    ],
)
def test_the_one_payment_pays_alone(vendor: str, gateway: str) -> None:
    assert tenders([payment(1, 900, vendor, gateway)], euros(500), None) == [Tender(1, vendor, gateway, 500)]


def test_a_payment_that_has_given_all_back_pays_nothing_more() -> None:
    spent = payment(1, 900, refunded_minor=900)
    assert [each.payment for each in tenders([spent, payment(2, 500)], euros(500), None)] == [2]


@pytest.mark.parametrize("gateway", ["afterpay", "stripe", "", "Vorkasse"])
def test_money_that_came_in_an_unknown_way_is_a_persons(gateway: str) -> None:
    unknown = payment(1, 900, "manual", "x")
    unknown.gateway = gateway
    assert refusal([unknown], 500) == "refund.unknown_gateway"


@pytest.mark.parametrize(("by_hand", "known"), [(True, True), (False, False), (None, False)])
def test_a_merchants_own_name_for_a_payment_by_hand_is_known_by_the_shops_word(
    by_hand: bool | None, known: bool
) -> None:
    own = payment(1, 900, "manual", "Vorkasse")
    own.by_hand = by_hand
    if known:
        assert tenders([own], euros(500), None) == [Tender(1, "manual", "Vorkasse", 500)]
    else:
        assert refusal([own], 500) == "refund.unknown_gateway"


def test_a_charge_that_stripe_has_not_confirmed_is_a_persons() -> None:
    named_only = payment(1, 900, "stripe")
    named_only.livemode = None
    assert refusal([named_only], 500) == "refund.unproven_charge"


def test_nobody_splits_what_the_shop_has_not_split() -> None:
    assert refusal([payment(1, 900), payment(2, 900)], 500) == "refund.not_quoted"
    assert refusal([payment(1, 900), payment(2, 900)], 500, {}) == "refund.not_split"
    assert refusal([payment(1, 900), payment(2, 900)], 500, {3: 500}) == "refund.not_split"


def test_all_tenders_together_pay_no_more_than_they_took() -> None:
    assert refusal([payment(1, 900), payment(2, 900)], 1801, {1: 1, 2: 1}) == "refund.more_than_refundable"


def test_a_payment_in_another_currency_pays_nothing() -> None:
    other = payment(1, 900)
    other.currency = "USD"
    assert refusal([other], 500) == "refund.more_than_refundable"


def test_what_the_shop_suggests_beyond_what_is_left_is_paid_by_the_others() -> None:
    left = [payment(1, 900, reserved_minor=800), payment(2, 900)]
    assert [each.amount_minor for each in tenders(left, euros(600), {1: 300, 2: 300})] == [100, 500]


def test_machines_pay_before_people() -> None:
    payments = [payment(1, 500, "manual", "bank_deposit"), payment(2, 500), payment(3, 500, "stripe")]
    found = tenders(payments, euros(1500), {1: 500, 2: 500, 3: 500})
    assert [each.vendor for each in found] == ["stripe", "shopify", "manual"]


@given(
    st.lists(st.tuples(st.integers(1, 5000), st.integers(0, 5000)), min_size=1, max_size=4),
    st.integers(1, 12000),
)
def test_tenders_add_up_and_none_pays_more_than_it_took(rows: list[tuple[int, int]], minor: int) -> None:
    payments = [payment(place, took) for place, (took, _weight) in enumerate(rows)]
    quoted = {place: weight for place, (_took, weight) in enumerate(rows)}
    if minor > sum(took for took, _weight in rows):
        assert refusal(payments, minor, quoted) == "refund.more_than_refundable"
    elif len(rows) > 1 and not any(quoted.values()):
        assert refusal(payments, minor, quoted) == "refund.not_split"
    else:
        found = tenders(payments, euros(minor), quoted)
        assert sum(each.amount_minor for each in found) == minor
        assert all(0 < each.amount_minor <= rows[each.payment][0] for each in found)


@pytest.mark.parametrize("gateway", ["cash_on_delivery", "Cash on Delivery (COD)", "bank deposit", "manual"])
def test_ways_to_pay_by_hand_are_known_by_name(gateway: str) -> None:
    assert is_manual(gateway)
    assert not is_manual(f"{gateway} plus")
