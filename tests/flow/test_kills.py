"""kill -9 all day long, as anybody can have it with `manage.py demo --headless --kills`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from opsagent.demo.kills import planned
from opsagent.postgres import servers
from opsagent.postgres_home import Home
from opsagent.supervisor import MANAGE
from tests.flow.test_demo_command import after, folder, sound

EVENTS, SEED, KILLS = 200, 9, 60
SECONDS = 1200
# A message whose answer was lost and that nobody can read back ends with a person, which `sound` asks of its case.
OPEN = """
    SELECT id, tool, state FROM tools_toolcall WHERE state IN ('sending', 'unknown') AND amount_minor > 0
"""
TWICE = """
    SELECT decision_id, tool, count(*) FROM tools_toolcall WHERE state = 'succeeded' AND amount_minor > 0
    GROUP BY decision_id, tool, payment_id HAVING count(*) > 1
"""


def killed_day(data: str) -> tuple[dict[str, Any], str]:
    """The last line of a day with kills, and what was reported meanwhile."""
    command = [sys.executable, str(MANAGE), "demo", "--headless", "--json"]
    command += ["--events", str(EVENTS), "--seed", str(SEED), "--kills", str(KILLS)]
    environment = {**os.environ, "OPSAGENT_MODE": "demo", "OPSAGENT_DATA_DIR": data}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as demo:
        try:
            out, err = demo.communicate(timeout=SECONDS)
        finally:
            demo.kill()
    assert demo.returncode == 0, err[-3000:]
    return json.loads(out.splitlines()[-1]), err


@pytest.mark.nightly
@pytest.mark.timeout(SECONDS + 60)
def test_sixty_kills_of_workers_clusters_postgresql_and_everything_lose_and_double_nothing() -> None:
    with folder() as data:
        result, told = killed_day(str(data))
        assert servers(Home(data / "postgres").data) == []
        left, twice = after(data, OPEN), after(data, TWICE)
    sound(result, EVENTS, SEED, killed=True)
    kills = result["kills"]
    assert sum(kills.values()) == KILLS == len(planned(SEED, KILLS, ours=True))
    assert kills["postgres"] >= 5
    assert kills["everything"] >= 4
    assert {"worker", "cluster", "web", "watch"} <= set(kills)
    assert told.count("postgres ended") >= kills["postgres"]
    assert (left, twice) == ([], [])
