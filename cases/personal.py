"""The one place that encrypts personal text for keeping: a random key per person, and whoever deletes it erases.

    text ──AES-GCM, the person's key──▶ PersonalText      the key ──AES-GCM, a key from SECRET_KEY──▶ PersonKey

What must be found again without being read, as an address that several orders go to, is found by an HMAC under a
random key of the shop, which is kept as a person's is.

Each ciphertext is bound to its row's id, so that none can be put in another's place. A key that only an old SECRET_KEY
opens (SECRET_KEY_FALLBACKS) is wrapped anew by `rewrap`, after which the old one can go.
https://cryptography.io/en/latest/hazmat/primitives/aead/
"""

from __future__ import annotations

import hmac
import os
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction

from audit import sources
from audit.actors import Actor
from audit.services import record
from cases.models import KnownAddress, Person, PersonalText, PersonKey, ShopKey
from tools.models import Order, ToolCall
from tools.snapshots import AddressSnapshot

NONCE_BYTES = 12
KEY_BYTES = 32
PURPOSE = b"opsagent.cases.personal"
# Of each shop, the id of the key that this process read last, and the key.
_READ: dict[int, tuple[UUID, bytes]] = {}


class Unreadable(Exception):
    """A key or text that no SECRET_KEY opens: one was dropped too early, or the row isn't what we wrote."""


def keep(person: Person, text: str, *, call: ToolCall | None = None) -> PersonalText:
    """Encrypts a text under the person's key, which is made with the first one. Needs a transaction.

    For a call there is one text: keeping it once more leaves the first.
    """
    if call is not None:
        known = PersonalText.objects.filter(call=call).first()
        if known is not None:
            return known
    row = PersonalText(shop_id=person.shop_id, call=call, created_at=sources.now())
    _write(row, person, text)
    row.save(force_insert=True)
    return row


def keep_address(order: Order, told: AddressSnapshot | None) -> None:
    """Keeps where the order's bill goes, as the shop tells it now. Needs a transaction, with the order locked.

    What was erased stays so: a shop that still tells the address brings it back for no order.
    """
    if told is None:
        return
    Order.objects.filter(pk=order.pk).update(address_key=address_key(order.shop_id, told))
    if order.person is None:
        return
    row, text = _of(order), told.model_dump_json()
    if row is None:
        made = keep(order.person, text)
        Order.objects.filter(pk=order.pk).update(bill_to=made)
    elif row.key is not None and (row.key.person_id != order.person_id or read(row) != text):
        _write(row, order.person, text)
        row.save(update_fields=["key", "sealed"])


def address_of(order: Order) -> AddressSnapshot | None:
    """Where the order's bill goes; None where nobody told, or it was erased."""
    row = _of(order)
    text = read(row) if row else None
    return AddressSnapshot.model_validate_json(text) if text else None


def address_key(shop_id: int, told: AddressSnapshot) -> UUID | None:
    """The random id of an address, the same however it is spelled and whoever lives there; None without a street."""
    text = address_text(told)
    if not text:
        return None
    mac = fingerprint(shop_id, "address", text)
    rows = KnownAddress.objects.filter(shop_id=shop_id, mac=mac)
    found = rows.first()
    if found is None:
        new = KnownAddress(shop_id=shop_id, mac=mac, created_at=sources.now())
        # Two orders at the same moment share the id that was quicker.
        KnownAddress.objects.bulk_create([new], ignore_conflicts=True)
        found = rows.get()
    return found.id


def address_text(told: AddressSnapshot) -> str:
    """What all spellings of an address have in common; empty without a street."""
    street, zip_code = _words(f"{told.address1} {told.address2}"), "".join(_words(told.zip))
    if not street:
        return ""
    # Shops write a street's parts in any order, and the city only says what the post code does.
    place = [told.country.upper(), zip_code or " ".join(_words(told.city)), *sorted(set(street))]
    return "\n".join(place)


def _words(text: str) -> list[str]:
    """Letters and digits alone, without case and accents: `Straße 1a` is `strasse` and `1a`."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return re.findall(r"\w+", "".join(each for each in plain if not unicodedata.combining(each)))


def fingerprint(shop_id: int, kind: str, text: str) -> bytes:
    """By which a kept text is found again: an HMAC-SHA256 that says nothing to anybody without the shop's key."""
    return fingerprints(shop_id, [(kind, text)])[0]


def fingerprints(shop_id: int, texts: Iterable[tuple[str, str]]) -> list[bytes]:
    """Those of several (kind, text), with the key read once."""
    row = shop_key(shop_id)
    key = _unwrap(row)
    _READ[shop_id] = (row.id, key)
    return [_mac(key, kind, text) for kind, text in texts]


def fingerprints_at_hand(
    shop_id: int, texts: Iterable[tuple[str, str]]
) -> tuple[UUID | None, list[bytes | None]]:
    """Those that this process can make without asking the database, and the id of the key that they are made with.

    Whoever uses them makes sure that it is the shop's key still. None where the process hasn't read one yet.
    """
    key_id, key = _READ.get(shop_id, (None, b""))
    return key_id, [_mac(key, kind, text) if key_id and text else None for kind, text in texts]


def _mac(key: bytes, kind: str, text: str) -> bytes:
    return hmac.digest(key, f"{kind}\n{text}".encode(), "sha256")


def shop_key(shop_id: int) -> ShopKey:
    """The shop's key, wrapped; made with the first use."""
    row = ShopKey.objects.filter(shop_id=shop_id).first()
    if row is None:
        new = ShopKey(id=sources.random_id(), shop_id=shop_id, created_at=sources.now())
        new.wrapped = _seal(_wrapping(settings.SECRET_KEY), os.urandom(KEY_BYTES), new.id)
        ShopKey.objects.bulk_create([new], ignore_conflicts=True)
        row = ShopKey.objects.get(shop_id=shop_id)
    return row


def seal_for_shop(key: ShopKey, text: str, place: UUID) -> bytes:
    """Encrypts a text that is the shop's own to keep, whoever it tells of; bound to its place."""
    return _seal(_unwrap(key), text.encode(), place)


def open_for_shop(key: ShopKey, sealed: bytes, place: UUID) -> str:
    """What `seal_for_shop` sealed. Raises Unreadable."""
    try:
        return _open(_unwrap(key), sealed, place).decode()
    except InvalidTag as error:
        raise Unreadable(
            f"What was sealed as {place} isn't what was written under its shop's key."
        ) from error


def _of(order: Order) -> PersonalText | None:
    return PersonalText.objects.select_related("key").filter(order=order).first()


def _write(row: PersonalText, person: Person, text: str) -> None:
    row.key = _key_of(person)
    row.sealed = _seal(_unwrap(row.key), text.encode(), row.id)


def read(row: PersonalText) -> str | None:
    """What the text says; None once its person's key was deleted. Raises Unreadable."""
    if row.key is None:
        return None
    try:
        return _open(_unwrap(row.key), bytes(row.sealed), row.id).decode()
    except InvalidTag as error:
        raise Unreadable(f"Personal text {row.id} isn't what was written under its key.") from error


def erase(person: Person, *, by: Actor) -> bool:
    """Deletes the person's key, and with it all that was kept under it. False where there was none."""
    with transaction.atomic():
        key = PersonKey.objects.select_for_update().filter(person=person).first()
        if key is None:
            return False
        key.delete()
        record(
            "person.texts_erased",
            by=by,
            stream=f"shop/{person.shop.slug}",
            subject=person,
            shop_id=person.shop_id,
            correlation_id=sources.random_id(),
        )
    return True


def rewrap() -> int:
    """Wraps every key that only an old SECRET_KEY opens under the present one. Returns how many there were."""
    return _rewrap(PersonKey) + _rewrap(ShopKey)


def _rewrap(model: type[PersonKey] | type[ShopKey]) -> int:
    count = 0
    for pk in model._default_manager.values_list("pk", flat=True).iterator():
        with transaction.atomic():
            row = model._default_manager.select_for_update().filter(pk=pk).first()
            if row is None or _opens(row, settings.SECRET_KEY):
                continue
            row.wrapped = _seal(_wrapping(settings.SECRET_KEY), _unwrap(row), row.id)
            row.save(update_fields=["wrapped"])
            count += 1
    return count


def _key_of(person: Person) -> PersonKey:
    row = PersonKey.objects.filter(person=person).first()
    if row is not None:
        return row
    new = PersonKey(id=sources.random_id(), person=person, created_at=sources.now())
    new.wrapped = _seal(_wrapping(settings.SECRET_KEY), AESGCM.generate_key(KEY_BYTES * 8), new.id)
    # Two first texts at the same moment share the key that was quicker.
    PersonKey.objects.bulk_create([new], ignore_conflicts=True)
    return PersonKey.objects.get(person=person)


def _unwrap(row: PersonKey | ShopKey) -> bytes:
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            return _open(_wrapping(secret), bytes(row.wrapped), row.id)
        except InvalidTag:
            continue
    raise Unreadable(f"No SECRET_KEY opens the key {row.id}.")


def _opens(row: PersonKey | ShopKey, secret: str) -> bool:
    try:
        _open(_wrapping(secret), bytes(row.wrapped), row.id)
    except InvalidTag:
        return False
    return True


@cache
def _wrapping(secret: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=PURPOSE).derive(secret.encode())


def _seal(key: bytes, plain: bytes, place: UUID) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, place.bytes)


def _open(key: bytes, sealed: bytes, place: UUID) -> bytes:
    return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.bytes)
