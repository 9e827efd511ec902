"""WhatsApp Cloud API: approved templates, which may leave at any hour.

https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages (Graph v23.0)
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote
from uuid import UUID

from pydantic import Field

from tools import wire
from tools.adapters.accounts import Account
from tools.adapters.replies import Reply, after_sending, canonical, read
from tools.errors import InvalidArgs, OutcomeUnknown, Refused, ToolError, Unavailable
from tools.snapshots import SendResult
from tools.wire import Answer, Call, Kind, Reconcile

VENDOR = "whatsapp"
VERSION = "v23.0"
# Too many messages for the app, the account or this pair of numbers; nothing was sent.
THROTTLED = frozenset({4, 80007, 130429, 131048, 131056})
# "Unknown" and "temporarily unavailable" say nothing about the message.
PROMISES_NOTHING = frozenset({1, 2, 131000})


class _Sent(Reply):
    id: str


class _SendReply(Reply):
    messages: tuple[_Sent, ...] = Field(min_length=1)


class _Error(Reply):
    code: int


class _ErrorReply(Reply):
    error: _Error


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

    There is no idempotency key, so this is never sent twice; the status webhook returns `callback_data` and settles
    an unknown outcome.
    """
    if not to or not template:
        raise InvalidArgs("no recipient or no template", vendor=VENDOR, operation="messages.send")
    body = [{"type": "text", "text": text} for text in parameters]
    content = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": to,
        "type": "template",
        "template": {
            "name": template,
            "language": {"code": language, "policy": "deterministic"},
            "components": [{"type": "body", "parameters": body}] if body else [],
        },
        "biz_opaque_callback_data": callback_data,
    }
    number = quote(account.whatsapp_phone_number_id, safe="")
    call = wire.Call(
        vendor=VENDOR,
        operation="messages.send",
        shop=account.slug,
        kind=Kind.UNSAFE_WRITE,
        reconcile=Reconcile.STATUS_WEBHOOK,
        method="POST",
        url=f"{account.whatsapp_api_base}/{VERSION}/{number}/messages",
        correlation_id=correlation_id,
        headers={
            "Authorization": f"Bearer {account.whatsapp_access_token}",
            "Content-Type": "application/json",
        },
        content=canonical(content),
        judge=_judge,
    )
    answer = wire.send(call)
    sent = after_sending(lambda: read(_SendReply, answer.body, vendor=VENDOR, operation="messages.send"))
    return SendResult(ref=sent.messages[0].id)


def _judge(call: Call, answer: Answer) -> ToolError | None:
    """https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes"""
    if not 400 <= answer.status < 500:
        return None
    try:
        code = _ErrorReply.model_validate_json(answer.body).error.code
    except ValueError:
        return None
    if code in THROTTLED:
        wish = wire.seconds_of(answer.headers)
        return Unavailable(vendor=VENDOR, operation=call.operation, code=str(code), retry_after=wish)
    if code in PROMISES_NOTHING:
        return OutcomeUnknown(vendor=VENDOR, operation=call.operation, code=str(code))
    return Refused(vendor=VENDOR, operation=call.operation, code=str(code))
