"""Runs the command as somebody at a shell does: in a process, with databases, of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from django.conf import settings


def simulate(*options: str) -> dict[str, Any]:
    """What `manage.py simulate` prints with these options; its status says whether it found anything."""
    data = {"OPSAGENT_MODE": "test", "OPSAGENT_DATA_DIR": str(settings.DATA_DIR)}
    done = subprocess.run(
        [sys.executable, "manage.py", "simulate", *options, "--json"],
        cwd=settings.BASE_DIR,
        env={**os.environ, **data},
        capture_output=True,
        check=False,
    )
    lines = done.stdout.decode().strip().splitlines()
    assert lines, done.stderr.decode(errors="replace")[-4000:]
    said: dict[str, Any] = json.loads(lines[-1])
    assert done.returncode == bool(said.get("violations") or said.get("missed"))
    return said
