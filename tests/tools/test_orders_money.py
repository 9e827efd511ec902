"""What others did to a payment is booked once, and never lets us give back more than is left."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from cases.models import Shop
from cases.refunds import follow
from tests.factories import make_call
from tests.tools import telling
from tests.tools.telling import dispute, order, part, refund
from tools import orders
from tools.elsewhere import unnamed_minor
from tools.models import LedgerEntry, Order, OrderLine, Payment, ToolCall
from tools.snapshots import ChargeSnapshot, DutySnapshot, RefundSnapshot


@pytest.fixture
def known(shop: Shop) -> Order:
    return orders.record_order(shop.pk, order()).order


def record(order: Order, seen: RefundSnapshot) -> orders.RefundRecord:
    found = orders.record_refund(order.shop_id, seen)
    assert found is not None
    return found


def refundable() -> int:
    return Payment.objects.get().refundable.amount_minor


def test_a_refund_made_by_hand_lowers_what_may_still_go_back(known: Order) -> None:
    made = record(known, refund())
    assert (made.booked_minor, made.ours, made.status) == (1000, None, "succeeded")
    assert refundable() == 2490
    line = OrderLine.objects.get()
    assert (line.elsewhere_quantity, line.elsewhere_minor, line.left) == (1, 1000, 2)


def test_a_refund_that_is_told_twice_is_booked_once(known: Order) -> None:
    record(known, refund())
    assert record(known, refund()).booked_minor == 0
    assert refundable() == 2490
    assert OrderLine.objects.get().elsewhere_quantity == 1


def test_a_refund_that_both_vendors_tell_of_is_booked_once_with_its_pieces(known: Order) -> None:
    by_stripe = refund(part(payment_external_id="ch_1"), vendor="stripe", external_id="re_1", lines=())
    record(known, by_stripe.model_copy(update={"order_external_id": ""}))
    assert OrderLine.objects.get().elsewhere_quantity == 0
    assert unnamed_minor(known.pk) == 1000
    assert record(known, refund()).booked_minor == 0
    assert unnamed_minor(known.pk) == 0
    assert OrderLine.objects.get().elsewhere_quantity == 1
    assert refundable() == 2490


@pytest.mark.parametrize(
    ("paid", "unnamed"),
    [
        (1000, 0),
        (1001, 0),  # a shop rounds in its own way
        (700, 0),
        (1500, 499),
    ],
)
def test_what_goes_beyond_the_named_pieces_is_for_nobody_knows_what(
    known: Order, paid: int, unnamed: int
) -> None:
    made = record(known, refund(part(amount_minor=paid)))
    assert (made.unnamed_minor, unnamed_minor(known.pk)) == (unnamed, unnamed)


def test_money_for_nobody_knows_what_that_comes_back_is_no_reason_any_more(known: Order) -> None:
    record(known, refund(lines=()))
    first = LedgerEntry.objects.latest("pk").pk
    assert unnamed_minor(known.pk) == 1000
    assert unnamed_minor(known.pk, after_entry=first) == 0
    record(known, refund(part(status="failed"), lines=()))
    assert unnamed_minor(known.pk) == 0


def test_a_refund_inside_a_reading_is_booked_like_any_other(known: Order) -> None:
    change = orders.record_order(known.shop_id, order(refunds=(refund(),)))
    assert [made.booked_minor for made in change.refunds] == [1000]
    assert not orders.record_order(known.shop_id, order(refunds=(refund(),))).changed


def test_a_refund_that_fails_later_gives_the_room_back(known: Order) -> None:
    record(known, refund(lines=()))
    assert record(known, refund(part(status="failed"), lines=())).booked_minor == -1000
    assert refundable() == 3490


def test_news_of_a_failure_that_overtakes_the_refund_wins(known: Order) -> None:
    record(known, refund(part(status="failed"), lines=()))
    assert record(known, refund(lines=())).booked_minor == 0
    assert refundable() == 3490


def test_a_refund_on_its_way_counts_as_gone(known: Order) -> None:
    assert record(known, refund(part(status="pending"))).status == "pending"
    assert refundable() == 2490


def test_more_pieces_than_were_bought_are_recorded_and_reported(known: Order) -> None:
    OrderLine.objects.update(refunded_quantity=3, refunded_minor=3000)
    made = record(known, refund())
    line = OrderLine.objects.get()
    assert made.over == (line.pk,)
    assert (line.refunded_quantity, line.elsewhere_quantity, line.elsewhere_minor) == (3, 1, 1000)
    assert (line.left, line.left_minor) == (0, 0)


def test_what_ours_hid_stands_as_refunded_once_ours_is_freed(known: Order) -> None:
    OrderLine.objects.update(refunded_quantity=3, refunded_minor=3000)
    record(known, refund())
    OrderLine.objects.update(refunded_quantity=0, refunded_minor=0)
    line = OrderLine.objects.get()
    assert (line.left, line.left_minor, line.share_minor(2)) == (2, 2000, 2000)


def test_refunded_shipping_is_gone_up_to_what_was_paid_and_more_of_it_is_reported(known: Order) -> None:
    made = record(known, refund(part(amount_minor=900), lines=(), shipping_minor=900))
    known.refresh_from_db()
    assert (known.shipping_elsewhere_minor, known.shipping_gone_minor, made.freight_over) == (900, 490, True)


def test_a_fact_from_outside_is_recorded_even_where_it_is_too_much(known: Order) -> None:
    Payment.objects.update(reserved_minor=3000)
    made = record(known, refund())
    assert made.exceeded == (Payment.objects.get().pk,)
    assert refundable() == 0


@pytest.mark.parametrize(
    "changes", [{"currency": "USD"}, {"payment_external_id": "", "gateway": "gift_card"}]
)
def test_money_of_a_payment_that_we_do_not_know_is_reported(known: Order, changes: dict[str, Any]) -> None:
    made = record(known, refund(part(**changes), lines=()))
    assert (made.booked_minor, made.unplaced_minor) == (0, 1000)
    assert refundable() == 3490


def test_a_disputed_sum_is_held_back_until_the_bank_gives_it_back(known: Order) -> None:
    orders.record_dispute(known.shop_id, dispute())
    assert refundable() == 0
    orders.record_dispute(known.shop_id, dispute(status="won"))
    assert refundable() == 3490
    assert sum(LedgerEntry.objects.filter(kind="disputed").values_list("amount_minor", flat=True)) == 0


def test_a_late_message_does_not_reopen_a_dispute(known: Order) -> None:
    for status in ["needs_response", "lost", "under_review"]:
        found = orders.record_dispute(known.shop_id, dispute(status=status))
    assert found is not None
    assert found.status == "lost"


def test_a_dispute_in_a_foreign_currency_holds_all(known: Order) -> None:
    orders.record_dispute(known.shop_id, dispute(currency="USD", amount_minor=1))
    assert refundable() == 0


def test_two_disputes_of_one_payment_add_up(known: Order) -> None:
    orders.record_dispute(known.shop_id, dispute(amount_minor=1000))
    orders.record_dispute(known.shop_id, dispute(external_id="dp_2", amount_minor=500))
    assert refundable() == 1990


def test_a_dispute_of_shopify_finds_the_orders_only_payment(shop: Shop) -> None:
    paid = telling.payment(vendor="shopify", gateway="shopify_payments", external_id="31")
    orders.record_order(shop.pk, order(payments=(paid,)))
    told = dispute(vendor="shopify", charge="", order_external_id="5001001")
    assert orders.record_dispute(shop.pk, told) is not None
    assert refundable() == 0


def with_duties(order: Order) -> OrderLine:
    """The lamps have a duty of 3.00, and the order a second line with one of 2.00."""
    order.lines.update(duties_minor=300, duties=[{"external_id": "61", "amount_minor": 300}])
    return OrderLine.objects.create(
        order=order, external_id="12", sku="BULB", title="Bulb", quantity=1, total_minor=1000,
        duties_minor=200, duties=[{"external_id": "62", "amount_minor": 200}],
    )  # fmt: skip


def duties_back() -> list[int]:
    return list(OrderLine.objects.order_by("pk").values_list("duties_elsewhere_minor", flat=True))


def of_duties(*told: tuple[str, int]) -> tuple[DutySnapshot, ...]:
    return tuple(DutySnapshot(external_id=name, amount_minor=minor) for name, minor in told)


def test_a_duty_is_counted_on_its_line_though_no_piece_of_that_line_goes_back(known: Order) -> None:
    with_duties(known)
    seen = refund(duties=of_duties(("61", 100), ("62", 200)))
    for _again in range(2):
        assert record(known, seen).stray_duties_minor == 0
        assert duties_back() == [100, 200]


@pytest.mark.parametrize(("included", "counted"), [(True, 100), (False, 120)])
def test_a_duty_counts_with_the_tax_that_came_on_top_of_it(
    known: Order, included: bool, counted: int
) -> None:
    taxes = [{"title": "VAT", "rate_ppm": 200_000, "amount_minor": 50}]
    known.lines.update(duties_minor=300, duties=[{"external_id": "61", "amount_minor": 300, "taxes": taxes}])
    Order.objects.filter(pk=known.pk).update(taxes_included=included)
    assert record(known, refund(duties=of_duties(("61", 100)))).stray_duties_minor == 0
    assert duties_back() == [counted]


def test_duties_that_only_a_later_reading_tells_are_counted_with_it_once(known: Order) -> None:
    with_duties(known)
    record(known, refund())
    for _again in range(2):
        record(known, refund(duties=of_duties(("61", 100))))
        assert duties_back() == [100, 0]
    assert OrderLine.objects.get(external_id="11").elsewhere_quantity == 1


@pytest.mark.parametrize(
    ("told", "stray", "counted"),
    [
        (("62", 250), 50, [0, 200]),  # more than there was
        (("99", 70), 70, [0, 0]),  # of no line that we know
        (("", 70), 70, [0, 0]),
    ],
)
def test_a_duty_that_can_not_be_counted_is_handed_over(
    known: Order, told: tuple[str, int], stray: int, counted: list[int]
) -> None:
    with_duties(known)
    made = record(known, refund(lines=(), duties=of_duties(told)))
    assert (made.stray_duties_minor, duties_back()) == (stray, counted)
    with transaction.atomic():
        case = follow(made, shop=known.shop, correlation_id=uuid4(), made_at=made.order.placed_at)
    assert case is not None
    assert case.handoffs.get().reason == "failed"


def test_a_webhook_that_does_not_tell_leaves_what_a_reading_told_of_a_payment_by_hand(shop: Shop) -> None:
    known = []
    for told in (None, True, None):
        paid = telling.payment(vendor="manual", gateway="Vorkasse", external_id="31", by_hand=told)
        orders.record_order(shop.pk, order(payments=(paid,)))
        known.append(Payment.objects.get().by_hand)
    assert known == [None, True, True]


def test_the_card_of_a_charge_is_kept(known: Order) -> None:
    charge = ChargeSnapshot(
        external_id="ch_1",
        amount_minor=3490,
        captured_minor=3490,
        refunded_minor=0,
        currency="EUR",
        disputed=False,
        paid=True,
        instrument="fp_1",
    )
    orders.record_charge(known.shop_id, charge)
    assert Payment.objects.get().instrument == "fp_1"


@pytest.mark.parametrize("state", ["sending", "unknown", "pending", "succeeded"])
@pytest.mark.parametrize("known_by", ["key", "vendor_ref"])
def test_a_refund_of_ours_is_handed_back_and_never_booked_as_made_elsewhere(
    db: None, known_by: str, state: str
) -> None:
    call = make_call(state=state, vendor_ref="re_7" if known_by == "vendor_ref" else "")
    assert call.payment is not None
    made = refund(
        part(ref="re_7", payment_external_id=call.payment.external_id, amount_minor=call.amount_minor),
        vendor="stripe",
        external_id="re_7",
        order_external_id=call.payment.order.external_id,
        call_key=str(call.idempotency_key) if known_by == "key" else "",
    )
    told = record(call.payment.order, made)
    assert (told.ours, told.status, told.ref, told.booked_minor) == (call, "succeeded", "re_7", 0)
    assert not LedgerEntry.objects.filter(kind="elsewhere").exists()


def test_anothers_key_in_a_note_makes_a_refund_ours_in_no_other_order(known: Order) -> None:
    call = make_call()
    assert ToolCall.objects.exclude(payment__order=known).get() == call
    assert record(known, refund(call_key=str(call.idempotency_key))).ours is None


def with_our_key(call: ToolCall, ref: str) -> RefundSnapshot:
    assert call.payment is not None
    return refund(
        part(ref=ref, payment_external_id=call.payment.external_id, amount_minor=call.amount_minor),
        vendor="stripe",
        external_id=ref,
        order_external_id=call.payment.order.external_id,
        call_key=str(call.idempotency_key),
        lines=(),
    )


@pytest.mark.parametrize(
    ("state", "vendor_ref"),
    [
        ("succeeded", "re_7"),
        ("pending", "re_7"),
        ("failed", ""),  # somebody said that it was not done
        ("cancelled", ""),
    ],
)
def test_money_that_moved_under_our_key_without_our_knowing_is_booked_and_reported(
    db: None, state: str, vendor_ref: str
) -> None:
    call = make_call(state=state, vendor_ref=vendor_ref)
    assert call.payment is not None
    made = record(call.payment.order, with_our_key(call, "re_8"))
    assert (made.ours, made.booked_minor, made.astray) == (None, call.amount_minor, True)
    again = record(call.payment.order, with_our_key(call, "re_8"))
    assert (again.booked_minor, again.astray) == (0, False)


def test_an_id_that_a_person_mistyped_makes_no_second_refund(db: None) -> None:
    call = make_call(state="succeeded", vendor_ref="R-1001", settled_by="person")
    assert call.payment is not None
    assert record(call.payment.order, with_our_key(call, "re_8")).ours == call


def test_old_news_of_a_refund_that_failed_books_nothing(db: None) -> None:
    call = make_call(state="failed", vendor_ref="re_7")
    assert call.payment is not None
    assert record(call.payment.order, with_our_key(call, "re_7")).booked_minor == 0
