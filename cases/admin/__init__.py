"""The story on screens: cases, hand-offs, events, people and shops; imported for its registrations."""

from cases.admin import cases, events, handoffs, payments, people, sources

__all__ = ["cases", "events", "handoffs", "payments", "people", "sources"]
