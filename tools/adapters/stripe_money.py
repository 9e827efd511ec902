"""Stripe's own units: in a few currencies they differ from our minor units, and not every amount can be sent.

https://docs.stripe.com/currencies
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, ValidationInfo

from tools.errors import InvalidArgs
from tools.types import exponent

NO_DECIMALS = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
)
THREE_DECIMALS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
# Whole units alone, although Stripe counts in hundredths: /currencies#special-cases
WHOLE_UNITS = frozenset({"ISK", "UGX"})


def decimals(currency: str) -> int:
    """How many decimals Stripe counts in for an ISO currency (ISK has 2 there)."""
    if currency in NO_DECIMALS:
        return 0
    return 3 if currency in THREE_DECIMALS else 2


def to_stripe(amount_minor: int, currency: str, *, operation: str) -> int:
    """Our minor units in Stripe's; raises InvalidArgs where Stripe has no such amount (KWD 1.234, ISK 10.50)."""
    more, less = _shift(currency)
    amount, rest = divmod(amount_minor * more, less)
    step = 10 if currency in THREE_DECIMALS else 100 if currency in WHOLE_UNITS else 1
    if rest or amount % step:
        raise InvalidArgs(vendor="stripe", operation=operation, code="amount_not_expressible")
    return amount


def from_stripe(amount: int, currency: str) -> int:
    """Stripe's units in ours; raises ValueError where that would round."""
    more, less = _shift(currency)
    minor, rest = divmod(amount * less, more)
    if rest:
        raise ValueError(f"{currency} has no such fraction")
    return minor


def _shift(currency: str) -> tuple[int, int]:
    """What a minor unit of ours is multiplied with and divided by to be one of Stripe's."""
    shift = decimals(currency) - exponent(currency)
    return int(10 ** max(shift, 0)), int(10 ** max(-shift, 0))


def _iso(code: str) -> str:
    if len(code) != 3 or not (code.isascii() and code.isalpha()):
        raise ValueError("not a currency")
    return code.upper()


def _ours(amount: int, info: ValidationInfo) -> int:
    if amount < 0:
        raise ValueError("below zero")
    # A currency that was itself refused is reported in its own place.
    currency = info.data.get("currency")
    return from_stripe(amount, currency) if currency else amount


# In a model `currency` stands above the amounts, since pydantic reads fields in their order.
Currency = Annotated[str, AfterValidator(_iso)]
Minor = Annotated[int, AfterValidator(_ours)]
