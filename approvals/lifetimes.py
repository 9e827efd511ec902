"""Until when each request may be signed, and how that moves when people write that they are there, or aren't.

What has passed of a lifetime has passed: a change moves only what is left of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from approvals.duty import LONGEST, lifetime, runs_out, time_there
from approvals.eligibility import signing_weeks
from approvals.models import ApprovalRequest
from audit import sources

State = ApprovalRequest.State


def expires_at(request: ApprovalRequest) -> datetime:
    """Until when a request that is made now may be signed, in the hours of those who may sign it."""
    starts = request.requested_at
    return runs_out(starts, lifetime(request.shop_id, request.tier), signing_weeks(request, starts))


def left(shops: Iterable[int]) -> list[tuple[ApprovalRequest, timedelta]]:
    """The pending requests of these shops, with what is left of their lifetimes by the hours as they are."""
    now = sources.now()
    rows = ApprovalRequest.objects.filter(shop__in=list(shops), state=State.PENDING, expires_at__gt=now)
    return [
        (row, time_there(now, row.expires_at, signing_weeks(row, now)))
        for row in rows.select_related("decision__limits").order_by("pk")
    ]


def go_on(was: Iterable[tuple[ApprovalRequest, timedelta]]) -> list[int]:
    """Let what was left run in the hours as they are now; the requests whose end moved. Needs a transaction."""
    now, moved = sources.now(), []
    for row, lifetime_left in was:
        ends = runs_out(now, lifetime_left, signing_weeks(row, now))
        ends = min(ends, row.requested_at + LONGEST)
        pending = ApprovalRequest.objects.filter(pk=row.pk, state=State.PENDING)
        if ends != row.expires_at and pending.update(expires_at=ends):
            moved.append(row.pk)
    return moved
