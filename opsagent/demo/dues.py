"""What is paid besides the goods, and with what: taxes by rate, customs duties, a gift card beside the card.

Rates: https://taxation-customs.ec.europa.eu/taxation/vat/vat-directive/vat-rates_en, https://www.gov.uk/vat-rates and
https://www.nta.go.jp/english/taxes/consumption_tax/01.htm
"""

from __future__ import annotations

from typing import Literal

from opsagent.demo.goods import Item
from opsagent.demo.money import decimal_text, minor
from opsagent.demo.people import Person
from opsagent.demo.script import Neutral

Pays = Literal["usual", "gift_card", "cash"]
# Title, usual rate and reduced rate in per mille, by where the parcel goes; these prices hold their tax.
INCLUDED = {
    "DE": ("MwSt", 190, 70),
    "ES": ("IVA", 210, 40),
    "FR": ("TVA", 200, 55),
    "GB": ("VAT", 200, 0),
    "IE": ("VAT", 230, 0),
    "JP": ("消費税", 100, 80),
}
# Books, and what one eats.
REDUCED = frozenset({"FF-0108", "SL-0104"})
# A state's tax on top, and the towns' states that have none or leave out what goes by mail.
ON_TOP, FREE = 60, ("OR", "MN")
# What the customs take of cloth that comes from overseas, in per mille; every third British parcel is looked at.
DUTY = 40
LOOKED_AT = 3
GIFT = {"USD": 1000, "EUR": 1000, "GBP": 1000, "JPY": 1000}


def taxes(who: Person, item: Item, paid: int) -> list[Neutral]:
    """The taxes of a line of which `paid` minor units are paid for the goods."""
    if who.currency == "USD":
        return [] if who.province_code in FREE else [_tax("State Tax", ON_TOP, paid * ON_TOP // 1000, "USD")]
    title, usual, reduced = INCLUDED[who.country_code]
    return _held(title, reduced if item.sku in REDUCED else usual, paid, who.currency)


def of_shipping(who: Person, paid: int) -> list[Neutral]:
    """The taxes of shipping; in America there is none on it."""
    if who.currency == "USD":
        return []
    title, usual, _ = INCLUDED[who.country_code]
    return _held(title, usual, paid, who.currency)


def _held(title: str, rate: int, paid: int, currency: str) -> list[Neutral]:
    """The tax that a price holds, rounded to the nearest."""
    held = (2 * paid * rate + 1000 + rate) // (2 * (1000 + rate))
    return [_tax(title, rate, held, currency)] if rate else []


def _tax(title: str, rate: int, amount: int, currency: str) -> Neutral:
    return {"title": title, "rate": f"0.{rate:03d}", "amount": decimal_text(amount, currency)}


def duties(who: Person, item: Item, line: int, number: int, paid: int) -> list[Neutral]:
    """What British customs take of the line `line` of the order with this number."""
    if who.country_code != "GB" or number % LOOKED_AT or item.stuff != "soft":
        return []
    owed, (title, usual, _) = paid * DUTY // 1000, INCLUDED["GB"]
    return [
        {
            "id": line + 1,
            "amount": decimal_text(owed, who.currency),
            "taxes": _held(title, usual, owed, who.currency),
            "harmonized_system_code": "630260",
            "country_code": "US",
        }
    ]


def tenders(order: Neutral, pays: Pays) -> list[Neutral]:
    """The order's payments where a gift card paid a part; none where one tender paid all."""
    if pays != "gift_card":
        return []
    currency = order["currency"]
    total = minor(order["total"], currency)
    gift = min(GIFT[currency], total // 3)
    return [
        {
            "gateway": order["gateway"],
            "transaction_id": order["transaction_id"],
            "amount": decimal_text(total - gift, currency),
            "charge": order["charge"],
        },
        {
            "gateway": "gift_card",
            "transaction_id": order["transaction_id"] + 1,
            "amount": decimal_text(gift, currency),
        },
    ]


def charged(order: Neutral) -> str:
    """What the order's card paid."""
    parts = order.get("tenders") or [{"amount": order["total"]}]
    return str(parts[0]["amount"])
