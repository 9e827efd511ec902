"""Puts tasks into one kind of queue, as told on standard input: `NUMBER COUNT` a line; answers with the moment before.

`python -m opsagent.bench.peers.queueing django|bare|procrastinate`
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

import psycopg

TASK = "opsagent.bench.marking.mark"
Put = Callable[[list[int]], None]


def django_q() -> Put:
    """django-q2 with whatever broker the settings name: ours, or the stock one."""
    import django

    django.setup()
    from django.db import transaction
    from django_q.brokers import get_broker
    from django_q.tasks import async_task

    broker = get_broker()

    def put(numbers: list[int]) -> None:
        with transaction.atomic():
            for number in numbers:
                async_task(TASK, number, broker=broker)

    return put


def bare() -> Put:
    """One INSERT and one NOTIFY in one transaction."""
    connection = psycopg.connect(os.environ["DATABASE_URL"], prepare_threshold=0)

    def put(numbers: list[int]) -> None:
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO bare_task (number) VALUES (%s)", [(number,) for number in numbers]
            )
            cursor.execute("SELECT pg_notify('bare_task', '')")
        connection.commit()

    return put


def procrastinate() -> Put:
    """Its own way to defer; many go in one statement."""
    from opsagent.bench.peers.procrastinating import app

    app.open()
    task = app.tasks["mark"]

    def put(numbers: list[int]) -> None:
        task.batch_defer(*({"number": number} for number in numbers))

    return put


KINDS: dict[str, Callable[[], Put]] = {"django": django_q, "bare": bare, "procrastinate": procrastinate}


def main(kind: str) -> None:
    """Until standard input ends."""
    put = KINDS[kind]()
    put([0])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        first, count = map(int, line.split())
        before = time.monotonic()
        put(list(range(first, first + count)))
        sys.stdout.write(f"{before!r}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
