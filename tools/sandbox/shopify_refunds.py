"""refundCreate and suggestedRefund: what may go back on an order, judged inside the write transaction.

https://shopify.dev/docs/api/admin-graphql/2026-07/mutations/refundCreate
"""

from dataclasses import dataclass, field

from tools.sandbox import books, changes, store
from tools.sandbox.exchange import Doc, When
from tools.sandbox.money import to_decimal
from tools.sandbox.shopify_nodes import number
from tools.sandbox.shopify_orders import original_duty, refund_line
from tools.sandbox.shopify_stock import LOCATION
from tools.sandbox.shopify_view import OrderView

FIRST_REFUND = 880_000_000
RESTOCKED = ("CANCEL", "RETURN", "LEGACY_RESTOCK")


class RefusedError(Exception):
    """A refund that Shopify declines by userErrors."""

    def __init__(self, message: str, *path: str) -> None:
        super().__init__(message)
        self.user_error = {"field": list(path) or None, "message": message}


@dataclass
class Plan:
    """A refund as asked for, in minor units; lines carry the units that were gone before."""

    lines: list[Doc] = field(default_factory=list)
    shipping: int = 0
    duties: list[Doc] = field(default_factory=list)
    amounts: list[int] = field(default_factory=list)
    gateway: str = ""


def plan(view: OrderView, wish: Doc) -> Plan:
    """Checks a RefundInput against what is left of the order; raises RefusedError."""
    if wish.get("currency") not in (None, view.currency):
        raise RefusedError("Currency must be the order's currency", "currency")
    made = Plan(
        lines=_lines(view, wish.get("refundLineItems") or []),
        duties=_duties(view, wish.get("refundDuties") or []),
        shipping=_shipping(view, wish.get("shipping") or {}),
        gateway=view.order["gateway"],
    )
    for place, transaction in enumerate(wish.get("transactions") or []):
        made.amounts.append(_amount(view, transaction, made, place))
    left = view.captured - view.refunded
    if sum(made.amounts) > left:
        asked, rest = (to_decimal(minor, view.currency) for minor in (sum(made.amounts), left))
        raise RefusedError(
            f"Refund amount {asked} is greater than net payment received {rest}", "transactions"
        )
    if not (made.lines or made.shipping or made.duties or made.amounts):
        raise RefusedError("Refund must have at least one line item, shipping or a transaction")
    return made


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
        "amount_minor": sum(made.amounts),
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
            "duties": made.duties,
            "duties_minor": sum(duty["minor"] for duty in made.duties),
            "amounts": made.amounts,
            "gateway": made.gateway,
        },
    }
    books.add_refund(view.db, row)
    changes.refund_made(view.db, row, when)
    return {**row, "seq": seq}


def put_back(view: OrderView, line_id: str, units: int, when: When) -> None:
    sku = str(view.lines[line_id]["sku"])
    store.restock(view.db, view.shop, sku, units)
    changes.stock_changed(view.db, view.shop, sku, when)


def suggest(view: OrderView, wish: Doc) -> Doc:
    """What Shopify proposes for the chosen lines and shipping, never above what is left; raises RefusedError."""
    wanted = wish.get("refundLineItems") or []
    if wish.get("suggestFullRefund"):
        left = {name: int(line["quantity"]) - view.units_refunded(name) for name, line in view.lines.items()}
        wanted = [
            {"lineItemId": f"gid://shopify/LineItem/{name}", "quantity": n} for name, n in left.items() if n
        ]
    lines = _lines(view, wanted)
    full = wish.get("refundShipping") or wish.get("suggestFullRefund")
    shipping = _shipping(view, {"fullRefund": full, "amount": wish.get("shippingAmount")})
    duties = _duties(view, wish.get("refundDuties") or [])
    prices = [view.line_refund(line["id"], line["quantity"], line["before"]) for line in lines]
    subtotal, tax = sum(price for price, _ in prices), sum(tax for _, tax in prices)
    maximum = view.captured - view.refunded
    owed = sum(duty["minor"] for duty in duties)
    amount = min(maximum, subtotal + shipping + owed + (0 if view.taxes_included else tax))
    sale = view.sale()
    return {
        "amountSet": view.bag(amount),
        "subtotalSet": view.bag(subtotal),
        "discountedSubtotalSet": view.bag(subtotal),
        "totalTaxSet": view.bag(tax),
        "maximumRefundableSet": view.bag(maximum),
        "shipping": {
            "amountSet": view.bag(shipping),
            "maximumRefundableSet": view.bag(view.shipping - view.shipping_refunded),
            "taxSet": view.bag(0),
        },
        "totalDutiesSet": view.bag(owed),
        "refundDuties": [
            {"amountSet": view.bag(duty["minor"]), "originalDuty": original_duty(view, duty["id"])}
            for duty in duties
        ],
        "refundLineItems": [refund_line(view, line) for line in lines],
        "suggestedTransactions": [
            {
                "amountSet": view.bag(amount),
                "gateway": sale["gateway"],
                "kind": "SUGGESTED_REFUND",
                "maximumRefundableSet": view.bag(maximum),
                "parentTransaction": sale,
            }
        ]
        if amount
        else [],
    }


def _lines(view: OrderView, wanted: list[Doc]) -> list[Doc]:
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


def _duties(view: OrderView, wanted: list[Doc]) -> list[Doc]:
    """The duties that go back in full, once each."""
    gone = {str(duty["id"]) for row in view.refunds for duty in row["doc"].get("duties", ())}
    known = {str(duty["id"]): duty for line in view.lines.values() for duty in line.get("duties", ())}
    duties: list[Doc] = []
    for place, wish in enumerate(wanted):
        name = number(wish["dutyId"], "Duty")
        if name not in known or name in gone:
            message = "Duty does not belong to the order or is refunded already"
            raise RefusedError(message, "refundDuties", str(place), "dutyId")
        gone.add(name)
        duties.append({"id": name, "minor": view.minor(known[name]["amount"])})
    return duties


def _shipping(view: OrderView, wish: Doc) -> int:
    left = view.shipping - view.shipping_refunded
    if wish.get("fullRefund"):
        return left
    amount = _money(view, wish.get("amount") or "0", "shipping", "amount")
    if not 0 <= amount <= left:
        raise RefusedError(
            "Shipping amount cannot be more than the refundable shipping", "shipping", "amount"
        )
    return amount


def _amount(view: OrderView, transaction: Doc, made: Plan, place: int) -> int:
    path = ("transactions", str(place))
    sale = view.sale()
    if number(transaction["orderId"], "Order") != view.id:
        raise RefusedError("Order must be the refunded order", *path, "orderId")
    if transaction["kind"] != "REFUND":
        raise RefusedError("Kind is not valid for a refund", *path, "kind")
    manual = transaction["gateway"] == "manual" and transaction.get("parentId") is None
    if not manual and transaction.get("parentId") != sale["id"]:
        raise RefusedError("Parent transaction is required and must belong to the order", *path, "parentId")
    if not manual and transaction["gateway"] != sale["gateway"]:
        raise RefusedError("Gateway must be the parent transaction's gateway", *path, "gateway")
    made.gateway = transaction["gateway"]
    amount = _money(view, transaction["amount"], *path, "amount")
    if amount <= 0:
        raise RefusedError("Amount must be greater than 0", *path, "amount")
    return amount


def _money(view: OrderView, amount: object, *path: str) -> int:
    try:
        return view.minor(amount)
    except ValueError as error:
        raise RefusedError(f"Amount is invalid: {error}", *path) from error
