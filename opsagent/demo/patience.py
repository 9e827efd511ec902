"""What the demo asks its own database, which may be away for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import connections

from opsagent.unreachable import unreachable

T = TypeVar("T")

AWAY_SECONDS = 120.0
PAUSE_SECONDS = 0.25


def patiently(ask: Callable[[], T]) -> T:
    """What it answers, asked anew while the database can't be reached; one that stays away raises after two minutes."""
    ends = time.monotonic() + AWAY_SECONDS
    while True:
        try:
            return ask()
        except Exception as error:
            if not unreachable(error) or time.monotonic() > ends:
                raise
        connections.close_all()
        time.sleep(PAUSE_SECONDS)
