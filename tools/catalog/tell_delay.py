"""Tell the customer, once, that it takes longer than it should: nobody has decided in time."""

from __future__ import annotations

from tools.base import Arguments, Effect, Kind, Leaves, Scope, Tool
from tools.catalog.send_message import message_effect

NAME = "tell_delay"
TEMPLATE = "takes_longer"


class TellDelay(Arguments):
    """Sent when a request has run out for the last time; no planner may ask for it."""


def resolve(arguments: TellDelay, scope: Scope) -> Effect:
    """One fixed template without order data."""
    return message_effect(NAME, TEMPLATE, scope, {})


TOOL = Tool(NAME, Kind.MESSAGE, TellDelay, resolve, for_planner=False, leaves=Leaves.NOTHING)
