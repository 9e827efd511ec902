"""A colleague refunds by hand what ours is about to: it moves once, a person has the case, and the books say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from approvals.errors import EffectChanged
from approvals.models import ApprovalRequest, Decision
from audit import actors
from cases import refunds
from cases.invariants import violations
from cases.models import Handoff
from cases.services import decide_approval
from opsagent.demo import shopify_events
from opsagent.demo.goods import GOODS
from tests import factories
from tests.authority.rows import signer
from tests.flow.test_life_elsewhere import by_hand_at_stripe, neutral
from tests.flow.turns import fresh, planner, refund, scripted_shop
from tests.flow.vendors import Vendors, sums
from tests.flow.world import World, deliver, drain
from tests.tools import telling
from tools import orders
from tools.elsewhere import book
from tools.models import LedgerEntry, Order, OrderLine, Payment, ToolCall

pytestmark = pytest.mark.django_db

GONE, UNNAMED = "refund.done_elsewhere", "refund.unnamed_elsewhere"


def of_several(world: World, *sizes: str, **more: Any) -> Order:
    """A known order of one piece of each size, whose customer has just written that it came broken."""
    scripted_shop(world)
    who = world.customer()
    items = [(next(item for item in GOODS["north"] if item.size == size), 1) for size in sizes]
    made = world.stage.order("north", who, items, world.stage.ago(6), **more)
    world.sold = lambda *_a, **_k: made  # type: ignore[method-assign]
    _made, row = world.known(who)
    deliver(world.mail(who, f"{row.name}: it arrived broken"))
    return row


def asked(row: Order, **wish: Any) -> None:
    with planner(refund(row, **wish)):
        drain(only=["advance"])


def the_call() -> ToolCall:
    return ToolCall.objects.select_related("payment").get(position=0)


def at_shopify(world: World, minor: int, place: int = 0, **more: Any) -> None:
    """Somebody refunds one line in the shop's admin, which names it."""
    order = neutral(world)
    made = {
        "id": "re_9001", "amount": f"{minor // 100}.{minor % 100:02}",
        "lines": [{"id": order["lines"][place]["id"], "quantity": 1}], **more,
    }  # fmt: skip
    body = shopify_events.refund_body(order, made, world.stage.start)
    deliver(world.stage.hook(order, "refunds/create", body, world.stage.start, kind="refund"))


def told() -> list[tuple[str, str]]:
    return list(Handoff.objects.values_list("reason", "detail"))


def wrong() -> list[str]:
    """What breaks an invariant, but for the log's own of rows that a test has made."""
    return [f"{one}" for one in violations() if not one.row.startswith("limits")]


BY_HAND = pytest.mark.parametrize(("by_hand", "why"), [(at_shopify, GONE), (by_hand_at_stripe, UNNAMED)])


@BY_HAND
def test_a_line_that_waits_in_its_window_is_not_paid_twice(
    world: World, fake: Vendors, by_hand: Callable[[World, int], None], why: str
) -> None:
    factories.make_limits(world.shop, "USD", auto_up_to_minor=100_000, one_approver_up_to_minor=200_000)
    asked(of_several(world, "small", "mid"))
    call = the_call()
    by_hand(world, call.amount_minor)
    assert (fresh(call).state, call.error, told()) == ("cancelled", why, [("failed", why)])
    drain()
    assert (fake.writes(), sums(call)) == ([], (0, 0))
    assert Payment.objects.get().elsewhere_minor == call.amount_minor
    assert wrong() == []


@BY_HAND
def test_what_waits_for_a_signature_is_void(
    world: World, fake: Vendors, by_hand: Callable[[World, int], None], why: str
) -> None:
    """Wide enough for both sums, by money alone: ours, theirs, and a third piece that nobody asked for."""
    factories.make_limits(world.shop, "USD", one_approver_up_to_minor=200_000)
    asked(of_several(world, "mid", "mid", "small"))
    request = ApprovalRequest.objects.get()
    by_hand(world, request.amount_minor)
    assert (fresh(request).state, request.reason, told()) == ("voided", why, [("policy", why)])
    drain()
    assert not ToolCall.objects.filter(amount_minor__gt=0).exists()
    assert wrong() == []


def test_another_line_by_hand_is_no_reason_against_ours(world: World, fake: Vendors) -> None:
    factories.make_limits(world.shop, "USD", auto_up_to_minor=100_000, one_approver_up_to_minor=200_000)
    row = of_several(world, "small", "mid")
    asked(row)
    call, other = the_call(), row.lines.order_by("pk")[1]
    at_shopify(world, other.total_minor, place=1)
    drain()
    assert (fresh(call).state, told()) == ("succeeded", [])
    assert [line.left for line in row.lines.order_by("pk")] == [0, 0]
    assert wrong() == []


def test_more_money_than_the_named_line_cost_may_be_ours_too(world: World, fake: Vendors) -> None:
    """Somebody names one line in the shop's admin and writes the price of two."""
    factories.make_limits(world.shop, "USD", auto_up_to_minor=100_000, one_approver_up_to_minor=200_000)
    row = of_several(world, "small", "mid", "mid")
    asked(row)
    call, other = the_call(), row.lines.order_by("pk")[1]
    at_shopify(world, other.total_minor + call.amount_minor, place=1)
    assert (fresh(call).state, call.error) == ("cancelled", UNNAMED)


def test_whoever_claims_it_meanwhile_stops_it_before_it_is_sent(world: World, fake: Vendors) -> None:
    """The news passed it over, since a worker held it: the same question is asked under that worker's lock."""
    factories.make_limits(world.shop, "USD", auto_up_to_minor=100_000, one_approver_up_to_minor=200_000)
    row = of_several(world, "small", "mid")
    asked(row)
    call, line = the_call(), row.lines.order_by("pk")[0]
    OrderLine.objects.filter(pk=line.pk).update(elsewhere_quantity=1, elsewhere_minor=line.total_minor)
    drain()
    assert (fresh(call).state, call.error, fake.writes()) == ("cancelled", GONE, [])


def test_after_money_for_nobody_knows_what_a_person_decides(world: World, fake: Vendors) -> None:
    row = of_several(world, "small", "mid")
    by_hand_at_stripe(world, 500)
    asked(row)
    decision = Decision.objects.filter(tool="issue_refund").latest("pk")
    assert (decision.outcome, decision.rule) == ("human", "refund.entitled")
    assert decision.judged_under["entitlement"]["values"]["unnamed_minor"] == 500


def test_shipping_that_was_given_back_by_hand_is_not_given_back_again(world: World, fake: Vendors) -> None:
    factories.make_limits(world.shop, "USD", auto_up_to_minor=100_000, one_approver_up_to_minor=200_000)
    row = of_several(world, "small")
    Order.objects.filter(pk=row.pk).update(shipping_minor=490)
    Payment.objects.update(captured_minor=10_000)
    asked(row, shipping=True)
    request = Decision.objects.filter(tool="issue_refund").latest("pk").effect
    assert request["shipping_minor"] == 490
    call = the_call()
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=row.pk)
        order.shipping_elsewhere_minor = 490
        order.save()
        case = refunds.stop_ours(order)
    assert case is not None
    assert (fresh(call).state, call.error) == ("cancelled", GONE)
    assert fresh(row).shipping_gone_minor == 490


def test_a_line_that_is_taken_off_the_order_meanwhile_is_not_paid(world: World, fake: Vendors) -> None:
    """A reading says so; what ours had set aside doesn't hide it."""
    factories.make_limits(world.shop, "USD", auto_up_to_minor=100_000, one_approver_up_to_minor=200_000)
    row = of_several(world, "small", "mid")
    asked(row)
    call, line = the_call(), row.lines.order_by("pk")[0]
    seen = telling.line(external_id=line.external_id, quantity=1, total_minor=line.total_minor, removed=1)
    whole = telling.order(external_id=row.external_id, lines=(seen,), payments=(), currency="USD")
    with transaction.atomic():
        change = orders.record_order(world.shop.pk, whole)
        assert change.over == (line.pk,)
        refunds.stop_ours(change.order)
    assert (fresh(call).state, call.error) == ("cancelled", GONE)
    assert (fresh(line).removed_quantity, line.refunded_quantity, line.left) == (1, 0, 0)


@pytest.mark.parametrize("sent", [False, True])
def test_what_ours_gave_back_itself_was_not_taken_off(world: World, fake: Vendors, sent: bool) -> None:
    """A refunded piece is off the order at the shop too: only what nobody has sent can't be what the shop means."""
    factories.make_limits(world.shop, "USD", auto_up_to_minor=100_000, one_approver_up_to_minor=200_000)
    row = of_several(world, "small", "mid")
    asked(row)
    if sent:
        drain()
    line = row.lines.order_by("pk")[0]
    seen = telling.line(external_id=line.external_id, quantity=1, total_minor=line.total_minor, removed=1)
    whole = telling.order(external_id=row.external_id, lines=(seen,), payments=(), currency="USD")
    with transaction.atomic():
        change = orders.record_order(world.shop.pk, whole)
    assert (change.over == (), fresh(line).removed_quantity) == (sent, 0 if sent else 1)


def test_nobody_signs_what_was_refunded_by_hand_since(world: World, fake: Vendors) -> None:
    """Not even where the news has not reached the request: it is asked again under the signature's lock."""
    factories.make_limits(world.shop, "USD", one_approver_up_to_minor=200_000)
    asked(of_several(world, "mid", "mid", "small"))
    request = ApprovalRequest.objects.get()
    payment = Payment.objects.get()
    book(payment, LedgerEntry.Kind.ELSEWHERE, 500, "re_hand", 500)
    Payment.objects.update(elsewhere_minor=500)
    with pytest.raises(EffectChanged):
        decide_approval(request.pk, approve=True, proof=None, reason="", by=actors.staff(signer(world.shop)))
    assert (fresh(request).state, request.reason) == ("voided", UNNAMED)
