"""Remind the customer of our question once, and later close the case that nobody answered."""

from __future__ import annotations

from typing import Literal

from tools.base import Arguments, Effect, Kind, Leaves, Scope, Tool
from tools.catalog.send_message import message_effect


class Remind(Arguments):
    """Sent by the clock, never asked for by a planner."""

    template: Literal["reminder", "closing_unanswered"]


def resolve(arguments: Remind, scope: Scope) -> Effect:
    """Neither text tells anything of an order."""
    return message_effect("remind", arguments.template, scope, {})


TOOL = Tool("remind", Kind.MESSAGE, Remind, resolve, for_planner=False, leaves=Leaves.NOTHING)
