"""What Shopify's webhooks tell of an order in our words: its lines, its shipping, their taxes and duties.

https://shopify.dev/docs/api/webhooks/latest
"""

from __future__ import annotations

from collections.abc import Iterable

from tools.adapters import shopify_bodies as bodies
from tools.adapters.replies import minor, read
from tools.adapters.shopify_call import VENDOR
from tools.adapters.shopify_taxes import tax
from tools.errors import ContractDrift
from tools.snapshots import CustomerSnapshot, DutySnapshot, LineSnapshot, OrderSnapshot, TaxSnapshot


def money(bag: bodies.Bag, currency: str, topic: str, path: str) -> int:
    """Minor units of what the customer saw; ContractDrift where it is in another currency than the order."""
    found = bag.presentment_money
    if found.currency_code != currency:
        raise ContractDrift("another currency", vendor=VENDOR, operation=topic, field_path=path)
    return minor(found.amount, currency, vendor=VENDOR, operation=topic, field_path=path)


def order(topic: str, raw: bytes) -> OrderSnapshot:
    """The order of any topic of orders/, without its parts."""
    found = read(bodies.Order, raw, vendor=VENDOR, operation=topic)
    currency = found.presentment_currency
    fulfilled = found.fulfillment_status or "unfulfilled"
    shipping, shipping_taxes = _shipping(found, topic)
    return OrderSnapshot(
        external_id=str(found.id),
        name=found.name,
        currency=currency,
        total_minor=money(found.total_price_set, currency, topic, "total_price_set"),
        shipping_minor=shipping,
        shipping_taxes=shipping_taxes,
        taxes_included=found.taxes_included,
        placed_at=found.created_at,
        updated_at=found.updated_at,
        cancelled_at=found.cancelled_at,
        is_test=found.test,
        financial_status=found.financial_status or "",
        # The Admin API's word for the same state.
        fulfillment_status="partially_fulfilled" if fulfilled == "partial" else fulfilled,
        gateways=found.payment_gateway_names,
        country=(found.shipping_address and found.shipping_address.country_code) or "",
        tags=tuple(filter(None, (tag.strip() for tag in found.tags.split(",")))),
        customer=_customer(found),
        lines=tuple(_line(line, found, topic) for line in found.line_items if line.quantity > 0),
    )


def _shipping(order: bodies.Order, topic: str) -> tuple[int, tuple[TaxSnapshot, ...]]:
    """What shipping cost after discounts, with tax, and the taxes in it."""
    currency = order.presentment_currency
    if order.shipping_lines is None:
        return money(order.total_shipping_price_set, currency, topic, "total_shipping_price_set"), ()
    kept = [line for line in order.shipping_lines if not line.is_removed]
    price = sum(
        money(line.discounted_price_set, currency, topic, "shipping_lines.discounted_price_set")
        for line in kept
    )
    told = [one for line in kept for one in line.tax_lines]
    taxes = _taxes(told, currency, topic, "shipping_lines.tax_lines")
    return price + (0 if order.taxes_included else sum(one.amount_minor for one in taxes)), taxes


def _taxes(lines: Iterable[bodies.TaxLine], currency: str, topic: str, path: str) -> tuple[TaxSnapshot, ...]:
    return tuple(
        tax(
            line.title,
            line.rate,
            None,
            money(line.price_set, currency, topic, path),
            operation=topic,
            path=path,
        )
        for line in lines
    )


def _duty(duty: bodies.Duty, order: bodies.Order, topic: str) -> DutySnapshot:
    currency = order.presentment_currency
    path, told = "line_items.duties.price_set", duty.price_set
    if told is None and duty.presentment_money:
        told = bodies.Bag(presentment_money=duty.presentment_money)
    if told is None:
        raise ContractDrift("missing", vendor=VENDOR, operation=topic, field_path=path, finding="missing")
    taxes = _taxes(duty.tax_lines, currency, topic, "line_items.duties.tax_lines")
    on_top = 0 if order.taxes_included else sum(one.amount_minor for one in taxes)
    return DutySnapshot(
        external_id=str(duty.id), amount_minor=money(told, currency, topic, path) + on_top, taxes=taxes
    )


def _line(line: bodies.Line, order: bodies.Order, topic: str) -> LineSnapshot:
    currency = order.presentment_currency
    total = money(line.price_set, currency, topic, "line_items.price_set") * line.quantity
    cut = sum(
        money(cut.amount_set, currency, topic, "line_items.discount_allocations")
        for cut in line.discount_allocations
    )
    taxes = _taxes(line.tax_lines, currency, topic, "line_items.tax_lines")
    taxed = sum(one.amount_minor for one in taxes)
    duties = tuple(_duty(duty, order, topic) for duty in line.duties)
    return LineSnapshot(
        external_id=str(line.id),
        sku=line.sku or "",
        title=line.title,
        quantity=line.quantity,
        total_minor=max(0, total - cut + (0 if order.taxes_included else taxed)),
        discount_minor=cut,
        tax_minor=taxed,
        duty_minor=sum(duty.amount_minor for duty in duties),
        taxes=taxes,
        duties=duties,
    )


def _customer(order: bodies.Order) -> CustomerSnapshot | None:
    who = order.customer
    if who is None:
        return None
    return CustomerSnapshot(
        external_id=str(who.id),
        email=order.email or who.email or "",
        phone=order.phone or who.phone or "",
        first_name=who.first_name or "",
        last_name=who.last_name or "",
        locale=order.customer_locale or "",
    )
