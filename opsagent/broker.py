import os
import time

import psycopg
import structlog
from django.db import connections, transaction
from django.db.utils import InterfaceError, OperationalError
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.signals import post_execute, post_execute_in_worker, pre_execute
from django_q.signing import SignedPackage
from psycopg import sql

from opsagent import heartbeat, logs

log = structlog.get_logger(__name__)

# Between two proofs that the way from queue over worker to acknowledgement is open.
BEAT_SECONDS = 2.0
# A proof that has not come back after so long is sent again.
LOST_BEAT_SECONDS = 6.0

# A claim or an acknowledgement that a crash of the server takes back means a task that runs again, which changes
# nothing; so neither waits for the disk. Queueing one does, with its caller's transaction.
LAZILY = "(SELECT set_config('synchronous_commit', 'off', true)) AS lazily"
CLAIM = f"""
    UPDATE django_q_ormq SET lock = clock_timestamp() + make_interval(secs => %s)
    FROM {LAZILY} WHERE id IN (
        SELECT id FROM django_q_ormq WHERE key = %s AND lock <= clock_timestamp()
        ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
    )
    RETURNING id, payload
"""  # noqa: S608 - both are ours
ACKNOWLEDGE = f"DELETE FROM django_q_ormq USING {LAZILY} WHERE id = ANY(%s)"  # noqa: S608

Package = tuple[int | None, str]

pre_execute.connect(heartbeat.task_begins, dispatch_uid="opsagent.task_begins")
post_execute_in_worker.connect(heartbeat.task_ends, dispatch_uid="opsagent.task_ends")
post_execute_in_worker.connect(logs.hide_in_result, dispatch_uid="opsagent.hide_in_result")
post_execute.connect(heartbeat.result_arrived, dispatch_uid="opsagent.result_arrived")


class Broker(ORM):
    """django-q2's database queue, woken by NOTIFY and drained without two clusters reading one row.

    A task and its wake-up are part of the caller's transaction: rolled back with it, visible with its commit.
    """

    def __init__(self, list_key: str | None = None) -> None:
        super().__init__(list_key)
        self._listener: Listener | None = None
        self._sent: float = 0.0
        self._owed: list[int] = []

    def enqueue(self, task: str) -> int:
        with transaction.atomic(using=Conf.ORM, savepoint=False):
            pk: int = super().enqueue(task)
            with connections[Conf.ORM].cursor() as cursor:
                cursor.execute("SELECT pg_notify(%s, '')", [channel(self.list_key)])
        return pk

    def dequeue(self) -> list[Package] | None:
        """Packages to work on, or None after waiting about a second; a database that is away counts as empty."""
        packages = self._due_beat()
        try:
            listener = self._listening()
            packages += self._claim()
            if not packages:
                listener.wait(Conf.POLL)
        except (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError) as error:
            # Leaving would cost the cluster ten seconds and a new pusher.
            log.warning("queue_not_reached", error=str(error))
            self._disconnect()
            time.sleep(Conf.POLL)
        return packages or None

    def acknowledge(self, task_id: int) -> None:
        """Takes a task that is done out of the queue; while the database is away it is owed until the next one is."""
        self._owed.append(task_id)
        try:
            self.get_connection()
            with connections[Conf.ORM].cursor() as cursor:
                cursor.execute(ACKNOWLEDGE, [self._owed])
        except (OperationalError, InterfaceError) as error:
            # Raising would end the monitor, and the cluster would be silent until it is started anew.
            log.warning("queue_not_reached", error=str(error))
            connections[Conf.ORM].close()
        else:
            self._owed = []

    def _claim(self) -> list[Package]:
        with connections[Conf.ORM].cursor() as cursor:
            cursor.execute(CLAIM, [Conf.RETRY, self.list_key, Conf.BULK])
            return sorted(cursor.fetchall())

    def _due_beat(self) -> list[Package]:
        sign = heartbeat.own_heartbeat()
        now = time.monotonic()
        if sign is None or now - self._sent < BEAT_SECONDS:
            return []
        came_back = (sign.last() or 0.0) >= self._sent
        if not came_back and now - self._sent < LOST_BEAT_SECONDS:
            return []
        self._sent = now
        return [(None, beat_package())]

    def _listening(self) -> "Listener":
        # The pusher is forked from the cluster, and a connection must not be shared over a fork.
        if self._listener is None or self._listener.pid != os.getpid():
            self._listener = Listener(channel(self.list_key))
        return self._listener

    def _disconnect(self) -> None:
        connections[Conf.ORM].close()
        if self._listener and self._listener.pid == os.getpid():
            self._listener.connection.close()
        self._listener = None

    def __getstate__(self) -> tuple[str, str | None]:
        state: tuple[str, str | None] = super().__getstate__()
        return state

    def __setstate__(self, state: tuple[str, str | None]) -> None:
        super().__setstate__(state)
        self._listener = None
        self._sent = 0.0
        self._owed = []


class Listener:
    """A connection of its own that waits for a queue's NOTIFY."""

    def __init__(self, name: str) -> None:
        self.pid = os.getpid()
        known = connections[Conf.ORM].get_connection_params()
        for key in ("cursor_factory", "context", "prepare_threshold"):
            known.pop(key, None)
        self.connection = psycopg.connect(**known, autocommit=True)
        self.connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(name)))

    def wait(self, seconds: float) -> None:
        """Returns at the next notification, or after the seconds; raises psycopg.OperationalError."""
        for _ in self.connection.notifies(timeout=seconds, stop_after=1):
            return


def channel(queue: str) -> str:
    return f"opsagent_queue_{queue}"


def beat_package() -> str:
    """A task that is in no table: it has no row to acknowledge and its success is not saved."""
    package: str = SignedPackage.dumps(
        {
            "id": "beat",
            "name": "beat",
            "func": "opsagent.heartbeat.beat",
            "args": (),
            "kwargs": {},
            "started": timezone.now(),
        }
    )
    return package
