"""The money sums: what is set aside, given back and gone adds up, and the database has the last word."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import partial

import pytest
from django.db import DatabaseError, IntegrityError, models, transaction
from django.db.models import F, Sum

from tests import factories
from tests.authority.rows import failures, order_of, refundable_case, together
from tools import ledger
from tools.errors import Refused
from tools.models import LedgerEntry, Order, OrderLine, Payment, ToolCall

Kind = LedgerEntry.Kind


def new_call(order: Order, amount_minor: int, **body: object) -> ToolCall:
    """A call that nothing is set aside for yet."""
    case = factories.make_case(order=order, state="closed")
    effect = {**factories.refund_effect(order, amount_minor), **body}
    decision = factories.make_decision(case, amount_minor=amount_minor, effect=effect)
    return factories.make_call(decision, amount_minor=amount_minor, state="cancelled")


def book(step: str, call: ToolCall) -> None:
    with transaction.atomic():
        {"reserve": ledger.reserve, "release": ledger.release, "settle": ledger.settle}[step](call)


def entries(payment: Payment, kind: str) -> int:
    found = payment.entries.filter(kind=kind).aggregate(total=Sum("amount_minor", default=0))
    return int(found["total"])


@dataclass
class Books:
    """What an honest bookkeeper would hold, in memory."""

    captured: int
    reserved: dict[int, int] = field(default_factory=dict)
    refunded: int = 0

    @property
    def left(self) -> int:
        return self.captured - sum(self.reserved.values()) - self.refunded


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(4))
def test_a_random_walk_of_bookings_keeps_every_sum(seed: int) -> None:
    rng = random.Random(seed)
    order = factories.make_order(factories.make_shop(), [("Pegs", 40, 8000)], shipping_minor=0)
    payment, books = order.payments.get(), Books(8000)
    calls: dict[int, ToolCall] = {}
    for _ in range(40):
        step = rng.choice(["reserve", "reserve", "release", "settle"])
        if step == "reserve":
            _reserve(order, books, calls, rng.randrange(1, 2500))
        elif books.reserved:
            pk = rng.choice(sorted(books.reserved))
            amount = books.reserved.pop(pk)
            books.refunded += amount if step == "settle" else 0
            book(step, calls[pk])
        payment.refresh_from_db()
        assert (payment.reserved_minor, payment.refunded_minor) == (
            sum(books.reserved.values()),
            books.refunded,
        )
        assert payment.refundable.amount_minor == books.left
    line = order.lines.get()
    assert line.refunded_minor == payment.reserved_minor + payment.refunded_minor
    kept, freed, gone = (entries(payment, kind) for kind in (Kind.RESERVED, Kind.RELEASED, Kind.REFUNDED))
    assert (kept + freed - gone, gone) == (payment.reserved_minor, payment.refunded_minor)


def _reserve(order: Order, books: Books, calls: dict[int, ToolCall], amount: int) -> None:
    call = new_call(order, amount)
    calls[call.pk] = call
    if amount > books.left:
        with pytest.raises(Refused):
            book("reserve", call)
    else:
        book("reserve", call)
        books.reserved[call.pk] = amount


@pytest.mark.django_db
@pytest.mark.parametrize(("amount", "fits"), [(1499, True), (1500, True), (1501, False)])
def test_the_last_cent_fits_and_the_next_does_not(amount: int, fits: bool) -> None:
    order = order_of(refundable_case(1500))
    OrderLine.objects.update(total_minor=9000)
    call = new_call(order, amount)
    if fits:
        book("reserve", call)
    else:
        with pytest.raises(Refused) as refused:
            book("reserve", call)
        assert refused.value.code == "refund.more_than_refundable"
    assert order.payments.get().reserved_minor == (amount if fits else 0)


@pytest.mark.django_db
@pytest.mark.parametrize("column", ["elsewhere_minor", "disputed_minor", "refunded_minor"])
def test_what_is_gone_otherwise_is_not_set_aside(column: str) -> None:
    order = order_of(refundable_case(1500))
    Payment.objects.update(**{column: 1})
    with pytest.raises(Refused):
        book("reserve", new_call(order, 1500))
    book("reserve", new_call(order, 1499))


@pytest.mark.django_db
def test_more_taken_than_captured_leaves_nothing_and_never_less() -> None:
    payment = order_of(refundable_case(1500)).payments.get()
    payment.elsewhere_minor, payment.disputed_minor = 1400, 1500
    assert payment.refundable.amount_minor == 0


@pytest.mark.django_db
@pytest.mark.parametrize("first", ["settle", "release"])
@pytest.mark.parametrize("second", ["settle", "release", "reserve"])
def test_a_call_is_booked_once(first: str, second: str) -> None:
    """Paying or freeing twice meets the entries' own constraint, or the sums'."""
    order = order_of(refundable_case(1500))
    call = new_call(order, 1500)
    book("reserve", call)
    book(first, call)
    with pytest.raises((IntegrityError, Refused)):
        book(second, call)
    payment = order.payments.get()
    assert payment.reserved_minor == 0
    assert payment.refunded_minor == (1500 if first == "settle" else 0)


@pytest.mark.django_db
def test_shipping_and_pieces_come_back_with_the_money() -> None:
    order = factories.make_order(factories.make_shop(), [("Pegs", 4, 1000)], shipping_minor=490)
    line = order.lines.get()
    parts = [{"line": line.pk, "quantity": 2, "amount_minor": 500}]
    call = new_call(order, 990, lines=parts, shipping_minor=490)
    book("reserve", call)
    line.refresh_from_db()
    order.refresh_from_db()
    assert (line.refunded_quantity, line.refunded_minor, order.shipping_refunded_minor) == (2, 500, 490)
    book("release", call)
    line.refresh_from_db()
    order.refresh_from_db()
    assert (line.refunded_quantity, line.refunded_minor, order.shipping_refunded_minor) == (0, 0, 0)


# The database refuses each of these, whoever writes them: a column of a row, its value, the constraint's name.
REFUSED: list[tuple[type[models.Model], dict[str, object], str]] = [
    (Payment, {"reserved_minor": 1501}, "payment_gives_back_no_more_than_captured"),
    (Payment, {"refunded_minor": 1501}, "payment_gives_back_no_more_than_captured"),
    (Payment, {"refunded_minor": 1, "reserved_minor": 1500}, "payment_gives_back_no_more_than_captured"),
    (Payment, {"reserved_minor": -1}, "payment_sums_are_not_negative"),
    (Payment, {"refunded_minor": -1}, "payment_sums_are_not_negative"),
    (Payment, {"elsewhere_minor": -1}, "payment_sums_are_not_negative"),
    (Payment, {"disputed_minor": -1}, "payment_sums_are_not_negative"),
    (OrderLine, {"refunded_quantity": 2}, "line_refunds_no_more_than_bought"),
    (OrderLine, {"refunded_minor": 1501}, "line_refunds_no_more_money_than_paid"),
    (OrderLine, {"refunded_minor": -1}, "line_refunds_no_more_money_than_paid"),
    (Order, {"shipping_refunded_minor": 1}, "order_refunds_no_more_shipping_than_paid"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("model", "change", "name"), REFUSED)
def test_the_database_refuses_to_give_back_more_than_was_paid(
    model: type[models.Model], change: dict[str, object], name: str
) -> None:
    refundable_case(1500)
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        model._base_manager.update(**change)


@pytest.mark.django_db
def test_facts_from_outside_are_recorded_even_where_they_exceed_the_capture() -> None:
    refundable_case(1500)
    assert Payment.objects.update(elsewhere_minor=5000, disputed_minor=5000) == 1


@pytest.mark.django_db
def test_the_effect_of_a_call_is_fixed_with_its_decision() -> None:
    call = factories.make_call()
    for change in ({"amount_minor": 1}, {"request": "{}"}, {"vendor": "shopify"}, {"currency": "USD"}):
        with pytest.raises(DatabaseError, match="fixed with its decision"), transaction.atomic():
            ToolCall.objects.filter(pk=call.pk).update(**change)
    with pytest.raises(DatabaseError, match="never deleted"), transaction.atomic():
        ToolCall.objects.filter(pk=call.pk)._raw_delete("default")


@pytest.mark.django_db
def test_a_call_that_moves_money_names_its_payment() -> None:
    decision = factories.make_decision()
    with pytest.raises(IntegrityError, match="call_that_moves_money_names_its_payment"), transaction.atomic():
        factories.make_call(decision, payment=None, currency="EUR")


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_never_set_aside_more_than_was_captured() -> None:
    order = factories.make_order(factories.make_shop(), [("Pegs", 40, 8000)], shipping_minor=0)
    Payment.objects.update(captured_minor=2000)
    calls = [new_call(order, 600) for _ in range(8)]
    ended = together(*[partial(book, "reserve", call) for call in calls])
    assert failures(ended) == ["Refused"] * 5
    payment = order.payments.get()
    assert (payment.reserved_minor, entries(payment, Kind.RESERVED)) == (1800, 1800)


@pytest.mark.django_db(transaction=True)
def test_reserving_paying_and_freeing_at_once_keep_the_sums() -> None:
    order = factories.make_order(factories.make_shop(), [("Pegs", 40, 8000)], shipping_minor=0)
    held = [new_call(order, 500) for _ in range(6)]
    for call in held:
        book("reserve", call)
    fresh = [new_call(order, 500) for _ in range(2)]
    steps = [("settle", call) for call in held[:3]] + [("release", call) for call in held[3:]]
    steps += [("reserve", call) for call in fresh]
    assert failures(together(*[partial(book, *step) for step in steps])) == []
    payment = order.payments.annotate(
        left=F("captured_minor") - F("reserved_minor") - F("refunded_minor")
    ).get()
    assert (payment.reserved_minor, payment.refunded_minor, payment.left) == (1000, 1500, 5500)
