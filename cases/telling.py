"""Audit entries about a case, all in the case's own stream, and the alarm clock that follows a change."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F
from django_q.tasks import async_task

from approvals import services as authority
from audit import sources
from audit.actors import SYSTEM, Actor
from audit.services import record
from cases.models import Case
from cases.tasks_table import CLUSTER, TASKS


def tell(action: str, case: Case, *, by: Actor, subject: models.Model | None = None, **data: Any) -> None:
    """One entry, in the transaction of the change that it tells of."""
    record(
        action,
        by=by,
        stream=f"case/{case.pk}",
        subject=subject or case,
        shop_id=case.shop_id,
        correlation_id=case.correlation_id,
        data=data,
    )


def ring(task: str, row_id: int) -> None:
    """Queue a task with one row id, in the caller's transaction: a rollback takes it back.

    Losing or doubling it changes nothing but latency, since the work is claimed on the row.
    """
    async_task(TASKS[task], row_id, cluster=CLUSTER[task])


def wants_thought(case: Case) -> None:
    """Something changed: the case goes to the agent, unless a person has it or an effect is under way.

    What waits for a signature was asked for without this news, so it is void, and the agent thinks again.
    """
    Case.objects.filter(pk=case.pk).update(dirty=F("dirty") + 1)
    for request in case.approvals.filter(state="pending"):
        authority.void(request.pk, why="news", by=SYSTEM)
    theirs = (Case.State.OPEN, Case.State.WAITING, Case.State.APPROVAL)
    if case.state in theirs and case.wait_reason != Case.Wait.EFFECT:
        Case.objects.filter(pk=case.pk).update(
            state=Case.State.OPEN, wait_reason="", wake_at=None, due_at=sources.now()
        )
        ring("advance", case.pk)
    case.refresh_from_db()
