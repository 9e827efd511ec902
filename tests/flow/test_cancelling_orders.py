"""Cancelling against the stand-ins: however an order was paid, and whatever is lost or killed on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from approvals.models import ApprovalRequest, Decision
from audit.actors import SYSTEM, Actor
from audit.sources import Clock
from cases import cancelling, paying
from cases.invariants import violations
from cases.models import Case, Handoff, PaymentTask, Shop
from cases.telling import tell
from tests import factories
from tests.authority.rows import acting, order_of
from tests.flow.stand import Stand, killed, lost, stand, until_quiet, work
from tests.flow.turns import fresh
from tests.sandbox.test_shopify_money import mixed
from tests.sandbox.world import order
from tools import orders
from tools.adapters import shopify
from tools.adapters.accounts import Account
from tools.models import Order, Payment, ToolCall

pytestmark = pytest.mark.django_db

CARD = {"gateway": "stripe", "transaction_id": 31, "amount": "20.00", "charge": order()["charge"]}
GIFT = {"gateway": "gift_card", "transaction_id": 32, "amount": "8.90"}
BY_SHOP = {"gateway": "shopify_payments", "charge": None}
SOLD: dict[str, Callable[[], dict[str, Any]]] = {
    "stripe": order,
    "shopify": partial(order, **BY_SHOP),
    "gift card and card": mixed,
    "stripe and gift card": partial(order, tenders=[CARD, GIFT]),
}
BOOKS = {
    "stripe": [("stripe", 2890)],
    "shopify": [("shopify", 2890)],
    "gift card and card": [("shopify", 2000), ("shopify", 890)],
    "stripe and gift card": [("stripe", 2000), ("shopify", 890)],
}
WRITES = {
    "stripe": (
        "shopify.orderCancel",
        "stripe.refunds.create",
        "shopify.refundCreate",
        "klaviyo.events.create",
    ),
    "gift card and card": ("shopify.orderCancel", "shopify.refundCreate", "klaviyo.events.create"),
}


@pytest.fixture
def vendors(clock: Clock) -> Iterator[Stand]:
    with stand(clock) as found:
        yield found


def sold(shop: Shop, vendors: Stand, neutral: dict[str, Any]) -> Case:
    """An order that nobody has packed, as its shop tells of it, and its customer's case."""
    vendors.control("orders", **neutral)
    factories.publish_limits(shop, "USD", auto_up_to_minor=20_000, one_approver_up_to_minor=40_000)
    seen = shopify.read_order(Account.of(shop), "5001001", correlation_id=uuid4())
    with transaction.atomic():
        row = orders.record_order(
            shop.pk, seen, str(factories.make_person(shop, email="ada@example.com").pk)
        ).order
    Order.objects.filter(pk=row.pk).update(risk_level=Order.Risk.LOW, read_at=factories.now())
    vendors.news()
    vendors.asked.clear()
    row.refresh_from_db()
    case = factories.make_case(order=row)
    with transaction.atomic():
        tell("case.opened", case, by=SYSTEM)
    return case


def looked(case: Case, by: Actor) -> str:
    """What staff are shown, by its digest; empty where it can't be done."""
    cancelling.ask(case.pk, by=by)
    work("prepare")
    effect, problem, _verdict = cancelling.foresee(fresh(case), by)
    return "" if problem else effect.digest


def cancelled(case: Case) -> Decision:
    by = acting(case.shop, "agent")
    return cancelling.cancel_order(case.pk, shown=looked(case, by), by=by)


def steps(decision: Decision) -> list[tuple[str, str, str]]:
    rows = ToolCall.objects.filter(decision=decision).order_by("position")
    return list(rows.values_list("tool", "vendor", "state"))


def all_done(case: Case, decision: Decision, vendors: Stand, books: list[tuple[str, int]]) -> None:
    """Cancelled once, paid back once, said once, and nothing left over."""
    assert {state for _tool, _vendor, state in steps(decision)} == {"succeeded"}
    assert sorted(vendors.books()) == sorted(books)
    assert vendors.told() == ["order_cancelled"]
    row = fresh(order_of(case))
    refundable = [payment.refundable.amount_minor for payment in row.payments.all()]
    assert (sum(refundable), sum(row.payments.values_list("elsewhere_minor", flat=True))) == (0, 0)
    assert violations() == []


@pytest.mark.parametrize("paid", sorted(SOLD))
def test_what_each_way_of_payment_took_goes_back_to_it_after_the_shop_has_cancelled(
    shop: Shop, vendors: Stand, clock: Clock, paid: str
) -> None:
    case = sold(shop, vendors, SOLD[paid]())
    decision = cancelled(case)
    until_quiet(clock)
    all_done(case, decision, vendors, BOOKS[paid])
    assert vendors.asked.count("shopify.orderCancel") == 1
    assert steps(decision)[0][0] == "cancel_order"
    assert fresh(case).state == "closed"
    for hook in vendors.news():
        hook.arrive()
    work()
    all_done(case, decision, vendors, BOOKS[paid])


def test_stripes_proof_and_the_shops_split_are_asked_for_before_anything_is_shown(
    shop: Shop, vendors: Stand, clock: Clock
) -> None:
    case = sold(shop, vendors, SOLD["stripe and gift card"]())
    by = acting(shop, "agent")
    assert cancelling.foresee(case, by)[1] == "refund.not_quoted"
    assert looked(case, by)
    assert {"stripe.charges.retrieve", "shopify.suggestedRefund"} <= set(vendors.asked)
    assert Payment.objects.get(vendor="stripe").livemode is not None
    assert not ToolCall.objects.filter(tool="cancel_order").exists()


def test_cash_is_paid_by_a_person_before_anybody_hears_of_it(
    shop: Shop, vendors: Stand, clock: Clock
) -> None:
    case = sold(shop, vendors, order(gateway="cash_on_delivery", charge=None))
    decision = cancelled(case)
    until_quiet(clock, turns=5)
    assert steps(decision)[:2] == [
        ("cancel_order", "shopify", "succeeded"),
        ("issue_refund", "manual", "pending"),
    ]
    assert (vendors.books(), vendors.told()) == ([], [])
    paying.pay(
        PaymentTask.objects.get(case=case).pk, paid_on=clock.at.date(), reference="Till 3", by=acting(shop)
    )
    until_quiet(clock)
    all_done(case, decision, vendors, [])


def test_what_somebody_has_given_back_by_hand_does_not_go_back_twice(
    shop: Shop, vendors: Stand, clock: Clock
) -> None:
    case = sold(shop, vendors, order())
    by_hand = {"id": "by-hand", "amount": "12.00", "lines": [{"id": 11, "quantity": 1}]}
    vendors.control("orders/north/5001001/refunds", **by_hand)
    for hook in vendors.news():
        hook.arrive()
    Order.objects.update(read_at=None)
    decision = cancelled(case)
    until_quiet(clock)
    assert {state for _tool, _vendor, state in steps(decision)} == {"succeeded"}
    assert [minor for _vendor, minor in vendors.books()] == [1200, 1690]
    assert violations() == []


@pytest.mark.parametrize("known", [True, False])
def test_an_order_of_which_part_has_left_is_refused_in_words(
    shop: Shop, vendors: Stand, clock: Clock, known: bool
) -> None:
    """We know of the parcel, or only the shop does."""
    two = [*order()["lines"], {**order()["lines"][0], "id": 12, "quantity": 1}]
    case = sold(shop, vendors, order(lines=two, total="40.90"))
    parcel = {"id": 71, "status": "in_transit", "created_at": "2026-11-02T10:00:00Z", "line_ids": [12]}
    by = acting(shop, "agent")
    if known:
        Order.objects.update(read_at=None)
        vendors.control("orders/north/5001001/fulfilments", **parcel)
        assert looked(case, by) == ""
        assert fresh(case.cancellation).problem == "order.has_left"
        return
    decision = cancelled(case)
    vendors.control("orders/north/5001001/fulfilments", **parcel)
    until_quiet(clock)
    assert steps(decision)[0][2] == "failed"
    assert {state for _tool, _vendor, state in steps(decision)[1:]} == {"cancelled"}
    assert (vendors.books(), vendors.told()) == ([], [])
    assert Handoff.objects.get(case=case).reason == "failed"


def test_pending_says_on_its_way_and_cancelled_is_said_when_it_is_done(
    shop: Shop, vendors: Stand, clock: Clock
) -> None:
    case = sold(shop, vendors, order())
    decision = cancelled(case)
    vendors.control("faults", vendor="stripe", operation="refunds.create", kind="pending")
    until_quiet(clock, turns=5)
    assert vendors.told() == ["refund_on_its_way"]
    refund = ToolCall.objects.get(decision=decision, tool="issue_refund")
    assert refund.state == "pending"
    vendors.control(f"refunds/north/{refund.vendor_ref}", status="succeeded")
    until_quiet(clock)
    assert vendors.told() == ["refund_on_its_way", "order_cancelled"]


TROUBLES = {"answer lost": lost, "killed before the record": killed}


def troubled(
    shop: Shop, vendors: Stand, clock: Clock, paid: str, operation: str, at: str, trouble: Callable[[], None]
) -> None:
    case = sold(shop, vendors, SOLD[paid]())
    decision = cancelled(case)
    getattr(vendors, at)[operation] = trouble
    until_quiet(clock)
    assert operation not in getattr(vendors, at), "It was never asked."
    if (operation, at) != ("shopify.orderCancel", "before"):
        all_done(case, decision, vendors, BOOKS[paid])
        return
    # Nobody can tell whether the shop has heard it, and it knows no key: it is read, and a person says.
    assert [step[2] for step in steps(decision)][:2] == ["unknown", "reserved"]
    assert (vendors.asked.count(operation), vendors.books(), vendors.told()) == (1, [], [])
    assert Handoff.objects.get(case=case).reason == "unknown"


@pytest.mark.parametrize("operation", WRITES["stripe"])
def test_a_worker_killed_after_any_call_of_it_does_nothing_twice(
    shop: Shop, vendors: Stand, clock: Clock, operation: str
) -> None:
    troubled(shop, vendors, clock, "stripe", operation, "after", killed)


@pytest.mark.nightly
@pytest.mark.parametrize("trouble", sorted(TROUBLES))
@pytest.mark.parametrize("at", ["before", "after"])
@pytest.mark.parametrize(("paid", "operation"), [(paid, name) for paid in WRITES for name in WRITES[paid]])
def test_no_call_of_it_is_done_twice_whatever_is_lost(
    shop: Shop, vendors: Stand, clock: Clock, paid: str, operation: str, at: str, trouble: str
) -> None:
    troubled(shop, vendors, clock, paid, operation, at, TROUBLES[trouble])


class TestTiers:
    """What staff cancel is judged by its whole value; the shop hears nothing before the signature."""

    def asked_to_sign(self, shop: Shop, vendors: Stand, auto: int, one: int) -> ApprovalRequest:
        case = sold(shop, vendors, order())
        factories.make_limits(shop, "USD", auto_up_to_minor=auto, one_approver_up_to_minor=one)
        cancelled(case)
        return ApprovalRequest.objects.get()

    @pytest.mark.parametrize(("one", "tier"), [(2890, "one_approver"), (2889, "two_factor")])
    def test_a_cent_over_the_limit_waits_for_its_signature(
        self, shop: Shop, vendors: Stand, clock: Clock, one: int, tier: str
    ) -> None:
        request = self.asked_to_sign(shop, vendors, 2889 if tier == "one_approver" else 100, one)
        until_quiet(clock, turns=3)
        assert (request.tier, vendors.books()) == (tier, [])
        assert "shopify.orderCancel" not in vendors.asked
