"""Two checkouts' demos stand side by side, and a port that somebody asked for is never taken silently elsewhere."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from django.core.management.base import CommandError

from opsagent.demo import house
from opsagent.demo.house import Plan, web_port_for


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens at."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield int(other.getsockname()[1])


def plan(port: int | None, *, headless: bool = False) -> Plan:
    return Plan(seed=1, events=10, port=port, headless=headless, undo_seconds=1)


def test_a_port_in_use_that_was_asked_for_is_a_clear_error(taken: int) -> None:
    with pytest.raises(CommandError, match=f"Port {taken} is in use"):
        web_port_for(plan(taken))


def test_a_second_demo_finds_a_port_of_its_own(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "WEB_PORT", taken)
    assert web_port_for(plan(None)) not in (taken, 0)


def test_a_free_port_that_was_asked_for_is_taken(taken: int) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = int(probe.getsockname()[1])
    assert web_port_for(plan(free)) == free
