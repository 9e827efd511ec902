"""Accounts of members of staff: whoever can sign in as somebody acts as them, so each change of that is told."""

from __future__ import annotations

from approvals.services import has_right
from audit import sources
from audit.actors import Actor
from audit.services import record
from cases.models import User

SIGNING_RIGHTS = (
    "approvals.approve_refund",
    "approvals.approve_large_refund",
    "approvals.add_limitversion",
    "approvals.publish_limitversion",
)


def password_was_set(user: User, *, by: Actor) -> None:
    """One entry, in the transaction of the change; it says whether a right about money hangs on the password."""
    record(
        "staff.password_set",
        by=by,
        stream="staff",
        subject=user,
        shop_id=None,
        correlation_id=sources.random_id(),
        data={"signs_money": any(has_right(user, right) for right in SIGNING_RIGHTS)},
    )
