"""Every test of an adapter has a connected shop."""

from collections.abc import Iterator

import pytest

from tests.adapters.faking import ENVIRONMENT
from tools import wire


@pytest.fixture(autouse=True)
def connected(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    yield
    wire.close()
