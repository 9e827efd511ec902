"""End a case that needs nothing more."""

from __future__ import annotations

from typing import Literal

from tools.base import Arguments, Effect, Kind, Leaves, Scope, Tool


class CloseCase(Arguments):
    """Close the case without a message, since nothing is asked for any more."""

    reason: Literal["nothing_to_do", "answered"]


def resolve(arguments: CloseCase, scope: Scope) -> Effect:
    """Nothing leaves the building."""
    return Effect("close_case", Kind.CLOSE, {"case": scope.case_id, "reason": arguments.reason})


TOOL = Tool("close_case", Kind.CLOSE, CloseCase, resolve, leaves=Leaves.NOTHING)
