"""Who somebody is: one person per address, shop id or WhatsApp id, however they reach us."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from audit import sources
from cases.models import Conversation, Person, Shop
from tools.snapshots import CustomerSnapshot

_UNSEEN = re.compile(r"[\s\u00ad\u200b-\u200f\u2060\ufeff]")


def digits(phone: str) -> str:
    """A phone number as WhatsApp writes it: country code and number, digits only."""
    return re.sub(r"\D", "", phone).removeprefix("00")


def email_key(address: str) -> str:
    """An e-mail address in all its spellings, as the column of that name has it: see the migration that made it."""
    plain = _UNSEEN.sub("", unicodedata.normalize("NFKC", address)).lower()
    if "@" not in plain:
        return plain[:500]
    name, _at, host = plain.rpartition("@")
    host = host.rstrip(".")
    if "+" in name[1:]:
        name = name.split("+")[0]
    if host in ("gmail.com", "googlemail.com"):
        host, name = "gmail.com", name.replace(".", "")
    return f"{name}@{host}"[:500]


def customer(shop: Shop, known: CustomerSnapshot) -> Person:
    """The person of an order, by the shop's id or else by the address; what is new about them is kept."""
    email, phone = known.email.strip().lower(), digits(known.phone)
    name = f"{known.first_name} {known.last_name}".strip()
    person = _by(shop, external_id=known.external_id) or _by(shop, email=email)
    if person is None:
        return _create(
            shop,
            external_id=known.external_id,
            email=email,
            phone=phone,
            name=name,
            language=known.locale[:2],
        )
    fresh = {"external_id": known.external_id, "phone": phone, "name": name, "language": known.locale[:2]}
    if not person.email and _by(shop, email=email) is None:
        fresh["email"] = email
    _fill(person, fresh)
    return person


def writer_by_email(shop: Shop, email: str, name: str) -> Person:
    """Who wrote an e-mail. `name` fills an empty one, so it must be empty unless the sender was vouched for."""
    address = email.strip().lower()
    person = _by(shop, email=address)
    if person is None:
        return _create(shop, email=address, name=name[:200])
    _fill(person, {"name": name[:200]})
    return person


def writer_by_whatsapp(shop: Shop, sender: str, wa_id: str, name: str) -> Person:
    """Who wrote by WhatsApp: known by their id, or by the phone number that WhatsApp vouches for.

    A user id takes the place of a number as the id, since later messages may come without the number.
    """
    person = _by(shop, whatsapp_id=sender)
    if person is None and wa_id:
        # Whoever has another user id is somebody else, though they had the same number once.
        theirs = Person.objects.filter(shop=shop, phone=digits(wa_id), whatsapp_id__in=["", wa_id])
        person = theirs.order_by("created_at").first()
        if person is not None:
            person.whatsapp_id = sender
            person.save(update_fields=["whatsapp_id"])
    return person or _create(shop, whatsapp_id=sender, phone=digits(wa_id), name=name[:200])


def conversation(person: Person, channel: str, *, verified: bool, at: datetime) -> Conversation:
    """The conversation with this person on this channel; each message vouches for itself.

    `at` is when they wrote; a message that comes late takes nothing back.
    """
    row, created = Conversation.objects.get_or_create(
        person=person,
        channel=channel,
        defaults={"shop_id": person.shop_id, "verified": verified, "last_inbound_at": at},
    )
    if not created:
        row.verified, row.last_inbound_at = verified, max(at, row.last_inbound_at or at)
        row.save(update_fields=["verified", "last_inbound_at"])
    return row


def _by(shop: Shop, **key: str) -> Person | None:
    ((name, value),) = key.items()
    return Person.objects.filter(shop=shop, **{name: value}).first() if value else None


def _fill(person: Person, fresh: dict[str, str]) -> None:
    """Keep what is new; what is known is never overwritten by less."""
    changed = [name for name, value in fresh.items() if value and not getattr(person, name)]
    for name in changed:
        setattr(person, name, fresh[name])
    if changed:
        person.save(update_fields=changed)


def _create(shop: Shop, **fields: Any) -> Person:
    try:
        with transaction.atomic():
            return Person.objects.create(shop=shop, created_at=sources.now(), **fields)
    except IntegrityError:
        # Somebody else met them at the same moment.
        for name in ("external_id", "email", "whatsapp_id"):
            found = _by(shop, **{name: fields.get(name, "")})
            if found is not None:
                return found
        raise
