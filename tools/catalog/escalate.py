"""Give the case to a person."""

from __future__ import annotations

from typing import Literal

from tools.base import Arguments, Effect, Kind, Leaves, Scope, Tool


class Escalate(Arguments):
    """Hand the case to a person, who sees everything that was read and tried."""

    reason: Literal["fraud", "dispute", "legal", "distress", "anger", "unclear", "cannot_do", "customer_asks"]


def resolve(arguments: Escalate, scope: Scope) -> Effect:
    """A hand-off needs no vendor: the row is written with the decision."""
    return Effect("escalate", Kind.PERSON, {"case": scope.case_id, "reason": arguments.reason})


TOOL = Tool("escalate", Kind.PERSON, Escalate, resolve, leaves=Leaves.NOTHING)
