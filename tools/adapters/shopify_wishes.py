"""What we ask Shopify to give back or to write down, and how it is written into a RefundInput.

https://shopify.dev/docs/api/admin-graphql/2026-07/input-objects/RefundInput
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from tools.adapters.shopify_call import VENDOR, gid
from tools.errors import InvalidArgs
from tools.types import to_decimal

Restock = Literal["NO_RESTOCK", "CANCEL", "RETURN"]


@dataclass(frozen=True)
class RefundedLine:
    """Pieces that go back: CANCEL for ones that never left, RETURN for ones that came back, both to `location`."""

    external_id: str
    quantity: int
    restock: Restock = "NO_RESTOCK"
    location: str = ""


@dataclass(frozen=True)
class RefundedDuty:
    """A duty that goes back: all of it, or the share of the pieces of its line that the same wish names."""

    external_id: str
    share: Literal["FULL", "PROPORTIONAL"] = "PROPORTIONAL"


@dataclass(frozen=True)
class RefundRequest:
    """What to give back: `amount_minor` in all to one captured transaction, for these lines, duties and shipping.

    Amounts are minor units of `currency`, which is the currency that the customer paid in. `shipping_minor` is with
    tax; `shipping_tax_minor` is the part of it that the shop adds on top of its prices, 0 where they include tax.
    `note` is for staff and holds no personal data. `is_test` is what the order was known as; None where it never was
    read. Without lines the amount alone goes back.
    """

    order_external_id: str
    transaction_external_id: str
    gateway: str
    amount_minor: int
    currency: str
    lines: tuple[RefundedLine, ...] = ()
    shipping_minor: int = 0
    note: str = ""
    is_test: bool | None = None
    duties: tuple[RefundedDuty, ...] = ()
    shipping_tax_minor: int = 0


@dataclass(frozen=True)
class RecordedRefund:
    """A refund that somebody else has paid and that the shop's order is to show.

    `gateway` and `transaction_external_id` name the manual tender that took the money; the transaction is empty where
    another vendor took it, since naming one of a gateway that can pay would make Shopify pay again. `by_hand` is the
    shop's own word that the gateway is a manual one, whatever its name. The rest is as in RefundRequest.
    """

    order_external_id: str
    amount_minor: int
    currency: str
    gateway: str = ""
    transaction_external_id: str = ""
    lines: tuple[RefundedLine, ...] = ()
    shipping_minor: int = 0
    duties: tuple[RefundedDuty, ...] = ()
    note: str = ""
    is_test: bool | None = None
    shipping_tax_minor: int = 0
    by_hand: bool = False


Wish = RefundRequest | RecordedRefund


def check(wish: Wish) -> None:
    """Raises InvalidArgs for an amount, quantity, duty or location that can't be meant."""
    amounts = (wish.shipping_minor, wish.shipping_tax_minor, wish.shipping_minor - wish.shipping_tax_minor)
    if wish.amount_minor <= 0 or min(amounts) < 0 or any(line.quantity <= 0 for line in wish.lines):
        raise _invalid("an amount or quantity is not positive")
    if any((line.restock == "NO_RESTOCK") != (not line.location) for line in wish.lines):
        raise _invalid("restocking names its location")
    named = {duty.external_id for duty in wish.duties}
    if "" in named or len(named) < len(wish.duties):
        raise _invalid("a duty is named once")
    if not wish.lines and any(duty.share == "PROPORTIONAL" for duty in wish.duties):
        raise _invalid("a share of a duty goes with pieces of its line")


def _invalid(detail: str) -> InvalidArgs:
    return InvalidArgs(detail, vendor=VENDOR, operation="refundCreate")


def refund_input(wish: Wish, key: UUID, transaction: dict[str, object]) -> dict[str, object]:
    """The RefundInput with its one transaction, its key in the note and no word to the customer."""
    check(wish)
    order = gid("Order", wish.order_external_id)
    amount = decimal(wish.amount_minor, wish.currency)
    content: dict[str, object] = {
        "orderId": order,
        "currency": wish.currency,
        "note": f"{wish.note} [{key}]".strip(),
        "notify": False,
        "refundLineItems": [line_input(line) for line in wish.lines],
        "transactions": [{"orderId": order, "amount": amount, "kind": "REFUND", **transaction}],
    }
    if wish.duties:
        content["refundDuties"] = [duty_input(duty) for duty in wish.duties]
    if wish.shipping_minor:
        content["shipping"] = {"amount": shipping(wish)}
    return content


def line_input(line: RefundedLine) -> dict[str, object]:
    """A RefundLineItemInput."""
    content: dict[str, object] = {
        "lineItemId": gid("LineItem", line.external_id),
        "quantity": line.quantity,
        "restockType": line.restock,
    }
    return {**content, "locationId": gid("Location", line.location)} if line.location else content


def duty_input(duty: RefundedDuty) -> dict[str, object]:
    """A RefundDutyInput."""
    return {"dutyId": gid("Duty", duty.external_id), "refundType": duty.share}


def shipping(wish: Wish) -> str:
    """The shipping as the shop prices it, to which it adds its tax by itself."""
    return decimal(wish.shipping_minor - wish.shipping_tax_minor, wish.currency)


def decimal(amount_minor: int, currency: str) -> str:
    """The amount as Shopify writes it."""
    return str(to_decimal(amount_minor, currency))
