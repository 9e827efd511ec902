"""Signs of life of the processes that the supervisor watches, as small files in a folder per process group.

Times are seconds of the monotonic clock, which all processes of one machine share and nobody sets.
"""

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import structlog

log = structlog.get_logger(__name__)

# The supervisor tells each of its processes in this variable where to leave its signs.
FOLDER_VARIABLE = "OPSAGENT_HEARTBEAT_DIR"
# A worker that runs past its task's timeout is ended by its own cluster first.
MARGIN_SECONDS = 10.0


@dataclass(frozen=True)
class Heartbeat:
    """The signs of one process group; writing never raises, since silence is answered by a restart anyway."""

    folder: Path

    def beat(self) -> None:
        self._write("beat", time.monotonic())

    def busy(self, seconds: float) -> None:
        """Says that this process works and may be silent for so many seconds."""
        self._write(f"busy-{os.getpid()}", time.monotonic() + seconds)

    def idle(self) -> None:
        """Takes `busy` back."""
        (self.folder / f"busy-{os.getpid()}").unlink(missing_ok=True)

    def last(self) -> float | None:
        return self._read(self.folder / "beat")

    def silence(self, since: float) -> float:
        """Seconds without a sign, counted from `since` at the earliest; 0 while a live process says it is busy."""
        now = time.monotonic()
        for path in self.folder.glob("busy-*"):
            until = self._read(path)
            if until and until > now and psutil.pid_exists(int(path.name.removeprefix("busy-"))):
                return 0.0
        return now - max(since, self.last() or 0.0)

    def clear(self) -> None:
        """Forgets the signs of an earlier process group."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in self.folder.iterdir():
            path.unlink(missing_ok=True)

    def _write(self, name: str, value: float) -> None:
        draft = self.folder / f".{name}.{os.getpid()}"
        try:
            draft.write_text(str(value))
            draft.replace(self.folder / name)
        except OSError as error:
            log.warning("heartbeat_not_written", error=str(error))

    def _read(self, path: Path) -> float | None:
        with suppress(OSError, ValueError):
            return float(path.read_text())
        return None


def own_heartbeat() -> Heartbeat | None:
    """Where this process leaves its signs, or None if nobody supervises it."""
    folder = os.environ.get(FOLDER_VARIABLE)
    return Heartbeat(Path(folder)) if folder else None


def beat() -> None:
    """The task that a cluster's pusher hands to its workers; its result, arriving, is the sign of life."""


def task_begins(**_signal: Any) -> None:
    from django_q.conf import Conf

    if heartbeat := own_heartbeat():
        heartbeat.busy(Conf.TIMEOUT + MARGIN_SECONDS)


def task_ends(**_signal: Any) -> None:
    if heartbeat := own_heartbeat():
        heartbeat.idle()


def result_arrived(**_signal: Any) -> None:
    """In the cluster's monitor: the way from queue over worker to acknowledgement is open."""
    if heartbeat := own_heartbeat():
        heartbeat.beat()
