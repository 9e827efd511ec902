"""Limits, terms and kill switches: who writes, who publishes, who stops."""

from __future__ import annotations

from babel.numbers import list_currencies
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from approvals.errors import AlreadyDecided, Invalid, NotPermitted
from approvals.models import KillSwitch, LimitVersion, TermsVersion
from approvals.services import person
from audit import sources
from audit.actors import Actor
from audit.services import record as audit
from tools.registry import TOOLS

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


def start_with_defaults(shop_id: int, slug: str, *, by: Actor) -> None:
    """Conservative limits and terms for a new shop; does nothing where a shop has some. Needs a transaction."""
    now = sources.now()
    for currency, (auto, one) in DEFAULTS.items():
        row, created = LimitVersion.objects.get_or_create(
            shop_id=shop_id,
            currency=currency,
            version=1,
            defaults={
                "auto_up_to_minor": auto,
                "one_approver_up_to_minor": one,
                "reason": "Defaults of a new shop",
                "created_at": now,
                "published_at": now,
                "effective_at": now,
            },
        )
        if created:
            _tell("limits.published", row, slug, by)
    TermsVersion.objects.get_or_create(shop_id=shop_id, version=1, defaults={"created_at": now})


def draft_limits(
    *,
    shop_id: int,
    currency: str,
    auto_up_to_minor: int,
    one_approver_up_to_minor: int,
    goodwill_percent: int,
    reason: str,
    by: Actor,
) -> LimitVersion:
    """Write the next version, which holds only once somebody else publishes it. Amounts are minor units."""
    user = person(by, "approvals.add_limitversion", shop_id)
    if not reason.strip():
        raise Invalid(_("Say why the limits change: the evidence belongs to the version."))
    if currency not in CURRENCIES:
        raise Invalid(_("That is no currency: use its three letters, as EUR."))
    if not 0 <= auto_up_to_minor <= one_approver_up_to_minor:
        raise Invalid(_("The automatic limit can't be above the one for a single approver."))
    if not 0 <= goodwill_percent <= 100:
        raise Invalid(_("Goodwill is a percentage between 0 and 100."))
    try:
        with transaction.atomic():
            versions = LimitVersion.objects.select_for_update().filter(shop_id=shop_id, currency=currency)
            newest = versions.order_by("-version").first()
            row = LimitVersion.objects.create(
                shop_id=shop_id,
                currency=currency,
                version=newest.version + 1 if newest else 1,
                auto_up_to_minor=auto_up_to_minor,
                one_approver_up_to_minor=one_approver_up_to_minor,
                goodwill_percent=goodwill_percent,
                reason=reason.strip()[:500],
                author=user,
                created_at=sources.now(),
            )
            _tell("limits.drafted", row, row.shop.slug, by)
    except IntegrityError as error:
        raise AlreadyDecided(_("Somebody wrote a version at the same moment. Read theirs first.")) from error
    return row


def publish_limits(limits_id: int, *, by: Actor) -> LimitVersion:
    """Put a version in force, as somebody who didn't write it."""
    with transaction.atomic():
        row = LimitVersion.objects.select_for_update(of=("self",)).select_related("shop").get(pk=limits_id)
        user = person(by, "approvals.publish_limitversion", row.shop_id)
        if row.author_id == user.pk:
            raise NotPermitted(_("You wrote this version, so somebody else publishes it."))
        if row.published_at is not None:
            raise AlreadyDecided(_("This version was published already."))
        row.published_by, row.published_at = user, sources.now()
        row.effective_at = row.published_at
        row.save(update_fields=["published_by", "published_at", "effective_at"])
        _tell("limits.published", row, row.shop.slug, by)
    return row


def _tell(action: str, row: LimitVersion, slug: str, by: Actor) -> None:
    audit(
        action, by=by, stream=f"shop/{slug}", subject=row, shop_id=row.shop_id, correlation_id=sources.random_id(),
        data={
            "currency": row.currency,
            "version": row.version,
            "auto_up_to_minor": row.auto_up_to_minor,
            "one_approver_up_to_minor": row.one_approver_up_to_minor,
            "goodwill_percent": row.goodwill_percent,
        },
    )  # fmt: skip


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
