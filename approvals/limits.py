"""The money limits of a shop and currency, what a new shop starts with, and kill switches: who stops what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from babel.numbers import list_currencies
from django.db import transaction
from django.utils.translation import gettext as _

from approvals import caps, terms, versions
from approvals.caps import CAPS
from approvals.eligibility import newly_without
from approvals.errors import AlreadyDecided, Invalid
from approvals.models import KillSwitch, LimitVersion
from approvals.promises import TERMS
from approvals.rights import person
from approvals.versions import Kind, V
from audit import sources
from audit.actors import Actor
from audit.services import record as audit
from tools.registry import TOOLS
from tools.types import Money

CURRENCIES = frozenset(list_currencies())
Scope = KillSwitch.Scope
# What a switch can name; a typing error would stop nothing.
KEYS: dict[str, frozenset[str]] = {
    Scope.TOOL: frozenset(TOOLS),
    # Not Slack: it tells staff and no customer, and its lines ask for no switch.
    Scope.VENDOR: frozenset({"shopify", "stripe", "klaviyo", "email", "whatsapp"}),
    Scope.PLANNER: frozenset({"rules", "llm", "scripted"}),
    Scope.SHOP: frozenset(),
    Scope.EVERYTHING: frozenset(),
}

# (automatic up to, one approver up to), minor units. Start low, raise with evidence.
DEFAULTS = {"USD": (2000, 20000), "EUR": (2000, 20000), "GBP": (2000, 20000), "JPY": (3000, 30000)}
# Above so many times the line of one approver two people sign, and above so many nobody does here.
TWO_PEOPLE_ABOVE, LAST_LINE = 10, 25
UNSURE_BELOW_PERCENT = 50


def defaults(currency: str) -> dict[str, Any]:
    """The numbers that a new shop starts with in a currency of DEFAULTS."""
    auto, one = DEFAULTS[currency]
    return {
        "auto_up_to_minor": auto,
        "one_approver_up_to_minor": one,
        "two_people_above_minor": one * TWO_PEOPLE_ABOVE,
        "two_factor_up_to_minor": one * LAST_LINE,
        "goodwill_percent": 15,
        "unsure_below_percent": UNSURE_BELOW_PERCENT,
    }


def start_with_defaults(shop_id: int, base_currency: str, *, by: Actor) -> None:
    """Conservative limits, caps and terms for a new shop; does nothing where a shop has some. Needs a transaction."""
    for currency in DEFAULTS:
        _begin(LIMITS, defaults(currency), by, shop_id=shop_id, currency=currency)
    _begin(CAPS, caps.defaults(base_currency), by, shop_id=shop_id, currency=base_currency)
    _begin(TERMS, terms.defaults(), by, shop_id=shop_id)


def _begin(kind: Kind[V], numbers: dict[str, Any], by: Actor, **key: Any) -> None:
    if not kind.model._default_manager.filter(**key).exists():
        versions.begin(kind, numbers=numbers, reason="Defaults of a new shop", by=by, **key)


def _check(wish: Mapping[str, Any]) -> None:
    if wish["currency"] not in CURRENCIES:
        raise Invalid(_("That is no currency: use its three letters, as EUR."))
    if not 0 <= wish["auto_up_to_minor"] <= wish["one_approver_up_to_minor"]:
        raise Invalid(_("The automatic limit can't be above the one for a single approver."))
    last = wish["two_factor_up_to_minor"]
    if not wish["one_approver_up_to_minor"] <= last < 2**62:
        raise Invalid(_("The last line can't be below the limit of a single approver."))
    second = wish["two_people_above_minor"]
    if second is not None and not wish["one_approver_up_to_minor"] <= second <= last:
        raise Invalid(_("Two people sign above a line between the limit of one approver and the last line."))
    if not 0 <= wish["goodwill_percent"] <= 100:
        raise Invalid(_("Goodwill is a percentage between 0 and 100."))
    if not 0 <= wish["unsure_below_percent"] <= 100:
        raise Invalid(_("The planner's confidence is a percentage between 0 and 100."))


def _show(row: LimitVersion, name: str) -> str:
    value = getattr(row, name)
    if name.endswith("_percent"):
        return f"{value} %"
    return _("nobody needs a second") if value is None else str(Money(value, row.currency))


def _nobody(row: LimitVersion) -> list[str]:
    """What nobody could decide, since whoever wrote or published this is barred under it."""
    return [tier.name for tier in newly_without(row.shop_id, limits=row)]


LIMITS = Kind(LimitVersion, "limits", _check, _show, nobody=_nobody)


def engage_switch(*, scope: str, key: str, shop_id: int | None, reason: str, by: Actor) -> KillSwitch:
    """Stop something at once: what is sent next is checked against it under the lock."""
    user = person(by, "approvals.add_killswitch", shop_id)
    if not reason.strip():
        raise Invalid(_("Say why it stops, so that the next person knows when it may go on."))
    if scope not in KillSwitch.Scope.values:
        raise Invalid(_("Name exactly what stops: a tool, a vendor, a planner, a shop, or everything."))
    needs_key = scope in (KillSwitch.Scope.TOOL, KillSwitch.Scope.VENDOR, KillSwitch.Scope.PLANNER)
    if needs_key != bool(key) or (scope == KillSwitch.Scope.SHOP) != (shop_id is not None and not needs_key):
        raise Invalid(_("Name exactly what stops: a tool, a vendor, a planner, a shop, or everything."))
    if key and key not in KEYS[scope]:
        known = ", ".join(sorted(KEYS[scope]))
        raise Invalid(
            _("Nothing is called %(key)s, so nothing would stop. Known: %(known)s.")
            % {"key": key, "known": known}
        )
    with transaction.atomic():
        row = KillSwitch.objects.create(
            scope=scope, key=key, shop_id=shop_id, reason=reason.strip()[:500], engaged_by=user,
            engaged_at=sources.now(),
        )  # fmt: skip
        _tell_switch("switch.engaged", row, by)
    return row


def release_switch(switch_id: int, *, by: Actor) -> KillSwitch:
    """Let it go on."""
    with transaction.atomic():
        row = KillSwitch.objects.select_for_update(of=("self",)).get(pk=switch_id)
        user = person(by, "approvals.change_killswitch", row.shop_id)
        if row.shop_id is None:
            # Anybody on duty may stop all shops; letting all of them go on is for those who answer for large sums.
            person(by, "approvals.approve_large_refund")
        if row.released_at is not None:
            raise AlreadyDecided(_("This switch was released already."))
        row.released_by, row.released_at = user, sources.now()
        row.save(update_fields=["released_by", "released_at"])
        _tell_switch("switch.released", row, by)
    return row


def _tell_switch(action: str, row: KillSwitch, by: Actor) -> None:
    audit(
        action, by=by, stream=f"shop/{row.shop.slug}" if row.shop else "staff", subject=row, shop_id=row.shop_id,
        correlation_id=sources.random_id(), data={"scope": row.scope, "key": row.key},
    )  # fmt: skip
