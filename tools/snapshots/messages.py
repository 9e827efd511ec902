"""Messages that came and went, and the templates they are made of."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from tools.snapshots.base import Snapshot


class MessageSnapshot(Snapshot):
    """A message that a person sent us by WhatsApp; `sender` is the business-scoped user id or the wa_id."""

    external_id: str
    phone_number_id: str
    sender: str
    wa_id: str = ""
    name: str = ""
    kind: str
    text: str = ""
    media_id: str = ""
    reply_to: str = ""
    at: AwareDatetime


class MessageStatusSnapshot(Snapshot):
    """What became of a message that we sent; `callback_data` is what we gave it on the way.

    `error_code` is in our words where we have one (`template_not_approved`).
    """

    external_id: str
    status: Literal["sent", "delivered", "read", "played", "failed", "deleted"]
    callback_data: str = ""
    error_code: str = ""
    at: AwareDatetime


class SendResult(Snapshot):
    """The answer to a sent message: the vendor's id for it, or our own unique id where the vendor gives none.

    A `pending` one was taken and is held back; only the vendor's status tells whether it leaves.
    """

    ref: str
    pending: bool = False


class TemplateSnapshot(Snapshot):
    """A message template at WhatsApp in one language; `status` is the vendor's word, APPROVED being the only yes."""

    name: str
    language: str
    status: str
    category: str = ""
