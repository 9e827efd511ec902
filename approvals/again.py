"""Whether what was decided is what it would be today: resolved anew right before anything of it is sent."""

from __future__ import annotations

from django.db import transaction

from approvals.deciding import Wish, resolve
from approvals.models import Decision
from approvals.today import scope_of
from audit import sources
from tools import ledger
from tools.models import ToolCall

CHANGED = "effect.changed"
State = ToolCall.State


def changed(decision: Decision) -> str:
    """The code of why the effect is another one today, or none at all; empty where it is the same.

    Asked before the first call's first try alone: what is half done, or may be, is told by its own steps. Needs the
    order's lock.
    """
    calls = list(ToolCall.objects.filter(decision=decision).order_by("position"))
    if not decision.action or any(call.first_sent_at or call.state != State.RESERVED for call in calls):
        return ""
    wish = Wish(decision.tool, decision.action, decision.planner_id)
    with transaction.atomic():
        # As if it had never been set aside: what it holds is what it asks for.
        for call in calls:
            ledger.release(call)
        ToolCall.objects.filter(decision=decision).update(state=State.CANCELLED, ended_at=sources.now())
        effect, problem = resolve(wish, scope_of(decision), by_planner=decision.by_kind == "agent")
        transaction.set_rollback(True)
    return problem or ("" if effect.digest == decision.effect_hash else CHANGED)
