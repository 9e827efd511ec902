"""Send a person's own words."""

from __future__ import annotations

from tools.base import Arguments, Effect, Kind, Scope, Step, Tool
from tools.catalog.send_message import BY_CHANNEL


class Reply(Arguments):
    """Only staff write free text; the message is kept where people's words live, and named by its id."""

    message_id: int


def resolve(arguments: Reply, scope: Scope) -> Effect:
    """One message, to whom the case talks with."""
    body = {"case": scope.case_id, "message": arguments.message_id}
    step = Step(
        "send_message", BY_CHANNEL[scope.channel], {**body, "template": "reply", "sku": ""}, template="reply"
    )
    return Effect("reply", Kind.MESSAGE, body, (step,), template="reply")


TOOL = Tool("reply", Kind.MESSAGE, Reply, resolve, for_planner=False)
