"""The order graph as Shopify answers it, built from the neutral order and what happened to it since."""

import json
from sqlite3 import Connection
from typing import Any

from graphql import GraphQLResolveInfo

from tools.sandbox import store
from tools.sandbox.exchange import Doc
from tools.sandbox.money import share, to_minor
from tools.sandbox.shopify_nodes import bag, connection, gid, listed, variant_named

DELIVERY = {"in_transit", "out_for_delivery", "delivered", "failure", "attempted_delivery", "delayed"}
RECOMMENDATION = {"HIGH": "CANCEL", "MEDIUM": "INVESTIGATE", "LOW": "ACCEPT"}


class OrderView:
    """One order with its parts: the sums that refunds are judged by, and the graph that queries read."""

    def __init__(self, db: Connection, order: Doc) -> None:
        self.db, self.order = db, order
        self.shop, self.id, self.currency = order["shop"], str(order["id"]), order["currency"]
        self.refunds = [
            row
            for row in store.refunds_of(db, self.shop, "order_id", self.id)
            if row["doc"].get("in_shopify") and row["status"] not in ("failed", "canceled")
        ]
        self.fulfilments = store.parts(db, self.shop, self.id, "fulfilment")
        self.total, self.shipping = self.minor(order["total"]), self.minor(order.get("shipping") or "0")
        self.lines = {str(line["id"]): line for line in order["lines"]}

    def minor(self, amount: object) -> int:
        return to_minor(amount, self.currency)

    def bag(self, minor: int) -> Doc:
        return bag(minor, self.currency)

    @property
    def captured(self) -> int:
        return 0 if self.order.get("financial_status") in ("PENDING", "AUTHORIZED", "VOIDED") else self.total

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
    def taxes_included(self) -> bool:
        return sum(map(self.discounted, self.lines.values())) + self.shipping == self.total

    def line_refund(self, line_id: str, units: int, before: int) -> tuple[int, int]:
        """Price after discounts and tax of `units` more of a line, in minor units."""
        line = self.lines[line_id]
        quantity = int(line["quantity"])
        tax = self.minor(line.get("tax") or "0")
        return share(self.discounted(line), quantity, before, units), share(tax, quantity, before, units)

    def graph(self) -> Doc:
        order, tax = self.order, sum(self.minor(line.get("tax") or "0") for line in self.lines.values())
        subtotal = sum(map(self.discounted, self.lines.values()))
        customer = order.get("customer")
        returns = store.parts(self.db, self.shop, self.id, "return")
        return {
            "__typename": "Order",
            "__view__": self,
            "id": gid("Order", self.id),
            "legacyResourceId": self.id,
            "name": order["name"],
            "createdAt": order["created_at"],
            "processedAt": order["created_at"],
            "updatedAt": max([order["created_at"], *(row["created_at"] for row in self.refunds)]),
            "cancelledAt": order.get("cancelled_at"),
            "email": (customer or {}).get("email"),
            "phone": (customer or {}).get("phone"),
            "customerLocale": (customer or {}).get("locale"),
            "note": order.get("note"),
            "tags": store.tags_of(self.db, self.shop, self.id),
            "test": False,
            "taxesIncluded": self.taxes_included,
            "currencyCode": self.currency,
            "presentmentCurrencyCode": self.currency,
            "displayFinancialStatus": self.financial_status(),
            "displayFulfillmentStatus": self.fulfilment_status(),
            "returnStatus": _return_status(returns),
            "paymentGatewayNames": [order["gateway"]],
            "totalPriceSet": self.bag(self.total),
            "subtotalPriceSet": self.bag(subtotal),
            "totalTaxSet": self.bag(tax),
            "totalDiscountsSet": self.bag(sum(map(self.gross, self.lines.values())) - subtotal),
            "totalShippingPriceSet": self.bag(self.shipping),
            "currentTotalDutiesSet": None,
            "totalReceivedSet": self.bag(self.captured),
            "totalRefundedSet": self.bag(self.refunded),
            "totalRefundedShippingSet": self.bag(self.shipping_refunded),
            "netPaymentSet": self.bag(self.captured - self.refunded),
            "refundable": self.refunded < self.captured,
            "customer": customer_graph(self.db, self.shop, customer) if customer else None,
            "shippingAddress": _address(order.get("shipping_address")),
            "lineItems": connection([self.line_graph(name) for name in self.lines]),
            "transactions": listed(self.transactions()),
            "refunds": listed([self.refund_graph(row) for row in self.refunds]),
            "fulfillments": listed([self.fulfilment_graph(doc) for doc in self.fulfilments]),
            "fulfillmentOrders": connection([_kept_at(self.id)]),
            "returns": connection([_return_graph(self, doc) for doc in returns]),
            "risk": _risk(order.get("risk", "NONE")),
            "disputes": self.disputes(),
        }

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

    def line_graph(self, name: str) -> Doc:
        line, gone = self.lines[name], self.units_refunded(name)
        left = int(line["quantity"]) - gone
        tax = self.minor(line.get("tax") or "0")
        cut = self.gross(line) - self.discounted(line)
        taxes = [{"priceSet": self.bag(tax), "rate": None, "title": "Tax"}] if tax else []
        return {
            "id": gid("LineItem", name),
            "sku": line["sku"],
            "title": line["title"],
            "name": line["title"],
            "quantity": line["quantity"],
            "currentQuantity": left,
            "refundableQuantity": left,
            "unfulfilledQuantity": 0 if name in self.fulfilled_lines() else left,
            "originalUnitPriceSet": self.bag(self.minor(line["unit_price"])),
            "originalTotalSet": self.bag(self.gross(line)),
            "discountedTotalSet": self.bag(self.discounted(line)),
            "totalDiscountSet": self.bag(cut),
            "discountAllocations": [{"allocatedAmountSet": self.bag(cut)}] if cut else [],
            "duties": [],
            "taxLines": listed(taxes),
            "variant": lambda info: variant_named(self.db, self.shop, sku=line["sku"]),
        }

    def sale(self) -> Doc:
        order, charge = self.order, self.order.get("charge") or {}
        receipt = {"id": charge.get("id"), "payment_intent": charge.get("payment_intent")} if charge else {}
        card = {
            "__typename": "CardPaymentDetails",
            "company": charge.get("brand"),
            "number": charge.get("last4"),
        }
        return {
            "id": gid("OrderTransaction", order["transaction_id"]),
            "kind": "SALE",
            "status": "SUCCESS" if self.captured else "PENDING",
            "gateway": order["gateway"],
            "amountSet": self.bag(self.total),
            "createdAt": order["created_at"],
            "processedAt": order["created_at"],
            "paymentId": f"{order['name']}.1",
            "receiptJson": json.dumps(receipt),
            "test": False,
            "manualPaymentGateway": order["gateway"] == "manual",
            "maximumRefundableV2": self.bag(self.captured - self.refunded)["shopMoney"],
            "paymentDetails": card if charge else None,
            "parentTransaction": None,
        }

    def transactions(self) -> list[Doc]:
        return [self.sale(), *(entry for row in self.refunds for entry in self.refund_transactions(row))]

    def refund_transactions(self, row: Doc) -> list[Doc]:
        """The money part of a refund, one transaction per amount that was asked for."""
        sale, amounts = self.sale(), row["doc"].get("amounts") or [row["amount_minor"]]
        through_stripe = row["vendor"] == "stripe"
        receipt = {"id": row["id"], "object": "refund", "charge": row["charge"]} if through_stripe else {}
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
                "receiptJson": json.dumps(receipt),
                "maximumRefundableV2": None,
                "parentTransaction": sale,
            }
            for place, amount in enumerate(amounts)
            if amount
        ]

    def refund_graph(self, row: Doc) -> Doc:
        name = row["doc"]["shopify_id"]
        return {
            "__typename": "Refund",
            "id": gid("Refund", name),
            "legacyResourceId": name,
            "createdAt": row["created_at"],
            "processedAt": row["created_at"],
            "note": row["doc"].get("note"),
            "order": lambda info: self.graph(),
            "totalRefundedSet": self.bag(row["amount_minor"]),
            "refundLineItems": connection([self.refund_line(line) for line in row["doc"].get("lines", ())]),
            "refundShippingLines": connection(
                [self.refund_shipping(row)] if row["doc"].get("shipping_minor") else []
            ),
            "transactions": connection(self.refund_transactions(row)),
        }

    def refund_shipping(self, row: Doc) -> Doc:
        name = gid("RefundShippingLine", row["doc"]["shopify_id"])
        amount = self.bag(row["doc"]["shipping_minor"])
        return {"id": name, "subtotalAmountSet": amount, "taxAmountSet": self.bag(0)}

    def refund_line(self, line: Doc) -> Doc:
        name, units = str(line["id"]), int(line["quantity"])
        price, tax = self.line_refund(name, units, int(line.get("before", 0)))
        restock = line.get("restock", "NO_RESTOCK")
        return {
            "lineItem": self.line_graph(name),
            "quantity": units,
            "restockType": restock,
            "restocked": restock != "NO_RESTOCK",
            "priceSet": self.bag(price // units),
            "subtotalSet": self.bag(price),
            "totalTaxSet": self.bag(tax),
        }

    def fulfilment_graph(self, doc: Doc) -> Doc:
        names = [str(name) for name in doc.get("line_ids") or self.lines if str(name) in self.lines]
        cancelled = doc.get("status") == "cancelled"
        items = [
            {
                "id": gid("FulfillmentLineItem", f"{doc['id']}{name}"),
                "lineItem": self.line_graph(name),
                "quantity": self.lines[name]["quantity"],
            }
            for name in names
        ]
        status = str(doc.get("status") or "fulfilled")
        return {
            "id": gid("Fulfillment", doc["id"]),
            "legacyResourceId": str(doc["id"]),
            "name": f"{self.order['name']}-F{doc['id']}",
            "status": "CANCELLED" if cancelled else "SUCCESS",
            "displayStatus": "CANCELED" if cancelled else status.upper(),
            "createdAt": doc["created_at"],
            "updatedAt": doc.get("updated_at") or doc.get("delivered_at") or doc["created_at"],
            "inTransitAt": doc.get("in_transit_at") or (doc["created_at"] if status in DELIVERY else None),
            "deliveredAt": doc.get("delivered_at"),
            "estimatedDeliveryAt": doc.get("estimated_delivery_at"),
            "totalQuantity": sum(int(item["quantity"]) for item in items),
            "trackingInfo": listed([_tracking(doc)] if doc.get("tracking_number") else []),
            "fulfillmentLineItems": connection(items),
        }

    def disputes(self) -> list[Doc]:
        charge = (self.order.get("charge") or {}).get("id")
        mine = [
            doc
            for doc in store.disputes(self.db, self.shop)
            if str(doc.get("order_id")) == self.id or (charge and doc.get("charge") == charge)
        ]
        return [
            {
                "id": gid("ShopifyPaymentsDispute", doc["id"]),
                "initiatedAs": "INQUIRY" if doc["status"].startswith("warning_") else "CHARGEBACK",
                "status": doc["status"].removeprefix("warning_").upper(),
            }
            for doc in mine
        ]


def _kept_at(order_id: str) -> Doc:
    """All goods lie in the one warehouse."""
    warehouse = {"__typename": "Location", "id": gid("Location", 1), "name": "Warehouse"}
    return {
        "id": gid("FulfillmentOrder", order_id),
        "assignedLocation": {"location": warehouse, "name": "Warehouse"},
    }


def customer_graph(db: Connection, shop: str, customer: Doc) -> Doc:
    """A customer as last seen on an order; spending counts orders in the currency of the newest one."""
    mine = store.orders_of_customer(db, shop, str(customer["id"]))
    currency = mine[-1]["currency"]
    spent = sum(to_minor(order["total"], currency) for order in mine if order["currency"] == currency)
    names = [customer.get("first_name"), customer.get("last_name")]
    email, phone = customer.get("email"), customer.get("phone")

    def orders(info: GraphQLResolveInfo[Any], *, reverse: bool = False, **arguments: object) -> Doc:
        chosen = mine[::-1] if reverse else mine
        return connection([OrderView(db, order).graph() for order in chosen])(info, **arguments)

    return {
        "id": gid("Customer", customer["id"]),
        "legacyResourceId": str(customer["id"]),
        "createdAt": mine[0]["created_at"],
        "displayName": " ".join(name for name in names if name) or email or "",
        "email": email,
        "phone": phone,
        "firstName": customer.get("first_name"),
        "lastName": customer.get("last_name"),
        "locale": customer.get("locale") or "en",
        "numberOfOrders": str(len(mine)),
        "amountSpent": bag(spent, currency)["shopMoney"],
        "defaultEmailAddress": {"emailAddress": email} if email else None,
        "defaultPhoneNumber": {"phoneNumber": phone} if phone else None,
        "orders": orders,
    }


def _address(address: Doc | None) -> Doc | None:
    if address is None:
        return None
    plain = {name: address.get(name) for name in ("address1", "city", "zip")}
    return {**plain, "countryCodeV2": address.get("country_code")}


def _tracking(doc: Doc) -> Doc:
    return {"company": doc.get("carrier"), "number": doc["tracking_number"], "url": doc.get("tracking_url")}


def _risk(level: str) -> Doc:
    assessments = [] if level == "NONE" else [{"riskLevel": level}]
    return {"assessments": assessments, "recommendation": RECOMMENDATION.get(level, "NONE")}


def _return_graph(view: OrderView, doc: Doc) -> Doc:
    return {
        "id": gid("Return", doc["id"]),
        "name": f"{view.order['name']}-R{doc['id']}",
        "status": str(doc.get("status", "OPEN")).upper(),
        "createdAt": doc.get("created_at", view.order["created_at"]),
        "closedAt": doc.get("closed_at"),
        "totalQuantity": sum(int(line["quantity"]) for line in doc.get("lines", ())),
    }


def _return_status(returns: list[Doc]) -> str:
    states = {str(doc.get("status", "OPEN")).upper() for doc in returns}
    if "OPEN" in states:
        return "IN_PROGRESS"
    if "REQUESTED" in states:
        return "RETURN_REQUESTED"
    return "RETURNED" if "CLOSED" in states else "NO_RETURN"
