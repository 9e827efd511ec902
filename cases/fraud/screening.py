"""Looked at when something comes in, and again before money: is anybody listed, and does it go too fast?"""

from __future__ import annotations

from django.db.models import Q

from approvals.models import RiskFlag
from audit.actors import TRIAGE
from cases.fraud.listed import met
from cases.fraud.velocity import too_fast
from cases.handoff import raise_flags
from cases.models import Case
from tools.models import Order

FRAUD = RiskFlag.Kind.FRAUD


def of_order(order: Order, *, is_new: bool) -> list[str]:
    """Why an order that comes in is suspect, as sources of flags; how many there are only counts where it is new."""
    hurried = [what for what in too_fast(order.pk) if what == "orders"] if is_new else []
    return [*_listed(order.shop_id, case=None, order=order), *(f"velocity.{what}" for what in hurried)]


def screen(case: Case, *, money: bool) -> bool:
    """Flag the case for each entry of the shop's list that it meets, and for haste where it is about money.

    What has called for this order or case before calls no more: a person has looked. True where a flag is new. Needs
    the case locked.
    """
    found = _listed(case.shop_id, case=case, order=case.order)
    if money and case.order_id:
        found += [f"velocity.{what}" for what in too_fast(case.order_id)]
    known = _called(case, found)
    for source in found:
        if source not in known:
            raise_flags(case, (FRAUD.value,), source=source, by=TRIAGE)
    return bool(set(found) - known)


def _listed(shop_id: int, *, case: Case | None, order: Order | None) -> list[str]:
    people = [] if case is None else [case.person_id]
    if case is not None and case.conversation is not None:
        people.append(case.conversation.person_id)
    return [f"fraud_list.{entry.kind}.{entry.pk}" for entry in met(shop_id, people, order)]


def _called(case: Case, found: list[str]) -> set[str]:
    if not found:
        return set()
    on = Q(case=case) | (Q(order=case.order_id) if case.order_id else Q())
    rows = RiskFlag.objects.filter(on, kind=FRAUD, source__in=found)
    return set(rows.values_list("source", flat=True))
