"""A shop named north whose vendors sign with known secrets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from audit import sources
from audit.sources import Clock
from cases.models import Shop
from tests.flow.vendors import Vendors, vendors
from tests.flow.world import SECRETS, World, north

ACCOUNT = {
    "NORTH_SHOPIFY_ADMIN_URL": "https://north.example",
    "NORTH_SHOPIFY_ACCESS_TOKEN": "shpat_north",
    "NORTH_STRIPE_API_BASE": "https://stripe.example",
    "NORTH_STRIPE_API_KEY": "sk_test_north",
    "NORTH_KLAVIYO_API_BASE": "https://klaviyo.example",
    "NORTH_KLAVIYO_API_KEY": "pk_north",
    "NORTH_WHATSAPP_API_BASE": "https://graph.example",
    "NORTH_WHATSAPP_ACCESS_TOKEN": "EAA_north",
    "NORTH_WHATSAPP_PHONE_NUMBER_ID": "1065",
    "NORTH_WHATSAPP_VERIFY_TOKEN": "are-you-north",
}


@pytest.fixture(autouse=True)
def _accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**SECRETS, **ACCOUNT}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def shop(db: None) -> Shop:
    return north()


@pytest.fixture
def world(shop: Shop) -> World:
    return World(shop)


@pytest.fixture
def clock(db: None) -> Iterator[Clock]:
    """Time stands still, and passes where a test says so."""
    with sources.frozen(sources.now()) as clock:
        yield clock


@pytest.fixture
def fake() -> Iterator[Vendors]:
    """Vendors that do as they are told, for the whole test."""
    with vendors() as fake:
        yield fake
