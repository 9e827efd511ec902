"""Decimal strings at the door, integer minor units inside (ISO 4217 exponents)."""

from decimal import Decimal, InvalidOperation

EXPONENTS = {"JPY": 0, "KRW": 0, "KWD": 3, "BHD": 3}


def to_minor(amount: object, currency: str) -> int:
    """Minor units of a decimal amount; ValueError for no number or for more decimals than the currency has."""
    try:
        scaled = Decimal(str(amount)).scaleb(EXPONENTS.get(currency, 2))
        whole = scaled.to_integral_value()
    except InvalidOperation as error:
        raise ValueError(f"not an amount: {amount!r}") from error
    if not scaled.is_finite() or whole != scaled:
        raise ValueError(f"not an amount in {currency}: {amount!r}")
    return int(whole)


def to_decimal(minor: int, currency: str) -> str:
    """The amount as Shopify's Decimal scalar writes it: no superfluous zeros, at least one decimal ("19.0")."""
    whole, _, fraction = plain(minor, currency).partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"


def share(total: int, quantity: int, before: int, units: int) -> int:
    """What `units` of a line of `quantity` cost when `before` are gone already; the shares add up to `total`."""
    return total * (before + units) // quantity - total * before // quantity


def plain(minor: int, currency: str) -> str:
    """The amount as Shopify's webhooks write it: all decimals of the currency ("19.00", "3000")."""
    exponent = EXPONENTS.get(currency, 2)
    if not exponent:
        return str(minor)
    sign, digits = ("-" if minor < 0 else ""), str(abs(minor)).rjust(exponent + 1, "0")
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}"
