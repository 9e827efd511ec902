"""A refund by Shopify: what it restocks is decided with it, signed and sent; what Shopify wouldn't give is not sent."""

import json
import uuid
from typing import Any

import pytest

from approvals.admin.effect import parts
from cases.models import Shop
from tests import factories
from tests.adapters import shopify_answers as told
from tests.adapters.faking import Vendor
from tools import execution, pacing, wire
from tools.base import Effect, Outcome, Scope
from tools.catalog import issue_refund
from tools.errors import Refused
from tools.models import Order, OrderLine, Return, ToolCall


@pytest.fixture
def north(db: None, connected: None) -> Shop:
    return factories.make_shop("north", env_prefix="NORTH", base_currency="USD")


def sold(shop: Shop, *, unfulfilled: int | None = 0, location: str = "71", **fields: Any) -> Order:
    """Two lamps for 24.00, paid through Shopify."""
    order = factories.make_order(
        shop,
        external_id="1001",
        currency="USD",
        location=location,
        is_test=False,
        vendor="shopify",
        lines=[("Lamp", 2, 2400)],
        **fields,
    )
    OrderLine.objects.filter(order=order).update(external_id="11", unfulfilled_quantity=unfulfilled)
    order.payments.update(external_id="31", gateway="shopify_payments")
    return order


def effect(order: Order, quantity: int = 1, **more: Any) -> Effect:
    line = order.lines.get()
    wish = {"order_id": order.pk, "lines": [{"line_id": line.pk, "quantity": quantity}], **more}
    arguments = issue_refund.IssueRefund.model_validate({"reason": "damaged", **wish})
    return issue_refund.resolve(arguments, Scope(order.shop_id, 1, order.pk, uuid.uuid4()))


def restocked(order: Order, **more: Any) -> tuple[str, str]:
    (part,) = effect(order, **more).body["lines"]
    return part.get("restock", ""), part.get("location", "")


def came_back(order: Order, status: str = "closed") -> None:
    Return.objects.create(
        shop=order.shop, order=order, external_id="5", status=status, requested_at=factories.now()
    )


def test_pieces_that_never_left_go_back_on_sale(north: Shop) -> None:
    assert restocked(sold(north, unfulfilled=2)) == ("CANCEL", "71")


@pytest.mark.parametrize("unfulfilled", [0, 1, None])
def test_of_pieces_that_may_have_left_none_goes_back_on_sale(north: Shop, unfulfilled: int | None) -> None:
    assert restocked(sold(north, unfulfilled=unfulfilled)) == ("", "")


def test_pieces_that_came_back_are_put_back(north: Shop) -> None:
    order = sold(north)
    came_back(order)
    assert restocked(order, quantity=2, reason="returned") == ("RETURN", "71")
    assert restocked(order, quantity=2, reason="damaged") == ("", "")


def test_a_return_of_nobody_knows_what_puts_no_part_of_an_order_back(north: Shop) -> None:
    order = sold(north)
    came_back(order)
    assert restocked(order, quantity=1, reason="returned") == ("", "")


def of_two_lines(north: Shop, status: str, *, first: int, second: int) -> list[str]:
    """What is restocked of an order's two lines, one piece each, where so many of each were received in one return."""
    order = factories.make_order(
        north, external_id="1001", currency="USD", location="71", is_test=False, vendor="shopify",
        lines=[("Lamp", 1, 2400), ("Bulb", 1, 900)],
    )  # fmt: skip
    order.payments.update(external_id="31", gateway="shopify_payments")
    lines = list(order.lines.order_by("pk"))
    contents = [
        {"line": line.external_id, "quantity": 1, "processed": got}
        for line, got in zip(lines, (first, second), strict=True)
    ]
    Return.objects.create(
        shop=north,
        order=order,
        external_id="5",
        status=status,
        requested_at=factories.now(),
        contents=contents,
    )
    wish = {"order_id": order.pk, "lines": [{"line_id": line.pk, "quantity": 1} for line in lines]}
    arguments = issue_refund.IssueRefund.model_validate({"reason": "returned", **wish})
    body = issue_refund.resolve(arguments, Scope(order.shop_id, 1, order.pk, uuid.uuid4())).body
    return [part.get("restock", "") for part in body["lines"]]


@pytest.mark.parametrize("status", ["open", "closed"])
def test_each_line_is_put_back_by_the_return_that_holds_it(north: Shop, status: str) -> None:
    """A piece that the shop got is put back though its return is still open; one that it didn't get is not."""
    assert of_two_lines(north, status, first=1, second=0) == ["RETURN", ""]


@pytest.mark.parametrize("status", ["requested", "open", "declined", "canceled"])
def test_pieces_on_their_way_back_are_not_there_yet(north: Shop, status: str) -> None:
    order = sold(north)
    came_back(order, status)
    assert restocked(order, reason="returned") == ("", "")


def test_nobody_guesses_where_pieces_belong(north: Shop) -> None:
    assert restocked(sold(north, unfulfilled=2, location="")) == ("", "")


def test_goodwill_restocks_nothing(north: Shop) -> None:
    assert restocked(sold(north, unfulfilled=2), goodwill_percent=10) == ("", "")


def test_what_is_restocked_is_part_of_what_is_signed(north: Shop) -> None:
    order = sold(north, unfulfilled=2)
    before = effect(order).digest
    OrderLine.objects.filter(order=order).update(unfulfilled_quantity=0)
    assert effect(Order.objects.get(pk=order.pk)).digest != before


def test_what_becomes_of_the_goods_has_nothing_to_do_with_who_pays(north: Shop) -> None:
    order = sold(north, unfulfilled=2)
    order.payments.update(vendor="stripe", livemode=False)
    assert restocked(order) == ("CANCEL", "71")


def decided(order: Order, **more: Any) -> ToolCall:
    found = effect(order, **more)
    assert found.money is not None
    call = factories.make_call(
        factories.make_decision(factories.make_case(order=order)),
        vendor="shopify",
        payment=order.payments.get(),
        request=json.dumps(dict(found.body)),
        amount_minor=found.money.amount_minor,
        currency="USD",
    )
    return ToolCall.objects.select_related("shop", "payment__order").get(pk=call.pk)


def sent(order: Order, vendor: Vendor, **more: Any) -> Outcome:
    call = decided(order, **more)
    with wire.transport_override(vendor.transport):
        return issue_refund.send(call)


def shop(maximum: str = "24.00", **changes: Any) -> Vendor:
    return told.shop(
        OpsSuggestedRefund={"order": told.suggestion(maximum, **changes)}, OpsRefund=told.made("12.00")
    )


def test_shopify_is_asked_first_and_then_told_what_was_signed(north: Shop) -> None:
    vendor = shop()
    assert sent(sold(north, unfulfilled=2), vendor).ref == "880"
    assert told.asked(vendor) == ["OpsSuggestedRefund", "OpsRefund"]
    (line,) = vendor.json()["variables"]["input"]["refundLineItems"]
    assert (line["restockType"], line["locationId"]) == ("CANCEL", told.gid("Location", 71))


def test_the_fifth_that_is_kept_for_writes_is_for_that_question_too(north: Shop) -> None:
    vendor, call = shop(), decided(sold(north))
    pacing.learn("north", "shopify", 2000, 1e-6, 400)
    ToolCall.objects.filter(pk=call.pk).update(not_before=factories.now())
    with wire.transport_override(vendor.transport):
        state = execution.run(call.pk, before_send=lambda call: "", after_outcome=lambda call: None)
    assert (state, told.asked(vendor)) == ("succeeded", ["OpsSuggestedRefund", "OpsRefund"])


@pytest.mark.parametrize("vendor", [shop("11.99"), shop(parent=32)])
def test_what_shopify_would_not_give_is_not_asked_for(north: Shop, vendor: Vendor) -> None:
    with pytest.raises(Refused) as caught:
        sent(sold(north), vendor)
    assert caught.value.code == "more_than_suggested"
    assert told.asked(vendor) == ["OpsSuggestedRefund"]


def test_a_test_order_that_turns_out_live_is_not_refunded(north: Shop) -> None:
    vendor, order = shop(), sold(north)
    Order.objects.filter(pk=order.pk).update(is_test=True)
    with pytest.raises(Refused):
        sent(Order.objects.get(pk=order.pk), vendor)
    assert told.asked(vendor) == ["OpsSuggestedRefund"]


def test_a_refund_that_was_signed_before_there_was_a_choice_restocks_nothing(north: Shop) -> None:
    vendor = shop()
    sent(sold(north), vendor)
    (line,) = vendor.json()["variables"]["input"]["refundLineItems"]
    assert line == {"lineItemId": told.gid("LineItem", 11), "quantity": 1, "restockType": "NO_RESTOCK"}


@pytest.mark.parametrize(("unfulfilled", "title"), [(2, "Lamp, put back on sale"), (0, "Lamp")])
def test_whoever_signs_reads_what_is_put_back_on_sale(north: Shop, unfulfilled: int, title: str) -> None:
    order = sold(north, unfulfilled=unfulfilled)
    decision = factories.make_decision(factories.make_case(order=order), effect=dict(effect(order).body))
    assert parts(decision, order)[0].title == title
