import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

LAUNCHER = Path(__file__).with_name("launch.py")
# The kernel ends a child when the thread that started it ends, so one thread that never does starts them all.
STARTER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="starter")


def launched(program: Sequence[str | Path], *, signum: int = signal.SIGKILL, user: str = "-") -> list[str]:
    """The command line that runs `program` tied to this process; `user` is "uid:gid" or "-"."""
    # A path with a symbolic link to the interpreter must stay, since a virtual environment hangs on it.
    launcher = [sys.executable, "-I", "-S", str(LAUNCHER)]
    return [*launcher, str(os.getpid()), str(int(signum)), user, *map(str, program)]


def spawn(
    program: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    output: IO[bytes] | int | None = None,
    signum: int = signal.SIGKILL,
    user: str = "-",
) -> subprocess.Popen[bytes]:
    """Starts a program as leader of its own session, which gets `signum` when this process ends.

    `output` takes both standard output and standard error; standard input is empty.
    """
    return STARTER.submit(
        subprocess.Popen,
        launched(program, signum=signum, user=user),
        env=dict(env) if env is not None else None,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        start_new_session=True,
    ).result()


def signal_group(process: subprocess.Popen[bytes], signum: int) -> None:
    """Sends `signum` to the whole session group of a process that `spawn` started."""
    try:
        os.killpg(process.pid, signum)
    except ProcessLookupError:
        return


def ask_to_end(process: subprocess.Popen[bytes], signum: int = signal.SIGTERM) -> None:
    """Sends `signum` to the leader alone, which ends its own children in their order."""
    if process.poll() is None:
        process.send_signal(signum)


def end_group(process: subprocess.Popen[bytes], signum: int, seconds: float) -> None:
    """Asks the leader to end by `signum`, waits, and kills what is left of its group."""
    ask_to_end(process, signum)
    wait_until(lambda: process.poll() is not None, seconds)
    signal_group(process, signal.SIGKILL)
    process.wait()


def wait_until(done: Callable[[], bool], seconds: float, pause: float = 0.05) -> bool:
    """Polls `done` until it says yes or the seconds have passed; returns what it said last."""
    deadline = time.monotonic() + seconds
    while not (answer := done()) and time.monotonic() < deadline:
        time.sleep(pause)
    return answer
