"""An order that nobody has heard of, as the rows that it will be: for a caller who writes all of a webhook at once.

What the columns hold is said in tools.orders alone; `tools.orders.record_order` writes the same, step by step.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Field, Model
from django.db.models.fields import NOT_PROVIDED

from tools.models import Order, OrderLine
from tools.orders import line_facts, order_facts, promised
from tools.snapshots import OrderSnapshot

# What the caller's statement sets itself.
ORDER_SETS, LINE_SETS = ("shop_id", "person_id"), ("order_id",)


def is_plain(seen: OrderSnapshot) -> bool:
    """Whether the snapshot is an order and its lines, and no more: what else comes with it is booked step by step."""
    more = (seen.payments, seen.shipments, seen.refunds, seen.returns, seen.disputes)
    told = seen.complete or seen.risk_level is not None or any(more)
    return not told and not any(line.removed for line in seen.lines)


def order_row(seen: OrderSnapshot, ships_within_days: int) -> dict[str, Any]:
    """The order's row, to be told as JSON, for `columns(Order, ORDER_SETS)`."""
    facts = order_facts(_nothing(), seen, None)
    row = {"external_id": seen.external_id, "promised_at": promised(seen.placed_at, ships_within_days)}
    return _defaults(Order, ORDER_SETS) | facts | row


def line_rows(seen: OrderSnapshot) -> list[dict[str, Any]]:
    """Its lines, to be told as a JSON list, for `columns(OrderLine, LINE_SETS)`."""
    blank = _defaults(OrderLine, LINE_SETS)
    return [blank | line_facts(line) | {"external_id": line.external_id} for line in seen.lines]


@cache
def columns(model: type[Model], but: tuple[str, ...]) -> tuple[str, str]:
    """Names and names with types of the columns that a row as JSON gives; those with a database default are left."""
    fields = _fields(model, but)
    names = ", ".join(f'"{field.column}"' for field in fields)
    return names, ", ".join(f'"{field.column}" {field.db_type(connection)}' for field in fields)


@cache
def _defaults(model: type[Model], but: tuple[str, ...]) -> dict[str, Any]:
    return {str(field.column): field.get_default() for field in _fields(model, but)}


def _fields(model: type[Model], but: tuple[str, ...]) -> list[Field[Any, Any]]:
    return [
        field
        for field in model._meta.concrete_fields
        if not field.primary_key and field.attname not in but and field.db_default is NOT_PROVIDED
    ]


@cache
def _nothing() -> Order:
    """What is known of an order that nobody knows."""
    return Order()
