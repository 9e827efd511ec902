"""The order graph as Shopify answers it, built from the neutral order and what happened to it since."""

from typing import Any

from graphql import GraphQLResolveInfo

from tools.sandbox import books, store
from tools.sandbox.exchange import Doc
from tools.sandbox.shopify_customers import customer_graph, mailing_address
from tools.sandbox.shopify_nodes import connection, gid, lazily, listed
from tools.sandbox.shopify_parcels import fulfilment_graph, fulfilment_order, return_graph, return_status
from tools.sandbox.shopify_stock import variant_named
from tools.sandbox.shopify_taxes import graph as graph_tax
from tools.sandbox.shopify_taxes import taxes_of, together
from tools.sandbox.shopify_view import OrderView

RECOMMENDATION = {"HIGH": "CANCEL", "MEDIUM": "INVESTIGATE", "LOW": "ACCEPT"}


def graph(view: OrderView) -> Doc:
    """The node of an order; parts that cost something are made when they are asked for."""
    order, customer = view.order, view.order.get("customer")
    returns = store.parts(view.db, view.shop, view.id, "return")
    return {
        "__typename": "Order",
        "__view__": view,
        "id": gid("Order", view.id),
        "legacyResourceId": view.id,
        "name": order["name"],
        "createdAt": order["created_at"],
        "processedAt": order["created_at"],
        "updatedAt": order["updated_at"],
        "closed": False,
        "closedAt": None,
        "confirmed": True,
        **_cancelled(order),
        "email": (customer or {}).get("email"),
        "phone": (customer or {}).get("phone"),
        "customerLocale": (customer or {}).get("locale"),
        "note": order.get("note"),
        "tags": lambda info: view.tags(),
        "test": bool(order.get("test")),
        "taxesIncluded": view.taxes_included,
        "dutiesIncluded": False,
        "currencyCode": view.currency,
        "presentmentCurrencyCode": view.currency,
        "displayFinancialStatus": view.financial_status(),
        "displayFulfillmentStatus": view.fulfilment_status(),
        "returnStatus": return_status(returns),
        "paymentGatewayNames": view.gateways,
        **_totals(view),
        "customer": lambda info: customer_graph(view.db, view.shop, customer, graph) if customer else None,
        "shippingAddress": mailing_address(view.id, order, "shipping_address"),
        "billingAddress": mailing_address(view.id, order, "billing_address", "shipping_address"),
        "taxLines": [graph_tax(tax, view.currency) for tax in together(view.all_taxes)],
        "shippingLine": _shipping_line(view) if view.shipping else None,
        "shippingLines": lazily(lambda: [_shipping_line(view)] if view.shipping else []),
        "lineItems": lazily(lambda: [line_graph(view, name) for name in view.lines]),
        "transactions": listed(view.transactions()),
        "refunds": lambda info, first=None: [refund_graph(view, row) for row in view.refunds][:first],
        "fulfillments": lambda info, first=None, **_: [
            fulfilment_graph(view, doc, line_graph) for doc in view.fulfilments
        ][:first],
        "fulfillmentOrders": connection([fulfilment_order(view)]),
        "returns": lazily(lambda: [return_graph(view, doc, line_graph) for doc in returns]),
        "risk": _risk(order.get("risk", "NONE")),
        "disputes": lambda info: _disputes(view),
    }


def _cancelled(order: Doc) -> Doc:
    at = order.get("cancelled_at")
    return {
        "cancelledAt": at,
        "cancelReason": order.get("cancel_reason") or ("OTHER" if at else None),
        "cancellation": {"staffNote": order.get("cancel_note")} if at else None,
    }


def _totals(view: OrderView) -> Doc:
    subtotal = sum(map(view.discounted, view.lines.values()))
    return {
        "totalPriceSet": view.bag(view.total),
        "subtotalPriceSet": view.bag(subtotal),
        "totalTaxSet": view.bag(view.tax),
        "totalDiscountsSet": view.bag(view.discounts),
        "totalShippingPriceSet": view.bag(view.shipping_listed),
        "totalReceivedSet": view.bag(view.captured),
        "totalRefundedSet": view.bag(view.refunded),
        "totalRefundedShippingSet": view.bag(view.shipping_refunded),
        "totalOutstandingSet": view.bag(view.total - view.captured),
        "currentTotalPriceSet": view.bag(view.total - view.refunded),
        "currentTotalDutiesSet": view.bag(view.duties) if view.duties else None,
        "originalTotalDutiesSet": view.bag(view.duties) if view.duties else None,
        "netPaymentSet": view.bag(view.captured - view.refunded),
        "refundable": view.refunded < view.captured,
        "fullyPaid": view.captured >= view.total,
    }


def _shipping_line(view: OrderView) -> Doc:
    cut = view.shipping_listed - view.shipping
    return {
        "__typename": "ShippingLine",
        "id": gid("ShippingLine", f"{view.id}1"),
        "title": "Standard",
        "code": "standard",
        "source": "shopify",
        "custom": False,
        "isRemoved": False,
        "originalPriceSet": view.bag(view.shipping_listed),
        "discountedPriceSet": view.bag(view.shipping),
        "currentDiscountedPriceSet": view.bag(view.shipping - view.shipping_refunded),
        "discountAllocations": [{"allocatedAmountSet": view.bag(cut)}] if cut else [],
        "taxLines": [graph_tax(tax, view.currency) for tax in view.shipping_taxes],
    }


def line_graph(view: OrderView, name: str) -> Doc:
    line, gone = view.lines[name], view.units_refunded(name)
    quantity, taxes = int(line["quantity"]), view.taxes(line)
    left, cut = quantity - gone, view.gross(line) - view.discounted(line)
    return {
        "__typename": "LineItem",
        "id": gid("LineItem", name),
        "sku": line["sku"],
        "title": line["title"],
        "name": line["title"],
        "variantTitle": None,
        "vendor": view.shop,
        "quantity": quantity,
        "currentQuantity": left,
        "refundableQuantity": left,
        "unfulfilledQuantity": 0 if name in view.fulfilled_lines() else left,
        "requiresShipping": True,
        "restockable": True,
        "isGiftCard": False,
        "taxable": bool(taxes),
        "originalUnitPriceSet": view.bag(view.minor(line["unit_price"])),
        "discountedUnitPriceSet": view.bag(view.discounted(line) // quantity if quantity else 0),
        "originalTotalSet": view.bag(view.gross(line)),
        "discountedTotalSet": view.bag(view.discounted(line)),
        "totalDiscountSet": view.bag(cut),
        "discountAllocations": [{"allocatedAmountSet": view.bag(cut)}] if cut else [],
        "duties": [_duty(view, duty) for duty in line.get("duties", ())],
        "taxLines": listed([graph_tax(tax, view.currency) for tax in taxes]),
        "variant": lambda info: variant_named(view.db, view.shop, "sku", line["sku"]),
    }


def _duty(view: OrderView, duty: Doc) -> Doc:
    return {
        "__typename": "Duty",
        "id": gid("Duty", duty["id"]),
        "price": view.bag(view.minor(duty["amount"])),
        "harmonizedSystemCode": duty.get("harmonized_system_code"),
        "countryCodeOfOrigin": duty.get("country_code"),
        "taxLines": [graph_tax(tax, view.currency) for tax in taxes_of(duty, view.currency)],
    }


def refund_graph(view: OrderView, row: Doc) -> Doc:
    doc, name = row["doc"], row["doc"]["shopify_id"]
    shipping, moves = doc.get("shipping_minor"), view.moves(row)
    back = sum(move["minor"] for move in moves) if row["status"] == "succeeded" else 0
    return {
        "__typename": "Refund",
        "id": gid("Refund", name),
        "legacyResourceId": name,
        "createdAt": row["created_at"],
        "processedAt": row["created_at"],
        "updatedAt": row["created_at"],
        "note": doc.get("note"),
        "order": lambda info: graph(view),
        "totalRefundedSet": view.bag(back),
        "duties": [
            {"amountSet": view.bag(duty["minor"]), "originalDuty": original_duty(view, duty["id"])}
            for duty in doc.get("duties", ())
        ],
        "orderAdjustments": connection([]),
        "refundLineItems": lazily(
            lambda: [
                refund_line(view, line, f"{name}{place}") for place, line in enumerate(doc.get("lines", ()))
            ]
        ),
        "refundShippingLines": connection([_refund_shipping(view, row)] if shipping else []),
        "transactions": lazily(lambda: view.refund_transactions(row)),
    }


def original_duty(view: OrderView, name: str) -> Doc | None:
    for line in view.lines.values():
        for duty in line.get("duties", ()):
            if str(duty["id"]) == name:
                return _duty(view, duty)
    return None


def _refund_shipping(view: OrderView, row: Doc) -> Doc:
    return {
        "id": gid("RefundShippingLine", row["doc"]["shopify_id"]),
        "shippingLine": _shipping_line(view),
        "subtotalAmountSet": view.bag(view.shipping_back(row)[0]),
        "taxAmountSet": view.bag(view.shipping_back(row)[1]),
    }


def refund_line(view: OrderView, line: Doc, number: str | None = None) -> Doc:
    """A line of a refund; one that is only suggested has no id yet."""
    name, units = str(line["id"]), int(line["quantity"])
    price, tax = view.line_refund(name, units, int(line.get("before", 0)))
    restock = line.get("restock", "NO_RESTOCK")
    back = restock != "NO_RESTOCK"
    return {
        "id": gid("RefundLineItem", number) if number else None,
        "lineItem": lambda info: line_graph(view, name),
        "quantity": units,
        "restockType": restock,
        "restocked": back,
        "location": {"id": gid("Location", line.get("location", 1)), "name": "Warehouse"} if back else None,
        "priceSet": view.bag(price // units),
        "subtotalSet": view.bag(price),
        "totalTaxSet": view.bag(tax),
    }


def _risk(level: str) -> Doc:
    assessments: list[Doc] = [] if level == "NONE" else [{"riskLevel": level, "facts": [], "provider": None}]
    return {"assessments": assessments, "recommendation": RECOMMENDATION.get(level, "NONE")}


def _disputes(view: OrderView) -> list[Doc]:
    return [
        {
            "id": gid("ShopifyPaymentsDispute", doc["id"]),
            "initiatedAs": "INQUIRY" if doc["status"].startswith("warning_") else "CHARGEBACK",
            "status": doc["status"].removeprefix("warning_").upper(),
        }
        for doc in books.disputes_of_order(view.db, view.shop, view.id)
    ]


def dispute_graph(view: OrderView | None, doc: Doc) -> Doc:
    """A dispute of Shopify Payments by its own id."""
    currency = view.currency if view else str(doc.get("currency", "USD"))
    inquiry = str(doc["status"]).startswith("warning_")

    def order(info: GraphQLResolveInfo[Any]) -> Doc | None:
        return graph(view) if view else None

    return {
        "__typename": "ShopifyPaymentsDispute",
        "id": gid("ShopifyPaymentsDispute", doc["id"]),
        "legacyResourceId": str(doc["id"]),
        "amount": {"amount": str(doc["amount"]), "currencyCode": currency},
        "initiatedAt": doc["created_at"],
        "evidenceDueBy": doc.get("evidence_due_by"),
        "evidenceSentOn": doc.get("evidence_sent_on"),
        "finalizedOn": doc.get("finalized_on"),
        "reasonDetails": {
            "reason": str(doc["reason"]).upper(),
            "networkReasonCode": doc.get("network_reason_code"),
        },
        "status": str(doc["status"]).removeprefix("warning_").upper(),
        "type": "INQUIRY" if inquiry else "CHARGEBACK",
        "order": order,
    }
