"""One Shopify order with its parts: the sums by which refunds are judged, and its states."""

import json
from sqlite3 import Connection

from tools.sandbox import books, store
from tools.sandbox.exchange import Doc
from tools.sandbox.money import share, to_minor
from tools.sandbox.shopify_nodes import bag, gid

UNPAID = ("PENDING", "AUTHORIZED", "VOIDED")


class OrderView:
    """An order as it stands now; amounts are in minor units of its currency."""

    def __init__(self, db: Connection, order: Doc) -> None:
        self.db, self.order = db, order
        self.shop, self.id, self.currency = order["shop"], str(order["id"]), order["currency"]
        self.refunds = [
            row
            for row in books.refunds_of(db, self.shop, "order_id", self.id)
            if row["doc"].get("in_shopify") and row["status"] not in ("failed", "canceled")
        ]
        self.fulfilments = store.parts(db, self.shop, self.id, "fulfilment")
        self.total, self.shipping = self.minor(order["total"]), self.minor(order.get("shipping") or "0")
        self.lines = {str(line["id"]): line for line in order["lines"]}

    def minor(self, amount: object) -> int:
        return to_minor(amount, self.currency)

    def bag(self, minor: int) -> Doc:
        return bag(minor, self.currency)

    def tags(self) -> list[str]:
        return books.tags_of(self.db, self.shop, self.id)

    @property
    def captured(self) -> int:
        return 0 if self.order.get("financial_status") in UNPAID else self.total

    @property
    def refunded(self) -> int:
        return sum(row["amount_minor"] for row in self.refunds)

    @property
    def shipping_refunded(self) -> int:
        return sum(row["doc"].get("shipping_minor", 0) for row in self.refunds)

    def units_refunded(self, line_id: str) -> int:
        taken = [line for row in self.refunds for line in row["doc"].get("lines", ())]
        return sum(line["quantity"] for line in taken if str(line["id"]) == line_id)

    def gross(self, line: Doc) -> int:
        return self.minor(line["unit_price"]) * int(line["quantity"])

    def discounted(self, line: Doc) -> int:
        return self.gross(line) - self.minor(line.get("discount") or "0")

    @property
    def discounts(self) -> int:
        return sum(self.gross(line) - self.discounted(line) for line in self.lines.values())

    @property
    def tax(self) -> int:
        return sum(self.minor(line.get("tax") or "0") for line in self.lines.values())

    @property
    def duties(self) -> int:
        return sum(
            self.minor(duty["amount"]) for line in self.lines.values() for duty in line.get("duties", ())
        )

    @property
    def taxes_included(self) -> bool:
        return sum(map(self.discounted, self.lines.values())) + self.shipping + self.duties == self.total

    def line_refund(self, line_id: str, units: int, before: int) -> tuple[int, int]:
        """Price after discounts and tax of `units` more of a line, in minor units."""
        line = self.lines[line_id]
        quantity = int(line["quantity"])
        tax = self.minor(line.get("tax") or "0")
        return share(self.discounted(line), quantity, before, units), share(tax, quantity, before, units)

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

    def sale(self) -> Doc:
        order, charge = self.order, self.order.get("charge") or {}
        receipt = {"id": charge.get("id"), "payment_intent": charge.get("payment_intent")} if charge else {}
        card = {
            "__typename": "CardPaymentDetails",
            "company": charge.get("brand"),
            "number": charge.get("last4"),
        }
        return {
            "__typename": "OrderTransaction",
            "id": gid("OrderTransaction", order["transaction_id"]),
            "kind": "SALE",
            "status": "SUCCESS" if self.captured else "PENDING",
            "gateway": order["gateway"],
            "formattedGateway": order["gateway"].replace("_", " ").title(),
            "amountSet": self.bag(self.total),
            "createdAt": order["created_at"],
            "processedAt": order["created_at"],
            "paymentId": f"{order['name']}.1",
            "receiptJson": json.dumps(receipt),
            "errorCode": None,
            "test": bool(order.get("test")),
            "manualPaymentGateway": order["gateway"] == "manual",
            "maximumRefundableV2": self.bag(self.captured - self.refunded)["shopMoney"],
            "paymentDetails": card if charge else None,
            "parentTransaction": None,
        }

    def transactions(self) -> list[Doc]:
        return [self.sale(), *(entry for row in self.refunds for entry in self.refund_transactions(row))]

    @staticmethod
    def amounts(row: Doc) -> list[int]:
        """The single amounts of a refund, one per transaction."""
        return [amount for amount in row["doc"].get("amounts") or [row["amount_minor"]] if amount]

    @staticmethod
    def receipt(row: Doc) -> Doc:
        """What the gateway told Shopify of a refund."""
        if row["vendor"] != "stripe":
            return {}
        return {"id": row["id"], "object": "refund", "charge": row["charge"]}

    def refund_transactions(self, row: Doc) -> list[Doc]:
        """The money part of a refund, one transaction per amount that was asked for."""
        sale = self.sale()
        return [
            {
                **sale,
                "id": gid("OrderTransaction", f"{self.order['transaction_id']}{row['seq']:05d}{place}"),
                "kind": "REFUND",
                "status": "PENDING" if row["status"] == "pending" else "SUCCESS",
                "gateway": row["doc"].get("gateway", self.order["gateway"]),
                "amountSet": self.bag(amount),
                "createdAt": row["created_at"],
                "processedAt": row["created_at"],
                "receiptJson": json.dumps(self.receipt(row)),
                "maximumRefundableV2": None,
                "parentTransaction": sale,
            }
            for place, amount in enumerate(self.amounts(row))
        ]


def view_of(db: Connection, shop: str, name: str) -> OrderView | None:
    order = store.order(db, shop, name)
    return OrderView(db, order) if order else None
