"""What the customer hears of a refund of several tenders while a part of it is on its way."""

from __future__ import annotations

import json

import pytest

from cases.composing import values, write
from cases.handoff import scope_of
from cases.models import Case
from tests import factories as f
from tests.authority.rows import order_of, refundable_case
from tools.catalog.tell_on_its_way import OF_A_PART, TEMPLATE, TellOnItsWay, resolve
from tools.models import ToolCall

pytestmark = pytest.mark.django_db
CARD, GIFT = 1000, 500


def parts(card: str, gift: str) -> tuple[Case, ToolCall]:
    """A refund of 15.00 from two tenders in these states; the call is the one on its way."""
    case = refundable_case(5000)
    other = f.make_payment(order_of(case), vendor="shopify", gateway="gift_card", external_id="gift")
    decision = f.make_decision(case, amount_minor=1500)
    calls = [
        f.make_call(decision, amount_minor=CARD, state=card),
        f.make_call(
            decision, amount_minor=GIFT, state=gift, payment=other, vendor="shopify", position=1,
            request=json.dumps({"order": case.order_id, "lines": [], "shipping_minor": 0}),
        ),
    ]  # fmt: skip
    return case, next(call for call in calls if call.state == "pending")


@pytest.mark.parametrize(
    ("card", "gift", "template", "amount"),
    [
        ("pending", "reserved", OF_A_PART, "€10.00"),
        ("succeeded", "pending", OF_A_PART, "€5.00"),
        ("pending", "pending", TEMPLATE, "€15.00"),
    ],
)
def test_only_what_the_vendor_has_is_called_on_its_way(
    card: str, gift: str, template: str, amount: str
) -> None:
    case, call = parts(card, gift)
    assert resolve(TellOnItsWay(call_id=call.pk), scope_of(case)).template == template
    assert values(case, template)["amount"] == amount
    assert amount in write(case, template).text


def test_refunded_names_the_whole_sum() -> None:
    case, _call = parts("succeeded", "pending")
    assert values(case, "refund_done")["amount"] == "€15.00"
