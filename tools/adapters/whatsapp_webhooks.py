"""WhatsApp's webhooks: signature, identity, and the messages and statuses that one delivery may carry together.

https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field

from tools.adapters.accounts import Account
from tools.adapters.envelopes import Envelope
from tools.adapters.replies import Reply, read
from tools.adapters.signatures import header, matches, signed
from tools.adapters.whatsapp_wire import name_of
from tools.errors import ContractDrift
from tools.snapshots import MessageSnapshot, MessageStatusSnapshot

VENDOR = "whatsapp"
WhatsAppSnapshot = MessageSnapshot | MessageStatusSnapshot
Seconds = Annotated[str, Field(pattern=r"^\d{1,11}$")]


def verify_signature(raw: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> bool:
    """Whether Meta signed these bytes under any of the app's secrets.

    https://developers.facebook.com/docs/graph-api/webhooks/getting-started#validate-payloads
    """
    scheme, _, given = header(headers, "X-Hub-Signature-256").partition("=")
    if scheme != "sha256":
        return False
    return matches([given.encode()], [signed(secret, raw).hex().encode() for secret in secrets])


def challenge(query: Mapping[str, str], account: Account) -> str:
    """What to answer when Meta asks whether the address is ours; empty where the token isn't the shop's."""
    given = query.get("hub.verify_token", "").encode()
    if query.get("hub.mode") != "subscribe" or not matches([given], [account.whatsapp_verify_token.encode()]):
        return ""
    return query.get("hub.challenge", "")


class _Profile(Reply):
    name: str = ""


class _Contact(Reply):
    wa_id: str | None = None
    user_id: str | None = None
    profile: _Profile = _Profile()


class _Text(Reply):
    body: str


class _Button(Reply):
    text: str


class _Choice(Reply):
    title: str


class _Interactive(Reply):
    button_reply: _Choice | None = None
    list_reply: _Choice | None = None


class _Media(Reply):
    id: str
    caption: str = ""


class _Context(Reply):
    id: str = ""


class _Message(Reply):
    id: str
    timestamp: Seconds
    type: str
    sender: str | None = Field(default=None, alias="from")
    from_user_id: str | None = None
    text: _Text | None = None
    button: _Button | None = None
    interactive: _Interactive | None = None
    audio: _Media | None = None
    document: _Media | None = None
    image: _Media | None = None
    sticker: _Media | None = None
    video: _Media | None = None
    context: _Context | None = None


class _StatusError(Reply):
    code: int


class _Status(Reply):
    id: str
    status: Literal["sent", "delivered", "read", "played", "failed", "deleted"]
    timestamp: Seconds
    biz_opaque_callback_data: str = ""
    errors: tuple[_StatusError, ...] = ()


class _Metadata(Reply):
    phone_number_id: str


class _Value(Reply):
    metadata: _Metadata
    contacts: tuple[_Contact, ...] = ()
    messages: tuple[_Message, ...] = ()
    statuses: tuple[_Status, ...] = ()


class _Field(Reply):
    field: str


class _Change(Reply):
    field: Literal["messages"]
    value: _Value


class _Entry(Reply):
    changes: tuple[_Change | _Field, ...]


class _Delivery(Reply):
    object: Literal["whatsapp_business_account"]
    entry: tuple[_Entry, ...]


def envelope(raw: bytes) -> Envelope:
    """The delivery's identity, made from the ids that it carries, since Meta gives it none of its own."""
    values = _values(raw)
    names = [message.id for value in values for message in value.messages]
    names += [f"{status.id}:{status.status}" for value in values for status in value.statuses]
    if not names:
        names = [hashlib.sha256(raw).hexdigest()]
    one = names[0] if len(names) == 1 else "batch:" + hashlib.sha256("\n".join(names).encode()).hexdigest()
    account = values[0].metadata.phone_number_id if values else ""
    kinds = {"messages" for value in values if value.messages} or {"statuses"}
    return Envelope(account=account, external_id=one, topic=kinds.pop())


def parse(raw: bytes) -> tuple[WhatsAppSnapshot, ...]:
    """All messages and statuses of one delivery, in its order; empty for fields that we don't read."""
    found: list[WhatsAppSnapshot] = []
    for value in _values(raw):
        found += [_message(message, value) for message in value.messages]
        found += [_status(status) for status in value.statuses]
    return tuple(found)


def _values(raw: bytes) -> list[_Value]:
    delivery = read(_Delivery, raw, vendor=VENDOR, operation="webhook")
    changes = [change for entry in delivery.entry for change in entry.changes]
    for place, change in enumerate(changes):
        if isinstance(change, _Field) and change.field == "messages":
            raise ContractDrift(vendor=VENDOR, operation="webhook", field_path=f"changes.{place}.value")
    return [change.value for change in changes if isinstance(change, _Change)]


def _message(message: _Message, value: _Value) -> MessageSnapshot:
    """One message; its sender is the business-scoped user id where there is one, for the number may be hidden."""
    contact = _contact(message, value)
    sender = message.from_user_id or contact.user_id or message.sender or contact.wa_id
    if not sender:
        raise ContractDrift(vendor=VENDOR, operation="webhook", field_path="messages.from")
    media = message.image or message.document or message.audio or message.video or message.sticker
    return MessageSnapshot(
        external_id=message.id,
        phone_number_id=value.metadata.phone_number_id,
        sender=sender,
        wa_id=message.sender or contact.wa_id or "",
        name=contact.profile.name,
        kind=message.type,
        text=_words(message) or (media.caption if media else ""),
        media_id=media.id if media else "",
        reply_to=message.context.id if message.context else "",
        at=_moment(message.timestamp),
    )


def _contact(message: _Message, value: _Value) -> _Contact:
    """The contact who sent it: by id, or the only one there is."""
    known = {message.sender, message.from_user_id} - {None}
    for contact in value.contacts:
        if known & {contact.wa_id, contact.user_id}:
            return contact
    return value.contacts[0] if len(value.contacts) == 1 else _Contact()


def _words(message: _Message) -> str:
    if message.text:
        return message.text.body
    if message.button:
        return message.button.text
    chosen = message.interactive and (message.interactive.button_reply or message.interactive.list_reply)
    return chosen.title if chosen else ""


def _status(status: _Status) -> MessageStatusSnapshot:
    return MessageStatusSnapshot(
        external_id=status.id,
        status=status.status,
        callback_data=status.biz_opaque_callback_data,
        error_code=name_of(status.errors[0].code) if status.errors else "",
        at=_moment(status.timestamp),
    )


def _moment(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
