"""One Shopify order with its parts: the sums by which refunds are judged, and its states."""

import json
from collections.abc import Iterable
from sqlite3 import Connection

from tools.sandbox import books, store
from tools.sandbox.exchange import Doc
from tools.sandbox.money import share, to_minor
from tools.sandbox.shopify_nodes import bag, gid
from tools.sandbox.shopify_taxes import Tax, taxes_of
from tools.sandbox.tenders import MANUAL, Tender, tenders

UNPAID = ("PENDING", "AUTHORIZED", "VOIDED")
STATUS = {"pending": "PENDING", "failed": "FAILURE"}


class OrderView:
    """An order as it stands now; amounts are in minor units of its currency."""

    def __init__(self, db: Connection, order: Doc) -> None:
        self.db, self.order = db, order
        self.shop, self.id, self.currency = order["shop"], str(order["id"]), order["currency"]
        self.refunds = [
            row
            for row in books.refunds_of(db, self.shop, "order_id", self.id)
            if row["doc"].get("in_shopify") and not self._unseen(row)
        ]
        # A refund that failed stays in the list, and gives its money and pieces free again.
        self.standing = [row for row in self.refunds if row["status"] != "failed"]
        self.tenders = tenders(order)
        self.fulfilments = store.parts(db, self.shop, self.id, "fulfilment")
        self.total, self.shipping = self.minor(order["total"]), self.minor(order.get("shipping") or "0")
        self.lines = {str(line["id"]): line for line in order["lines"]}

    @staticmethod
    def _unseen(row: Doc) -> bool:
        """What Stripe couldn't pay or gave up was never told to Shopify."""
        status, vendor = str(row["status"]), str(row["vendor"])
        return status == "canceled" or (status == "failed" and vendor == "stripe")

    def minor(self, amount: object) -> int:
        return to_minor(amount, self.currency)

    def bag(self, minor: int) -> Doc:
        return bag(minor, self.currency)

    def tags(self) -> list[str]:
        return books.tags_of(self.db, self.shop, self.id)

    @property
    def captured(self) -> int:
        return 0 if self.order.get("financial_status") in UNPAID else self.total

    def moves(self, row: Doc) -> list[Doc]:
        """The single amounts of a refund, each with its gateway and the transaction that it goes back to."""
        told = row["doc"].get("moves")
        if told is not None:
            return [move for move in told if move["minor"]]
        first = self.tenders[0]
        move = {"minor": row["amount_minor"], "gateway": first.gateway, "parent": first.name}
        return [move] if row["amount_minor"] else []

    @property
    def refunded(self) -> int:
        """All that went back or was written down as gone back."""
        return sum(move["minor"] for row in self.standing for move in self.moves(row))

    def left(self) -> dict[str, int]:
        """What each tender can still give back, by the id of its transaction."""
        if not self.captured:
            return {}
        back = [move for row in self.standing for move in self.moves(row)]
        return {
            tender.name: max(
                0, tender.taken - sum(move["minor"] for move in back if move.get("parent") == tender.name)
            )
            for tender in self.tenders
        }

    @property
    def shipping_refunded(self) -> int:
        return sum(row["doc"].get("shipping_minor", 0) for row in self.standing)

    def duty_refunded(self, name: str) -> int:
        gone = [duty for row in self.standing for duty in row["doc"].get("duties", ())]
        return sum(duty["minor"] for duty in gone if str(duty["id"]) == name)

    def units_refunded(self, line_id: str) -> int:
        taken = [line for row in self.standing for line in row["doc"].get("lines", ())]
        return sum(line["quantity"] for line in taken if str(line["id"]) == line_id)

    def gross(self, line: Doc) -> int:
        return self.minor(line["unit_price"]) * int(line["quantity"])

    def discounted(self, line: Doc) -> int:
        return self.gross(line) - self.minor(line.get("discount") or "0")

    @property
    def discounts(self) -> int:
        return sum(self.gross(line) - self.discounted(line) for line in self.lines.values())

    def taxes(self, line: Doc) -> list[Tax]:
        return taxes_of(line, self.currency)

    @property
    def shipping_taxes(self) -> list[Tax]:
        return taxes_of(self.order, self.currency, named="shipping_taxes")

    @property
    def shipping_tax(self) -> int:
        return sum(tax.minor for tax in self.shipping_taxes)

    @property
    def all_taxes(self) -> list[Tax]:
        """Of all lines and of shipping."""
        return [*(tax for line in self.lines.values() for tax in self.taxes(line)), *self.shipping_taxes]

    @property
    def shipping_listed(self) -> int:
        """Shipping before discounts."""
        told = self.order.get("shipping_listed")
        return self.minor(told) if told is not None else self.shipping

    def shipping_back(self, row: Doc) -> tuple[int, int]:
        """The net price and the tax of the shipping that a refund gave back."""
        price = row["doc"]["shipping_minor"]
        tax = self.shipping_tax_of(price, row["doc"].get("shipping_before", 0))
        return (price - tax if self.taxes_included else price), tax

    def shipping_tax_of(self, price: int, before: int) -> int:
        """The tax of a part of shipping that costs `price`, when `before` was given back already."""
        whole = self.shipping_tax
        return share(whole, self.shipping, before, price) if self.shipping else 0

    @property
    def tax(self) -> int:
        return sum(tax.minor for tax in self.all_taxes)

    @property
    def duties(self) -> int:
        return sum(self.minor(duty["amount"]) for duty in self.all_duties)

    @property
    def all_duties(self) -> list[Doc]:
        """Of all lines."""
        return [duty for line in self.lines.values() for duty in line.get("duties", ())]

    @property
    def taxes_included(self) -> bool:
        if "taxes_included" in self.order:
            return bool(self.order["taxes_included"])
        return sum(map(self.discounted, self.lines.values())) + self.shipping + self.duties == self.total

    def line_refund(self, line_id: str, units: int, before: int) -> tuple[int, int]:
        """Price after discounts and tax of `units` more of a line, in minor units."""
        line = self.lines[line_id]
        quantity = int(line["quantity"])
        tax = sum(share(tax.minor, quantity, before, units) for tax in self.taxes(line))
        return share(self.discounted(line), quantity, before, units), tax

    def duty_tax_of(self, name: str, price: int) -> int:
        """The tax of a part of a duty that costs `price`, after what was given back of it already."""
        duty = next(duty for duty in self.all_duties if str(duty["id"]) == name)
        tax = sum(one.minor for one in taxes_of(duty, self.currency))
        whole = self.minor(duty["amount"])
        return share(tax, whole, self.duty_refunded(name), price) if whole else 0

    def financial_status(self) -> str:
        if "financial_status" in self.order and not self.captured:
            return str(self.order["financial_status"])
        if not self.refunded:
            return "PAID"
        return "REFUNDED" if self.refunded >= self.captured else "PARTIALLY_REFUNDED"

    def fulfilled_lines(self) -> set[str]:
        names: set[str] = set()
        for doc in self.fulfilments:
            if doc.get("status") != "cancelled":
                names |= {str(name) for name in doc.get("line_ids") or self.lines}
        return names

    def fulfilment_status(self) -> str:
        done = self.fulfilled_lines() & set(self.lines)
        if not done:
            return "UNFULFILLED"
        return "FULFILLED" if done == set(self.lines) else "PARTIALLY_FULFILLED"

    @staticmethod
    def moved(part: Doc) -> str:
        """When a parcel last told something."""
        known = (part.get("updated_at"), part.get("delivered_at"), part["created_at"])
        return str(next(at for at in known if at))

    def sale(self, tender: Tender) -> Doc:
        """The transaction by which a tender was captured."""
        order, charge = self.order, tender.charge
        receipt = {"id": charge.get("id"), "payment_intent": charge.get("payment_intent")} if charge else {}
        card = {
            "__typename": "CardPaymentDetails",
            "company": charge.get("brand"),
            "number": charge.get("last4"),
        }
        left = self.left().get(tender.name, 0)
        return {
            "__typename": "OrderTransaction",
            "id": gid("OrderTransaction", tender.name),
            "kind": "SALE",
            "status": "SUCCESS" if self.captured else "PENDING",
            "gateway": tender.gateway,
            "formattedGateway": tender.gateway.replace("_", " ").title(),
            "amountSet": self.bag(tender.taken),
            "createdAt": order["created_at"],
            "processedAt": order["created_at"],
            "paymentId": f"{order['name']}.{self.tenders.index(tender) + 1}",
            "receiptJson": json.dumps(receipt),
            "errorCode": None,
            "test": bool(order.get("test")),
            "manualPaymentGateway": tender.manual,
            "maximumRefundableV2": self.bag(left)["shopMoney"],
            "paymentDetails": card if charge else None,
            "parentTransaction": None,
        }

    def transactions(self) -> list[Doc]:
        sales = [self.sale(tender) for tender in self.tenders]
        return [*sales, *(entry for row in self.refunds for entry in self.refund_transactions(row))]

    @property
    def gateways(self) -> list[str]:
        return list(dict.fromkeys(tender.gateway for tender in self.tenders))

    @staticmethod
    def receipt(row: Doc) -> Doc:
        """What the gateway told Shopify of a refund."""
        if row["vendor"] != "stripe":
            return {}
        return {"id": row["id"], "object": "refund", "charge": row["charge"]}

    def refund_transactions(self, row: Doc) -> list[Doc]:
        """The money part of a refund, one transaction per amount that was asked for."""
        return [self._back(row, place, move) for place, move in enumerate(self.moves(row))]

    def _back(self, row: Doc, place: int, move: Doc) -> Doc:
        parent = next((one for one in self.tenders if one.name == move.get("parent")), None)
        status = row["status"] if parent and not parent.manual else "succeeded"
        return {
            **self.sale(parent or self.tenders[0]),
            "id": gid("OrderTransaction", f"{self.order['transaction_id']}{row['seq']:05d}{place}"),
            "kind": "REFUND",
            "status": STATUS.get(status, "SUCCESS"),
            "gateway": move["gateway"],
            "formattedGateway": move["gateway"].replace("_", " ").title(),
            "manualPaymentGateway": move["gateway"] in MANUAL,
            "amountSet": self.bag(move["minor"]),
            "createdAt": row["created_at"],
            "processedAt": row["created_at"],
            "paymentId": f"{self.order['name']}.{place + 1 + len(self.tenders)}",
            "receiptJson": json.dumps(self.receipt(row)),
            "maximumRefundableV2": None,
            "paymentDetails": self.sale(parent)["paymentDetails"] if parent else None,
            "parentTransaction": self.sale(parent) if parent else None,
        }


def moved(moves: Iterable[Doc]) -> int:
    """What of a refund's amounts a gateway really gave back, in minor units."""
    return sum(move["minor"] for move in moves if move["gateway"] not in MANUAL)


def view_of(db: Connection, shop: str, name: str) -> OrderView | None:
    order = store.order(db, shop, name)
    return OrderView(db, order) if order else None
