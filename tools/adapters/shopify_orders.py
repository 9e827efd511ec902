"""What Shopify's order graph means in our words.

https://shopify.dev/docs/api/admin-graphql/2026-07/objects/Order
"""

from __future__ import annotations

from collections.abc import Sequence

from tools.adapters.shopify_call import number
from tools.adapters.shopify_graph import (
    Address,
    Customer,
    Duty,
    Fulfillment,
    FulfillmentOrders,
    Line,
    OrderReply,
    PastOrder,
    ReturnReply,
    RiskReply,
    TaxLine,
    WholeReturn,
)
from tools.adapters.shopify_money import money, payments, refund_snapshot
from tools.adapters.shopify_money_graph import Bag
from tools.adapters.shopify_taxes import tax
from tools.snapshots import (
    AddressSnapshot,
    CustomerSnapshot,
    DisputeSummary,
    DutySnapshot,
    LineSnapshot,
    OrderSnapshot,
    ParcelStatus,
    PastOrderSnapshot,
    ReturnLineSnapshot,
    ReturnSnapshot,
    Risk,
    ShipmentLineSnapshot,
    ShipmentSnapshot,
    TaxSnapshot,
)

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


def order_snapshot(order: OrderReply) -> OrderSnapshot:
    """The order in our words, with as much of its lists as this answer brought."""
    currency, name = order.presentmentCurrencyCode, number(order.id)
    duties, (shipping, shipping_taxes) = order.currentTotalDutiesSet, _shipping(order)
    return OrderSnapshot(
        external_id=name,
        name=order.name,
        currency=currency,
        total_minor=_money(order.totalPriceSet, currency, "totalPriceSet"),
        shipping_minor=shipping,
        shipping_taxes=shipping_taxes,
        taxes_included=order.taxesIncluded,
        duties_minor=_money(duties, currency, "currentTotalDutiesSet") if duties else 0,
        placed_at=order.createdAt,
        updated_at=order.updatedAt,
        cancelled_at=order.cancelledAt,
        is_test=order.test,
        location=_location(order.fulfillmentOrders),
        financial_status=(order.displayFinancialStatus or "").lower(),
        fulfillment_status=order.displayFulfillmentStatus.lower(),
        gateways=order.paymentGatewayNames,
        risk_level=_risk(order.risk),
        country=(order.shippingAddress and order.shippingAddress.countryCodeV2) or "",
        tags=order.tags,
        customer=_customer(order),
        bill_to=_address(order.billingAddress) or _address(order.shippingAddress),
        lines=line_snapshots(order.lineItems.nodes, order, "order"),
        payments=payments(order.transactions, currency),
        shipments=tuple(shipment_snapshot(parcel, name) for parcel in order.fulfillments),
        refunds=tuple(refund_snapshot(made, name, currency, "order") for made in order.refunds),
        returns=tuple(_return(back, name) for back in order.returns.nodes),
        disputes=tuple(
            DisputeSummary(external_id=number(one.id), status=one.status.lower()) for one in order.disputes
        ),
        complete=True,
    )


def _money(bag: Bag, currency: str, path: str) -> int:
    return money(bag, currency, f"data.order.{path}", "order")


def _shipping(order: OrderReply) -> tuple[int, tuple[TaxSnapshot, ...]]:
    """What shipping cost after discounts, with tax, and the taxes in it."""
    if order.shippingLine is None:
        return 0, ()
    path = "shippingLine.discountedPriceSet"
    price = _money(order.shippingLine.discountedPriceSet, order.presentmentCurrencyCode, path)
    taxes = _taxes(order.shippingLine.taxLines, order, "order", "data.order.shippingLine.taxLines")
    return price + (0 if order.taxesIncluded else sum(one.amount_minor for one in taxes)), taxes


def _taxes(lines: Sequence[TaxLine], order: OrderReply, operation: str, path: str) -> tuple[TaxSnapshot, ...]:
    currency = order.presentmentCurrencyCode
    return tuple(
        tax(
            line.title,
            line.rate,
            line.ratePercentage,
            money(line.priceSet, currency, f"{path}.priceSet", operation),
            operation=operation,
            path=path,
        )
        for line in lines
    )


def line_snapshots(lines: Sequence[Line], order: OrderReply, operation: str) -> tuple[LineSnapshot, ...]:
    """The lines that were bought, in the order's currency and way to tell taxes."""
    return tuple(_line(line, order, operation) for line in lines if line.quantity > 0)


def _line(line: Line, order: OrderReply, operation: str) -> LineSnapshot:
    def told(bag: Bag) -> int:
        return money(bag, order.presentmentCurrencyCode, "data.order.lineItems.nodes", operation)

    discount = sum(told(cut.allocatedAmountSet) for cut in line.discountAllocations)
    taxes = _taxes(line.taxLines, order, operation, "data.order.lineItems.nodes.taxLines")
    taxed = sum(one.amount_minor for one in taxes)
    duties = tuple(_duty(duty, order, operation) for duty in line.duties)
    total = told(line.originalTotalSet) - discount
    return LineSnapshot(
        external_id=number(line.id),
        sku=line.sku or "",
        title=line.title,
        quantity=line.quantity,
        total_minor=max(0, total if order.taxesIncluded else total + taxed),
        discount_minor=discount,
        tax_minor=taxed,
        duty_minor=sum(duty.amount_minor for duty in duties),
        taxes=taxes,
        duties=duties,
        unfulfilled=max(0, line.unfulfilledQuantity),
        removed=max(0, line.quantity - line.currentQuantity),
    )


def _duty(duty: Duty, order: OrderReply, operation: str) -> DutySnapshot:
    path = "data.order.lineItems.nodes.duties"
    price = money(duty.price, order.presentmentCurrencyCode, path, operation)
    taxes = _taxes(duty.taxLines, order, operation, f"{path}.taxLines")
    return DutySnapshot(
        external_id=number(duty.id),
        amount_minor=price + (0 if order.taxesIncluded else sum(one.amount_minor for one in taxes)),
        taxes=taxes,
    )


def _location(places: FulfillmentOrders) -> str:
    """Where all the goods are kept, or empty: pieces that come from several places are put back by a person."""
    found = {place.assignedLocation.location for place in places.nodes}
    only = found.pop() if len(found) == 1 else None
    return number(only.id) if only and not places.pageInfo.hasNextPage else ""


def _address(told: Address | None) -> AddressSnapshot | None:
    """Where a bill goes; None where nothing of it is told but a country."""
    if told is None or not (told.address1 or told.city):
        return None
    return AddressSnapshot(
        name=told.name or "",
        company=told.company or "",
        address1=told.address1 or "",
        address2=told.address2 or "",
        zip=told.zip or "",
        city=told.city or "",
        province=told.province or "",
        province_code=told.provinceCode or "",
        country=told.countryCodeV2 or "",
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
        history=_history(who, order.id),
    )


def _history(who: Customer, but: str) -> tuple[PastOrderSnapshot, ...]:
    """The customer's newest other orders."""
    return tuple(_past(past) for past in who.orders.nodes if past.id != but)


def _past(past: PastOrder) -> PastOrderSnapshot:
    currency = past.totalPriceSet.presentmentMoney.currencyCode
    return PastOrderSnapshot(
        external_id=number(past.id),
        name=past.name,
        placed_at=past.createdAt,
        cancelled=past.cancelledAt is not None,
        total_minor=_money(past.totalPriceSet, currency, "customer.orders.nodes.totalPriceSet"),
        currency=currency,
    )


def shipment_snapshot(parcel: Fulfillment, order: str) -> ShipmentSnapshot:
    """A parcel with all its tracking numbers and what travels in it."""
    tracking = parcel.trackingInfo
    return ShipmentSnapshot(
        external_id=number(parcel.id),
        order_external_id=order,
        carrier=next((one.company for one in tracking if one.company), ""),
        tracking_numbers=tuple(one.number for one in tracking if one.number),
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


def whole_return(back: WholeReturn, order: str) -> ReturnSnapshot:
    """A return with what it holds; without, where the shop doesn't tell all of it, or which lines it is of."""
    pieces = back.returnLineItems
    lines = [
        ReturnLineSnapshot(
            line_external_id=number(piece.fulfillmentLineItem.lineItem.id),
            quantity=piece.quantity,
            processed=max(0, piece.processedQuantity),
        )
        for piece in pieces.nodes
        if piece.fulfillmentLineItem and piece.quantity > 0
    ]
    whole = not pieces.pageInfo.hasNextPage and all(piece.fulfillmentLineItem for piece in pieces.nodes)
    return _return(back, order).model_copy(update={"lines": tuple(lines) if whole else None})


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
