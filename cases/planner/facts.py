"""What a planner may see of a case: no address, no phone, nothing of anybody else's. All is frozen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

Direction = Literal["in", "out", "note", "machine"]


class Fact(BaseModel):
    """Frozen and closed: a field that nobody declared can't travel to a planner."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ShopFact(Fact):
    """The shop the case belongs to; the first language is its default."""

    slug: str
    languages: tuple[str, ...]
    base_currency: str
    time_zone: str


class MessageFact(Fact):
    """One message; `text` of an inbound one was written by a stranger."""

    id: int
    direction: Direction
    text: str
    subject: str = ""
    language: str = ""
    at: datetime
    attachments: int = 0
    template_key: str | None = None


class LineFact(Fact):
    """One order line; `total_minor` is for the whole quantity, `parcel_ids` are shipments with some of it."""

    id: int
    sku: str
    title: str
    quantity: int
    refunded_quantity: int = 0
    total_minor: int
    refunded_minor: int = 0
    final_sale: bool = False
    parcel_ids: tuple[int, ...] = ()

    @property
    def open_quantity(self) -> int:
        """Pieces that nobody has refunded or reserved yet."""
        return max(0, self.quantity - self.refunded_quantity)


class PaymentFact(Fact):
    """One tender and what may still go back through it, in minor units of the order's currency."""

    id: int
    vendor: str
    refundable_minor: int


class ShipmentFact(Fact):
    """One parcel; `status` is created, in_transit, out_for_delivery, delivered, failure or cancelled."""

    id: int
    status: str
    shipped_at: datetime
    delivered_at: datetime | None = None
    moved_at: datetime | None = None
    line_ids: tuple[int, ...] = ()


class ReturnedFact(Fact):
    """Pieces of a line in a return; `here` are those that the shop has and has dealt with."""

    line_id: int
    quantity: int
    here: int = 0


class ReturnFact(Fact):
    """Goods on their way back, in the shop's words; `pieces` is empty where it doesn't tell what they are."""

    id: int
    status: str
    requested_at: datetime
    pieces: tuple[ReturnedFact, ...] = ()


class RefundFact(Fact):
    """Money that went back or is on its way, in minor units of the order's currency.

    `state` is a tool call's state, or `succeeded` for one made elsewhere.
    """

    amount_minor: int
    at: datetime
    state: str
    by: Literal["ours", "elsewhere"]


class OrderFact(Fact):
    """One order of the case's customer; amounts are minor units of `currency`."""

    id: int
    name: str
    currency: str
    total_minor: int
    shipping_minor: int = 0
    placed_at: datetime
    cancelled: bool = False
    financial_status: str = ""
    fulfillment_status: str = ""
    risk_level: str = "unknown"
    lines: tuple[LineFact, ...] = ()
    payments: tuple[PaymentFact, ...] = ()
    shipments: tuple[ShipmentFact, ...] = ()
    returns: tuple[ReturnFact, ...] = ()
    refunds: tuple[RefundFact, ...] = ()

    @property
    def delivered_at(self) -> datetime | None:
        """When the last parcel arrived, once every live parcel has; None before that."""
        live = [parcel for parcel in self.shipments if parcel.status != "cancelled"]
        times = [parcel.delivered_at for parcel in live if parcel.delivered_at is not None]
        return max(times) if times and len(times) == len(live) else None

    @property
    def refundable_minor(self) -> int:
        """What all tenders together may still give back."""
        return sum(payment.refundable_minor for payment in self.payments)


class PersonFact(Fact):
    """The customer in numbers; `refunded_minor` by currency in minor units."""

    orders_count: int = 0
    refunds_count: int = 0
    refunded_minor: dict[str, int] = {}


class StockFact(Fact):
    """One SKU: pieces in the shop and at suppliers, and the suppliers' earliest date. None is not known."""

    sku: str
    title: str
    available: int | None = None
    supplier_available: int | None = None
    restock_on: date | None = None


class TermsFact(Fact):
    """How many days after delivery the shop takes which wish; the last one lasts until its midnight.

    `withdrawal_days` is the law's own right where the order went, None where it gives none. Above
    `photo_above_minor` worth of damaged or wrong goods the shop wants a photo, None where it wants none.
    """

    return_days: int = 30
    damage_days: int = 14
    wrong_item_days: int = 14
    missing_days: int = 14
    withdrawal_days: int | None = None
    photo_above_minor: int | None = None

    def days(self, wish: str) -> int:
        """For damaged, missing and wrong goods."""
        named = {"missing": self.missing_days, "wrong_item": self.wrong_item_days}
        return named.get(wish, self.damage_days)


class DeniedFact(Fact):
    """An action of this case that policy denied or an approver rejected: not to be asked for again."""

    tool: str
    rule: str
    by: Literal["policy", "approver"] = "policy"


class CaseFacts(Fact):
    """One case as a planner sees it.

    `sender_is_contact`: the channel vouched for the sender and the order is that person's. `order` is the
    case's own, `other_orders` at most five recent ones of the same verified person. `flags` are those up now.
    """

    case_id: int
    shop: ShopFact
    subject: str
    language: str
    now: datetime
    messages: tuple[MessageFact, ...] = ()
    order: OrderFact | None = None
    other_orders: tuple[OrderFact, ...] = ()
    person: PersonFact | None = None
    sender_is_contact: bool = False
    flags: tuple[str, ...] = ()
    stock: tuple[StockFact, ...] = ()
    terms: TermsFact = TermsFact()
    denied: tuple[DeniedFact, ...] = ()
    questions_asked: tuple[str, ...] = ()

    @property
    def inbound(self) -> tuple[MessageFact, ...]:
        """What the customer wrote, oldest first."""
        return tuple(message for message in self.messages if message.direction == "in")

    @property
    def orders(self) -> Iterator[OrderFact]:
        """The case's order first, then the customer's others."""
        if self.order is not None:
            yield self.order
        yield from self.other_orders
