"""How Klaviyo is asked and how it says no: JSON:API under a pinned revision.

https://developers.klaviyo.com/en/docs/rate_limits_and_error_handling
"""

from __future__ import annotations

import re
from uuid import UUID

from pydantic import Field

from tools import wire
from tools.adapters.accounts import Account
from tools.adapters.replies import Reply, canonical
from tools.adapters.versions import other_version
from tools.errors import Refused, ToolError, Unavailable
from tools.wire import Answer, Call, Kind

VENDOR = "klaviyo"
REVISION = "2026-07-15"
REVISION_HEADER = "revision"
JSON_API = "application/vnd.api+json"
CODE = re.compile(r"^[a-z][a-z0-9_.]{1,47}$", re.ASCII)


class _Error(Reply):
    code: str


class _ErrorReply(Reply):
    errors: tuple[_Error, ...] = Field(min_length=1)


def get(account: Account, operation: str, path: str, correlation_id: UUID) -> Call:
    """A reading."""
    return Call(
        vendor=VENDOR,
        operation=operation,
        shop=account.slug,
        kind=Kind.READ,
        method="GET",
        url=f"{account.klaviyo_api_base}{path}",
        correlation_id=correlation_id,
        headers=_headers(account),
        judge=_judge,
    )


def post(account: Account, operation: str, path: str, content: object, correlation_id: UUID) -> Call:
    """A write that may be repeated: each of ours has a key of its own or ends the same."""
    return Call(
        vendor=VENDOR,
        operation=operation,
        shop=account.slug,
        kind=Kind.IDEMPOTENT_WRITE,
        method="POST",
        url=f"{account.klaviyo_api_base}{path}",
        correlation_id=correlation_id,
        headers={**_headers(account), "Content-Type": JSON_API},
        content=canonical(content),
        judge=_judge,
    )


def _headers(account: Account) -> dict[str, str]:
    return {
        "Accept": JSON_API,
        "Authorization": f"Klaviyo-API-Key {account.klaviyo_api_key}",
        REVISION_HEADER: REVISION,
    }


def _judge(call: Call, answer: Answer) -> ToolError | None:
    """Klaviyo's own code for a no; https://developers.klaviyo.com/en/docs/rate_limits_and_error_handling."""
    if 200 <= answer.status < 300:
        return other_version(call, answer, REVISION_HEADER, REVISION)
    if not 400 <= answer.status < 500 or answer.status in (408, 425):
        return None
    code = _code(answer)
    if answer.status == 429 or code == "throttled":
        wish = wire.seconds_of(answer.headers)
        return Unavailable(vendor=VENDOR, operation=call.operation, code=code, retry_after=wish)
    return Refused(vendor=VENDOR, operation=call.operation, code=code)


def _code(answer: Answer) -> str:
    """The first error's code; the status where there is none that looks like one."""
    try:
        code = _ErrorReply.model_validate_json(answer.body).errors[0].code
    except ValueError:
        code = ""
    return code if CODE.match(code) else f"http_{answer.status}"
