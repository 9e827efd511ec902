"""A shop named north whose vendors sign with known secrets."""

from __future__ import annotations

import pytest

from cases.models import Shop
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
