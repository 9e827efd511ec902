"""Authority on screens: decisions, approvals, limits and switches; imported for its registrations."""

from approvals.admin import authority, decisions, exceptions, rates, requests, versions

__all__ = ["authority", "decisions", "exceptions", "rates", "requests", "versions"]
