"""What each topic of Shopify's webhooks tells in our words.

https://shopify.dev/docs/api/webhooks/latest
"""

from __future__ import annotations

from collections.abc import Callable

from tools.adapters import shopify_bodies as bodies
from tools.adapters.replies import minor, read
from tools.adapters.shopify_call import VENDOR, number
from tools.adapters.shopify_money import key_in, stripe_ref
from tools.adapters.shopify_order_news import money, order
from tools.adapters.shopify_orders import PARCEL
from tools.errors import ContractDrift
from tools.snapshots import (
    DisputeSnapshot,
    OrderSnapshot,
    ParcelStatus,
    RefundLineSnapshot,
    RefundPartSnapshot,
    RefundSnapshot,
    RefundStatus,
    ReturnSnapshot,
    RiskSnapshot,
    ShipmentLineSnapshot,
    ShipmentSnapshot,
    StockSnapshot,
)

ShopifySnapshot = (
    OrderSnapshot
    | ShipmentSnapshot
    | RefundSnapshot
    | DisputeSnapshot
    | RiskSnapshot
    | ReturnSnapshot
    | StockSnapshot
)
MONEY_STATUS: dict[str, RefundStatus] = {"success": "succeeded", "failure": "failed", "error": "failed"}
INQUIRY = {"needs_response": "warning_needs_response", "under_review": "warning_under_review"}
RISKS = ("high", "low", "medium", "none", "pending")
RETURNS = ("canceled", "closed", "declined", "open", "requested")


def _fulfillment(topic: str, raw: bytes) -> ShopifySnapshot:
    parcel = read(bodies.Fulfillment, raw, vendor=VENDOR, operation=topic)
    status: ParcelStatus | None = None
    if parcel.status == "cancelled":
        status = "cancelled"
    elif parcel.shipment_status:
        status = PARCEL.get(parcel.shipment_status.upper(), "created")
    return ShipmentSnapshot(
        external_id=str(parcel.id),
        order_external_id=str(parcel.order_id),
        carrier=parcel.tracking_company or "",
        tracking_numbers=parcel.tracking_numbers or tuple(filter(None, (parcel.tracking_number,))),
        status=status,
        shipped_at=parcel.created_at,
        delivered_at=parcel.updated_at if status == "delivered" else None,
        moved_at=parcel.updated_at,
        lines=tuple(
            ShipmentLineSnapshot(line_external_id=str(piece.id), quantity=piece.quantity)
            for piece in parcel.line_items
            if piece.quantity > 0
        ),
    )


def _scan(topic: str, raw: bytes) -> ShopifySnapshot:
    scan = read(bodies.FulfillmentEvent, raw, vendor=VENDOR, operation=topic)
    status = PARCEL.get(scan.status.upper(), "created")
    return ShipmentSnapshot(
        external_id=str(scan.fulfillment_id),
        order_external_id=str(scan.order_id),
        status=status,
        delivered_at=scan.happened_at if status == "delivered" else None,
        moved_at=scan.happened_at,
    )


def _refund(topic: str, raw: bytes) -> ShopifySnapshot:
    made = read(bodies.Refund, raw, vendor=VENDOR, operation=topic)
    return RefundSnapshot(
        vendor="shopify",
        external_id=str(made.id),
        order_external_id=str(made.order_id),
        call_key=key_in(made.note),
        parts=tuple(_part(moved, topic) for moved in made.transactions if moved.kind == "refund"),
        lines=tuple(
            RefundLineSnapshot(line_external_id=str(line.line_item_id), quantity=line.quantity)
            for line in made.refund_line_items
            if line.quantity > 0
        ),
        shipping_minor=sum(_shipping(line, topic) for line in made.refund_shipping_lines),
        at=made.created_at,
    )


def _part(moved: bodies.Transaction, topic: str) -> RefundPartSnapshot:
    path = "transactions.amount"
    return RefundPartSnapshot(
        ref=stripe_ref(moved.gateway, moved.receipt, moved.authorization) or str(moved.id),
        gateway=moved.gateway,
        payment_external_id=str(moved.parent_id or ""),
        amount_minor=minor(moved.amount, moved.currency, vendor=VENDOR, operation=topic, field_path=path),
        currency=moved.currency,
        status=MONEY_STATUS.get(moved.status, "pending"),
    )


def _shipping(line: bodies.RefundShipping, topic: str) -> int:
    path, price = "refund_shipping_lines", line.subtotal_amount_set.presentment_money
    total = minor(price.amount, price.currency_code, vendor=VENDOR, operation=topic, field_path=path)
    if line.tax_amount_set:
        total += money(line.tax_amount_set, price.currency_code, topic, path)
    return total


def _dispute(topic: str, raw: bytes) -> ShopifySnapshot:
    dispute = read(bodies.Dispute, raw, vendor=VENDOR, operation=topic)
    status: str = dispute.status
    if dispute.type == "inquiry":
        status = INQUIRY.get(status, status)
    amount = minor(dispute.amount, dispute.currency, vendor=VENDOR, operation=topic, field_path="amount")
    return DisputeSnapshot.model_validate(
        {
            "vendor": "shopify",
            "external_id": str(dispute.id),
            "order_external_id": str(dispute.order_id or ""),
            "status": status,
            "reason": dispute.reason,
            "amount_minor": amount,
            "currency": dispute.currency,
            "evidence_due_at": dispute.evidence_due_by,
            "created_at": dispute.initiated_at,
        }
    )


def _risk(topic: str, raw: bytes) -> ShopifySnapshot | None:
    """An assessment, or None where a provider withholds its opinion (NONE)."""
    found = read(bodies.RiskAssessment, raw, vendor=VENDOR, operation=topic)
    order = found.order_id or number(found.admin_graphql_api_order_id or "")
    if not order:
        raise ContractDrift(
            "missing", vendor=VENDOR, operation=topic, field_path="order_id", finding="missing"
        )
    level = _word(found.risk_level, RISKS, topic, "risk_level")
    if level == "none":
        return None
    return RiskSnapshot.model_validate({"order_external_id": order, "level": level})


def _return(topic: str, raw: bytes) -> ShopifySnapshot:
    back = read(bodies.Return, raw, vendor=VENDOR, operation=topic)
    return ReturnSnapshot.model_validate(
        {
            "external_id": str(back.id),
            "order_external_id": str(back.order.id),
            "status": _word(back.status, RETURNS, topic, "status"),
            "requested_at": back.created_at,
        }
    )


def _word(told: str, known: tuple[str, ...], topic: str, path: str) -> str:
    """A deciding word in lower case; ContractDrift for one that is new."""
    word = told.lower()
    if word not in known:
        raise ContractDrift(
            "literal_error", vendor=VENDOR, operation=topic, field_path=path, finding="unknown_value"
        )
    return word


def _stock(topic: str, raw: bytes) -> ShopifySnapshot:
    level = read(bodies.InventoryLevel, raw, vendor=VENDOR, operation=topic)
    return StockSnapshot(
        inventory_item=str(level.inventory_item_id),
        location=str(level.location_id),
        available=level.available,
        at=level.updated_at,
    )


PARSERS: dict[str, Callable[[str, bytes], ShopifySnapshot | None]] = {
    "disputes/create": _dispute,
    "disputes/update": _dispute,
    "fulfillment_events/create": _scan,
    "fulfillments/create": _fulfillment,
    "fulfillments/update": _fulfillment,
    "inventory_levels/update": _stock,
    "orders/cancelled": order,
    "orders/create": order,
    "orders/fulfilled": order,
    "orders/paid": order,
    "orders/partially_fulfilled": order,
    "orders/risk_assessment_changed": _risk,
    "orders/updated": order,
    "refunds/create": _refund,
    "returns/approve": _return,
    "returns/cancel": _return,
    "returns/close": _return,
    "returns/decline": _return,
    "returns/request": _return,
}
