"""The order graph learns what a shop tells, in any order and any number of times."""

import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from cases.models import LegalEntity, Person, Shop
from tests.tools import telling
from tests.tools.telling import NOON, later, order, parcel, payment
from tools import orders
from tools.models import LedgerEntry, Order, OrderLine, Payment, Return, Shipment, StockLevel
from tools.snapshots import (
    CaptureSnapshot,
    LineSnapshot,
    OrderSnapshot,
    ReturnLineSnapshot,
    ReturnSnapshot,
    RiskSnapshot,
    StockSnapshot,
)


def the_order() -> Order:
    return Order.objects.get(external_id="5001001")


def test_a_new_order_is_recorded_with_its_lines_and_its_payment(shop: Shop) -> None:
    change = orders.record_order(shop.pk, order())
    assert (change.created, change.changed) == (True, True)
    assert [(line.sku, line.quantity, line.total_minor) for line in change.order.lines.all()] == [
        ("LAMP", 3, 3000)
    ]
    assert [(row.external_id, row.captured_minor) for row in change.order.payments.all()] == [("ch_1", 3490)]


def test_the_promise_to_leave_is_counted_from_the_purchase(shop: Shop) -> None:
    assert orders.record_order(shop.pk, order()).order.promised_at == NOON + timedelta(
        days=shop.ships_within_days
    )


def test_the_same_message_twice_changes_nothing(shop: Shop) -> None:
    orders.record_order(shop.pk, order())
    again = orders.record_order(shop.pk, order())
    assert (again.created, again.changed) == (False, False)
    assert LedgerEntry.objects.count() == 1


def test_an_older_message_never_overwrites_a_newer_state(shop: Shop) -> None:
    orders.record_order(shop.pk, order(updated_at=later(5), financial_status="refunded"))
    change = orders.record_order(shop.pk, order(financial_status="paid"))
    assert not change.changed
    assert the_order().financial_status == "refunded"


def test_a_late_message_still_tells_of_its_payment(shop: Shop) -> None:
    orders.record_order(shop.pk, order(updated_at=later(5), payments=()))
    assert orders.record_order(shop.pk, order()).changed
    assert Payment.objects.get().captured_minor == 3490


def test_each_capture_is_booked_once(shop: Shop) -> None:
    first, second = CaptureSnapshot(ref="31", amount_minor=3000), CaptureSnapshot(ref="32", amount_minor=490)
    for captures in [(first,), (first, second), (first,)]:
        orders.record_order(shop.pk, order(payments=(payment(captures=captures),)))
    assert Payment.objects.get().captured_minor == 3490
    assert sorted(LedgerEntry.objects.values_list("amount_minor", flat=True)) == [490, 3000]


def test_money_of_an_unsure_tender_is_the_same_money_once_we_know_its_charge(shop: Shop) -> None:
    unsure = payment(vendor="manual", external_id="31")
    for told in [unsure, payment(), unsure]:
        orders.record_order(shop.pk, order(payments=(told,)))
    found = Payment.objects.get()
    assert (found.vendor, found.external_id, found.captured_minor) == ("stripe", "ch_1", 3490)


def test_the_buyer_is_kept_once_known(shop: Shop) -> None:
    person = Person.objects.create(shop=shop, created_at=NOON)
    orders.record_order(shop.pk, order(), str(person.pk))
    orders.record_order(shop.pk, order(updated_at=later(1)))
    assert the_order().person == person


def test_the_shop_can_not_lower_a_line_below_what_has_gone_back(shop: Shop) -> None:
    orders.record_order(shop.pk, order())
    OrderLine.objects.update(refunded_quantity=2, refunded_minor=2000)
    smaller = LineSnapshot(external_id="11", sku="LAMP", title="Lamp", quantity=1, total_minor=1000)
    orders.record_order(shop.pk, order(updated_at=later(1), lines=(smaller,)))
    line = OrderLine.objects.get()
    assert (line.quantity, line.total_minor) == (2, 2000)


@pytest.mark.parametrize(
    ("told", "known"),
    [
        (["low", "high", "low"], "high"),
        (["pending", "low"], "pending"),  # one of several opinions is still out
        (["low"], "low"),
        ([], "unknown"),
    ],
)
def test_a_risk_is_raised_and_never_lowered_by_a_message(shop: Shop, told: list[Any], known: str) -> None:
    orders.record_order(shop.pk, order())
    for level in told:
        orders.record_risk(shop.pk, RiskSnapshot(order_external_id="5001001", level=level))
    assert the_order().risk_level == known


def test_what_tells_of_an_unknown_order_waits_for_it(shop: Shop) -> None:
    assert orders.record_risk(shop.pk, RiskSnapshot(order_external_id="5001001", level="high")) is None
    assert orders.record_shipment(shop.pk, parcel()) is None
    assert orders.record_refund(shop.pk, telling.refund()) is None
    assert orders.record_dispute(shop.pk, telling.dispute()) is None


def test_an_order_of_another_shop_is_never_touched(shop: Shop) -> None:
    orders.record_order(shop.pk, order())
    assert orders.record_risk(shop.pk + 1, RiskSnapshot(order_external_id="5001001", level="high")) is None
    assert orders.record_dispute(shop.pk + 1, telling.dispute()) is None


def test_a_parcel_keeps_the_newest_word_and_the_first_delivery(shop: Shop) -> None:
    orders.record_order(shop.pk, order())
    words = [
        parcel(),
        parcel(20, status="delivered", delivered_at=later(20)),
        parcel(10, status="out_for_delivery"),
    ]
    for seen in words:
        orders.record_shipment(shop.pk, seen)
    found = Shipment.objects.get()
    assert (found.status, found.delivered_at, found.moved_at) == ("delivered", later(20), later(20))
    assert [(piece.line.sku, piece.quantity) for piece in found.contents.all()] == [("LAMP", 3)]


def test_a_return_goes_forward_only(shop: Shop) -> None:
    orders.record_order(shop.pk, order())
    for status in ["requested", "closed", "open"]:
        told = {"external_id": "5", "order_external_id": "5001001", "status": status}
        orders.record_return(shop.pk, ReturnSnapshot.model_validate(told))
    assert Return.objects.get().status == "closed"


def test_what_a_return_holds_is_as_the_newest_reading_tells(shop: Shop) -> None:
    def reading(minutes: int, processed: int | None) -> None:
        line = {"line_external_id": "11", "quantity": 2, "processed": processed or 0}
        lines = None if processed is None else (ReturnLineSnapshot.model_validate(line),)
        back = ReturnSnapshot(external_id="5", order_external_id="5001001", status="open", lines=lines)
        orders.record_order(shop.pk, order(updated_at=later(minutes), returns=(back,)))

    for minutes, processed in [(1, 0), (5, 2), (3, 1), (6, None)]:
        reading(minutes, processed)
    assert Return.objects.get().contents == [{"line": "11", "quantity": 2, "processed": 2}]


def test_stock_is_the_newest_count_of_a_known_item(shop: Shop) -> None:
    unknown = StockSnapshot(inventory_item="49", available=3, at=NOON)
    assert orders.record_stock(shop.pk, unknown) is None
    orders.record_stock(shop.pk, unknown.model_copy(update={"sku": "LAMP"}))
    orders.record_stock(shop.pk, StockSnapshot(inventory_item="49", available=0, at=later(2)))
    orders.record_stock(shop.pk, StockSnapshot(inventory_item="49", available=9, at=later(1)))
    assert StockLevel.objects.get().available == 0


def test_a_reading_costs_the_same_number_of_queries_each_time(
    shop: Shop, django_assert_max_num_queries: Any
) -> None:
    seen = order(refunds=(telling.refund(),), shipments=(parcel(),))
    orders.record_order(shop.pk, seen)
    with django_assert_max_num_queries(25):
        orders.record_order(shop.pk, seen)


def history(moments: list[tuple[int, str, int]]) -> list[OrderSnapshot]:
    """The same order at several moments; the money told of grows with each reading."""
    found = []
    for place, (minute, status, quantity) in enumerate(moments):
        line = LineSnapshot(
            external_id="11", sku="LAMP", title=f"Lamp {minute}", quantity=quantity, total_minor=3000
        )
        captures = tuple(CaptureSnapshot(ref=str(n), amount_minor=1000 + n) for n in range(place + 1))
        found.append(
            order(
                updated_at=later(minute),
                financial_status=status,
                lines=(line,),
                payments=(payment(captures=captures),),
                shipments=(parcel(minute),),
            )
        )
    return found


def state(shop_id: int) -> list[Any]:
    """All that readers see of a shop's graph, without our own ids and reading times."""
    mine, of_order = {"shop_id": shop_id}, {"order__shop_id": shop_id}
    fields = ("financial_status", "vendor_updated_at", "total_minor", "risk_level")
    booked = LedgerEntry.objects.filter(**mine).exclude(kind="disputed")
    return [
        list(Order.objects.filter(**mine).values_list(*fields)),
        list(OrderLine.objects.filter(**of_order).values_list("title", "quantity", "refunded_quantity")),
        list(
            Payment.objects.filter(**mine).values_list("captured_minor", "elsewhere_minor", "disputed_minor")
        ),
        list(Shipment.objects.filter(**mine).values_list("status", "moved_at", "shipped_at")),
        sum(booked.values_list("amount_minor", flat=True)),
    ]


MOMENTS = st.lists(
    st.tuples(st.integers(0, 50), st.sampled_from(["paid", "pending", "refunded"]), st.integers(1, 5)),
    min_size=1,
    max_size=5,
    unique_by=lambda moment: moment[0],
)


class TestAnyOrder(TestCase):
    """Deliveries are repeated and shuffled; what is known in the end is the same."""

    def told(self, slug: str, messages: list[tuple[str, Any]]) -> list[Any]:
        shop = Shop.objects.create(
            slug=slug,
            legal_entity=LegalEntity.objects.create(name=slug),
            base_currency="EUR",
            languages=["en"],
            env_prefix=slug.upper(),
            cutover_at=NOON,
            created_at=NOON,
        )
        orders.record_order(shop.pk, order(updated_at=later(-1)))
        for function, seen in messages:
            getattr(orders, function)(shop.pk, seen)
        return state(shop.pk)

    def compare(self, messages: list[tuple[str, Any]], luck: random.Random) -> None:
        shuffled = messages + luck.choices(messages, k=2)
        luck.shuffle(shuffled)
        assert self.told("shuffled", shuffled) == self.told("straight", messages)

    @given(MOMENTS, st.randoms(use_true_random=False))
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    def test_of_order_messages(self, moments: list[tuple[int, str, int]], luck: random.Random) -> None:
        self.compare([("record_order", seen) for seen in history(moments)], luck)

    @given(
        st.lists(st.integers(0, 4000), min_size=1, max_size=4),
        st.lists(st.sampled_from(["succeeded", "pending", "failed"]), min_size=4, max_size=4),
        st.lists(st.sampled_from(["needs_response", "under_review", "won", "lost"]), max_size=3),
        st.randoms(use_true_random=False),
    )
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    def test_of_refunds_and_disputes(
        self, amounts: list[int], statuses: list[str], stages: list[str], luck: random.Random
    ) -> None:
        messages: list[tuple[str, Any]] = []
        for place, amount in enumerate(amounts):
            moved = telling.part(ref=f"re_{place}", amount_minor=amount, status=statuses[place])
            made = telling.refund(moved, external_id=str(place), lines=())
            messages.append(("record_refund", made))
        messages += [("record_dispute", telling.dispute(status=stage)) for stage in stages]
        self.compare(messages, luck)
