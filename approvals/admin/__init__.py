"""Authority on screens: decisions, approvals, limits and switches; imported for its registrations."""

from approvals.admin import authority, decisions, requests, versions

__all__ = ["authority", "decisions", "requests", "versions"]
