"""A demo as a newcomer starts it: a process and a data folder of its own, its admin and its vendors at real ports."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from opsagent.supervisor import MANAGE

EVENTS = 36
# A new database and three dozen deliveries on a busy machine with two cores.
DAY_SECONDS = 480
# The last seconds of a code are for people who type fast, not for a slow machine.
LEAST_SECONDS = 6


@dataclass(frozen=True)
class ShopDay:
    """A running demo; `admin` is the address that it prints."""

    data: Path
    admin: str
    process: subprocess.Popen[bytes]
    environment: dict[str, str]

    def password(self, name: str) -> str:
        return str(json.loads((self.data / "demo-staff.json").read_text())[f"{name}-password"])

    def code(self, name: str) -> str:
        """What the README's command prints: it waits for the next code where this one was used."""
        while True:
            command = [sys.executable, str(MANAGE), "demo_code", name]
            said = subprocess.run(
                command, env=self.environment, capture_output=True, text=True, check=True
            ).stdout
            found = re.search(r"^(\d{6})  \(for (\d+) more", said, re.MULTILINE)
            assert found, said
            if int(found[2]) >= LEAST_SECONDS:
                return found[1]
            time.sleep(int(found[2]) + 1)

    def refunds(self) -> list[dict[str, Any]]:
        """What the vendors' stand-in has paid back in all, by its own ledger."""
        told = httpx.get(f"{self._sandbox()}/_control/ledger", trust_env=False).json()
        return list(told["refunds"])

    def _sandbox(self) -> str:
        lines = [child.cmdline() for child in psutil.Process(self.process.pid).children(recursive=True)]
        line = next(line for line in lines if "sandbox" in line and "--port" in line)
        return f"http://127.0.0.1:{line[line.index('--port') + 1]}"


@contextmanager
def shop_day() -> Iterator[ShopDay]:
    """Yields once all that was to happen in the day has happened."""
    with tempfile.TemporaryDirectory(prefix="opsagent-browser-", ignore_cleanup_errors=True) as made:
        # The database's own user must get through it when root runs the tests.
        Path(made).chmod(0o711)
        data, port = Path(made) / "data", _free_port()
        environment = {**os.environ, "OPSAGENT_MODE": "demo", "OPSAGENT_DATA_DIR": str(data)}
        # Both stand in what the demo prints by itself.
        for name in ("OPSAGENT_SITE_URL", "DATABASE_URL"):
            environment.pop(name, None)
        command = [sys.executable, str(MANAGE), "demo", "--events", str(EVENTS), "--port", str(port)]
        with (
            (Path(made) / "printed").open("w+") as printed,
            subprocess.Popen(command, env=environment, stdout=printed, stderr=subprocess.STDOUT) as process,
        ):
            try:
                until(lambda: _has_ended(Path(made) / "printed", process), DAY_SECONDS)
                yield ShopDay(data, f"http://localhost:{port}/admin/", process, environment)
            finally:
                _stop(process)


def until(holds: Callable[[], bool], seconds: float) -> None:
    """Waits for what other processes do."""
    last = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < last, f"not within {seconds} seconds"
        time.sleep(0.5)


def _has_ended(printed: Path, process: subprocess.Popen[bytes]) -> bool:
    said = printed.read_text()
    assert process.poll() is None, said[-2000:]
    return "What came of the day" in said and said.count("The admin: ") > 1


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
