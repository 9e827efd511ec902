"""Who has the next move when the agent has none: nobody until a date, or nobody any more."""

from __future__ import annotations

from datetime import timedelta

from audit import sources
from audit.actors import AGENT, SYSTEM
from cases.models import Case
from cases.telling import tell

State = Case.State
# An effect that isn't done by then goes to a person.
EFFECT_AT_MOST = timedelta(hours=24)


def wait(case: Case, reason: str, at_most: timedelta) -> None:
    """The case waits until something happens, or until the date at the latest."""
    Case.objects.filter(pk=case.pk).update(
        state=State.WAITING, wait_reason=reason, wake_at=sources.now() + at_most, due_at=None
    )
    case.refresh_from_db()
    tell("case.waiting", case, by=SYSTEM, reason=reason)


def close(case: Case, *, by_name: str) -> None:
    """Nothing more to do."""
    Case.objects.filter(pk=case.pk).update(
        state=State.CLOSED,
        closed_at=sources.now(),
        closed_by=by_name,
        wait_reason="",
        wake_at=None,
        due_at=None,
    )
    case.refresh_from_db()
    tell("case.closed", case, by=AGENT if by_name == "agent" else SYSTEM)
