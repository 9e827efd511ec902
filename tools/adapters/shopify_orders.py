"""What Shopify's order graph means in our words.

https://shopify.dev/docs/api/admin-graphql/2026-07/objects/Order
"""

from __future__ import annotations

import json
import re

from tools.adapters import shopify_documents as documents
from tools.adapters.replies import minor
from tools.adapters.shopify_graph import (
    Bag,
    Fulfillment,
    Line,
    OrderReply,
    PaymentTransaction,
    RefundReply,
    ReturnReply,
    RiskReply,
    Transaction,
)
from tools.errors import ContractDrift, Refused
from tools.snapshots import (
    CaptureSnapshot,
    CustomerSnapshot,
    LineSnapshot,
    OrderSnapshot,
    ParcelStatus,
    PaymentSnapshot,
    RefundLineSnapshot,
    RefundPartSnapshot,
    RefundSnapshot,
    RefundStatus,
    ReturnSnapshot,
    Risk,
    ShipmentLineSnapshot,
    ShipmentSnapshot,
)

VENDOR, OPERATION = "shopify", "order"
UUID_IN_NOTE = re.compile(r"\[([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\]")
CHARGE = re.compile(r"^(?:ch|py)_\w+$")
STRIPE_REFUND = re.compile(r"^(?:re|pyr)_\w+$")
# Tenders that Shopify itself can pay back through refundCreate.
BY_SHOPIFY = frozenset({"shopify_payments", "paypal"})
RISKS: tuple[Risk, ...] = ("low", "pending", "medium", "high")

PARCEL: dict[str, ParcelStatus] = {
    "ATTEMPTED_DELIVERY": "in_transit",
    "CANCELED": "cancelled",
    "CARRIER_PICKED_UP": "in_transit",
    "DELAYED": "in_transit",
    "DELIVERED": "delivered",
    "FAILURE": "failure",
    "IN_TRANSIT": "in_transit",
    "NOT_DELIVERED": "failure",
    "OUT_FOR_DELIVERY": "out_for_delivery",
    "PICKED_UP": "delivered",
    "READY_FOR_PICKUP": "out_for_delivery",
}
MONEY_STATUS: dict[str, RefundStatus] = {"SUCCESS": "succeeded", "FAILURE": "failed", "ERROR": "failed"}


def gid(kind: str, external_id: str) -> str:
    """The global id of a number, as GraphQL wants it: gid://shopify/Order/1."""
    return f"gid://shopify/{kind}/{external_id}"


def number(global_id: str) -> str:
    """The number at the end of a global id, as webhooks name the same thing."""
    return global_id.rpartition("/")[2].partition("?")[0]


def money(bag: Bag, currency: str, path: str) -> int:
    """Minor units of what the customer saw; ContractDrift where it is in another currency than the order."""
    found = bag.presentmentMoney
    if found.currencyCode != currency:
        raise ContractDrift("another currency", vendor=VENDOR, operation=OPERATION, field_path=path)
    return minor(found.amount, currency, vendor=VENDOR, operation=OPERATION, field_path=path)


def order_snapshot(order: OrderReply) -> OrderSnapshot:
    """The order in our words; Refused (order_too_long) where a list did not come whole."""
    _whole(order)
    currency = order.presentmentCurrencyCode
    return OrderSnapshot(
        external_id=number(order.id),
        name=order.name,
        currency=currency,
        total_minor=money(order.totalPriceSet, currency, "order.totalPriceSet"),
        shipping_minor=money(order.totalShippingPriceSet, currency, "order.totalShippingPriceSet"),
        placed_at=order.createdAt,
        updated_at=order.updatedAt,
        cancelled_at=order.cancelledAt,
        financial_status=(order.displayFinancialStatus or "").lower(),
        fulfillment_status=order.displayFulfillmentStatus.lower(),
        gateways=order.paymentGatewayNames,
        risk_level=_risk(order.risk),
        country=(order.shippingAddress and order.shippingAddress.countryCodeV2) or "",
        tags=order.tags,
        customer=_customer(order),
        lines=tuple(_line(line, order, currency) for line in order.lineItems.nodes if line.quantity > 0),
        payments=_payments(order.transactions, currency),
        shipments=tuple(_shipment(parcel, number(order.id)) for parcel in order.fulfillments),
        refunds=tuple(_refund(made, number(order.id), currency) for made in order.refunds),
        returns=tuple(_return(back, number(order.id)) for back in order.returns.nodes),
        complete=True,
    )


def _whole(order: OrderReply) -> None:
    pages = [order.lineItems.pageInfo, order.returns.pageInfo]
    pages += [made.refundLineItems.pageInfo for made in order.refunds]
    pages += [parcel.fulfillmentLineItems.pageInfo for parcel in order.fulfillments]
    full = len(order.transactions) >= documents.LINES
    full |= max(len(order.refunds), len(order.fulfillments)) >= documents.PARTS
    if full or any(page.hasNextPage for page in pages):
        raise Refused(vendor=VENDOR, operation=OPERATION, code="order_too_long")


def _line(line: Line, order: OrderReply, currency: str) -> LineSnapshot:
    path = "order.lineItems"
    total = money(line.originalTotalSet, currency, path)
    total -= sum(money(cut.allocatedAmountSet, currency, path) for cut in line.discountAllocations)
    if not order.taxesIncluded:
        total += sum(money(tax.priceSet, currency, path) for tax in line.taxLines)
    return LineSnapshot(
        external_id=number(line.id),
        sku=line.sku or "",
        title=line.title,
        quantity=line.quantity,
        total_minor=max(0, total),
    )


def _customer(order: OrderReply) -> CustomerSnapshot | None:
    who = order.customer
    if who is None:
        return None
    email = order.email or (who.defaultEmailAddress.emailAddress if who.defaultEmailAddress else "")
    phone = order.phone or (who.defaultPhoneNumber.phoneNumber if who.defaultPhoneNumber else "")
    return CustomerSnapshot(
        external_id=number(who.id),
        email=email,
        phone=phone,
        first_name=who.firstName or "",
        last_name=who.lastName or "",
        locale=order.customerLocale or who.locale,
        orders_count=int(who.numberOfOrders) if who.numberOfOrders.isdecimal() else None,
    )


def _payments(transactions: tuple[PaymentTransaction, ...], currency: str) -> tuple[PaymentSnapshot, ...]:
    """One payment per tender that took money; captures of one Stripe charge belong together."""
    found: dict[tuple[str, str], PaymentSnapshot] = {}
    for taken in transactions:
        if taken.kind not in ("SALE", "CAPTURE") or taken.status != "SUCCESS":
            continue
        amount = money(taken.amountSet, currency, "order.transactions.amountSet")
        if not amount:
            continue
        payment = _payment(taken, currency)
        place = (payment.vendor, payment.external_id)
        captures = (
            *(found[place].captures if place in found else ()),
            CaptureSnapshot(ref=number(taken.id), amount_minor=amount),
        )
        found[place] = payment.model_copy(update={"captures": captures})
    return tuple(found.values())


def _payment(taken: PaymentTransaction, currency: str) -> PaymentSnapshot:
    gateway = taken.gateway or ""
    receipt = _receipt(taken.receiptJson)
    charge = next((name for name in (*receipt, taken.paymentId or "") if CHARGE.match(name)), "")
    if gateway == "stripe" and charge:
        vendor, name = "stripe", charge
    elif gateway in BY_SHOPIFY and not taken.manualPaymentGateway:
        vendor, name = "shopify", number(taken.id)
    else:
        vendor, name = "manual", number(taken.id)
    return PaymentSnapshot.model_validate(
        {"vendor": vendor, "gateway": gateway, "external_id": name, "currency": currency, "captures": ()}
    )


def _receipt(receipt: object) -> tuple[str, ...]:
    """Where the gateway's own ids stand in the receipt that it left with Shopify."""
    if isinstance(receipt, str):
        try:
            receipt = json.loads(receipt)
        except ValueError:
            return ()
    if not isinstance(receipt, dict):
        return ()
    found = (receipt.get(name) for name in ("id", "charge", "latest_charge"))
    return tuple(name for name in found if isinstance(name, str))


def stripe_ref(gateway: str, receipt: object, reference: str | None) -> str:
    """Stripe's own id of a refund that Shopify made through it, so that both tell of one; else empty."""
    if gateway != "stripe":
        return ""
    return next((name for name in (*_receipt(receipt), reference or "") if STRIPE_REFUND.match(name)), "")


def refund_money(transactions: tuple[Transaction, ...], operation: str) -> tuple[RefundPartSnapshot, ...]:
    """The movements of money in a refund, each in its own currency's minor units."""
    parts = []
    for moved in transactions:
        if moved.kind != "REFUND":
            continue
        found = moved.amountSet.presentmentMoney
        amount = minor(
            found.amount, found.currencyCode, vendor=VENDOR, operation=operation, field_path="transactions"
        )
        parts.append(
            RefundPartSnapshot(
                ref=stripe_ref(moved.gateway or "", moved.receiptJson, moved.paymentId) or number(moved.id),
                gateway=moved.gateway or "",
                payment_external_id=number(moved.parentTransaction.id) if moved.parentTransaction else "",
                amount_minor=amount,
                currency=found.currencyCode,
                status=MONEY_STATUS.get(moved.status, "pending"),
            )
        )
    return tuple(parts)


def _refund(made: RefundReply, order: str, currency: str) -> RefundSnapshot:
    parts = refund_money(made.transactions.nodes, OPERATION)
    shipping = sum(
        money(line.subtotalAmountSet, currency, "order.refunds")
        + money(line.taxAmountSet, currency, "order.refunds")
        for line in made.refundShippingLines.nodes
    )
    return RefundSnapshot(
        vendor="shopify",
        external_id=number(made.id),
        order_external_id=order,
        call_key=key_in(made.note),
        parts=parts,
        lines=tuple(
            RefundLineSnapshot(line_external_id=number(piece.lineItem.id), quantity=piece.quantity)
            for piece in made.refundLineItems.nodes
            if piece.quantity > 0
        ),
        shipping_minor=shipping,
        at=made.processedAt,
    )


def key_in(note: str | None) -> str:
    """The idempotency key that our own refunds carry in their note; empty for everybody else's."""
    found = UUID_IN_NOTE.search(note or "")
    return found.group(1) if found else ""


def _shipment(parcel: Fulfillment, order: str) -> ShipmentSnapshot:
    tracking = parcel.trackingInfo[0] if parcel.trackingInfo else None
    return ShipmentSnapshot(
        external_id=number(parcel.id),
        order_external_id=order,
        carrier=(tracking and tracking.company) or "",
        tracking_number=(tracking and tracking.number) or "",
        status=PARCEL.get(parcel.displayStatus or "", "created"),
        shipped_at=parcel.createdAt,
        delivered_at=parcel.deliveredAt,
        moved_at=parcel.updatedAt,
        lines=tuple(
            ShipmentLineSnapshot(line_external_id=number(piece.lineItem.id), quantity=piece.quantity)
            for piece in parcel.fulfillmentLineItems.nodes
            if piece.quantity > 0
        ),
    )


def _return(back: ReturnReply, order: str) -> ReturnSnapshot:
    return ReturnSnapshot.model_validate(
        {
            "external_id": number(back.id),
            "order_external_id": order,
            "status": back.status.lower(),
            "requested_at": back.createdAt,
        }
    )


def _risk(risk: RiskReply) -> Risk | None:
    """The most severe assessment; pending is worse than low, since it may still become anything."""
    levels = [RISKS.index(one) for one in RISKS if one.upper() in {a.riskLevel for a in risk.assessments}]
    return RISKS[max(levels)] if levels else None
