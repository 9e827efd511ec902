"""What a person's no covers: not a hash alone, since a cent less would be another effect, but the things asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from approvals.models import ApprovalRequest
from tools.base import Effect, Kind, Scope

SHIPPING = "shipping"


def refused_before(effect: Effect, scope: Scope, *, by_agent: bool) -> bool:
    """Whether a person rejected this before.

    For the agent that is any money about a piece, or the shipping, that a rejected request of the same case or order
    was about, whatever the amount, the reason or the tool. A person may ask for anything but the very same effect.
    """
    same = Q(case_id=scope.case_id, effect_hash=effect.digest)
    if scope.order_id is not None:
        same |= Q(case_id=scope.case_id) | Q(case__order_id=scope.order_id)
    rows = ApprovalRequest.objects.filter(
        same, shop_id=scope.shop_id, state=ApprovalRequest.State.REJECTED
    ).values_list("case_id", "effect_hash", "decision__effect")
    wanted = things(effect.body) if effect.kind is Kind.MONEY else frozenset()
    for case_id, effect_hash, body in rows:
        if (case_id, effect_hash) == (scope.case_id, effect.digest):
            return True
        if by_agent and wanted & things(body):
            return True
    return False


def things(body: Mapping[str, Any]) -> frozenset[object]:
    """What an effect gives money for: lines by their id, and the shipping of an order."""
    lines = {part["line"] for part in body.get("lines", [])}
    shipping = {(SHIPPING, body["order"])} if body.get("shipping_minor") else set()
    return frozenset(lines | shipping)
