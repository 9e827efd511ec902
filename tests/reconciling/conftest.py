"""A shop named north, its vendors on a fake wire over a real sandbox, and a clock that a test moves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from audit import sources
from audit.sources import Clock
from cases.models import Shop
from opsagent.demo import accounts
from tests.flow.vendors import over
from tests.flow.world import SECRETS, World, north
from tests.reconciling.vendors import Vendors
from tools.sandbox.server import Sandbox


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder: Path = tmp_path_factory.mktemp("vendors")
    with Sandbox(port=0, ledger=folder / "ledger.sqlite") as running:
        yield running


@pytest.fixture
def connected(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The sandbox's address, with its shops known and the environment pointing at it."""
    httpx.post(f"{sandbox.base_url}/_control/reset").raise_for_status()
    variables = {**accounts.environment(tmp_path, sandbox.base_url), **SECRETS}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for shop in accounts.for_sandbox(variables):
        httpx.post(f"{sandbox.base_url}/_control/shops", json=shop).raise_for_status()
    return sandbox.base_url


@pytest.fixture
def clock() -> Iterator[Clock]:
    with sources.frozen(datetime.now(UTC).replace(microsecond=0)) as clock:
        yield clock


@pytest.fixture
def shop(db: None) -> Shop:
    return north()


@pytest.fixture
def world(shop: Shop) -> World:
    return World(shop)


@pytest.fixture
def vendors(connected: str) -> Iterator[Vendors]:
    fake = Vendors(connected)
    with over(fake):
        yield fake
