"""Values that every layer above speaks in: money, and the currency's own number of decimals."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import format_currency, get_currency_precision


@dataclass(frozen=True, order=False, slots=True)
class Money:
    """An amount in the currency's minor units (cents, yen, fils), never a float.

    `currency` is an ISO 4217 code. Adding or comparing two currencies raises ValueError: no exchange rate is
    ever implied.
    """

    amount_minor: int
    currency: str

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} can't be added or compared")
        return other.amount_minor

    def __add__(self, other: Money) -> Money:
        return Money(self.amount_minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount_minor - self._same(other), self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount_minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount_minor <= self._same(other)

    def decimal(self) -> Decimal:
        """The amount in major units with exactly the currency's decimals: `Decimal('12.50')`."""
        return to_decimal(self.amount_minor, self.currency)

    def format(self, locale: str = "en") -> str:
        """What a person reads: `€66.40`, `¥7,400`."""
        return str(format_currency(self.decimal(), self.currency, locale=locale))

    def __str__(self) -> str:
        return self.format()


def exponent(currency: str) -> int:
    """How many decimals the currency has: 2 for USD, 0 for JPY, 3 for KWD (Unicode CLDR, which follows ISO 4217)."""
    return int(get_currency_precision(currency))


def to_decimal(amount_minor: int, currency: str) -> Decimal:
    """Minor units to major units without rounding."""
    return Decimal(amount_minor).scaleb(-exponent(currency))


def to_minor(amount: str | Decimal, currency: str) -> int:
    """Major units, as vendors write them ("12.50"), to minor units.

    Raises ValueError where the amount has more decimals than the currency, since rounding would invent money.
    """
    scaled = Decimal(amount).scaleb(exponent(currency))
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{amount} has more decimals than {currency} allows")
    return int(scaled)
