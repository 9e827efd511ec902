"""Tell the customer that a person will read their message."""

from __future__ import annotations

from tools.base import Arguments, Effect, Kind, Leaves, Scope, Tool
from tools.catalog.send_message import message_effect


class Acknowledge(Arguments):
    """Sent by triage when it calls a person; no planner may ask for it."""


def resolve(arguments: Acknowledge, scope: Scope) -> Effect:
    """One fixed template without order data."""
    return message_effect("acknowledge", "acknowledge_handoff", scope, {})


TOOL = Tool("acknowledge", Kind.MESSAGE, Acknowledge, resolve, for_planner=False, leaves=Leaves.NOTHING)
