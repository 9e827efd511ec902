"""Shopify's adapter against its stand-in over real HTTP: what we ask is understood, and what fails is told apart."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from cases.models import Shop
from tests.adapters.faking import CORRELATION, KEY, NORTH
from tests.adapters.stand_ins import LAMP_BACK, stand_ins
from tests.sandbox.world import KEYS, Caller, order
from tools.adapters import shopify, stripe
from tools.adapters.operation import Known, Operation
from tools.adapters.shopify_operations import OPERATIONS
from tools.errors import OutcomeUnknown, Refused, ToolError, Unavailable
from tools.models import Drift, RateBudget
from tools.snapshots import CancelResult, OrderSnapshot, RefundResult

DISPUTE = {
    "shop": "north",
    "id": "66",
    "order_id": "5001001",
    "amount": "28.90",
    "reason": "fraudulent",
    "status": "needs_response",
    "created_at": "2026-11-05T10:00:00Z",
    "evidence_due_by": "2026-11-20T00:00:00Z",
}
# What a fault leads to when it hits one try, and when it hits all three.
FAULTS: list[tuple[dict[str, Any], type[ToolError] | None, type[ToolError]]] = [
    ({"kind": "timeout_before", "seconds": 0.05}, None, OutcomeUnknown),
    ({"kind": "timeout_after", "seconds": 0.05}, None, OutcomeUnknown),
    ({"kind": "dropped_before"}, None, OutcomeUnknown),
    ({"kind": "dropped_after"}, None, OutcomeUnknown),
    ({"kind": "unstored_500"}, None, OutcomeUnknown),
    ({"kind": "half_json"}, None, OutcomeUnknown),
    ({"kind": "html_200"}, None, OutcomeUnknown),
    ({"kind": "rate_limited", "retry_after": "60"}, Unavailable, Unavailable),
]


@pytest.fixture
def control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swift: None) -> Iterator[Caller]:
    with stand_ins(tmp_path, monkeypatch, cancel_seconds=60) as caller:
        yield caller


@pytest.fixture
def paid(control: Caller) -> Caller:
    """The order was paid through Shopify."""
    control.control("orders", order(gateway="shopify_payments", charge=None))
    return control


def read() -> OrderSnapshot:
    return shopify.read_order(NORTH, "5001001", correlation_id=CORRELATION)


def refund(key: UUID = KEY, **changes: Any) -> RefundResult:
    wish = replace(LAMP_BACK, **changes)
    return shopify.refund(NORTH, wish, key=key, correlation_id=CORRELATION)


def find(key: UUID = KEY) -> RefundResult | None:
    return shopify.find_refund(NORTH, "5001001", key=key, correlation_id=CORRELATION)


def moved(control: Caller) -> list[int]:
    return [row["amount_minor"] for row in control.ledger()["refunds"]]


def plant(control: Caller, operation: str = "*", **fault: Any) -> None:
    control.control("faults", {"vendor": "shopify", "operation": operation, **fault})


class TestReading:
    def test_an_order_is_read_whole(self, control: Caller) -> None:
        seen = read()
        assert (seen.name, seen.total_minor, seen.shipping_minor, seen.complete) == ("#1001", 2890, 490, True)
        assert [(line.sku, line.quantity, line.total_minor) for line in seen.lines] == [("LAMP", 2, 2400)]
        assert (seen.lines[0].unfulfilled, seen.lines[0].removed, seen.is_test) == (2, 0, False)
        assert seen.customer is not None
        assert seen.customer.email == "ada@example.com"

    def test_a_payment_by_stripe_is_known_by_its_charge(self, control: Caller) -> None:
        (payment,) = read().payments
        assert (payment.vendor, payment.external_id, payment.captured_minor) == ("stripe", "ch_1", 2890)

    def test_a_payment_by_shopify_is_known_by_its_transaction(self, paid: Caller) -> None:
        (payment,) = read().payments
        assert (payment.vendor, payment.external_id) == ("shopify", "31")

    @pytest.mark.parametrize("gateway", ["manual", "cash_on_delivery", "barter", "stripe"])
    def test_a_tender_that_we_can_not_pay_back_for_sure_is_a_persons(
        self, control: Caller, gateway: str
    ) -> None:
        control.control("orders", order(gateway=gateway, charge=None))
        assert [payment.vendor for payment in read().payments] == ["manual"]

    @pytest.mark.parametrize(("gateway", "by_hand"), [("Vorkasse", True), ("barter", False)])
    def test_the_shop_tells_what_moves_no_money_whatever_its_name(
        self, control: Caller, gateway: str, by_hand: bool
    ) -> None:
        control.control("orders", order(gateway=gateway, charge=None))
        assert [payment.by_hand for payment in read().payments] == [by_hand]

    def test_an_unpaid_order_has_no_payment(self, control: Caller) -> None:
        control.control("orders", order(financial_status="PENDING"))
        assert read().payments == ()

    @pytest.mark.parametrize(("risk", "level"), [("PENDING", "pending"), ("HIGH", "high"), ("NONE", None)])
    def test_risk_is_read_as_it_is(self, control: Caller, risk: str, level: str | None) -> None:
        control.control("orders", order(risk=risk))
        assert read().risk_level == level

    def test_an_order_of_many_lines_is_read_to_its_last(self, control: Caller) -> None:
        line = order()["lines"][0]
        lines = [{**line, "id": 100 + place, "sku": f"LAMP-{place}"} for place in range(53)]
        control.control("orders", order(lines=lines, total="1276.90"))
        assert [seen.sku for seen in read().lines] == [f"LAMP-{place}" for place in range(53)]

    def test_many_parcels_and_refunds_are_read_whole(self, paid: Caller) -> None:
        for place in range(4):
            parcel = {"id": 900 + place, "tracking_number": f"JD0{place}", "carrier": "DHL"}
            more = {"status": "in_transit", "created_at": "2026-11-02T10:00:00Z", "line_ids": [11]}
            paid.control("orders/north/5001001/fulfilments", {**parcel, **more})
            refund(uuid4(), amount_minor=100, lines=())
        seen = read()
        assert {parcel.tracking_numbers for parcel in seen.shipments} == {(f"JD0{n}",) for n in range(4)}
        assert len(seen.refunds) == 4

    @pytest.mark.parametrize(("status", "processed"), [("OPEN", 0), ("CLOSED", 1)])
    def test_a_return_is_read_with_what_it_holds(self, paid: Caller, status: str, processed: int) -> None:
        wish = {"id": 77, "status": status, "lines": [{"id": 11, "quantity": 1, "reason": "unwanted"}]}
        paid.control("orders/north/5001001/returns", {**wish, "created_at": "2026-11-02T10:00:00Z"})
        (back,) = read().returns
        assert back.lines is not None
        held = [(line.line_external_id, line.quantity, line.processed) for line in back.lines]
        assert (back.status, held) == (status.lower(), [("11", 1, processed)])

    def test_a_customers_other_orders_are_told(self, control: Caller) -> None:
        control.control("orders", order(id=5001000, name="#1000", transaction_id=30))
        customer = read().customer
        assert customer is not None
        assert (customer.orders_count, [past.name for past in customer.history]) == (2, ["#1000"])

    def test_an_order_that_the_shop_does_not_know_is_refused(self, control: Caller) -> None:
        with pytest.raises(Refused) as caught:
            shopify.read_order(NORTH, "404", correlation_id=CORRELATION)
        assert caught.value.code == "not_found"

    def test_a_wrong_token_is_refused(self, control: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NORTH_SHOPIFY_ACCESS_TOKEN", "stolen")
        with pytest.raises(Refused) as caught:
            read()
        assert caught.value.code == "http_401"

    def test_changed_orders_are_told_the_oldest_change_first(self, control: Caller) -> None:
        for name in (5001002, 5001003):
            control.control("orders", order(id=name, name=f"#{name}", transaction_id=name))
        control.control("orders/north/5001001/risk", {"level": "HIGH"})
        since = datetime(2026, 1, 1, tzinfo=UTC)
        page = shopify.changed_orders(NORTH, since=since, correlation_id=CORRELATION)
        assert {one.external_id for one in page.orders} == {"5001001", "5001002", "5001003"}
        assert [one.updated_at for one in page.orders] == sorted(one.updated_at for one in page.orders)

    def test_what_changed_before_is_not_told(self, control: Caller) -> None:
        since = datetime(2100, 1, 1, tzinfo=UTC)
        assert shopify.changed_orders(NORTH, since=since, correlation_id=CORRELATION).orders == ()

    def test_a_dispute_is_found_through_its_order(self, paid: Caller) -> None:
        paid.control("disputes", DISPUTE)
        (summary,) = read().disputes
        seen = shopify.read_dispute(NORTH, summary.external_id, correlation_id=CORRELATION)
        assert (summary.status, seen.status) == ("needs_response", "needs_response")
        assert (seen.order_external_id, seen.amount_minor, seen.currency) == ("5001001", 2890, "USD")

    def test_the_stock_of_an_item_comes_with_its_sku(self, control: Caller) -> None:
        control.control("stock", {"shop": "north", "sku": "LAMP", "available": 9})
        seen = shopify.read_stock(NORTH, "21", correlation_id=CORRELATION)
        assert (seen.sku, seen.available, bool(seen.location)) == ("LAMP", 9, True)


class TestRefunds:
    def test_money_goes_back_and_can_be_read(self, paid: Caller) -> None:
        made = refund(amount_minor=1690, shipping_minor=490)
        assert (made.amount_minor, made.currency, made.status) == (1690, "USD", "succeeded")
        (seen,) = read().refunds
        assert (seen.external_id, seen.call_key, seen.shipping_minor) == (made.ref, str(KEY), 490)
        assert [(line.line_external_id, line.quantity) for line in seen.lines] == [("11", 1)]
        assert read().lines[0].removed == 1

    def test_a_second_try_with_the_same_key_moves_no_money(self, paid: Caller) -> None:
        assert refund() == refund()
        assert moved(paid) == [1200]

    @pytest.mark.parametrize(("fault", "once", "always"), FAULTS, ids=lambda one: str(one)[:24])
    def test_whatever_breaks_money_moves_at_most_once(
        self, paid: Caller, fault: dict[str, Any], once: type[ToolError] | None, always: type[ToolError]
    ) -> None:
        plant(paid, "refundCreate", times=1, **fault)
        if once is None:
            assert refund().amount_minor == 1200
            assert moved(paid) == [1200]
        else:
            with pytest.raises(once):
                refund()
            assert moved(paid) == []

    @pytest.mark.parametrize(("fault", "once", "always"), FAULTS, ids=lambda one: str(one)[:24])
    def test_a_lost_answer_is_settled_by_reading(
        self, paid: Caller, fault: dict[str, Any], once: type[ToolError] | None, always: type[ToolError]
    ) -> None:
        plant(paid, "refundCreate", times=3, **fault)
        with pytest.raises(always):
            refund()
        paid.client.delete("/_control/faults")
        # As if the minute that a busy vendor asked for had passed.
        RateBudget.objects.all().delete()
        found = find()
        assert (found is not None) == (moved(paid) == [1200])
        assert refund().amount_minor == 1200
        assert moved(paid) == [1200]

    def test_what_was_never_made_is_not_found(self, control: Caller) -> None:
        assert find(uuid4()) is None

    def test_a_shop_that_is_throttled_is_tried_later(self, paid: Caller, north: Shop) -> None:
        plant(paid, kind="throttled", times=3)
        with pytest.raises(Unavailable) as caught:
            refund()
        assert (caught.value.code, moved(paid)) == ("THROTTLED", [])
        assert caught.value.retry_after

    def test_what_the_shop_says_of_its_budget_is_kept(self, paid: Caller, north: Shop) -> None:
        paid.control("shops", {**KEYS, "bucket": 1000, "restore_rate": 50})
        read()
        budget = RateBudget.objects.get(shop=north, vendor="shopify")
        assert (budget.capacity, budget.per_second) == (1000, 50)
        assert 0 < budget.level < 1000

    def test_a_refund_on_its_way_is_pending(self, paid: Caller) -> None:
        plant(paid, kind="pending", times=1)
        assert refund().status == "pending"

    def test_more_than_was_paid_is_refused(self, paid: Caller) -> None:
        with pytest.raises(Refused):
            refund(amount_minor=2891)
        assert moved(paid) == []

    def test_another_body_under_a_used_key_is_no_plain_refusal(self, paid: Caller) -> None:
        refund()
        with pytest.raises(OutcomeUnknown):
            refund(amount_minor=1100)

    def test_shopify_suggests_what_is_left_and_refuses_what_is_not(self, paid: Caller) -> None:
        def suggest(**changes: Any) -> None:
            wish = replace(LAMP_BACK, **changes)
            found = shopify.suggested_refund(NORTH, wish, correlation_id=CORRELATION)
            shopify.refuse_more_than(found, wish)

        suggest()
        suggest(amount_minor=500, lines=())
        refund(uuid4(), amount_minor=2000, lines=())
        for changes in ({}, {"lines": ()}):
            with pytest.raises(Refused) as caught:
                suggest(**changes)
            assert caught.value.code == "more_than_suggested"

    @pytest.mark.parametrize("restock", ["CANCEL", "RETURN"])
    def test_pieces_are_put_back_where_they_belong(self, paid: Caller, restock: Any) -> None:
        paid.control("stock", {"shop": "north", "sku": "LAMP", "available": 3})
        refund(lines=(shopify.RefundedLine("11", 1, restock, read().location),))
        assert shopify.read_stock(NORTH, "21", correlation_id=CORRELATION).available == 4

    def test_a_refund_made_by_hand_is_listed_by_both_vendors(self, control: Caller) -> None:
        body = {"id": 9001, "amount": "12.00", "lines": [{"id": 11, "quantity": 1}]}
        control.control("orders/north/5001001/refunds", body)
        (seen,) = read().refunds
        assert (seen.call_key, seen.parts[0].amount_minor) == ("", 1200)
        listed = stripe.list_refunds(NORTH, "ch_1", correlation_id=CORRELATION)
        assert [part.ref for made in listed for part in made.parts] == [part.ref for part in seen.parts]


class TestCancelling:
    def cancel(self, **changes: Any) -> str:
        wish: dict[str, Any] = {"reason": "CUSTOMER", "restock": True, "refund": True, "note": "case 5"}
        return shopify.cancel_order(NORTH, "5001001", correlation_id=CORRELATION, **{**wish, **changes})

    def found(self, job: str = "") -> CancelResult | None:
        return shopify.find_cancellation(NORTH, "5001001", job, correlation_id=CORRELATION)

    def test_a_cancellation_is_pending_until_its_job_is_done(self, paid: Caller) -> None:
        job = self.cancel()
        before = self.found(job)
        paid.control("clock", {"advance": 120})
        after = self.found(job)
        assert (before and before.status, after and after.status) == ("pending", "succeeded")
        assert moved(paid) == [2890]

    @pytest.mark.parametrize("kind", ["dropped_after", "half_json", "html_200", "timeout_after"])
    def test_a_cancellation_whose_answer_is_lost_is_settled_by_reading(self, paid: Caller, kind: str) -> None:
        plant(paid, "orderCancel", kind=kind, times=1, seconds=0.05)
        with pytest.raises(OutcomeUnknown):
            self.cancel()
        assert self.found() is None
        paid.control("clock", {"advance": 120})
        settled = self.found()
        assert settled is not None
        assert (settled.status, moved(paid)) == ("succeeded", [2890])

    def test_a_cancellation_that_was_lost_on_its_way_never_comes(self, paid: Caller) -> None:
        plant(paid, "orderCancel", kind="dropped_before", times=1)
        with pytest.raises(OutcomeUnknown):
            self.cancel()
        paid.control("clock", {"advance": 120})
        assert (self.found(), moved(paid)) == (None, [])

    def test_an_order_is_not_cancelled_twice(self, paid: Caller) -> None:
        self.cancel(refund=False)
        with pytest.raises(Refused) as caught:
            self.cancel(refund=False)
        assert caught.value.code == "INVALID"

    def test_what_has_left_is_not_cancelled(self, paid: Caller) -> None:
        parcel = {"id": 900, "tracking_number": "JD01", "carrier": "DHL", "status": "in_transit"}
        more = {"created_at": "2026-11-02T10:00:00Z", "line_ids": [11]}
        paid.control("orders/north/5001001/fulfilments", {**parcel, **more})
        with pytest.raises(Refused):
            self.cancel()


class TestTagsAndNotes:
    def test_tags_are_added_once(self, control: Caller) -> None:
        for _ in range(2):
            shopify.add_tags(NORTH, "5001001", ["fraud-suspect"], correlation_id=CORRELATION)
        assert [row["tag"] for row in control.ledger()["tags"]] == ["fraud-suspect"]

    def test_a_note_is_added_below_and_once(self, control: Caller) -> None:
        control.control("orders", order(note="Ring twice."))
        for text in ("case 5: agreed", "case 5: agreed", "case 6: sent"):
            shopify.add_note(NORTH, "5001001", text, correlation_id=CORRELATION)
        assert control.order("note")["note"] == "Ring twice.\ncase 5: agreed\ncase 6: sent"


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if one.probe], ids=lambda operation: operation.name
)
def test_every_probe_passes_against_the_stand_in(paid: Caller, operation: Operation) -> None:
    paid.control("disputes", DISPUTE)
    paid.control("stock", {"shop": "north", "sku": "LAMP", "available": 9})
    known = Known(order="5001001", dispute="66", inventory_item="21")
    assert operation.probe is not None
    operation.probe(NORTH, known, CORRELATION)
    assert not Drift.objects.exists()
