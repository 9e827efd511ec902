"""A shop named north, its vendors on a fake wire over a real sandbox, and a clock that a test moves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit import sources
from audit.sources import Clock
from opsagent.demo import accounts
from tests.flow.conftest import shop, world
from tests.flow.vendors import over
from tests.flow.world import SECRETS
from tests.reconciling.vendors import Vendors, start_over
from tools.sandbox.server import Sandbox

__all__ = ["shop", "world"]


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder: Path = tmp_path_factory.mktemp("vendors")
    with Sandbox(port=0, ledger=folder / "ledger.sqlite") as running:
        yield running


@pytest.fixture
def connected(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The sandbox's address, with its shops known and the environment pointing at it."""
    variables = {**accounts.environment(tmp_path, sandbox.base_url), **SECRETS}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    start_over(sandbox.base_url)
    return sandbox.base_url


@pytest.fixture
def clock() -> Iterator[Clock]:
    with sources.frozen(datetime.now(UTC).replace(microsecond=0)) as clock:
        yield clock


@pytest.fixture
def vendors(connected: str) -> Iterator[Vendors]:
    fake = Vendors(connected)
    with over(fake):
        yield fake
