"""How WhatsApp's Cloud API is asked and how it says no: Graph v23.0 and its error codes.

https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
"""

from __future__ import annotations

from urllib.parse import quote, urlencode
from uuid import UUID

from tools import wire
from tools.adapters.accounts import Account
from tools.adapters.replies import Reply, canonical
from tools.adapters.versions import other_version
from tools.errors import Refused, ToolError, Unavailable
from tools.wire import Answer, Call, Kind, Reconcile

VENDOR = "whatsapp"
VERSION = "v23.0"
VERSION_HEADER = "facebook-api-version"
# Too many messages for the app, the account or this pair of numbers, or the account is being moved; nothing was sent.
THROTTLED = frozenset({4, 80007, 130429, 131048, 131056, 131057, 133016})
# "Unknown" and "temporarily unavailable" say nothing about the message.
PROMISES_NOTHING = frozenset({1, 2, 131000, 131016})
# In our words, since staff read them and they come by webhook as well.
NAMES = {
    190: "token_invalid",
    368: "account_blocked",
    131026: "not_on_whatsapp",
    131030: "not_on_whatsapp",
    131031: "account_blocked",
    131042: "account_unpaid",
    131047: "window_closed",
    131049: "held_back_by_whatsapp",
    131062: "needs_phone_number",
    132000: "template_does_not_fit",
    132001: "template_not_approved",
    132005: "text_too_long",
    132007: "template_not_approved",
    132012: "template_does_not_fit",
    132015: "template_not_approved",
    132016: "template_not_approved",
    133010: "number_not_registered",
}


class _Error(Reply):
    code: int


class _ErrorReply(Reply):
    error: _Error


def name_of(code: int) -> str:
    """WhatsApp's error code in our words, the bare number where we have none."""
    return NAMES.get(code, str(code))


def get(account: Account, operation: str, path: str, query: dict[str, str], correlation_id: UUID) -> Call:
    """A reading of one of the account's things; `path` begins with its id."""
    return Call(
        vendor=VENDOR,
        operation=operation,
        shop=account.slug,
        kind=Kind.READ,
        method="GET",
        url=f"{account.whatsapp_api_base}/{VERSION}/{path}?{urlencode(query)}",
        correlation_id=correlation_id,
        headers={"Authorization": f"Bearer {account.whatsapp_access_token}"},
        judge=judge,
    )


def message_call(account: Account, content: object, correlation_id: UUID) -> Call:
    """A message. There is no idempotency key, so it is never sent twice."""
    number = quote(account.whatsapp_phone_number_id, safe="")
    return Call(
        vendor=VENDOR,
        operation="messages.send",
        shop=account.slug,
        kind=Kind.UNSAFE_WRITE,
        method="POST",
        url=f"{account.whatsapp_api_base}/{VERSION}/{number}/messages",
        correlation_id=correlation_id,
        headers={
            "Authorization": f"Bearer {account.whatsapp_access_token}",
            "Content-Type": "application/json",
        },
        content=canonical(content),
        judge=judge,
        reconcile=Reconcile.STATUS_WEBHOOK,
    )


def judge(call: Call, answer: Answer) -> ToolError | None:
    """What the error object means; a 5xx says nothing about the message, whatever its code."""
    if 200 <= answer.status < 300:
        return other_version(call, answer, VERSION_HEADER, VERSION)
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
        return wire.lost(call, str(code))
    return Refused(str(code), vendor=VENDOR, operation=call.operation, code=name_of(code))
