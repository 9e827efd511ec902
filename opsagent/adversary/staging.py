"""Furnishes the ground that is attacked: two shops, their accounts, rates, and caps that are in somebody's way."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from decimal import Decimal

from django.db import transaction

from approvals import rates, versions
from approvals.caps import CAPS, caps_of
from audit import sources
from audit.actors import SYSTEM
from cases.models import Shop
from cases.shops import Opening, open_shop
from opsagent.adversary.ground import SIZES, UNDO_SECONDS, Ground
from opsagent.simulation.compiling import compiled_once
from opsagent.simulation.furnishing import BEGINS, ENVIRONMENT, SHOP, furnish
from tools import wire
from tools.models import Order, OrderLine

ABROAD = "sakura"
# A new shop's numbers, but for budgets that some dozen refunds use up, and time that need not pass while one waits.
BUDGETS = {"scripted": 9_000, "rules": 4_000}
CAP = 500_000
RATES = [("EUR", "USD", Decimal("1.1625")), ("USD", "JPY", Decimal("151.3")), ("GBP", "USD", Decimal("1.29"))]
SECOND = Opening(
    slug=ABROAD,
    env_prefix="SAKURA",
    name="Sakura Living",
    legal_entity="Sakura Living KK",
    base_currency="JPY",
    time_zone="Asia/Tokyo",
    languages=("ja", "en"),
    sender_name="Sakura Living",
    sender_email="support@sakura-living.example.org",
    connected_since=BEGINS - timedelta(days=400),
)


@contextmanager
def ground(seed: int = 1) -> Iterator[Ground]:
    """The ground, in the database that the caller is connected to; nothing is put back."""
    with ExitStack() as stack:
        stack.enter_context(_environment({**ENVIRONMENT, **abroad()}))
        furnish()
        clock = stack.enter_context(sources.frozen(BEGINS))
        stack.enter_context(sources.seeded(seed))
        stack.enter_context(compiled_once())
        stack.enter_context(_silence())
        _furnish_more()
        made = Ground(clock, seed)
        pace = wire.Pace(
            sleep=lambda seconds: made.wait(timedelta(seconds=seconds)),
            uniform=lambda low, high: (low + high) / 2,
            monotonic=made.seconds,
        )
        stack.enter_context(wire.transport_override(made.vendors, pace))
        yield made


@contextmanager
def _silence() -> Iterator[None]:
    """Thousands of refusals that nobody wants to read."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def abroad() -> dict[str, str]:
    """The second shop's accounts, at the same stand-ins."""
    return {
        name.replace("NORTH", "SAKURA"): value.replace(f"/{SHOP}/", f"/{ABROAD}/")
        for name, value in ENVIRONMENT.items()
    }


def _furnish_more() -> None:
    """The second shop, rates, and caps that are in somebody's way."""
    with transaction.atomic():
        second, _new = open_shop(SECOND, by=SYSTEM)
        _sold_abroad(second)
        rates.keep(RATES, as_of=sources.now().date(), source="test", by=SYSTEM)
        shop = Shop.objects.get(slug=SHOP)
        now = caps_of(shop.pk)
        numbers = {
            **now.numbers(),
            "order_cap_minor": CAP,
            "customer_cap_minor": CAP,
            "instrument_cap_minor": CAP,
            "address_cap_minor": CAP,
            "day_cap_minor": 4 * CAP,
            "budgets": BUDGETS,
            "sizes": {**now.sizes, **SIZES},
            "undo_seconds": UNDO_SECONDS,
            "rate_max_age_hours": 24 * 14,
        }
        versions.begin(
            CAPS, numbers=numbers, reason="attacked", by=SYSTEM, shop_id=shop.pk, currency=now.currency
        )


def _sold_abroad(shop: Shop) -> None:
    """An order of the second shop's, which nobody here may reach."""
    now = sources.now()
    order = Order.objects.create(
        shop=shop,
        external_id="9000001",
        name="#9001",
        currency="JPY",
        total_minor=1500,
        shipping_minor=0,
        placed_at=now,
        financial_status="paid",
        risk_level=Order.Risk.LOW,
        country="JP",
        vendor_updated_at=now,
        read_at=now,
    )
    OrderLine.objects.create(
        order=order, external_id="9000001-0", sku="SL-1", title="Bowl", quantity=1, total_minor=1500
    )
