"""The task that every queue runs: it writes down when it began, on the clock that all processes of a machine share.

Into a file, not into the database: a commit for each task would be most of what is measured, whatever the queue.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

# Where to write, in the environment of whoever runs the task.
PLACE = "BENCH_MARKS"


def mark(number: int) -> None:
    """One short line, which O_APPEND keeps whole between processes."""
    began = time.monotonic()
    with Path(os.environ[PLACE]).open("ab", buffering=0) as file:
        file.write(b"%d %r\n" % (number, began))


class Marks:
    """What the tasks wrote down so far, by their numbers."""

    def __init__(self, place: Path) -> None:
        self.began: dict[int, float] = {}
        self._file = place.open("rb")
        self._rest = b""

    def read(self) -> dict[int, float]:
        """All that is there by now; a task that ran twice counts from its first run."""
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        for line in lines:
            number, began = line.split()
            self.began.setdefault(int(number), float(began))
        return self.began

    def close(self) -> None:
        self._file.close()
