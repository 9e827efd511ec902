"""The taxes of a line or of shipping, per rate, as the neutral order tells them and as Shopify does."""

from dataclasses import dataclass
from decimal import Decimal

from tools.sandbox.exchange import Doc
from tools.sandbox.money import plain, to_minor
from tools.sandbox.shopify_nodes import bag


@dataclass(frozen=True)
class Tax:
    """One tax; its rate is a decimal text such as "0.19", empty where the shop doesn't tell it."""

    title: str
    rate: str
    minor: int


def taxes_of(doc: Doc, currency: str, *, named: str = "taxes") -> list[Tax]:
    """Of a line, or of an order's `shipping_taxes`; a line that tells only `tax` has one without a rate."""
    if named in doc:
        told = doc[named] or ()
        return [Tax(one["title"], str(one["rate"]), to_minor(one["amount"], currency)) for one in told]
    minor = to_minor(doc.get("tax") or "0", currency) if named == "taxes" else 0
    return [Tax("Tax", "", minor)] if minor else []


def together(taxes: list[Tax]) -> list[Tax]:
    """One per title and rate."""
    sums: dict[tuple[str, str], int] = {}
    for tax in taxes:
        sums[tax.title, tax.rate] = sums.get((tax.title, tax.rate), 0) + tax.minor
    return [Tax(title, rate, minor) for (title, rate), minor in sums.items()]


def graph(tax: Tax, currency: str) -> Doc:
    """A TaxLine of the Admin API."""
    rate = Decimal(tax.rate) if tax.rate else None
    return {
        "priceSet": bag(tax.minor, currency),
        "rate": None if rate is None else float(rate),
        "ratePercentage": None if rate is None else float(rate * 100),
        "title": tax.title,
    }


def body(tax: Tax, currency: str) -> Doc:
    """A tax line of the webhooks."""
    money = {"amount": plain(tax.minor, currency), "currency_code": currency}
    return {
        "title": tax.title,
        "rate": float(tax.rate or 0),
        "price": plain(tax.minor, currency),
        "price_set": {"shop_money": money, "presentment_money": dict(money)},
        "channel_liable": False,
    }
