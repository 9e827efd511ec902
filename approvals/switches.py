"""What a kill switch stops, asked right before anything leaves; `tools.stops` says when.

    everything, shop   all that leaves for the shop, its readings and its planner's calls of a model too
    vendor             all that leaves to the vendor, readings included
    tool               its calls, with the readings that they rest on
    planner            its turns, with their readings and calls of a model; and the calls that it decided

Lines to staff and the public file of exchange rates go on: neither reaches a customer or their money.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from approvals.models import KillSwitch
from tools.models import ToolCall
from tools.stops import Work

Scope = KillSwitch.Scope
TELLS_STAFF = frozenset({"slack"})


def stopped_since(shop: str, vendor: str, work: Work) -> datetime | None:
    """When the first of the switches was engaged that stop this now; None where none does. One small statement.

    Whom the work is for is only looked at where something is stopped at all.
    """
    if vendor in TELLS_STAFF:
        return None
    whose = Q(shop__isnull=True) | Q(shop__slug=shop)
    rows = KillSwitch.objects.filter(whose, released_at__isnull=True)
    live = list(rows.values_list("scope", "key", "engaged_at"))
    if not live:
        return None
    names = _names(vendor, work)
    return min((at for scope, key, at in live if not key or key in names.get(scope, ())), default=None)


def _names(vendor: str, work: Work) -> dict[str, set[str]]:
    if work.call is not None:
        return {**names_of(work.call, tells=has_paid(work.call)), Scope.VENDOR: {vendor}}
    return {Scope.VENDOR: {vendor}, Scope.PLANNER: {work.planner}}


def names_of(call: ToolCall, *, tells: bool) -> dict[str, set[str]]:
    """By scope, the names of switches that stop this call.

    What only `tells` of money that is gone is stopped by its own alone: leaving it out brings no money back.
    """
    decision = call.decision
    planner = {decision.planner.kind} if decision.by_kind == "agent" and not tells else set()
    tools = {call.tool} if tells else {call.tool, decision.tool}
    return {Scope.TOOL: tools, Scope.VENDOR: {call.vendor}, Scope.PLANNER: planner}


def has_paid(call: ToolCall) -> bool:
    """Whether this call moves no money itself, and a step before it has."""
    before = ToolCall.objects.filter(decision_id=call.decision_id, position__lt=call.position)
    paid = before.filter(amount_minor__gt=0, state=ToolCall.State.SUCCEEDED)
    return not call.amount_minor and paid.exists()
