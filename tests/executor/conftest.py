"""The shop `north`, connected to vendors that no test reaches, and time that stands still."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from audit import sources
from audit.sources import Clock
from cases.models import Shop
from tests import factories
from tests.adapters.faking import connect


@pytest.fixture
def north(db: None, monkeypatch: pytest.MonkeyPatch) -> Shop:
    connect(monkeypatch)
    return factories.make_shop("north")


@pytest.fixture
def clock(db: None) -> Iterator[Clock]:
    """Time passes where a test says so."""
    with sources.frozen(factories.now()) as clock:
        yield clock
