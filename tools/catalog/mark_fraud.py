"""Say that an order looks like fraud; a person takes it from there."""

from __future__ import annotations

from typing import Literal

from tools.base import Arguments, Effect, Kind, Leaves, Scope, Tool
from tools.errors import InvalidArgs


class MarkFraud(Arguments):
    """Mark the case's order as fraud-suspect, which stops all automatic money and calls a person."""

    order_id: int
    reason: Literal["chargeback_claim", "unrecognised_payment", "stolen_card", "pattern"]


def resolve(arguments: MarkFraud, scope: Scope) -> Effect:
    """Raises InvalidArgs for an order of another case."""
    if arguments.order_id != scope.order_id:
        raise InvalidArgs(code="order.not_of_case")
    return Effect("mark_fraud", Kind.FRAUD, {"order": arguments.order_id, "reason": arguments.reason})


TOOL = Tool("mark_fraud", Kind.FRAUD, MarkFraud, resolve, leaves=Leaves.NOTHING)
