"""The shop's own list: who is on it, who put them there, and whom of an order or a case it meets.

    e-mail, phone, address or card ──one spelling──▶ HMAC under the shop's key ──▶ the entries with that fingerprint

Customers are looked for under all spellings that count as one person for the limits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from approvals import exposure
from approvals.errors import AlreadyDecided, Invalid
from approvals.services import person
from audit import sources
from audit.actors import Actor
from audit.services import record
from cases import personal
from cases.models import FraudEntry, KnownAddress, Person
from cases.people import digits, email_key
from tools.models import Order
from tools.snapshots import AddressSnapshot

ADD, END = "cases.add_fraudentry", "cases.change_fraudentry"
LEAST_DIGITS = 6
# What is needed for longer is listed without a date.
LONGEST = timedelta(days=3650)
Kind = FraudEntry.Kind


def add(
    *,
    shop_id: int,
    kind: str,
    value: str | AddressSnapshot,
    reason: str,
    expires_at: datetime | None = None,
    by: Actor,
) -> FraudEntry:
    """Put somebody on the list, with a reason; None as expiry holds until somebody ends it."""
    user = person(by, ADD, shop_id)
    now = sources.now()
    if not reason.strip():
        raise Invalid(_("Say why: the reason is kept with the entry."))
    if expires_at is not None and not now < expires_at <= now + LONGEST:
        raise Invalid(_("An entry ends at a time to come, or when somebody ends it."))
    text = _plain(kind, value)
    if not text:
        raise Invalid(_("This can't be recognised again: write it out in full."))
    with transaction.atomic():
        key, mac = personal.shop_key(shop_id), personal.fingerprint(shop_id, kind, text)
        if live(shop_id).filter(mac=mac).exists():
            raise AlreadyDecided(_("This is on the list already."))
        row = FraudEntry(
            shop_id=shop_id,
            key=key,
            kind=kind,
            mac=mac,
            sealed_as=sources.random_id(),
            reason=reason.strip()[:500],
            author=user,
            created_at=now,
            expires_at=expires_at,
        )
        row.sealed = personal.seal_for_shop(key, _shown(value), row.sealed_as)
        row.save(force_insert=True)
        _tell("fraud_list.added", row, by)
    return row


def end(entry_id: int, *, reason: str, by: Actor) -> FraudEntry:
    """Take somebody off the list; flags that it raised stay until a person lowers each."""
    if not reason.strip():
        raise Invalid(_("Say why: the reason is kept with the entry."))
    with transaction.atomic():
        rows = FraudEntry.objects.select_for_update(of=("self",)).select_related("shop", "key")
        row = rows.get(pk=entry_id)
        user = person(by, END, row.shop_id)
        if row.ended_at is not None:
            raise AlreadyDecided(_("This entry was ended already."))
        row.ended_by, row.ended_at, row.end_reason = user, sources.now(), reason.strip()[:500]
        row.save(update_fields=["ended_by", "ended_at", "end_reason"])
        _tell("fraud_list.ended", row, by)
    return row


def value_of(row: FraudEntry) -> str:
    """What is listed, as it was written. Raises Unreadable."""
    return personal.open_for_shop(row.key, bytes(row.sealed), row.sealed_as)


def live(shop_id: int) -> QuerySet[FraudEntry]:
    """The entries that hold now."""
    on = Q(expires_at__isnull=True) | Q(expires_at__gt=sources.now())
    return FraudEntry.objects.filter(on, shop_id=shop_id, ended_at__isnull=True)


def met(shop_id: int, people: Iterable[UUID | None], order: Order | None) -> list[FraudEntry]:
    """The entries that meet an order or any of these people; one query where the shop lists nobody."""
    entries = live(shop_id)
    if not entries.exists():
        return []
    wanted = {one for one in people if one}
    if order is not None and order.person_id:
        wanted.add(order.person_id)
    macs = personal.fingerprints(shop_id, [*_of_people(shop_id, wanted), *_cards(order)])
    return list(entries.filter(mac__in=[*macs, *_addresses(order)]).order_by("pk"))


def _of_people(shop_id: int, people: set[UUID]) -> Iterator[tuple[str, str]]:
    try:
        near = exposure.spellings(shop_id, people)
    except exposure.TooManyLinked:
        near = frozenset(people)
    rows = Person.objects.filter(pk__in=near).values_list("email", "phone", "whatsapp_id")
    for email, phone, whatsapp_id in rows:
        yield Kind.EMAIL, email_key(email)
        yield Kind.PHONE, phone
        yield Kind.PHONE, whatsapp_id if whatsapp_id.isdigit() else ""


def _cards(order: Order | None) -> Iterator[tuple[str, str]]:
    if order is not None:
        for instrument in order.payments.exclude(instrument="").values_list("instrument", flat=True):
            yield Kind.CARD, instrument


def _addresses(order: Order | None) -> list[bytes]:
    if order is None or order.address_key is None:
        return []
    rows = KnownAddress.objects.filter(shop_id=order.shop_id, pk=order.address_key)
    return [bytes(mac) for mac in rows.values_list("mac", flat=True)]


def _plain(kind: str, value: str | AddressSnapshot) -> str:
    """The one spelling of what is listed; empty where it can't be found again."""
    if isinstance(value, AddressSnapshot):
        return personal.address_text(value) if kind == Kind.ADDRESS else ""
    if kind == Kind.EMAIL:
        return email_key(value) if "@" in value else ""
    if kind == Kind.PHONE:
        return digits(value) if len(digits(value)) >= LEAST_DIGITS else ""
    return value.strip() if kind == Kind.CARD else ""


def _shown(value: str | AddressSnapshot) -> str:
    if isinstance(value, str):
        return value.strip()
    parts = (value.address1, value.address2, f"{value.zip} {value.city}".strip(), value.country)
    return ", ".join(part for part in parts if part)


def _tell(action: str, row: FraudEntry, by: Actor) -> None:
    record(
        action,
        by=by,
        stream=f"shop/{row.shop.slug}",
        subject=row,
        shop_id=row.shop_id,
        correlation_id=sources.random_id(),
        data={"kind": row.kind},
    )
