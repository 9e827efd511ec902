"""What the tests of fraud share: a listed something, and what became of it."""

from __future__ import annotations

from typing import Any

from approvals.models import RiskFlag
from cases.fraud import listed
from cases.models import FraudEntry, Handoff, Shop
from tests.authority.rows import acting
from tools.snapshots import AddressSnapshot


def listing(shop: Shop, kind: str, value: str | AddressSnapshot, **more: Any) -> FraudEntry:
    """An entry of the shop's list, by a colleague with the role that may."""
    facts: dict[str, Any] = {"reason": "Three chargebacks", "by": acting(shop, "agent"), **more}
    return listed.add(shop_id=shop.pk, kind=kind, value=value, **facts)


def called() -> list[tuple[str, str]]:
    """Why people were called, and the sources of the fraud flags that are up, in order."""
    flags = RiskFlag.objects.filter(kind="fraud", lowered_at=None).order_by("pk")
    reasons = Handoff.objects.order_by("pk").values_list("reason", flat=True)
    return list(zip(reasons, flags.values_list("source", flat=True), strict=True))
