"""The loop beside the queue that finds what the queue forgot."""

import time
from collections.abc import Callable, Mapping
from threading import Event
from typing import Any

import structlog
from django.db import close_old_connections
from django.utils.module_loading import import_string

from opsagent.heartbeat import own_heartbeat
from opsagent.unreachable import unreachable

log = structlog.get_logger(__name__)

# Dotted names of functions without arguments, and the seconds between two calls of each.
WATCH_JOBS: dict[str, float] = {
    "cases.tasks.sweep": 1.0,
    "cases.watching.watch_orders": 60.0,
    "cases.fraud.pending.watch_risks": 60.0,
    "cases.reconciling.running.ring_due": 15.0,
    "cases.vendors.due_checks": 60.0,
    "cases.vendors.lost_probes": 15.0,
    "cases.announcing.watch_announcements": 15.0,
    "cases.vendor_templates.watch_templates": 900.0,
    "cases.intake.statuses.watch_deliveries": 30.0,
    "cases.invariants.runs.watch_invariants": 60.0,
    "cases.rates.watch_rates": 60.0,
}
# A job that is silent for longer is taken for hung, and the process is started anew.
JOB_SECONDS = 60.0


class Watch:
    """Calls each job when it is due; a job that fails is logged and called again at its next turn."""

    def __init__(self, jobs: Mapping[str, float] | None = None) -> None:
        named = WATCH_JOBS if jobs is None else jobs
        self.jobs: list[tuple[str, Callable[[], Any], float]] = [
            (name, import_string(name), seconds) for name, seconds in named.items()
        ]
        self.due: dict[str, float] = dict.fromkeys(named, 0.0)
        self.heartbeat = own_heartbeat()

    def run(self, stop: Event) -> None:
        while not stop.is_set():
            self.turn()
            stop.wait(0.25)

    def turn(self) -> None:
        if self.heartbeat:
            self.heartbeat.beat()
        for name, job, seconds in self.jobs:
            if time.monotonic() >= self.due[name]:
                self.due[name] = time.monotonic() + seconds
                self._call(name, job)

    def _call(self, name: str, job: Callable[[], Any]) -> None:
        if self.heartbeat:
            self.heartbeat.busy(JOB_SECONDS)
        close_old_connections()
        try:
            job()
        except Exception as error:
            if unreachable(error):
                log.warning("database_unreachable", job=name)
            else:
                log.exception("watch_job_failed", job=name)
        finally:
            close_old_connections()
            if self.heartbeat:
                self.heartbeat.beat()
                self.heartbeat.idle()
