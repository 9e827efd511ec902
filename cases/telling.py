"""Audit entries about a case, all in the case's own stream, and the alarm clock that follows a change."""

from __future__ import annotations

from typing import Any

from django.db import models
from django_q.tasks import async_task

from audit.actors import Actor
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
