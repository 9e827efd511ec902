"""Caps, budgets, sizes and times of a shop: what a new one starts with, what holds now, and how they are written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from approvals.bounds import UNITS
from approvals.eligibility import newly_without
from approvals.errors import Invalid
from approvals.models import CapsVersion
from approvals.versions import Kind, in_force
from tools.types import Money

PLANNERS = ("rules", "llm", "scripted")
AMOUNTS = (
    "order_cap_minor",
    "customer_cap_minor",
    "instrument_cap_minor",
    "address_cap_minor",
    "day_cap_minor",
)
# At least and at most, so that no typing error ends the undo window or lets a request wait for ever.
RANGES = {
    "undo_seconds": (0, 24 * 3600),
    "one_approver_hours": (1, 24 * 14),
    "large_hours": (1, 24 * 14),
    "renewals": (0, 10),
    "rate_max_age_hours": (1, 24 * 14),
    "risk_pending_hours": (1, 24 * 14),
}
# A new shop's in units of its base currency where a unit is worth about a dollar; a yen is worth a hundredth of one.
UNIT_CAPS = {
    "order_cap_minor": 5_000,
    "customer_cap_minor": 5_000,
    "instrument_cap_minor": 5_000,
    "address_cap_minor": 5_000,
    "day_cap_minor": 20_000,
}
UNIT_BUDGETS = {"rules": 500, "llm": 200}
UNITS_OF = {"USD": 100, "EUR": 100, "GBP": 100, "JPY": 150}
SIZES = {
    "messages_case_day": 12,
    "messages_customer_day": 20,
    "messages_shop_hour": 1_000,
    "orders_held_day": 20,
    "items_set_day": 50,
}


# Bounds that are set before there is a tool to hold to them: nothing counts these yet.
FOR_LATER = ("orders_held_day", "items_set_day")


def defaults(currency: str) -> dict[str, Any]:
    """What a shop with this base currency starts with; where nobody has said what is little in it, nothing."""
    each = UNITS_OF.get(currency, 0)
    row = CapsVersion(
        **{name: units * each for name, units in UNIT_CAPS.items()},
        budgets={planner: units * each for planner, units in UNIT_BUDGETS.items()},
        sizes=dict(SIZES),
    )
    return row.numbers()


def caps_of(shop_id: int, at: datetime | None = None) -> CapsVersion:
    """The caps in force in the shop's base currency, now or at a moment; unsaved conservative ones where none are."""
    row = in_force(CapsVersion, at, shop_id=shop_id, currency=F("shop__base_currency"))
    if row is not None:
        return row
    shops = apps.get_model("cases", "Shop")._default_manager
    base = shops.values_list("base_currency", flat=True).get(pk=shop_id)
    return CapsVersion(shop_id=shop_id, currency=base, version=0, **defaults(base))


def undo_window(shop_id: int) -> timedelta:
    """How long an automatic refund of the shop waits before it leaves."""
    return timedelta(seconds=caps_of(shop_id).undo_seconds)


def _check(wish: Mapping[str, Any]) -> None:
    if any(not _whole(wish[name]) for name in AMOUNTS):
        raise Invalid(_("A cap is an amount, and none is below zero."))
    for name, (least, most) in RANGES.items():
        if not _whole(wish[name]) or not least <= wish[name] <= most:
            what = CapsVersion._meta.get_field(name).verbose_name  # type: ignore[union-attr]  # a column of ours
            raise Invalid(
                _("%(what)s lies between %(least)s and %(most)s.")
                % {"what": str(what).capitalize(), "least": least, "most": most}
            )
    _check_table(wish["budgets"], PLANNERS, needed=())
    _check_table(wish["sizes"], UNITS, needed=UNITS)


def _check_table(table: Any, known: tuple[str, ...], needed: tuple[str, ...]) -> None:
    if not isinstance(table, dict) or not set(needed) <= set(table) <= set(known):
        raise Invalid(_("Say a number for each of these, and for nothing else: %s.") % ", ".join(known))
    if not all(_whole(number) for number in table.values()):
        raise Invalid(_("Budgets and sizes are whole numbers, and none is below zero."))


def _whole(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 2**62


def _show(row: CapsVersion, name: str) -> str:
    value = getattr(row, name)
    if name in AMOUNTS:
        return str(Money(value, row.currency))
    if name == "budgets":
        parts = {planner: Money(minor, row.currency) for planner, minor in sorted(value.items())}
        return ", ".join(f"{planner} {money}" for planner, money in parts.items()) or _("none")
    if name == "sizes":
        return ", ".join(f"{unit_name(unit)} {value[unit]}" for unit in UNITS if unit in value) or _("none")
    if name == "undo_seconds":
        return _duration(value)
    return str(value)


def _duration(seconds: int) -> str:
    if seconds % 60 or not seconds:
        return ngettext("%(n)s second", "%(n)s seconds", seconds) % {"n": seconds}
    return ngettext("%(n)s minute", "%(n)s minutes", seconds // 60) % {"n": seconds // 60}


def unit_name(unit: str) -> str:
    """What is counted, in words."""
    words = {
        "messages_case_day": _("messages in a case and day"),
        "messages_customer_day": _("messages to a customer and day"),
        "messages_shop_hour": _("messages of the shop in an hour"),
        "orders_held_day": _("orders held in a day"),
        "items_set_day": _("items set in a day"),
    }
    return words[unit]


def unit_help(unit: str) -> str:
    """What a person who sets the number should know; empty where it says itself."""
    return _("For tools to come: none holds orders or sets stock yet.") if unit in FOR_LATER else ""


def _nobody(row: CapsVersion) -> list[str]:
    """What nobody could decide, since whoever wrote or published this is barred under it."""
    return [tier.name for tier in newly_without(row.shop_id, caps=row)]


CAPS = Kind(CapsVersion, "caps", _check, _show, nobody=_nobody)
