"""Amounts as vendors write them; inside the story an amount is an integer of minor units."""

from __future__ import annotations

EXPONENTS = {"USD": 2, "EUR": 2, "GBP": 2, "JPY": 0}


def decimal_text(amount_minor: int, currency: str) -> str:
    """The amount as a decimal string with the currency's own number of decimals."""
    exponent = EXPONENTS[currency]
    if not exponent:
        return str(amount_minor)
    whole, part = divmod(amount_minor, 10**exponent)
    return f"{whole}.{part:0{exponent}d}"


def minor(text: str, currency: str) -> int:
    """The amount of a decimal string that `decimal_text` wrote."""
    return int(text.replace(".", "")) if EXPONENTS[currency] else int(text)
