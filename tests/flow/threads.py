"""Several at the same moment, each with a database connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

THREADS = 8
Result = TypeVar("Result")


def at_once(work: Callable[[int], Result], threads: int = THREADS) -> list[Result]:
    """What `work` answers to each thread's number; all threads begin together."""
    start = threading.Barrier(threads)

    def one(number: int) -> Result:
        start.wait(10)
        try:
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, range(threads)))
