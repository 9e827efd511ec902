"""WhatsApp Cloud API: approved templates, which may leave at any hour, and free text inside the customer's 24 hours.

https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages (Graph v23.0)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from tools.adapters.accounts import Account
from tools.adapters.asking import ask
from tools.adapters.operation import Example, Known, Operation
from tools.adapters.replies import Reply
from tools.adapters.whatsapp_reading import READINGS, read_phone_number
from tools.adapters.whatsapp_wire import VENDOR, message_call
from tools.errors import ContractDrift, InvalidArgs
from tools.snapshots import SendResult
from tools.wire import Kind

OPERATION = "messages.send"
# https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
USER_ID = re.compile(r"^[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}$", re.ASCII)
LONGEST_TEXT = 4096
# A body with its parameters filled in; our template has a few words around its one parameter.
LONGEST_PARAMETER = 900


class _Sent(Reply):
    id: str = Field(min_length=1)
    message_status: Literal["accepted", "held_for_quality_assessment", "paused"] = "accepted"


class _Contact(Reply):
    also_known: ClassVar[frozenset[str]] = frozenset({"wa_id", "user_id"})

    input: str | None = None


class _SendReply(Reply):
    also_known: ClassVar[frozenset[str]] = frozenset({"messaging_product"})

    contacts: tuple[_Contact, ...] = ()
    messages: tuple[_Sent, ...] = Field(min_length=1)


def send_template(
    account: Account,
    to: str,
    template: str,
    language: str,
    parameters: Sequence[str],
    *,
    callback_data: str,
    correlation_id: UUID,
) -> SendResult:
    """Sends an approved template to a phone number or business-scoped user id.

    The status webhook returns `callback_data` and settles an unknown outcome. Raises InvalidArgs for a text that no
    template takes.
    """
    if not to or not template or any(len(text) > LONGEST_PARAMETER for text in parameters):
        code = "text_too_long" if to and template else "no_recipient"
        raise InvalidArgs(vendor=VENDOR, operation=OPERATION, code=code)
    return _send(account, to, _template(template, language, parameters), callback_data, correlation_id)


def send_text(
    account: Account, to: str, text: str, *, callback_data: str, correlation_id: UUID
) -> SendResult:
    """Sends free text, which WhatsApp takes within 24 hours of the person's own last message alone."""
    if not to or not text or len(text) > LONGEST_TEXT:
        code = "text_too_long" if to and text else "no_recipient"
        raise InvalidArgs(vendor=VENDOR, operation=OPERATION, code=code)
    return _send(account, to, _text(text), callback_data, correlation_id)


def _send(
    account: Account, to: str, message: Mapping[str, object], callback_data: str, correlation_id: UUID
) -> SendResult:
    content = {**_addressed(to), **message, "biz_opaque_callback_data": callback_data}

    def make(reply: _SendReply) -> SendResult:
        _refuse_another(to, reply)
        sent = reply.messages[0]
        return SendResult(ref=sent.id, pending=sent.message_status != "accepted")

    return ask(message_call(account, content, correlation_id), _SendReply, make)


def _addressed(to: str) -> dict[str, object]:
    """A user id goes into `recipient`: in `to` it is taken for a number, answered with 200, and reaches nobody."""
    address = {"recipient": to} if USER_ID.match(to) else {"to": to}
    return {"messaging_product": "whatsapp", "recipient_type": "individual", **address}


def _refuse_another(to: str, reply: _SendReply) -> None:
    """The answer repeats whom we asked for; anybody else means that our words have changed their meaning."""
    told = [contact.input for contact in reply.contacts if contact.input]
    if told and _bare(told[0]) != _bare(to):
        raise ContractDrift(
            "not whom we asked for", vendor=VENDOR, operation=OPERATION, field_path="contacts.0.input"
        )


def _bare(address: str) -> str:
    return re.sub(r"[^0-9a-z]", "", address.lower())


def _template(name: str, language: str, parameters: Sequence[str]) -> dict[str, object]:
    body = [{"type": "text", "text": text} for text in parameters]
    template = {
        "name": name,
        "language": {"code": language, "policy": "deterministic"},
        "components": [{"type": "body", "parameters": body}] if body else [],
    }
    return {"type": "template", "template": template}


def _text(text: str) -> dict[str, object]:
    return {"type": "text", "text": {"body": text, "preview_url": False}}


def _examples() -> tuple[Example, ...]:
    path = "/{Version}/{Phone-Number-ID}/messages"
    template = _template("opsagent_message", "en", ["Hello"])
    wishes = (
        {**_addressed("4915112345678"), **template},
        {**_addressed("DE.13491208655302741918"), **template},
        {**_addressed("4915112345678"), **_text("Hello")},
    )
    return tuple(Example(path=path, json={**wish, "biz_opaque_callback_data": "1"}) for wish in wishes)


def _probe(account: Account, known: Known, correlation_id: UUID) -> bool:
    return bool(read_phone_number(account, correlation_id=correlation_id))


OPERATIONS: tuple[Operation, ...] = (
    Operation(VENDOR, OPERATION, Kind.UNSAFE_WRITE, _SendReply, _examples, probe=_probe),
    *READINGS,
)
