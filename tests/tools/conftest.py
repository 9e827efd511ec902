"""A shop for the order graph to belong to, and accounts with its vendors."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from cases.models import LegalEntity, Shop
from tests.adapters.faking import connect
from tools import wire


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    connect(monkeypatch)
    yield
    wire.close()


@pytest.fixture
def shop(db: None) -> Shop:
    return Shop.objects.create(
        slug="north",
        name="North",
        legal_entity=LegalEntity.objects.create(name="North Ltd"),
        base_currency="EUR",
        time_zone="Europe/Berlin",
        languages=["en"],
        sender_name="North",
        sender_email="help@north.example",
        env_prefix="NORTH",
        cutover_at=datetime(2026, 1, 1, tzinfo=UTC),
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
