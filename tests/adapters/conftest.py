"""Every test of an adapter has a connected shop."""

import pytest

from tests.adapters.faking import ENVIRONMENT


@pytest.fixture(autouse=True)
def connected(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
