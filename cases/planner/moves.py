"""The moves that the rules planner knows, as proposals."""

from __future__ import annotations

from collections.abc import Sequence

from cases.planner.facts import LineFact, OrderFact
from cases.planner.protocol import Proposal

SURE = 0.9
FAIR = 0.7


def say(template: str, then: str, note: str, confidence: float = SURE, *, sku: str = "") -> Proposal:
    """Send a template; `then` is close or what the case waits for, `sku` the item of a stock answer."""
    named = {"sku": sku} if sku else {}
    return Proposal(
        tool="send_message",
        arguments={"template": template, "then": then, **named},
        note=note,
        confidence=confidence,
    )


def ask(question: str, note: str, confidence: float = SURE) -> Proposal:
    """Ask the customer for the item, a photo or the order's number."""
    return Proposal(
        tool="request_information", arguments={"question": question}, note=note, confidence=confidence
    )


def person(reason: str, note: str, confidence: float = SURE) -> Proposal:
    """Give the case to a person."""
    return Proposal(tool="escalate", arguments={"reason": reason}, note=note, confidence=confidence)


def fraud(order: OrderFact, reason: str, note: str) -> Proposal:
    """Stop all automatic money on the order and call a person."""
    return Proposal(
        tool="mark_fraud",
        arguments={"order_id": order.id, "reason": reason},
        note=note,
        confidence=SURE,
    )


def close(reason: str, note: str, confidence: float = SURE) -> Proposal:
    """End the case without a message."""
    return Proposal(tool="close_case", arguments={"reason": reason}, note=note, confidence=confidence)


def refund(
    order: OrderFact,
    parts: Sequence[tuple[LineFact, int]],
    reason: str,
    note: str,
    *,
    shipping: bool = False,
) -> Proposal:
    """Give back so many pieces of these lines; policy decides who must agree."""
    return Proposal(
        tool="issue_refund",
        arguments={
            "order_id": order.id,
            "lines": [{"line_id": line.id, "quantity": quantity} for line, quantity in parts],
            "shipping": shipping,
            "goodwill_percent": 0,
            "reason": reason,
        },
        note=note,
        confidence=FAIR,
    )
