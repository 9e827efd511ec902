"""A refund over several tenders, from the agent's turn to the shop's own books: each pays its part, once, in order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from cases import paying, planning
from cases.models import Case, PaymentTask, Shop
from tests import factories
from tests.adapters.stand_ins import stand_ins
from tests.authority.rows import acting, failures, together
from tests.flow.turns import planner, refund, scripted_shop
from tests.flow.world import World, drain
from tests.sandbox.test_shopify_money import mixed
from tests.sandbox.world import Caller, order
from tools import ledger, orders, wire
from tools.adapters import shopify
from tools.adapters.accounts import Account
from tools.errors import Refused
from tools.models import Order, OrderLine, Payment, RefundQuote, ToolCall
from tools.snapshots import OrderSnapshot

GIFT_CARD = {"gateway": "gift_card", "transaction_id": 32, "amount": "8.90"}
# Somebody in the shop gives all back.
BY_HAND = {"id": "by-hand", "amount": "28.90", "lines": []}


@pytest.fixture
def control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    monkeypatch.setattr(wire.client._state, "pace", wire.Pace(sleep=lambda seconds: None))
    with stand_ins(tmp_path, monkeypatch) as caller:
        yield caller
    wire.close()


def seen(shop: Shop) -> OrderSnapshot:
    return shopify.read_order(Account.of(shop), "5001001", correlation_id=uuid4())


def delivered(world: World, control: Caller, sold: dict[str, Any]) -> Case:
    """The shop sold this; it came yesterday, and its customer has written that it is broken."""
    control.control("orders", sold)
    scripted_shop(world)
    person, found = factories.make_person(world.shop), seen(world.shop)
    with transaction.atomic():
        row = orders.record_order(world.shop.pk, found, str(person.pk)).order
    Order.objects.filter(pk=row.pk).update(risk_level=Order.Risk.LOW, read_at=factories.now())
    row.refresh_from_db()
    factories.make_shipment(row)
    return factories.make_case(order=row, due_at=factories.now())


def refunded(
    case: Case, before: Callable[[], None] = lambda: None, **wish: Any
) -> list[tuple[str, str, str]]:
    """The agent refunds one piece, and `before` happens just before it is sent; its calls by tool, vendor, state."""
    row = case.order
    assert row is not None
    with planner(refund(row, **wish)):
        planning.advance(case.pk)
    before()
    drain(only=["execute"])
    calls = ToolCall.objects.filter(case=case, decision__tool="issue_refund").order_by("position")
    return [(call.tool, call.vendor, call.state) for call in calls]


def books(control: Caller) -> list[tuple[str, int]]:
    """What really moved at the vendors, by vendor."""
    return [(row["vendor"], row["amount_minor"]) for row in control.ledger()["refunds"]]


def paid_back(case: Case) -> dict[str, tuple[int, int, int]]:
    """By gateway: what is set aside, given back by us, and given back elsewhere."""
    rows = Payment.objects.filter(order=case.order)
    return {row.gateway: (row.reserved_minor, row.refunded_minor, row.elsewhere_minor) for row in rows}


def read_again(case: Case) -> OrderSnapshot:
    """The shop's order is read once more, with all refunds that it shows."""
    found = seen(case.shop)
    with transaction.atomic():
        change = orders.record_order(case.shop_id, found)
    assert all(record.ours is not None for record in change.refunds)
    return found


DONE = "succeeded"


@pytest.mark.django_db
def test_the_shop_shows_what_stripe_has_paid_and_nobody_pays_twice(world: World, control: Caller) -> None:
    case = delivered(world, control, order())
    assert refunded(case)[:2] == [("issue_refund", "stripe", DONE), ("record_refund", "shopify", DONE)]
    assert books(control) == [("stripe", 1200)]
    shown = read_again(case)
    assert (shown.financial_status, [len(made.lines) for made in shown.refunds]) == (
        "partially_refunded",
        [1],
    )
    assert paid_back(case) == {"stripe": (0, 1200, 0)}
    line = OrderLine.objects.get(order=case.order)
    assert (line.refunded_quantity, line.removed_quantity) == (1, 0)


@pytest.mark.django_db
def test_a_gift_card_and_a_card_are_refunded_in_the_shops_own_proportions(
    world: World, control: Caller
) -> None:
    case = delivered(world, control, mixed())
    assert [call[:2] for call in refunded(case)[:2]] == [("issue_refund", "shopify")] * 2
    assert RefundQuote.objects.count() == 1
    assert books(control) == [("shopify", 830), ("shopify", 370)]
    read_again(case)
    assert paid_back(case) == {"shopify_payments": (0, 830, 0), "gift_card": (0, 370, 0)}


@pytest.mark.django_db
def test_a_gift_card_and_stripe_each_pay_their_part(world: World, control: Caller) -> None:
    card = {"gateway": "stripe", "transaction_id": 31, "amount": "20.00", "charge": order()["charge"]}
    case = delivered(world, control, order(tenders=[card, GIFT_CARD]))
    assert [call[:2] for call in refunded(case)[:3]] == [
        ("issue_refund", "stripe"),
        ("issue_refund", "shopify"),
        ("record_refund", "shopify"),
    ]
    assert books(control) == [("stripe", 830), ("shopify", 370)]
    shown = read_again(case)
    assert sorted(len(made.lines) for made in shown.refunds) == [0, 1]
    assert paid_back(case) == {"stripe": (0, 830, 0), "gift_card": (0, 370, 0)}


@pytest.mark.django_db
def test_goodwill_is_split_among_tenders_like_the_price(world: World, control: Caller) -> None:
    case = delivered(world, control, mixed())
    refunded(case, goodwill_percent=10, reason="goodwill")
    assert books(control) == [("shopify", 83), ("shopify", 37)]


@pytest.mark.django_db
@pytest.mark.parametrize("gateway", ["cash_on_delivery", "Vorkasse"])
def test_what_was_paid_by_hand_is_paid_by_a_person_and_then_shown_by_the_shop(
    world: World, control: Caller, gateway: str
) -> None:
    case = delivered(world, control, order(gateway=gateway, charge=None))
    calls = refunded(case)
    assert calls[:2] == [("issue_refund", "manual", "pending"), ("record_refund", "shopify", "reserved")]
    task = PaymentTask.objects.get(case=case)
    paying.pay(task.pk, paid_on=factories.now().date(), reference="Till 3", by=acting(case.shop))
    drain(only=["execute"])
    assert books(control) == []
    assert read_again(case).financial_status == "partially_refunded"
    assert paid_back(case) == {gateway: (0, 1200, 0)}
    sent = ToolCall.objects.get(case=case, tool="send_message", decision__tool="issue_refund")
    assert sent.state == DONE


@pytest.mark.django_db
def test_where_one_tender_fails_the_rest_is_stopped_and_a_person_looks(world: World, control: Caller) -> None:
    case = delivered(world, control, mixed())
    calls = refunded(case, before=lambda: control.control("orders/north/5001001/refunds", BY_HAND))
    assert [call[2] for call in calls] == ["failed", "cancelled", "cancelled"]
    assert paid_back(case) == {"shopify_payments": (0, 0, 0), "gift_card": (0, 0, 0)}
    assert Case.objects.get(pk=case.pk).state == Case.State.HANDOFF


def test_threads_that_reserve_over_two_tenders_never_take_more_than_each_took(transactional_db: None) -> None:
    """Eight decisions of 300 each from two tenders of 1000: six fit, and of the others nothing is kept."""
    sold = factories.make_order(factories.make_shop(), [("Pegs", 40, 8000)], shipping_minor=0)
    Payment.objects.update(captured_minor=1000)
    second = factories.make_payment(sold, captured_minor=1000, gateway="gift_card", vendor="shopify")
    first = sold.payments.exclude(pk=second.pk).get()
    decisions = [[_call(sold, first, 150), _call(sold, second, 150)] for _ in range(8)]

    def reserve(calls: list[ToolCall]) -> None:
        with transaction.atomic():
            for call in calls:
                ledger.reserve(call)

    ended = together(*[partial(reserve, calls) for calls in decisions])
    assert failures(ended) == [Refused.__name__] * 2
    kept = [payment.reserved_minor for payment in sold.payments.order_by("pk")]
    assert kept == [900, 900]
    assert sold.lines.get().refunded_minor == 1800


def _call(sold: Order, payment: Payment, minor: int) -> ToolCall:
    """A tender's part of a refund, with nothing set aside yet."""
    case = factories.make_case(order=sold, state="closed")
    body = factories.refund_effect(sold, minor)
    body["lines"][0]["quantity"] = 0
    return factories.make_call(
        factories.make_decision(case, amount_minor=minor),
        amount_minor=minor,
        payment=payment,
        state="cancelled",
        request=json.dumps(body),
    )
