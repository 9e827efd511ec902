"""How fast this machine's disk keeps its word, measured beside each benchmark."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from statistics import median

import psycopg

PROBE_BYTES = 8192
QUIET_MS = 0.5


def fsync_ms(folder: Path, times: int) -> float:
    """The median of writing one page of 8 KiB in this folder and waiting until the disk has it, in milliseconds."""
    page, took = os.urandom(PROBE_BYTES), []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(times):
            file.seek(0)
            began = time.perf_counter()
            file.write(page)
            file.flush()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return round(median(took) * 1000, 3)


def insert_ms(url: str, body: bytes, times: int) -> float:
    """The median of one committed INSERT of these bytes on one connection, in milliseconds."""
    took = []
    with psycopg.connect(url, autocommit=True, prepare_threshold=0) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS probe (id bigserial PRIMARY KEY, raw bytea NOT NULL)")
        for _ in range(times):
            began = time.perf_counter()
            connection.execute("INSERT INTO probe (raw) VALUES (%s)", [body])
            took.append(time.perf_counter() - began)
    return round(median(took) * 1000, 3)
