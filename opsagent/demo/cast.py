"""The demo's two shops and the people who work in them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django_otp.plugins.otp_totp.models import TOTPDevice

from approvals import terms
from approvals.caps import AMOUNTS, CAPS, caps_of, defaults
from approvals.duties import write_hours
from approvals.duty import Stretch
from approvals.promises import TERMS
from approvals.terms_in_force import terms_of
from approvals.versions import begin
from audit.actors import SYSTEM, staff
from cases.models import Shop, User
from cases.shops import Opening, open_shop
from opsagent.demo.accounts import remembered
from opsagent.demo.shops import LANGUAGES, RETURN_LABEL, SHOPS, STANDARD_DELIVERY

# user name, first and last name, roles, time zone
STAFF = (
    ("vera", "Vera", "Okafor", ("viewer",), "UTC"),
    ("ada", "Ada", "Moreau", ("agent",), "Europe/Paris"),
    ("ben", "Ben", "Castillo", ("approver",), "America/New_York"),
    ("yuki", "Yuki", "Tanaka", ("approver",), "Asia/Tokyo"),
    ("fay", "Fay", "Lindqvist", ("finance approver",), "Europe/Oslo"),
    ("gus", "Gus", "Hartley", ("finance approver",), "Europe/London"),
    ("lea", "Lea", "Brandt", ("limit author",), "Europe/Berlin"),
    ("pia", "Pia", "Carvalho", ("limit publisher",), "Europe/Lisbon"),
    ("ike", "Ike", "Novak", ("auditor",), "UTC"),
    ("root", "Ola", "Dahl", ("admin",), "Europe/Oslo"),
)
# When those who sign are there, from Monday to Friday, in minutes of the day by their own clock.
HOURS = {
    "ben": (8 * 60, 18 * 60),
    "yuki": (9 * 60, 18 * 60),
    "fay": (8 * 60, 17 * 60),
    "gus": (7 * 60, 22 * 60),
}
WORKDAYS = range(5)
SETUP: dict[str, dict[str, Any]] = {
    "north": {
        "legal_entity": "Fjell & Fern Inc.",
        "base_currency": "USD",
        "time_zone": "America/New_York",
        "credit_notes": "ours",
        "seller": {
            "address": "12 Mill Street\nPortland, ME 04101",
            "country": "US",
            "vat_id": "EIN 00-0000000",
            "register_line": "Incorporated in Maine",
            "credit_note_prefix": "FF-CN-",
        },
    },
    "sakura": {
        "legal_entity": "Sakura Living K.K.",
        "base_currency": "JPY",
        "time_zone": "Asia/Tokyo",
        "credit_notes": "ours",
        "seller": {
            "address": "〒150-0001\n東京都渋谷区神宮前 0-0-0",
            "country": "JP",
            "vat_id": "登録番号 T0000000000000",
            "register_line": "さくらリビング株式会社",
            "credit_note_prefix": "SL-CN-",
        },
    },
}


@dataclass(frozen=True)
class Colleague:
    """One demo account, as it is printed. `otpauth` is for an authenticator app, empty where none is needed."""

    username: str
    name: str
    roles: tuple[str, ...]
    password: str
    otpauth: str


def open_shops(connected_since: datetime, undo_seconds: int) -> list[Shop]:
    """Both shops with conservative limits, and the caps of a busy day, since the demo plays one within minutes."""
    shops = []
    for slug, facts in SHOPS.items():
        new = Opening(
            slug=slug,
            env_prefix=slug.upper(),
            name=facts.name,
            languages=LANGUAGES[slug],
            sender_name=facts.name,
            sender_email=facts.inbox,
            connected_since=connected_since,
            **SETUP[slug],
        )
        shop, _is_new = open_shop(new, by=SYSTEM)
        _give_caps(shop, undo_seconds)
        _give_terms(shop)
        shops.append(shop)
    return shops


def _give_caps(shop: Shop, undo_seconds: int) -> None:
    """A version that no person wrote; none where these hold already."""
    wanted = caps_of(shop.pk).numbers()
    busy = {planner: 40 * minor for planner, minor in defaults(shop.base_currency)["budgets"].items()}
    one = defaults(shop.base_currency)["order_cap_minor"]
    # Caps far above the last line, so that the day shows that one too.
    wanted |= dict.fromkeys(AMOUNTS, 4 * one) | {"day_cap_minor": 40 * one}
    wanted |= {"undo_seconds": undo_seconds, "budgets": busy}
    if wanted != caps_of(shop.pk).numbers():
        with transaction.atomic():
            key = {"shop_id": shop.pk, "currency": shop.base_currency}
            begin(CAPS, numbers=wanted, reason="The demo's day", by=SYSTEM, **key)


def _give_terms(shop: Shop) -> None:
    """A version that says what the standard delivery and a return label cost; none where it holds already."""
    row = terms_of(shop.pk)
    now = row.numbers() if row else terms.defaults()
    wanted = now | {
        "standard_shipping": STANDARD_DELIVERY,
        "return_shipping": "label",
        "return_fee": RETURN_LABEL,
    }
    if wanted != now:
        with transaction.atomic():
            begin(TERMS, numbers=wanted, reason="The demo's prices", by=SYSTEM, shop_id=shop.pk)


def hire(data_dir: Path, shops: list[Shop]) -> list[Colleague]:
    """Everybody with their role, password and, where they sign money, an authenticator; idempotent."""
    fresh = {f"{row[0]}-password": secrets.token_urlsafe(9) for row in STAFF}
    fresh |= {f"{row[0]}-secret": secrets.token_hex(20) for row in STAFF}
    known = remembered(data_dir / "demo-staff.json", fresh)
    return [_hire(row, shops, known) for row in STAFF]


def _hire(
    row: tuple[str, str, str, tuple[str, ...], str], shops: list[Shop], known: dict[str, str]
) -> Colleague:
    username, first, last, roles, time_zone = row
    password, secret = known[f"{username}-password"], known[f"{username}-secret"]
    user, created = User.objects.get_or_create(
        username=username,
        defaults={"first_name": first, "last_name": last, "is_staff": True, "time_zone": time_zone},
    )
    if created or not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    user.groups.set(Group.objects.filter(name__in=roles))
    user.shops.set(shops)
    if username in HOURS and not user.duty_hours.exists():
        stretches = [Stretch(day, *HOURS[username], time_zone) for day in WORKDAYS]
        write_hours(user.pk, stretches, by=staff(user))
    device, _made = TOTPDevice.objects.get_or_create(
        user=user, name="demo", defaults={"key": secret, "confirmed": True, "tolerance": 0}
    )
    return Colleague(username, f"{first} {last}", roles, password, device.config_url)


def device_of(username: str) -> TOTPDevice | None:
    """The authenticator of a demo account."""
    return TOTPDevice.objects.filter(user__username=username, name="demo").first()
