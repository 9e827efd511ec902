"""What the scripted planner wants in each story."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from approvals.models import Decision
from cases.planner.facts import CaseFacts
from cases.planner.protocol import Proposal
from tools.models import Order

if TYPE_CHECKING:
    from opsagent.simulation.engine import Play


def propose(play: Play, facts: CaseFacts) -> Proposal:
    """One piece of the order's first line, as often as the customer may wish for it; then a person."""
    story = play.scenario
    order = Order.objects.filter(cases=facts.case_id, external_id__in=play.world.order_ids).first()
    line = order.lines.order_by("pk").first() if order else None
    wished = Decision.objects.filter(case__order=order, tool="issue_refund").count()
    if order is None or line is None or story.colleague or wished >= story.wishes:
        return Proposal(tool="escalate", arguments={"reason": "unclear"})
    if story.asks and not play.world.asked:
        play.world.asked = True
        return Proposal(tool="request_information", arguments={"question": "photo"})
    wish: dict[str, Any] = {
        "order_id": order.pk,
        "lines": [{"line_id": line.pk, "quantity": 1}],
        "shipping": False,
        "goodwill_percent": story.goodwill,
        "reason": "goodwill" if story.goodwill else story.reason,
    }
    return Proposal(tool="issue_refund", arguments=wish)
