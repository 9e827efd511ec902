"""Web servers of the contenders: granian with the options that the supervisor gives to ours."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from opsagent import processes
from opsagent.bench.grounds import free_port
from opsagent.supervisor import MANAGE, web_spec

OURS = "opsagent.wsgi:application"
START_SECONDS = 60.0
STOP_SECONDS = 10.0


class NotServing(Exception):
    """A contender's web server did not start."""


@contextmanager
def served(application: str, environment: Mapping[str, str], log: Path) -> Iterator[int]:
    """The port of a granian that serves this WSGI application, alone in its process group; ended with the block."""
    port = free_port()
    *options, ours = web_spec(port).program
    if ours != OURS:
        raise NotServing("The web server's options don't end in our application.")
    with log.open("ab") as output:
        program = [*options, application]
        process = processes.spawn(program, env=environment, cwd=MANAGE.parent, output=output)
    try:
        if not processes.wait_until(lambda: _answers(port) or process.poll() is not None, START_SECONDS):
            raise NotServing(f"{application} did not start: {log.read_text(errors='replace')[-600:]}")
        if process.poll() is not None:
            raise NotServing(f"{application} ended: {log.read_text(errors='replace')[-600:]}")
        yield port
    finally:
        processes.end_group(process, signal.SIGTERM, STOP_SECONDS)


def _answers(port: int) -> bool:
    try:
        httpx.get(f"http://127.0.0.1:{port}/", timeout=2)
    except httpx.HTTPError:
        return False
    return True
