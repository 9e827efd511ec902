"""A document as it is read: every word and amount as text in its language, the same for page and PDF."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from babel.dates import format_date
from babel.numbers import format_percent

from tools.credit_notes.words import words
from tools.models import CreditNote
from tools.types import Money

PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands on the document, from top to bottom. Rows are cells in the order of their heads."""

    language: str
    title: str
    number: str
    facts: tuple[tuple[str, str], ...]
    seller: tuple[str, ...]
    buyer_head: str
    buyer: tuple[str, ...]
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    rates_title: str
    rate_heads: tuple[str, ...]
    rates: tuple[tuple[str, ...], ...]
    totals: tuple[tuple[str, str], ...]


def sheet_of(note: CreditNote) -> Sheet:
    """The document's text; the buyer is decrypted here, and said to be erased where that can't be any more."""
    body, say = note.body, words(note.language)
    return Sheet(
        language=note.language,
        title=say["counter_title" if body["corrects"] else "title"],
        number=body["number"],
        facts=tuple(_facts(body, say)),
        seller=tuple(body["seller"].splitlines()),
        buyer_head=say["buyer"],
        buyer=tuple(_buyer(note, say)),
        heads=tuple(say[key] for key in ("item", "quantity", "net", "tax", "gross")),
        rows=tuple(_row(line, body, say) for line in body["lines"]),
        rates_title=say["by_rate"],
        rate_heads=(say["tax"], say["net"], say["tax"], say["gross"]),
        rates=tuple(_rate(group, body, say) for group in body["totals"]),
        totals=tuple((say[key], _money(body[f"{key}_minor"], body)) for key in ("net", "tax", "gross")),
    )


def _facts(body: Mapping[str, Any], say: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    language = body["language"]
    yield say["number"], body["number"]
    yield say["date"], _day(body["issued_on"], language)
    yield say["original"], _named(body["original"], language, say)
    if body["corrects"]:
        yield say["corrects"], _named(body["corrects"], language, say)
    # Documents that were issued before there were such name none.
    if body.get("replaces"):
        yield say["replaces"], _named(body["replaces"], language, say)
    yield say["reason"], body["words"] or say[body["reason"]]


def _named(document: Mapping[str, str], language: str, say: Mapping[str, str]) -> str:
    # The words are ours, the number is anybody's: it is put in last and never read as a field.
    around = say["original_value"].replace("{date}", _day(document["date"], language))
    return around.replace("{number}", document["number"])


def _buyer(note: CreditNote, say: Mapping[str, str]) -> list[str]:
    if note.buyer is None:
        return [say["buyer_unknown"]]
    text = note.buyer.text
    return [say["buyer_erased"]] if text is None else text.splitlines()


def _row(line: Mapping[str, Any], body: Mapping[str, Any], say: Mapping[str, str]) -> tuple[str, ...]:
    tax = sum(each["amount_minor"] for each in line["taxes"])
    quantity = str(line["quantity"]) if line["kind"] == "goods" else ""
    sums = (line["net_minor"], tax, line["gross_minor"])
    return (_what(line, say), quantity, *(_money(minor, body) for minor in sums))


def _what(line: Mapping[str, Any], say: Mapping[str, str]) -> str:
    if line["kind"] == "goods":
        return str(line["title"])
    return say[line["kind"]].replace("{title}", line["title"])


def _rate(group: Mapping[str, Any], body: Mapping[str, Any], say: Mapping[str, str]) -> tuple[str, ...]:
    taxes = group["taxes"]
    name = " + ".join(_tax(tax, body["language"]) for tax in taxes) or say["no_tax"]
    tax = sum(each["amount_minor"] for each in taxes)
    return (name, *(_money(minor, body) for minor in (group["net_minor"], tax, group["gross_minor"])))


def _tax(tax: Mapping[str, Any], language: str) -> str:
    if tax["rate_ppm"] is None:
        return str(tax["title"])
    rate = format_percent(Decimal(tax["rate_ppm"]) / PPM, locale=language, decimal_quantization=False)
    return f"{tax['title']} {rate}".strip()


def _money(minor: int, body: Mapping[str, Any]) -> str:
    return Money(minor, body["currency"]).format(body["language"])


def _day(iso: str, language: str) -> str:
    return str(format_date(date.fromisoformat(iso), "long", locale=language))
