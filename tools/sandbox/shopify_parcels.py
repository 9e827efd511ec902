"""Fulfilments with their tracking, and returns with their state, as Shopify's graph tells them."""

from collections.abc import Callable

from tools.sandbox.exchange import Doc
from tools.sandbox.shopify_nodes import connection, gid, listed
from tools.sandbox.shopify_stock import WAREHOUSE
from tools.sandbox.shopify_view import OrderView

LineGraph = Callable[[OrderView, str], Doc]
MOVING = {"in_transit", "out_for_delivery", "delivered", "failure", "attempted_delivery", "delayed"}


def fulfilment_graph(view: OrderView, doc: Doc, line_graph: LineGraph) -> Doc:
    names = [str(name) for name in doc.get("line_ids") or view.lines if str(name) in view.lines]
    cancelled = doc.get("status") == "cancelled"
    items = [
        {
            "id": gid("FulfillmentLineItem", f"{doc['id']}{name}"),
            "lineItem": line_graph(view, name),
            "quantity": view.lines[name]["quantity"],
        }
        for name in names
    ]
    status = str(doc.get("status") or "fulfilled")
    return {
        "__typename": "Fulfillment",
        "id": gid("Fulfillment", doc["id"]),
        "legacyResourceId": str(doc["id"]),
        "name": f"{view.order['name']}-F{doc['id']}",
        "status": "CANCELLED" if cancelled else "SUCCESS",
        "displayStatus": "CANCELED" if cancelled else status.upper(),
        "createdAt": doc["created_at"],
        "updatedAt": view.moved(doc),
        "inTransitAt": doc.get("in_transit_at") or (doc["created_at"] if status in MOVING else None),
        "deliveredAt": doc.get("delivered_at"),
        "estimatedDeliveryAt": doc.get("estimated_delivery_at"),
        "totalQuantity": sum(int(item["quantity"]) for item in items),
        "requiresShipping": True,
        "trackingInfo": listed([_tracking(doc)] if doc.get("tracking_number") else []),
        "fulfillmentLineItems": connection(items),
    }


def fulfilment_order(view: OrderView) -> Doc:
    """One warehouse holds all stock, so an order is one fulfilment order there."""
    done = {"FULFILLED": "CLOSED", "PARTIALLY_FULFILLED": "IN_PROGRESS"}.get(view.fulfilment_status(), "OPEN")
    place = {"name": WAREHOUSE["name"], "countryCode": "US", "location": WAREHOUSE}
    return {
        "__typename": "FulfillmentOrder",
        "id": gid("FulfillmentOrder", f"{view.id}1"),
        "status": "CANCELLED" if view.order.get("cancelled_at") else done,
        "assignedLocation": place,
    }


def _tracking(doc: Doc) -> Doc:
    return {"company": doc.get("carrier"), "number": doc["tracking_number"], "url": doc.get("tracking_url")}


def return_graph(view: OrderView, doc: Doc, line_graph: LineGraph) -> Doc:
    lines = [_return_line(view, doc, line, line_graph) for line in doc.get("lines", ())]
    return {
        "__typename": "Return",
        "id": gid("Return", doc["id"]),
        "name": f"{view.order['name']}-R{doc['id']}",
        "status": str(doc.get("status", "OPEN")).upper(),
        "createdAt": doc.get("created_at", view.order["created_at"]),
        "closedAt": doc.get("closed_at"),
        "totalQuantity": sum(int(line["quantity"]) for line in doc.get("lines", ())),
        "returnLineItems": connection(lines),
    }


def _return_line(view: OrderView, doc: Doc, line: Doc, line_graph: LineGraph) -> Doc:
    name, units = str(line["id"]), int(line["quantity"])
    item = {
        "__typename": "FulfillmentLineItem",
        "id": gid("FulfillmentLineItem", f"{doc['id']}{name}"),
        "lineItem": line_graph(view, name) if name in view.lines else None,
        "quantity": units,
    }
    closed = str(doc.get("status", "OPEN")).upper() == "CLOSED"
    return {
        "__typename": "ReturnLineItem",
        "id": gid("ReturnLineItem", f"{doc['id']}{name}"),
        "quantity": units,
        "processedQuantity": units if closed else 0,
        "processableQuantity": 0 if closed else units,
        "unprocessedQuantity": 0 if closed else units,
        "refundableQuantity": units,
        "refundedQuantity": 0,
        "customerNote": line.get("note"),
        "returnReason": str(line.get("reason", "unknown")).upper(),
        "returnReasonNote": "",
        "fulfillmentLineItem": item,
    }


def return_status(returns: list[Doc]) -> str:
    states = {str(doc.get("status", "OPEN")).upper() for doc in returns}
    if "OPEN" in states:
        return "IN_PROGRESS"
    if "REQUESTED" in states:
        return "RETURN_REQUESTED"
    return "RETURNED" if "CLOSED" in states else "NO_RETURN"
