"""The story on screens: cases, hand-offs, events, people and shops; imported for its registrations."""

from cases.admin import (
    cases,
    credit_notes,
    events,
    fraud_list,
    handoffs,
    invariants,
    legal,
    payments,
    people,
    sources,
)

__all__ = [
    "cases",
    "credit_notes",
    "events",
    "fraud_list",
    "handoffs",
    "invariants",
    "legal",
    "payments",
    "people",
    "sources",
]
