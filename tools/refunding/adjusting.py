"""A refund of another amount than its pieces cost: a reduction of their price, and of the shipping's."""

from __future__ import annotations

from collections.abc import Iterable

from tools.errors import InvalidArgs
from tools.models import Order
from tools.refunding.composition import Draft, Part, merged
from tools.refunding.shares import split, taxes_between
from tools.types import Money


def compose_amount(
    order: Order, wishes: Iterable[tuple[int, int]], amount_minor: int, *, shipping: bool, reason: str
) -> Draft:
    """Exactly this amount over these lines, and the shipping if it was asked for, each in its share of what is left.

    No piece goes back on sale and no duty goes back with it. Goodwill says what share of the named pieces it is, so
    that its own limit holds for a person's amount too. Expects lines prefetched. Raises InvalidArgs with a code for a
    foreign line, or more than is left of all that is named.
    """
    lines, parts = {line.pk: line for line in order.lines.all()}, merged(wishes)
    if any(line_id not in lines for line_id, _quantity in parts):
        raise InvalidArgs(code="line.not_of_order")
    if any(quantity > lines[line_id].left for line_id, quantity in parts):
        raise InvalidArgs(code="refund.more_than_bought")
    rooms = [lines[line_id].left_minor for line_id, _quantity in parts]
    freight = order.shipping_minor - order.shipping_gone_minor if shipping else 0
    bounds = [*rooms, freight]
    if amount_minor > sum(bounds):
        raise InvalidArgs(code="refund.more_than_bought")
    *amounts, back = split(amount_minor, bounds, bounds)
    gone = order.shipping_gone_minor
    taxes = taxes_between(order.shipping_taxes, order.shipping_minor, gone, gone + back)
    return Draft(
        order.pk,
        (),
        tuple(
            _part(order, line_id, minor) for (line_id, _q), minor in zip(parts, amounts, strict=True) if minor
        ),
        back,
        tuple(dict(tax) for tax in taxes) if back else (),
        _percent(order, parts, amount_minor) if reason == "goodwill" else 0,
        Money(amount_minor, order.currency),
    )


def _percent(order: Order, pieces: list[tuple[int, int]], amount_minor: int) -> int:
    """Rounded up, against the shop's loss; at most all of it."""
    lines = {line.pk: line for line in order.lines.all()}
    price = sum(lines[line_id].share_minor(quantity) for line_id, quantity in pieces)
    return min(100, -(-amount_minor * 100 // price)) if price else 100


def _part(order: Order, line_id: int, amount_minor: int) -> Part:
    line = next(line for line in order.lines.all() if line.pk == line_id)
    gone = line.gone_minor
    taxes = taxes_between(line.taxes, line.total_minor, gone, gone + amount_minor)
    return {
        "line": line.pk,
        "quantity": 0,
        "amount_minor": amount_minor,
        "duties_minor": 0,
        "duty_taxes": [],
        "taxes": [dict(tax) for tax in taxes],
    }
