"""What each step of a refund's life books: sums of the payment, of its lines and shipping, and one entry."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from audit.sources import Clock
from cases.models import Shop
from tests import factories
from tests.flow.turns import fresh
from tools import ledger
from tools.errors import Refused
from tools.models import LedgerEntry, Order, OrderLine, ToolCall


@pytest.fixture
def order(north: Shop, clock: Clock) -> Order:
    order = factories.make_order(north, [("Pegs", 3, 2700), ("Rope", 2, 1600)], shipping_minor=490)
    order.lines.update(duties_minor=90)
    return order


def call_of(order: Order, **more: Any) -> ToolCall:
    """One of the first line with its duties, and the shipping; nothing is set aside for it."""
    line = order.lines.order_by("pk")[0]
    parts = [{"line": line.pk, "quantity": 1, "amount_minor": 900, "duties_minor": 30}]
    effect = {**factories.refund_effect(order, 1390), "lines": parts, "shipping_minor": 490, **more}
    decision = factories.make_decision(
        factories.make_case(order=order, state="closed"), amount_minor=1390, effect=effect
    )
    return factories.make_call(decision, amount_minor=1390, state="cancelled")


def book(*steps: str, call: ToolCall) -> None:
    with transaction.atomic():
        for step in steps:
            getattr(ledger, step)(call)


def counted(order: Order) -> tuple[tuple[int, int, int], tuple[int, int], int]:
    """Of the first line quantity, money and duties; of the other quantity and money; and the shipping."""
    first, second = order.lines.order_by("pk")
    return (
        (first.refunded_quantity, first.refunded_minor, first.duties_refunded_minor),
        (second.refunded_quantity, second.refunded_minor),
        fresh(order).shipping_refunded_minor,
    )


def sums(call: ToolCall) -> tuple[int, int, int]:
    payment = fresh(call.payment)
    return payment.reserved_minor, payment.refunded_minor, payment.elsewhere_minor


NOTHING = ((0, 0, 0), (0, 0), 0)
ONE = ((1, 900, 30), (0, 0), 490)


@pytest.mark.parametrize(
    ("steps", "left", "lines"),
    [
        (["reserve"], (1390, 0, 0), ONE),
        (["reserve", "release"], (0, 0, 0), NOTHING),
        (["reserve", "settle"], (0, 1390, 0), ONE),
        (["reserve", "settle", "reverse"], (0, 0, 0), NOTHING),
    ],
)
def test_each_step_moves_payment_lines_and_shipping_together(
    order: Order, steps: list[str], left: tuple[int, int, int], lines: object
) -> None:
    call = call_of(order)
    book(*steps, call=call)
    assert (sums(call), counted(order)) == (left, lines)


def test_each_step_leaves_one_entry_with_its_sign_and_its_moment(order: Order, clock: Clock) -> None:
    call, other = call_of(order), call_of(order)
    call.vendor_ref = other.vendor_ref = "re_1"
    book("reserve", "settle", "reverse", call=call)
    book("reserve", "release", call=other)
    rows = list(LedgerEntry.objects.filter(call__in=[call, other]).order_by("pk"))
    assert [(row.kind, row.amount_minor) for row in rows] == [
        ("reserved", 1390),
        ("refunded", 1390),
        ("reversed", -1390),
        ("reserved", 1390),
        ("released", -1390),
    ]
    said = {(row.shop_id, row.payment_id, row.currency, row.vendor_ref, row.at) for row in rows}
    assert said == {(order.shop_id, call.payment_id, "EUR", "re_1", clock.at)}


def test_a_call_from_before_there_were_duties_moves_none(order: Order) -> None:
    line = order.lines.order_by("pk")[1]
    parts = [{"line": line.pk, "quantity": 2, "amount_minor": 1390}]
    book("reserve", call=call_of(order, lines=parts, shipping_minor=0))
    assert counted(order) == ((0, 0, 0), (2, 1390), 0)


def test_what_the_payment_has_not_got_is_not_set_aside(order: Order) -> None:
    call = call_of(order)
    assert call.payment is not None
    captured = call.payment.captured_minor
    type(call.payment).objects.update(elsewhere_minor=captured - 1389)
    with pytest.raises(Refused) as refused:
        book("reserve", call=call)
    assert refused.value.code == "refund.more_than_refundable"
    assert (counted(order), LedgerEntry.objects.filter(call=call).count()) == (NOTHING, 0)
    type(call.payment).objects.update(elsewhere_minor=captured - 1390)
    book("reserve", call=call)


@pytest.mark.parametrize("step", ["reserve", "release", "settle", "own", "reverse"])
def test_a_call_without_a_payment_books_nothing(order: Order, step: str) -> None:
    call = call_of(order)
    call.payment, call.payment_id, call.vendor_ref = None, None, "re_1"
    book(step, call=call)
    assert (LedgerEntry.objects.filter(call=call).count(), counted(order)) == (0, NOTHING)
    assert not OrderLine.objects.exclude(refunded_minor=0).exists()


def test_only_what_has_a_payment_is_booked(order: Order) -> None:
    call = call_of(order)
    call.payment = None
    with pytest.raises(ValueError, match="Only a call with a payment"):
        ledger._book(call, LedgerEntry.Kind.REFUNDED)


class TestOurOwnThatCameAsElsewhere:
    """The webhook of a refund was quicker than the answer that names it."""

    def booked(self, order: Order, ref: str, amount: int) -> ToolCall:
        call = call_of(order)
        call.vendor_ref = "re_1"
        assert call.payment is not None
        LedgerEntry.objects.create(
            shop=order.shop,
            payment=call.payment,
            kind="elsewhere",
            amount_minor=amount,
            currency="EUR",
            vendor_ref=ref,
            at=factories.now(),
        )
        type(call.payment).objects.update(elsewhere_minor=amount)
        return call

    @pytest.mark.parametrize("ref", ["re_1", "re_1/failed"])
    def test_it_is_taken_back_once_it_is_known_as_ours(self, order: Order, clock: Clock, ref: str) -> None:
        call = self.booked(order, ref, 1390)
        book("own", "own", call=call)
        assert sums(call)[2] == 0
        row = LedgerEntry.objects.order_by("-pk")[0]
        assert (row.kind, row.amount_minor, row.vendor_ref) == ("elsewhere", -1390, "re_1/ours")
        assert (row.shop_id, row.payment_id, row.currency) == (order.shop_id, call.payment_id, "EUR")
        assert (row.call_id, row.at) == (None, clock.at)

    @pytest.mark.parametrize(("ref", "amount"), [("re_2", 1390), ("re_1", 1389)])
    def test_somebody_elses_and_another_amount_stay(self, order: Order, ref: str, amount: int) -> None:
        call = self.booked(order, ref, amount)
        book("own", call=call)
        assert sums(call)[2] == amount

    def test_what_no_vendor_has_named_is_nobodys(self, order: Order) -> None:
        call = self.booked(order, "", 1390)
        call.vendor_ref = ""
        book("own", call=call)
        assert sums(call)[2] == 1390


def test_a_lock_on_no_order_is_none(order: Order) -> None:
    with transaction.atomic():
        ledger.lock_order(None)
        ledger.lock_order(order.pk)
