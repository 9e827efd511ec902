"""What a shop promises its customers, as data: the schema of its terms, and what a new shop begins with."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

# https://eur-lex.europa.eu/eli/dir/2011/83/oj (Article 9: 14 days)
EU = tuple("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())
# Where the same law holds by the EEA agreement, and where it was kept: https://www.legislation.gov.uk/uksi/2013/3134
LIKE_EU = ("GB", "IS", "LI", "NO")
LEGAL_DAYS = 14

Days = Annotated[int, Field(ge=0, le=3650)]
Minor = Annotated[int, Field(ge=0, lt=2**62)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
# A SKU, or the beginning, middle or end of several: SALE-*, *-EARRING, ??-TEST.
Pattern = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9._/*?-]{1,64}$")]
Patterns = Annotated[tuple[Pattern, ...], Field(strict=False, max_length=500)]


def _lawful(periods: dict[str, int]) -> dict[str, int]:
    short = sorted(
        country for country, days in periods.items() if days < LEGAL_DAYS and country in (*EU, *LIKE_EU)
    )
    if short:
        raise ValueError(f"fewer than {LEGAL_DAYS} days: {', '.join(short)}")
    return periods


Payer = Literal["customer", "label", "shop"]
Withdrawal = Annotated[
    dict[Country, Annotated[int, Field(ge=1, le=3650)]], Field(max_length=300), AfterValidator(_lawful)
]


class Terms(BaseModel):
    """One version of a shop's terms; days are those of the calendar, and the day of the delivery isn't counted.

    Without `goodwill_days` no goodwill is given by rule; how much of it, the limits say. `withdrawal` is the right to
    step back without a reason, in days by country. What matches `final_sale` is taken back where the law alone asks for
    it, what matches `hygiene` after a person has looked at its seal. Amounts of `standard_shipping` and `photo_above`
    are minor units by currency: what the plain delivery costs, and above what worth of broken or wrong goods a photo is
    asked for.

    Sending back what is broken, wrong or missing is the shop's to pay, whatever stands here. Of a change of mind
    `return_shipping` says who pays, of a withdrawal `withdrawal_shipping` (empty: the same), and of both in a country
    `return_shipping_in`. Where the customer uses the shop's `label`, `return_fee` is kept back of the refund, once for
    an order; of a withdrawal nothing is, since the law lets no trader ask for more than the carrier does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    return_days: Days
    damage_days: Days
    wrong_item_days: Days
    missing_days: Days
    goodwill_days: Days | None
    withdrawal: Withdrawal
    final_sale: Patterns
    hygiene: Patterns
    refund_on: Literal["scan", "receipt", "inspection"]
    return_shipping: Payer
    withdrawal_shipping: Literal["", "customer", "shop"]
    return_shipping_in: Annotated[dict[Country, Payer], Field(max_length=300)]
    return_fee: dict[Currency, Minor]
    outward_shipping: Literal["kept", "refunded"]
    standard_shipping: dict[Currency, Minor]
    photo_above: dict[Currency, Minor]

    def payer(self, country: str, *, by_law: bool) -> Payer:
        """Who pays for sending back what nothing is wrong with; `by_law`: in a withdrawal.

        A label whose price may not be kept back is the shop's. Directive 2011/83/EU, Articles 13 (1) and 14 (1): all
        payments go back, and the customer bears the direct cost of sending alone.
        """
        said: Payer = self.return_shipping
        if by_law and self.withdrawal_shipping:
            said = self.withdrawal_shipping
        said = self.return_shipping_in.get(country, said)
        return "shop" if by_law and said == "label" else said

    def fee_minor(self, payer: Payer, currency: str) -> int:
        """What is kept back of a return's refund."""
        return self.return_fee.get(currency, 0) if payer == "label" else 0


def defaults() -> dict[str, Any]:
    """What a new shop begins with: what the law asks for, and little beyond."""
    return {
        "return_days": 30,
        "damage_days": 14,
        "wrong_item_days": 14,
        "missing_days": 14,
        "goodwill_days": 14,
        "withdrawal": withdrawal_by_law(),
        "final_sale": [],
        "hygiene": [],
        "refund_on": "receipt",
        "return_shipping": "customer",
        "withdrawal_shipping": "",
        "return_shipping_in": {},
        "return_fee": {},
        "outward_shipping": "kept",
        "standard_shipping": {},
        "photo_above": {},
    }


def withdrawal_by_law() -> dict[str, int]:
    """The right of withdrawal where it is known, in days by country."""
    return dict.fromkeys(sorted((*EU, *LIKE_EU)), LEGAL_DAYS)


def matches(sku: str, patterns: tuple[str, ...]) -> bool:
    """Whether a SKU is one of these, in whatever case it was written."""
    return any(fnmatchcase(sku.upper(), pattern) for pattern in patterns)
