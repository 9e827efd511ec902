"""What every simulated stretch begins with: one open shop, the people who work in it, and its accounts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import Group
from django.db import transaction
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from approvals import versions
from approvals.bounds import UNITS
from approvals.caps import AMOUNTS, CAPS, caps_of
from approvals.limits import LIMITS
from approvals.models import ApprovalRequest, LimitVersion
from approvals.second_factor import Code, challenge
from audit import sources
from audit.actors import SYSTEM, Actor, staff
from cases.models import PlannerConfig, Shop, User
from cases.shops import Opening, open_shop

# The day on which every stretch begins; what it tells by the clock is the same at each run.
BEGINS = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
SHOP = "north"
# A new shop's own limits are the first version.
FURNISHED_LIMITS = 2
GOODWILL_PERCENT = 20
RICH = 10**12
SELLER = {"address": "1 Mill Lane\nPortland, OR 97201", "country": "US", "vat_id": "EIN 12-3456789"}
VENDORS = "http://vendors.invalid"
SECRET = "simulated"  # noqa: S105 - good for a stand-in in this process alone
PHONE_NUMBER_ID, DISPLAYED = "106540352242922", "102290129340398"

ENVIRONMENT = {
    "NORTH_SHOPIFY_ADMIN_URL": f"{VENDORS}/{SHOP}/shopify",
    "NORTH_SHOPIFY_ACCESS_TOKEN": "shpat_simulated",
    "NORTH_SHOPIFY_WEBHOOK_SECRETS": SECRET,
    "NORTH_STRIPE_API_BASE": f"{VENDORS}/{SHOP}/stripe",
    "NORTH_STRIPE_API_KEY": "sk_test_simulated",
    "NORTH_STRIPE_WEBHOOK_SECRETS": SECRET,
    "NORTH_KLAVIYO_API_BASE": f"{VENDORS}/{SHOP}/klaviyo",
    "NORTH_KLAVIYO_API_KEY": "pk_simulated",
    "NORTH_WHATSAPP_API_BASE": f"{VENDORS}/{SHOP}/whatsapp",
    "NORTH_WHATSAPP_ACCESS_TOKEN": "EAA_simulated",
    "NORTH_WHATSAPP_PHONE_NUMBER_ID": PHONE_NUMBER_ID,
    "NORTH_WHATSAPP_APP_SECRETS": SECRET,
    "NORTH_ANYMAIL_WEBHOOK_SECRETS": f"postmark:{SECRET}",
}
KNOWN_TO_VENDORS = {
    "slug": SHOP,
    "shopify_token": ENVIRONMENT["NORTH_SHOPIFY_ACCESS_TOKEN"],
    "stripe_key": ENVIRONMENT["NORTH_STRIPE_API_KEY"],
    "klaviyo_key": ENVIRONMENT["NORTH_KLAVIYO_API_KEY"],
    "whatsapp_token": ENVIRONMENT["NORTH_WHATSAPP_ACCESS_TOKEN"],
    "phone_number_id": PHONE_NUMBER_ID,
    "whatsapp_account": DISPLAYED,
    "currency": "USD",
}

STAFF = {
    "agent": "agent",
    "ben": "approver",
    "yuki": "approver",
    "fay": "finance approver",
    "author": "limit author",
    "publisher": "limit publisher",
}
# The longest time step there is: a code that was made is good a moment later.
STEP_SECONDS = 32_767


def furnish() -> None:
    """Open the shop with conservative limits, hire everybody, and let a script do the planning."""
    with sources.frozen(BEGINS - timedelta(days=30)), sources.seeded(0):
        shop, _new = open_shop(
            Opening(
                slug=SHOP,
                env_prefix=SHOP.upper(),
                name="Fjell & Fern",
                legal_entity="Fjell & Fern Inc.",
                base_currency="USD",
                time_zone="America/New_York",
                languages=("en", "de"),
                sender_name="Fjell & Fern",
                sender_email="help@fjell-and-fern.example.com",
                connected_since=BEGINS - timedelta(days=400),
                seller=SELLER,
            ),
            by=SYSTEM,
        )
        planner = PlannerConfig.objects.create(
            kind="scripted", version="1", catalogue_hash="0" * 64, created_at=sources.now()
        )
        Shop.objects.filter(pk=shop.pk).update(planner=planner)
        for name, role in STAFF.items():
            _hire(name, role, shop)
        _allow_goodwill(shop)
        give_caps(shop.pk, undo_seconds=0)


def _allow_goodwill(shop: Shop) -> None:
    """The limits of a new shop, and some goodwill."""
    first = LimitVersion.objects.get(shop=shop, currency="USD")
    numbers = {**first.numbers(), "goodwill_percent": GOODWILL_PERCENT}
    row = versions.draft(LIMITS, numbers=numbers, reason="simulated", by=actor("author"), **first.key())
    versions.publish(LIMITS, row.pk, leaves_nobody_ok=True, by=actor("publisher"))


def give_caps(shop_id: int, *, undo_seconds: int) -> None:
    """Caps that no story comes near, with this undo window; nothing where they hold already."""
    now = caps_of(shop_id)
    rich = {
        **dict.fromkeys(AMOUNTS, RICH),
        "budgets": {"scripted": RICH},
        "sizes": dict.fromkeys(UNITS, RICH),
    }
    numbers = {**now.numbers(), **rich, "undo_seconds": undo_seconds}
    if numbers != now.numbers():
        with transaction.atomic():
            key = {"shop_id": shop_id, "currency": now.currency}
            versions.begin(CAPS, numbers=numbers, reason="simulated", by=SYSTEM, **key)


def _hire(name: str, role: str, shop: Shop) -> None:
    user = User.objects.create(username=name, first_name=name.title(), last_name="Simulated", is_staff=True)
    user.groups.set([Group.objects.get(name=role)])
    user.shops.set([shop])
    TOTPDevice.objects.create(user=user, name=name, key="00" * 20, step=STEP_SECONDS, tolerance=0)


def actor(name: str) -> Actor:
    """A colleague by name."""
    return staff(User.objects.get(username=name))


def code(request: ApprovalRequest, name: str) -> Code:
    """The one-time code of a colleague's device, which takes it once more, for a challenge of this request."""
    devices = TOTPDevice.objects.filter(user__username=name)
    devices.update(last_t=-1)
    device = devices.get()
    text = f"{TOTP(device.bin_key, device.step, device.t0, device.digits).token():06d}"
    return Code(text, challenge(request, device.user).pk)
