"""The closed set of tools, as one literal table: what isn't here can't be asked for."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import ValidationError

from tools.base import Arguments, Kind, Tool, digest
from tools.catalog import (
    acknowledge,
    adjust_refund,
    cancel_order,
    close_case,
    escalate,
    issue_credit_note,
    issue_refund,
    lookup_customer,
    lookup_order,
    lookup_stock,
    mark_fraud,
    record_refund,
    remind,
    reply,
    request_information,
    send_message,
    tell_delay,
    tell_on_its_way,
)
from tools.errors import InvalidArgs

TOOLS: dict[str, Tool] = {
    "lookup_order": lookup_order.TOOL,
    "lookup_customer": lookup_customer.TOOL,
    "lookup_stock": lookup_stock.TOOL,
    "issue_refund": issue_refund.TOOL,
    "record_refund": record_refund.TOOL,
    "issue_credit_note": issue_credit_note.TOOL,
    "send_message": send_message.TOOL,
    "request_information": request_information.TOOL,
    "escalate": escalate.TOOL,
    "mark_fraud": mark_fraud.TOOL,
    "close_case": close_case.TOOL,
    "acknowledge": acknowledge.TOOL,
    "remind": remind.TOOL,
    tell_on_its_way.NAME: tell_on_its_way.TOOL,
    tell_delay.NAME: tell_delay.TOOL,
    adjust_refund.NAME: adjust_refund.TOOL,
    cancel_order.NAME: cancel_order.TOOL,
    "reply": reply.TOOL,
}


def parse(name: str, arguments: dict[str, Any], *, by_planner: bool) -> tuple[Tool, Arguments]:
    """The tool and its validated arguments.

    Raises InvalidArgs for a tool that doesn't exist, one that only reads, or arguments that don't fit.
    """
    tool = TOOLS.get(name)
    if tool is None or tool.kind is Kind.READ or (by_planner and not tool.for_planner):
        raise InvalidArgs(code="tool.unknown")
    try:
        return tool, tool.arguments.model_validate(arguments)
    except ValidationError as error:
        raise InvalidArgs(code="tool.arguments") from error


@cache
def catalogue_hash() -> str:
    """SHA-256 over every tool's name, kind and argument schema: what a planner could have asked for."""
    return digest({name: [tool.kind, tool.arguments.model_json_schema()] for name, tool in TOOLS.items()})
