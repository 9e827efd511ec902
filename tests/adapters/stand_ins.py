"""The vendors of north as stand-ins over real HTTP, with one order, and the refund that is asked of them most."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox.world import KEYS, Caller, order
from tools.adapters import shopify
from tools.sandbox.server import Sandbox

ADDRESSES = {
    "NORTH_SHOPIFY_ADMIN_URL": "shopify",
    "NORTH_STRIPE_API_BASE": "stripe",
    "NORTH_KLAVIYO_API_BASE": "klaviyo",
    "NORTH_WHATSAPP_API_BASE": "whatsapp",
    "NORTH_SLACK_WEBHOOK_URL": "slack",
}
# One lamp of the order, where it was paid through Shopify.
LAMP_BACK = shopify.RefundRequest(
    order_external_id="5001001",
    transaction_external_id="31",
    gateway="shopify_payments",
    amount_minor=1200,
    currency="USD",
    lines=(shopify.RefundedLine("11", 1),),
    note="case 5",
)


@contextmanager
def stand_ins(folder: Path, monkeypatch: pytest.MonkeyPatch, **shop: Any) -> Iterator[Caller]:
    """All vendors of north, where the environment points; `shop` is what else the stand-ins know of it."""
    with Sandbox(ledger=folder / "ledger.sqlite3") as running:
        for name, vendor in ADDRESSES.items():
            monkeypatch.setenv(name, f"{running.base_url}/north/{vendor}")
        monkeypatch.setenv("NORTH_WHATSAPP_BUSINESS_ACCOUNT_ID", f"{KEYS['phone_number_id']}9")
        with httpx.Client(base_url=running.base_url, timeout=10) as client:
            caller = Caller(client)
            caller.control("shops", {**KEYS, **shop})
            caller.control("orders", order())
            yield caller
