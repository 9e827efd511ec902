"""refundCreate: what may go back on an order, judged inside the write transaction.

A transaction with a parent makes the parent's gateway pay; one under a manual gateway is only written down.

https://shopify.dev/docs/api/admin-graphql/2026-07/mutations/refundCreate
"""

from dataclasses import dataclass, field
from sqlite3 import Connection

from tools.sandbox import books, changes, store, tenders
from tools.sandbox.exchange import Doc, When
from tools.sandbox.money import share, to_decimal
from tools.sandbox.shopify_nodes import number
from tools.sandbox.shopify_stock import LOCATION
from tools.sandbox.shopify_view import OrderView, moved
from tools.sandbox.tenders import MANUAL, Tender

FIRST_REFUND = 880_000_000
RESTOCKED = ("CANCEL", "RETURN", "LEGACY_RESTOCK")


class RefusedError(Exception):
    """A refund that Shopify declines by userErrors."""

    def __init__(self, message: str, *path: str) -> None:
        super().__init__(message)
        self.user_error = {"field": list(path) or None, "message": message}


@dataclass
class Plan:
    """A refund as asked for, in minor units; lines carry the units that were gone before.

    `moves` are its single amounts: {"minor", "gateway", "parent"}, the parent being a tender's transaction or None.
    """

    lines: list[Doc] = field(default_factory=list)
    shipping: int = 0
    duties: list[Doc] = field(default_factory=list)
    moves: list[Doc] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(int(move["minor"]) for move in self.moves)


def plan(view: OrderView, wish: Doc) -> Plan:
    """Checks a RefundInput against what is left of the order; raises RefusedError."""
    if wish.get("currency") not in (None, view.currency):
        raise RefusedError("Currency must be the order's currency", "currency")
    made = Plan(lines=lines_of(view, wish.get("refundLineItems") or []))
    made.duties = duties_of(view, wish.get("refundDuties") or [], made.lines)
    made.shipping = shipping_of(view, wish.get("shipping") or {})
    for place, transaction in enumerate(wish.get("transactions") or []):
        made.moves.append(_move(view, transaction, made, place))
    left = view.captured - view.refunded
    if made.total > left:
        asked, rest = (to_decimal(minor, view.currency) for minor in (made.total, left))
        raise RefusedError(
            f"Refund amount {asked} is greater than net payment received {rest}", "transactions"
        )
    if not (made.lines or made.shipping or made.duties or made.moves):
        raise RefusedError("Refund must have at least one line item, shipping or a transaction")
    return made


def whole(view: OrderView, *, restock: str) -> Plan:
    """All that is left of an order, back to every tender that took something."""
    units = {name: int(line["quantity"]) - view.units_refunded(name) for name, line in view.lines.items()}
    lines = [
        {"id": name, "quantity": left, "before": view.units_refunded(name), "restock": restock}
        for name, left in units.items()
        if left
    ]
    owed = {str(duty["id"]): view.minor(duty["amount"]) for line in view.lines.values()
            for duty in line.get("duties", ())}  # fmt: skip
    duties = [{"id": name, "minor": minor - view.duty_refunded(name)} for name, minor in owed.items()]
    return Plan(
        lines,
        view.shipping - view.shipping_refunded,
        [duty for duty in duties if duty["minor"]],
        moves_to(view, view.captured - view.refunded),
    )


def moves_to(view: OrderView, amount: int) -> list[Doc]:
    """An amount in the proportions in which the tenders can still give back."""
    gateways = {tender.name: tender.gateway for tender in view.tenders}
    return [
        {"minor": minor, "gateway": gateways[name], "parent": name}
        for name, minor in tenders.spread(amount, view.left()).items()
    ]


def create(view: OrderView, made: Plan, *, key: str | None, when: When, note: str | None, status: str) -> Doc:
    """Writes a checked plan into the ledger, puts restocked units back and returns the row."""
    row = record(view, made, key=key, when=when, note=note, status=status)
    for line in made.lines:
        if line["restock"] in RESTOCKED:
            put_back(view, line["id"], line["quantity"], when)
    return row


def record(view: OrderView, made: Plan, *, key: str | None, when: When, note: str | None, status: str) -> Doc:
    """Writes a refund into the ledger as it is, and tells of it."""
    seq = books.next_refund(view.db)
    name = str(FIRST_REFUND + seq)
    row = {
        "vendor": "shopify",
        "shop": view.shop,
        "id": f"gid://shopify/Refund/{name}",
        "order_id": view.id,
        "charge": None,
        "amount_minor": moved(made.moves),
        "currency": view.currency,
        "status": status,
        "idempotency_key": key,
        "created_at": when.at,
        "made_by": "api",
        "doc": {
            "in_shopify": True,
            "shopify_id": name,
            "note": note,
            "lines": made.lines,
            "shipping_minor": made.shipping,
            "shipping_before": view.shipping_refunded,
            "duties": made.duties,
            "duties_minor": sum(duty["minor"] for duty in made.duties),
            "moves": made.moves,
            **(due(view.db, view.shop, when) if status == "pending" else {}),
        },
    }
    books.add_refund(view.db, row)
    changes.refund_made(view.db, row, when)
    return {**row, "seq": seq}


def due(db: Connection, shop: str, when: When) -> Doc:
    """When and as what a new refund settles, where the shop was told that refunds take `refund_seconds`; else {}."""
    known = store.credentials(db, shop) or {}
    if not known.get("refund_seconds"):
        return {}
    return {
        "due": when.now + float(known["refund_seconds"]),
        "ends": str(known.get("refund_ends", "succeeded")),
    }


def settle(db: Connection, shop: str, when: When) -> None:
    """Settles what is due; called before every reading."""
    for row in books.unsettled(db, shop, "shopify"):
        if row["doc"].get("due", when.now + 1) <= when.now:
            changes.refund_changed(db, books.change_refund(db, row, status=row["doc"]["ends"]), when)


def put_back(view: OrderView, line_id: str, units: int, when: When) -> None:
    sku = str(view.lines[line_id]["sku"])
    store.restock(view.db, view.shop, sku, units)
    changes.stock_changed(view.db, view.shop, sku, when)


def lines_of(view: OrderView, wanted: list[Doc]) -> list[Doc]:
    lines: list[Doc] = []
    for place, item in enumerate(wanted):
        path = ("refundLineItems", str(place))
        name, units = number(item["lineItemId"], "LineItem"), item["quantity"]
        if name not in view.lines:
            raise RefusedError("Line item does not belong to the order", *path, "lineItemId")
        asked = sum(line["quantity"] for line in lines if line["id"] == name)
        before = view.units_refunded(name) + asked
        if units < 1:
            raise RefusedError("Quantity must be greater than 0", *path, "quantity")
        if before + units > int(view.lines[name]["quantity"]):
            raise RefusedError("Quantity cannot refund more items than were purchased", *path, "quantity")
        restock = item.get("restockType") or "NO_RESTOCK"
        _check_place(item, restock, path)
        lines.append({"id": name, "quantity": units, "before": before, "restock": restock})
    return lines


def _check_place(item: Doc, restock: str, path: tuple[str, ...]) -> None:
    """CANCEL and RETURN put the units back somewhere, so the location must be told and known."""
    place = item.get("locationId")
    if restock in ("CANCEL", "RETURN") and place is None:
        raise RefusedError("Location is required to restock the line item", *path, "locationId")
    if place is not None and number(place, "Location") != LOCATION:
        raise RefusedError("Location does not exist", *path, "locationId")


def duties_of(view: OrderView, wanted: list[Doc], lines: list[Doc]) -> list[Doc]:
    """The duties that go back: all that is left of one (FULL), or the share of its line's pieces (PROPORTIONAL)."""
    known = {
        str(duty["id"]): (name, duty) for name, line in view.lines.items() for duty in line.get("duties", ())
    }
    duties: list[Doc] = []
    for place, wish in enumerate(wanted):
        path, name = ("refundDuties", str(place)), number(wish["dutyId"], "Duty")
        if name not in known or name in [duty["id"] for duty in duties]:
            raise RefusedError("Duty does not belong to the order", *path, "dutyId")
        line, duty = known[name]
        price = view.minor(duty["amount"])
        minor = left = price - view.duty_refunded(name)
        if wish.get("refundType") == "PROPORTIONAL":
            quantity = int(view.lines[line]["quantity"])
            units = [one for one in lines if one["id"] == line]
            minor = min(left, sum(share(price, quantity, one["before"], one["quantity"]) for one in units))
        if not minor:
            raise RefusedError("Duty is refunded already, or none of its line is", *path, "dutyId")
        duties.append({"id": name, "minor": minor})
    return duties


def shipping_of(view: OrderView, wish: Doc) -> int:
    left = view.shipping - view.shipping_refunded
    if wish.get("fullRefund"):
        return left
    amount = _money(view, wish.get("amount") or "0", "shipping", "amount")
    if not 0 <= amount <= left:
        raise RefusedError(
            "Shipping amount cannot be more than the refundable shipping", "shipping", "amount"
        )
    return amount


def _move(view: OrderView, transaction: Doc, made: Plan, place: int) -> Doc:
    path = ("transactions", str(place))
    if number(transaction["orderId"], "Order") != view.id:
        raise RefusedError("Order must be the refunded order", *path, "orderId")
    if transaction["kind"] != "REFUND":
        raise RefusedError("Kind is not valid for a refund", *path, "kind")
    gateway, parent = transaction["gateway"], transaction.get("parentId")
    tender = _tender(view, parent, gateway, path) if parent is not None or gateway not in MANUAL else None
    amount = _money(view, transaction["amount"], *path, "amount")
    if amount <= 0:
        raise RefusedError("Amount must be greater than 0", *path, "amount")
    if tender and amount > view.left().get(tender.name, 0) - _asked_of(made, tender):
        raise RefusedError("Refund amount is greater than the transaction's", *path, "amount")
    return {"minor": amount, "gateway": gateway, "parent": tender.name if tender else None}


def _asked_of(made: Plan, tender: Tender) -> int:
    return sum(int(move["minor"]) for move in made.moves if move["parent"] == tender.name)


def _tender(view: OrderView, parent: str | None, gateway: str, path: tuple[str, ...]) -> Tender:
    name = number(parent, "OrderTransaction") if parent else ""
    tender = next((one for one in view.tenders if one.name == name), None)
    if tender is None:
        raise RefusedError("Parent transaction is required and must belong to the order", *path, "parentId")
    if gateway != tender.gateway:
        raise RefusedError("Gateway must be the parent transaction's gateway", *path, "gateway")
    return tender


def _money(view: OrderView, amount: object, *path: str) -> int:
    try:
        return view.minor(amount)
    except ValueError as error:
        raise RefusedError(f"Amount is invalid: {error}", *path) from error
