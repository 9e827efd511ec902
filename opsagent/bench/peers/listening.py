"""The limit for a queue: one process that LISTENs, takes a row with SKIP LOCKED and does the task itself."""

from __future__ import annotations

import os

import psycopg

from opsagent.bench.marking import mark

BATCH = 10
CLAIM = """
    DELETE FROM bare_task WHERE id IN (
        SELECT id FROM bare_task ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
    ) RETURNING number
"""
TABLE = "CREATE TABLE IF NOT EXISTS bare_task (id bigserial PRIMARY KEY, number bigint NOT NULL)"


def main() -> None:
    """Until it is ended."""
    url = os.environ["DATABASE_URL"]
    with (
        psycopg.connect(url, autocommit=True) as listener,
        psycopg.connect(url, autocommit=True, prepare_threshold=0) as connection,
    ):
        listener.execute("LISTEN bare_task")
        while True:
            taken = connection.execute(CLAIM, [BATCH]).fetchall()
            for (number,) in taken:
                mark(number)
            if not taken:
                for _ in listener.notifies(timeout=1, stop_after=1):
                    break


if __name__ == "__main__":
    main()
