"""Signed order webhooks: each a new order of a new customer, with bodies as the demo's shop sends them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime

from opsagent.bench.loading import request
from opsagent.demo import shopify
from opsagent.demo.script import Neutral
from opsagent.demo.stage import Stage

SHOP = "north"
PATH = f"/hooks/{SHOP}/shopify/"
TOPIC = "orders/create"
# Baskets of one, two and three lines, since orders have more than one now and then.
SIZES = (1, 2, 1, 3)


def bodies(seed: int) -> Iterator[tuple[str, bytes]]:
    """Webhook id and body of one order after the other; the same seed is the same orders."""
    # Repeatable on purpose.
    stage = Stage(random.Random(seed), datetime.now(UTC), roomy=False)  # noqa: S311
    for number in _forever():
        who = stage.cast.newcomer(SHOP)
        goods = stage.items(SHOP, "small", SIZES[number % len(SIZES)])
        order: Neutral = stage.order(SHOP, who, [(item, 1) for item in goods], stage.start)
        stage.orders.clear()
        body = json.dumps(shopify.order_body(order), ensure_ascii=False, separators=(",", ":")).encode()
        yield stage.uuid(), body


def _forever() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


def webhook(webhook_id: str, body: bytes, secret: str, path: str = PATH) -> bytes:
    """The request that Shopify would send."""
    headers = shopify.headers(TOPIC, SHOP, webhook_id, webhook_id, datetime.now(UTC))
    mac = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return request(path, headers | {"X-Shopify-Hmac-Sha256": base64.b64encode(mac).decode()}, body)
