"""What Shopify's transactions and refunds mean in our words: who took the money, and what went back.

https://shopify.dev/docs/api/admin-graphql/2026-07/objects/OrderTransaction
"""

from __future__ import annotations

import json
import re
from typing import Literal

from tools.adapters.replies import minor
from tools.adapters.shopify_call import VENDOR, number
from tools.adapters.shopify_gateways import paid_back_by_shopify
from tools.adapters.shopify_money_graph import Bag, RefundDuty, RefundReply, Transaction
from tools.errors import ContractDrift
from tools.snapshots import (
    CaptureSnapshot,
    DutySnapshot,
    PaymentSnapshot,
    RefundLineSnapshot,
    RefundPartSnapshot,
    RefundResult,
    RefundSnapshot,
    RefundStatus,
)

UUID_IN_NOTE = re.compile(r"\[([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\]")
CHARGE = re.compile(r"^(?:ch|py)_\w+$")
STRIPE_REFUND = re.compile(r"^(?:re|pyr)_\w+$")
MONEY_STATUS: dict[str, RefundStatus] = {"SUCCESS": "succeeded", "FAILURE": "failed", "ERROR": "failed"}


def money(bag: Bag, currency: str, path: str, operation: str) -> int:
    """Minor units of what the customer saw; ContractDrift where it is in another currency than the order."""
    found = bag.presentmentMoney
    if found.currencyCode != currency:
        raise ContractDrift("another currency", vendor=VENDOR, operation=operation, field_path=path)
    return minor(found.amount, currency, vendor=VENDOR, operation=operation, field_path=path)


def payments(transactions: tuple[Transaction, ...], currency: str) -> tuple[PaymentSnapshot, ...]:
    """One payment per tender that took money; captures of one Stripe charge belong together."""
    found: dict[tuple[str, str], PaymentSnapshot] = {}
    for taken in transactions:
        if taken.kind not in ("SALE", "CAPTURE") or taken.status != "SUCCESS":
            continue
        amount = money(taken.amountSet, currency, "data.order.transactions.amountSet", "order")
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


def _payment(taken: Transaction, currency: str) -> PaymentSnapshot:
    gateway = taken.gateway or ""
    receipt = _receipt(taken.receiptJson)
    charge = next((name for name in (*receipt, taken.paymentId or "") if CHARGE.match(name)), "")
    if gateway == "stripe" and charge:
        vendor, name = "stripe", charge
    elif paid_back_by_shopify(gateway) and not taken.manualPaymentGateway:
        vendor, name = "shopify", number(taken.id)
    else:
        vendor, name = "manual", number(taken.id)
    return PaymentSnapshot.model_validate(
        {
            "vendor": vendor,
            "gateway": gateway,
            "external_id": name,
            "by_hand": taken.manualPaymentGateway,
            "currency": currency,
            "captures": (),
        }
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
    return tuple(_part(moved, operation) for moved in transactions if moved.kind == "REFUND")


def _part(moved: Transaction, operation: str) -> RefundPartSnapshot:
    found = moved.amountSet.presentmentMoney
    path = "transactions.nodes.amountSet"
    return RefundPartSnapshot(
        ref=stripe_ref(moved.gateway or "", moved.receiptJson, moved.paymentId) or number(moved.id),
        gateway=moved.gateway or "",
        payment_external_id=number(moved.parentTransaction.id) if moved.parentTransaction else "",
        amount_minor=minor(
            found.amount, found.currencyCode, vendor=VENDOR, operation=operation, field_path=path
        ),
        currency=found.currencyCode,
        status=MONEY_STATUS.get(moved.status, "pending"),
    )


def refund_result(
    refund_id: str, transactions: tuple[Transaction, ...], operation: str
) -> RefundResult | None:
    """The sum of a refund's movements and how far they are; None for one that moved no money."""
    parts = refund_money(transactions, operation)
    currencies, statuses = {part.currency for part in parts}, {part.status for part in parts}
    if len(currencies) > 1:
        raise ContractDrift(
            "no single currency", vendor=VENDOR, operation=operation, field_path="transactions"
        )
    amount = sum(part.amount_minor for part in parts)
    if not amount:
        return None
    status: Literal["failed", "pending", "succeeded"] = "succeeded"
    if statuses == {"failed"}:
        status = "failed"
    elif statuses != {"succeeded"}:
        status = "pending"
    return RefundResult(ref=number(refund_id), amount_minor=amount, currency=currencies.pop(), status=status)


def refund_snapshot(made: RefundReply, order: str, currency: str, operation: str) -> RefundSnapshot:
    """A refund of an order, by whomever it was made."""
    path = "data.order.refunds.refundShippingLines.nodes"
    shipping = sum(
        money(line.subtotalAmountSet, currency, path, operation)
        + money(line.taxAmountSet, currency, path, operation)
        for line in made.refundShippingLines.nodes
    )
    return RefundSnapshot(
        vendor="shopify",
        external_id=number(made.id),
        order_external_id=order,
        call_key=key_in(made.note),
        parts=refund_money(made.transactions.nodes, operation),
        lines=tuple(
            RefundLineSnapshot(line_external_id=number(piece.lineItem.id), quantity=piece.quantity)
            for piece in made.refundLineItems.nodes
            if piece.quantity > 0
        ),
        shipping_minor=shipping,
        duties=tuple(_refunded_duty(duty, currency, operation) for duty in made.duties or ()),
        at=made.processedAt,
    )


def _refunded_duty(duty: RefundDuty, currency: str, operation: str) -> DutySnapshot:
    path = "data.order.refunds.duties.amountSet"
    return DutySnapshot(
        external_id=number(duty.originalDuty.id) if duty.originalDuty else "",
        amount_minor=money(duty.amountSet, currency, path, operation),
    )


def key_in(note: str | None) -> str:
    """The idempotency key that our own refunds carry in their note; empty for everybody else's."""
    found = UUID_IN_NOTE.search(note or "")
    return found.group(1) if found else ""
