"""Ask the customer one question and wait for the answer."""

from __future__ import annotations

from typing import Literal

from tools.base import Arguments, Effect, Kind, Leaves, Scope, Tool
from tools.catalog.send_message import message_effect


class RequestInformation(Arguments):
    """Ask the customer for what is missing; they are reminded once, then the case closes."""

    question: Literal["which_item", "photo", "order_number"]


def resolve(arguments: RequestInformation, scope: Scope) -> Effect:
    """One template per question."""
    question = arguments.question
    return message_effect("request_information", f"ask_{question}", scope, {"question": question})


TOOL = Tool("request_information", Kind.MESSAGE, RequestInformation, resolve, leaves=Leaves.NOTHING)
