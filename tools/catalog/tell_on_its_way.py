"""Tell the customer that their refund is on its way: the vendor has it, and it isn't done yet."""

from __future__ import annotations

from tools.base import Arguments, Effect, Kind, Leaves, Scope, Tool
from tools.catalog.send_message import message_effect
from tools.errors import InvalidArgs
from tools.models import ToolCall

NAME = "tell_on_its_way"
TEMPLATE = "refund_on_its_way"
# Where the vendor has a part of a refund alone: another tender has paid already, or waits for its turn.
OF_A_PART = "refund_part_on_its_way"
# Why the message stays where it is: what it says is no longer so.
OVER = "refund.no_longer_on_its_way"


class TellOnItsWay(Arguments):
    """Sent once the payment vendor says so, never asked for by a planner."""

    call_id: int


def resolve(arguments: TellOnItsWay, scope: Scope) -> Effect:
    """Raises InvalidArgs where no refund of the case is on its way under this call."""
    calls = ToolCall.objects.filter(case_id=scope.case_id, amount_minor__gt=0)
    call = calls.filter(pk=arguments.call_id, state=ToolCall.State.PENDING).first()
    if call is None:
        raise InvalidArgs(code="refund.not_on_its_way")
    others = calls.filter(decision_id=call.decision_id).exclude(state=ToolCall.State.PENDING)
    return message_effect(
        NAME, OF_A_PART if others.exists() else TEMPLATE, scope, {"call": str(arguments.call_id)}
    )


TOOL = Tool(NAME, Kind.MESSAGE, TellOnItsWay, resolve, for_planner=False, leaves=Leaves.NOTHING)
