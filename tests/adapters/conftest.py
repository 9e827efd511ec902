"""Every test of an adapter has a connected shop, in the environment and in the database."""

from collections.abc import Iterator

import pytest

from cases.models import Shop
from tests.adapters.faking import connect
from tests.factories import make_shop
from tools import wire


@pytest.fixture(autouse=True)
def north(db: None) -> Shop:
    """Rate budgets, circuits and drift are rows of a shop."""
    return make_shop("north", env_prefix="NORTH")


@pytest.fixture(autouse=True)
def connected(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    connect(monkeypatch)
    yield
    wire.close()


@pytest.fixture
def swift(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between tries."""
    monkeypatch.setattr(wire.client._state, "pace", wire.Pace(sleep=lambda seconds: None))
