"""The lines and totals of a credit note, from a refund's body. Pure: it adds up to the refund, or it is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
Tax = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One position. `kind` is goods, reduction (of a price, no piece goes back), part (of what goods cost, where a
    tender gave back nothing), shipping, duty, or return_fee (what the seller keeps, so below zero).

    Documents that were issued before duties stood under their goods have one of the kind duties.
    """

    kind: str
    title: str
    quantity: int
    gross_minor: int
    taxes: tuple[Tax, ...] = ()

    @property
    def tax_minor(self) -> int:
        """All taxes in it."""
        return sum(int(tax["amount_minor"]) for tax in self.taxes)

    @property
    def net_minor(self) -> int:
        """What it is without them."""
        return self.gross_minor - self.tax_minor

    def as_json(self) -> Json:
        """As a document's content holds it."""
        return {
            "kind": self.kind,
            "title": self.title,
            "quantity": self.quantity,
            "net_minor": self.net_minor,
            "taxes": [dict(tax) for tax in self.taxes],
            "gross_minor": self.gross_minor,
        }


def lines_of(body: Mapping[str, Any], titles: Mapping[int, str]) -> list[Line]:
    """What the refund gives back, one position each; `titles` are the order lines' names by id.

    Raises ValueError where the positions aren't what was refunded, to the minor unit.
    """
    found = [_goods(part, titles[part["line"]]) for part in body["lines"]]
    found.append(Line("shipping", "", 1, body["shipping_minor"], tuple(body.get("shipping_taxes") or ())))
    found += [_duties(part, titles[part["line"]]) for part in body["lines"]]
    found.append(_fee(body))
    kept = [line for line in found if line.gross_minor]
    if sum(line.gross_minor for line in kept) != body["amount_minor"]:
        raise ValueError("The positions of a credit note add up to its refund.")
    return kept


def _goods(part: Mapping[str, Any], title: str) -> Line:
    kind = "part" if part.get("share") else "goods" if part["quantity"] else "reduction"
    taxes = tuple(part.get("taxes") or ())
    return Line(kind, title, part["quantity"], part["amount_minor"], taxes)


def _duties(part: Mapping[str, Any], title: str) -> Line:
    # Bodies that were signed before duties or their taxes were known name none.
    return Line("duty", title, 1, part.get("duties_minor", 0), tuple(part.get("duty_taxes") or ()))


def _fee(body: Mapping[str, Any]) -> Line:
    taxes = ({**tax, "amount_minor": -tax["amount_minor"]} for tax in body.get("return_fee_taxes") or ())
    return Line("return_fee", "", 1, -body.get("return_fee_minor", 0), tuple(taxes))


def totals_of(lines: Iterable[Line]) -> list[Json]:
    """Net, taxes and gross of all lines that are taxed alike; highest rate first, untaxed ones last.

    A line has one group, also where several taxes are in it, so the groups add up to the document.
    """
    groups: dict[tuple[tuple[str, int | None], ...], list[Line]] = {}
    for line in lines:
        rates = tuple((str(tax["title"]), tax["rate_ppm"]) for tax in line.taxes if _counts(tax))
        groups.setdefault(rates, []).append(line)
    order = sorted(groups, key=lambda rates: (-sum(rate or 0 for _title, rate in rates), rates))
    return [_total(rates, groups[rates]) for rates in sorted(order, key=lambda rates: not rates)]


def _counts(tax: Tax) -> bool:
    """A rate of nothing is a statement on a document; a tax without rate and amount is none."""
    return bool(tax["amount_minor"]) or tax["rate_ppm"] is not None


def _total(rates: Sequence[tuple[str, int | None]], lines: Sequence[Line]) -> Json:
    taxes = [
        {
            "title": title,
            "rate_ppm": rate,
            "amount_minor": sum(
                int(tax["amount_minor"])
                for line in lines
                for tax in line.taxes
                if (str(tax["title"]), tax["rate_ppm"]) == (title, rate)
            ),
        }
        for title, rate in rates
    ]
    return {
        "taxes": taxes,
        "net_minor": sum(line.net_minor for line in lines),
        "gross_minor": sum(line.gross_minor for line in lines),
    }


def negated(value: Any, key: str = "") -> Any:
    """A document's content with every amount turned round: what a counter-document says."""
    if isinstance(value, dict):
        return {name: negated(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [negated(inner, key) for inner in value]
    return -value if key.endswith("_minor") else value
