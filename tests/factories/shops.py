"""Rows of a shop: itself, its limits, its people."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from approvals import terms
from approvals.bounds import UNITS
from approvals.caps import PLANNERS
from approvals.models import CapsVersion, LimitVersion, TermsVersion
from audit import sources
from audit.actors import SYSTEM
from audit.services import record
from cases.models import (
    LegalEntity,
    Person,
    Shop,
    User,
)

HASH = "0" * 64
PASSWORD = "correct horse battery staple"
_numbers = itertools.count(1)


def next_number() -> int:
    """The next of a run of numbers, so that no two rows share a name."""
    return next(_numbers)


def now() -> datetime:
    """The process's clock: for rows, where the database's would cost a query each."""
    return datetime.now(UTC)


def make_shop(slug: str = "", *, terms_in_force: bool = True, **fields: Any) -> Shop:
    """A shop that was connected a year ago, with published limits in its base currency and terms."""
    slug = slug or f"shop-{next_number()}"
    if "legal_entity" not in fields:
        fields["legal_entity"] = make_entity()
    currency = fields.get("base_currency", "EUR")
    defaults: dict[str, Any] = {
        "name": slug.replace("-", " ").title(),
        "base_currency": currency,
        "time_zone": "Europe/Oslo",
        "languages": ["en"],
        "sender_name": "Fjell & Fern",
        "sender_email": f"help@{slug}.example",
        "env_prefix": slug.upper().replace("-", "_"),
        "cutover_at": now() - timedelta(days=365),
        "created_at": now() - timedelta(days=365),
    }
    undo = {name: fields.pop(name) for name in ("undo_seconds",) if name in fields}
    shop = Shop.objects.create(slug=slug, **{**defaults, **fields})
    make_limits(shop, currency)
    make_caps(shop, **undo)
    if terms_in_force:
        make_terms(shop)
    return shop


def make_entity(name: str = "Fjell & Fern AS", **fields: Any) -> LegalEntity:
    """The legal entity of this name; a new one can stand on documents."""
    defaults: dict[str, Any] = {
        "address": "Bryggegata 1\n0250 Oslo",
        "country": "NO",
        "vat_id": "MVA NO 987654325",
        "register_line": "Foretaksregisteret 987 654 325",
    }
    return LegalEntity.objects.get_or_create(name=name, defaults={**defaults, **fields})[0]


def make_limits(shop: Shop, currency: str = "EUR", **fields: Any) -> LimitVersion:
    """Limits in force: automatic up to 20.00 (or 3000 yen), one approver up to ten times that."""
    auto = 3000 if currency == "JPY" else 2000
    one = fields.get("one_approver_up_to_minor", auto * 10)
    version = LimitVersion.objects.filter(shop=shop, currency=currency).count() + 1
    defaults: dict[str, Any] = {
        "version": version,
        "auto_up_to_minor": auto,
        "one_approver_up_to_minor": one,
        "two_factor_up_to_minor": one * 25,
        "reason": "The conservative start.",
        "created_at": now(),
        "published_at": now() - timedelta(days=1),
        "effective_at": now() - timedelta(days=1),
    }
    row = {**defaults, **fields}
    if row.get("author") and row["published_at"]:
        row.setdefault("published_by", make_user())
    return LimitVersion.objects.create(shop=shop, currency=currency, **row)


def publish_limits(shop: Shop, currency: str = "EUR", **fields: Any) -> LimitVersion:
    """Limits in force that the log tells of, for a test that asks whether everything is told."""
    with transaction.atomic():
        row = make_limits(shop, currency, **fields)
        record(
            "limits.published",
            by=SYSTEM,
            stream=f"shop/{shop.slug}",
            subject=row,
            shop_id=shop.pk,
            correlation_id=sources.random_id(),
        )
    return row


def make_terms(shop: Shop, **fields: Any) -> TermsVersion:
    """Terms in force: those of a new shop, but for what is said otherwise."""
    defaults: dict[str, Any] = {
        **terms.defaults(),
        "version": TermsVersion.objects.filter(shop=shop).count() + 1,
        "reason": "For a test.",
        "created_at": now(),
        "published_at": now() - timedelta(days=1),
        "effective_at": now() - timedelta(days=1),
    }
    row = {**defaults, **fields}
    if row.get("author") and row["published_at"]:
        row.setdefault("published_by", make_user())
    return TermsVersion.objects.create(shop=shop, **row)


def make_caps(shop: Shop, **fields: Any) -> CapsVersion:
    """Caps in force that no test comes near, unless it says so."""
    rich = 10**12
    amounts = (
        "order_cap_minor",
        "customer_cap_minor",
        "instrument_cap_minor",
        "address_cap_minor",
        "day_cap_minor",
    )
    defaults: dict[str, Any] = {
        "currency": shop.base_currency,
        "version": CapsVersion.objects.filter(shop=shop).count() + 1,
        **dict.fromkeys(amounts, rich),
        "budgets": dict.fromkeys(PLANNERS, rich),
        "sizes": dict.fromkeys(UNITS, rich),
        "reason": "For a test.",
        "created_at": now(),
        "published_at": now() - timedelta(days=1),
        "effective_at": now() - timedelta(days=1),
    }
    return CapsVersion.objects.create(shop=shop, **{**defaults, **fields})


def make_user(
    *permissions: str, roles: Sequence[str] = (), shops: Sequence[Shop] | None = None, **fields: Any
) -> User:
    """A member of staff with these permissions ("cases.view_case") and roles (groups), who sees `shops` (all if None).

    Signs in with factories.PASSWORD.
    """
    number = next_number()
    defaults: dict[str, Any] = {
        "username": f"user-{number}",
        "is_staff": True,
        "first_name": f"User {number}",
    }
    user = User(**{**defaults, **fields})
    user.set_password(PASSWORD)
    user.save()
    user.shops.set(Shop.objects.all() if shops is None else shops)
    user.user_permissions.set([_permission(name) for name in permissions])
    user.groups.set([Group.objects.get(name=role) for role in roles])
    return user


def _permission(name: str) -> Permission:
    app, _, codename = name.partition(".")
    return Permission.objects.get(content_type__app_label=app, codename=codename)


def make_person(shop: Shop, **fields: Any) -> Person:
    number = next_number()
    defaults = {
        "name": f"Inês Carvalho {number}",
        "email": f"ines{number}@customer.example",
        "external_id": str(7_000_000 + number),
        "language": "en",
        "created_at": now(),
    }
    return Person.objects.create(shop=shop, **{**defaults, **fields})
