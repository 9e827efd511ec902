"""The lines and the shipping of a refund, from our own order graph: what goes back, with its taxes and duties."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tools.errors import InvalidArgs
from tools.models import Order, OrderLine
from tools.refunding.shares import divided, taxes_between
from tools.types import Money

Part = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Draft:
    """What goes back, before it is known who pays it.

    `pieces` are what was wished for, as line id and quantity; `lines` and `shipping_taxes` are as a refund's body has
    them. `money` is what goes back: all of them together, but for the `fee_minor` that the shop keeps of a return.
    """

    order: int
    pieces: tuple[tuple[int, int], ...]
    lines: tuple[Part, ...]
    shipping_minor: int
    shipping_taxes: tuple[dict[str, Any], ...]
    goodwill_percent: int
    money: Money
    fee_minor: int = 0
    fee_taxes: tuple[dict[str, Any], ...] = ()

    @property
    def whole(self) -> Money:
        """All that the lines and the shipping are worth, before anything is kept."""
        return Money(self.money.amount_minor + self.fee_minor, self.money.currency)


def compose(
    order: Order,
    wishes: Iterable[tuple[int, int]],
    *,
    shipping: bool,
    goodwill_percent: int,
    reason: str,
    fee_minor: int = 0,
) -> Draft:
    """What goes back for so many pieces of these lines (line id, quantity); expects lines and returns prefetched.

    Goodwill is a reduction of the named pieces' price: no piece, no shipping and no duty goes back with it. The fee is
    kept of the pieces' price, never of anything else. Raises InvalidArgs with a code for a foreign line, more pieces
    than are left, or where nothing is.
    """
    lines = {line.pk: line for line in order.lines.all()}
    parts, pieces = [], merged(wishes)
    for line_id, quantity in pieces:
        if line_id not in lines:
            raise InvalidArgs(code="line.not_of_order")
        part = line_part(lines[line_id], quantity, goodwill_percent)
        back = reason == "returned" and _is_back(
            order, lines[line_id], quantity, whole=_is_whole(lines, pieces)
        )
        parts.append(part | _restock(order, lines[line_id], part, back=back))
    freight = order.shipping_minor - order.shipping_gone_minor if shipping and not goodwill_percent else 0
    taxes = taxes_between(
        order.shipping_taxes,
        order.shipping_minor,
        order.shipping_gone_minor,
        order.shipping_gone_minor + freight,
    )
    kept = min(fee_minor, sum(part["amount_minor"] for part in parts))
    total = sum(part["amount_minor"] + part["duties_minor"] for part in parts) + freight - kept
    if total <= 0:
        raise InvalidArgs(code="refund.nothing_left")
    shipping_taxes = tuple(dict(tax) for tax in taxes) if freight else ()
    return Draft(
        order.pk,
        tuple(pieces),
        tuple(parts),
        freight,
        shipping_taxes,
        goodwill_percent,
        Money(total, order.currency),
        kept,
        tuple(_fee_taxes(parts, kept)),
    )


def _fee_taxes(parts: Sequence[Part], fee_minor: int) -> list[dict[str, Any]]:
    """The fee is taxed as the goods are that it is kept of, each in its share."""
    found: dict[tuple[str, int | None], dict[str, Any]] = {}
    prices = [part["amount_minor"] for part in parts]
    for part, share in zip(parts, divided(fee_minor, prices), strict=True):
        for tax in taxes_between(part["taxes"], part["amount_minor"], 0, share):
            row = found.setdefault((tax["title"], tax["rate_ppm"]), {**tax, "amount_minor": 0})
            row["amount_minor"] += tax["amount_minor"]
    return list(found.values()) if fee_minor else []


def merged(wishes: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """One wish per line: naming a line twice is no way around its quantity."""
    found: dict[int, int] = {}
    for line_id, quantity in wishes:
        found[line_id] = found.get(line_id, 0) + quantity
    return sorted(found.items())


def line_part(line: OrderLine, quantity: int, goodwill_percent: int = 0) -> Part:
    """What goes back for so many further pieces of a line, or of their price alone.

    Raises InvalidArgs (refund.more_than_bought) for more pieces than are left.
    """
    if quantity > line.left:
        raise InvalidArgs(code="refund.more_than_bought")
    amount, duties = line.share_minor(quantity), line.duties_share_minor(quantity)
    if goodwill_percent:
        quantity, amount, duties = 0, min(amount * goodwill_percent // 100, line.left_minor), 0
    gone, dues = line.gone_minor, line.duties_gone_minor
    duty_taxes = taxes_between(line.duty_taxes, line.duties_minor, dues, dues + duties)
    return {
        "line": line.pk,
        "quantity": quantity,
        "amount_minor": amount,
        "duties_minor": duties,
        "duty_taxes": [dict(tax) for tax in duty_taxes] if duties else [],
        "taxes": [dict(tax) for tax in taxes_between(line.taxes, line.total_minor, gone, gone + amount)],
    }


def _restock(order: Order, line: OrderLine, part: Part, *, back: bool) -> dict[str, str]:
    """What becomes of the pieces: they never left, or came back, to the order's one location; else nothing is said.

    Nothing said is NO_RESTOCK, as in refunds that were signed before there was a choice.
    """
    if not order.location or not part["quantity"]:
        return {}
    if line.unfulfilled_quantity is not None and line.unfulfilled_quantity >= line.left:
        return {"restock": "CANCEL", "location": order.location}
    return {"restock": "RETURN", "location": order.location} if back else {}


def _is_back(order: Order, line: OrderLine, quantity: int, *, whole: bool) -> bool:
    """Whether the shop got so many pieces of the line back, besides those refunded before, in returns that hold it.

    A closed return whose contents nobody has told speaks for whole orders alone.
    """
    returns = [row for row in order.returns.all() if row.status in ("open", "closed")]
    held = [held for row in returns for held in row.contents or () if held["line"] == line.external_id]
    got: int = sum(min(piece["processed"], piece["quantity"]) for piece in held)
    if held:
        return got >= line.gone_quantity + quantity
    return whole and any(row.status == "closed" and row.contents is None for row in returns)


def _is_whole(lines: Mapping[int, OrderLine], pieces: Iterable[tuple[int, int]]) -> bool:
    """Whether these are all pieces that are left of the order."""
    return dict(pieces) == {pk: line.left for pk, line in lines.items() if line.left}
