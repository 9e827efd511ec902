"""Who pays a refund back: a fact of each payment, never anybody's choice. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tools.adapters.shopify_gateways import is_manual
from tools.base import BY_HAND
from tools.errors import InvalidArgs
from tools.models import Payment
from tools.refunding.shares import split
from tools.types import Money


@dataclass(frozen=True, slots=True)
class Tender:
    """One payment's part of a refund; `vendor` is who moves the money: stripe, shopify, or a person (manual)."""

    payment: int
    vendor: str
    gateway: str
    amount_minor: int

    def as_json(self) -> dict[str, Any]:
        """As an effect's body holds it."""
        return {
            "payment": self.payment,
            "vendor": self.vendor,
            "gateway": self.gateway,
            "amount_minor": self.amount_minor,
        }


# The ones that a machine can settle first, so that a person pays only what the rest has gone well for.
ORDER = ("stripe", "shopify", BY_HAND)


def tenders(payments: Sequence[Payment], money: Money, quoted: Mapping[int, int] | None) -> list[Tender]:
    """The payments that pay this much back, and how much each.

    `quoted` is the shop's own split among several of them, by payment. Raises InvalidArgs: refund.more_than_refundable;
    refund.not_quoted where a split is needed and there is none; refund.not_split where the shop names none of these
    payments; refund.unknown_gateway for money that came in a way that we don't know how to give back;
    refund.unproven_charge for a charge that Stripe has not confirmed.
    """
    able = payable(payments, money.currency)
    bounds = [payment.refundable.amount_minor for payment in able]
    if sum(bounds) < money.amount_minor:
        raise InvalidArgs(code="refund.more_than_refundable")
    if len(able) > 1 and quoted is None:
        raise InvalidArgs(code="refund.not_quoted")
    weights = [quoted.get(payment.pk, 0) if quoted else 0 for payment in able] if len(able) > 1 else [1]
    if not any(weights):
        raise InvalidArgs(code="refund.not_split")
    amounts = split(money.amount_minor, weights, bounds)
    found = [
        Tender(payment.pk, payer(payment), payment.gateway, amount)
        for payment, amount in zip(able, amounts, strict=True)
        if amount
    ]
    return sorted(found, key=lambda tender: (ORDER.index(tender.vendor), tender.payment))


def payable(payments: Sequence[Payment], currency: str) -> list[Payment]:
    """Payments in this currency that have something left to give back, oldest first."""
    able = [
        payment for payment in payments if payment.currency == currency and payment.refundable.amount_minor
    ]
    return sorted(able, key=lambda payment: payment.pk)


def is_unproven(payment: Payment) -> bool:
    """Whether it is Stripe's by the shop's order alone: Stripe's own word always tells the mode."""
    return payment.vendor == "stripe" and payment.livemode is None


def payer(payment: Payment) -> str:
    """Who gives this payment's money back.

    Raises InvalidArgs where nobody can say (refund.unknown_gateway), or Stripe never has (refund.unproven_charge).
    """
    if is_unproven(payment):
        raise InvalidArgs(code="refund.unproven_charge")
    if payment.vendor in ("stripe", "shopify"):
        return payment.vendor
    if payment.by_hand or is_manual(payment.gateway):
        return BY_HAND
    raise InvalidArgs(code="refund.unknown_gateway")
