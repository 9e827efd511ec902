"""How Stripe is asked and how it says no: headers, nested forms, pages, live mode and the error object.

https://docs.stripe.com/api (API version 2026-10-28.endive)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlencode
from uuid import UUID

import structlog

from tools import wire
from tools.adapters.accounts import Account
from tools.adapters.replies import Reply
from tools.adapters.stripe_known import VERSION
from tools.errors import ContractDrift, InvalidArgs, OutcomeUnknown, Refused, ToolError, Unavailable
from tools.wire import Answer, Call, Kind

log = structlog.get_logger(__name__)

VENDOR = "stripe"
PAGE = 100
LONGEST_KEY = 255
# https://docs.stripe.com/keys: secret and restricted keys name their mode.
LIVE, TEST = ("sk_live_", "rk_live_"), ("sk_test_", "rk_test_")
PERMISSION = re.compile(r"\brak_[a-z_]{3,48}\b", re.ASCII)
# Stripe didn't start on these: https://docs.stripe.com/error-codes
NOT_STARTED = frozenset({"lock_timeout", "rate_limit"})
NO_CODE = {401: "api_key_invalid", 403: "permission_missing"}

Value = str | int | bool | Sequence[object] | Mapping[str, object]
__all__ = [
    "PAGE",
    "VENDOR",
    "VERSION",
    "Asked",
    "form",
    "get",
    "post",
    "refuse_other_mode",
    "same_mode",
]


class _Error(Reply):
    type: str
    code: str | None = None
    message: str | None = None


class _ErrorReply(Reply):
    error: _Error


class Asked:
    """Sees each answer to one call: whether it names the pinned version, and is therefore held to all of it."""

    def __init__(self) -> None:
        self.pinned = False

    def judge(self, call: Call, answer: Answer) -> ToolError | None:
        """What Stripe hides behind the status; None leaves it to the status."""
        served = answer.headers.get("Stripe-Version", "")
        self.pinned = served == VERSION
        if answer.headers.get("Idempotent-Replayed", "") == "true":
            log.info("stripe_replayed", operation=call.operation, correlation_id=str(call.correlation_id))
        if 200 <= answer.status < 300:
            return _other_version(call, served)
        return _refusal(call, answer)


def _other_version(call: Call, served: str) -> ToolError | None:
    """A reading in another version than asked; what a write made is looked at itself."""
    if call.kind is not Kind.READ or served in ("", VERSION):
        return None
    return ContractDrift(
        served[:40],
        vendor=VENDOR,
        operation=call.operation,
        field_path="Stripe-Version",
        finding="version",
    )


def _refusal(call: Call, answer: Answer) -> ToolError | None:
    """Reads Stripe's error object: https://docs.stripe.com/error-codes and /api/idempotent_requests.

    Stripe-Should-Retry, which overrides the status, is the wire's to follow.
    """
    try:
        error = _ErrorReply.model_validate_json(answer.body).error
    except ValueError:
        error = _Error(type="")
    code = _code(error, answer.status)
    if error.code in NOT_STARTED or answer.status == 429:
        wish = wire.seconds_of(answer.headers)
        return Unavailable(vendor=VENDOR, operation=call.operation, code=code, retry_after=wish)
    if _leaves_doubt(call, answer.status, error.type):
        return _told_again(call) if _is_stored(answer) else wire.lost(call, code)
    if 400 <= answer.status < 500 and error.type:
        return Refused(vendor=VENDOR, operation=call.operation, code=code)
    return None


def _is_stored(answer: Answer) -> bool:
    """Whether this is what the key's first request was answered, kept and told again for as long as the key lives.

    https://docs.stripe.com/api/idempotent_requests
    """
    return answer.status >= 500 and answer.headers.get("Idempotent-Replayed", "") == "true"


def _told_again(call: Call) -> OutcomeUnknown:
    doubt = OutcomeUnknown(vendor=VENDOR, operation=call.operation, code=OutcomeUnknown.STORED)
    doubt.again = False
    return doubt


def _leaves_doubt(call: Call, status: int, kind_of_error: str) -> bool:
    """Whether no is not the whole answer: something else was or is being done under this key, or broke midway."""
    if status >= 500:
        return call.kind is not Kind.READ
    return kind_of_error in ("idempotency_error", "api_error") or status in (409, 424)


def _code(error: _Error, status: int) -> str:
    """Stripe's own code; for a key that may not, the permission that it lacks."""
    lacking = PERMISSION.search(error.message or "") if status == 403 else None
    if lacking is not None:
        return f"permission_missing:{lacking.group()}"
    return error.code or NO_CODE.get(status) or error.type or f"http_{status}"


def live_mode(account: Account) -> bool | None:
    """Whether the shop's key moves real money; None where the key doesn't say."""
    key = account.stripe_api_key
    if key.startswith(LIVE):
        return True
    return False if key.startswith(TEST) else None


def same_mode(account: Account, livemode: bool | None) -> bool:
    """Whether a thing of this mode may be the key's; what nobody tells is no difference."""
    ours = live_mode(account)
    return None in (ours, livemode) or ours == livemode


def refuse_other_mode(account: Account, livemode: bool | None, *, operation: str) -> None:
    """Raises InvalidArgs before sending, where a payment of one mode meets a key of the other."""
    if not same_mode(account, livemode):
        raise InvalidArgs(vendor=VENDOR, operation=operation, code="other_mode")


def form(fields: Mapping[str, Value]) -> dict[str, str]:
    """Stripe's flat form: {"metadata": {"call": "x"}, "expand": ["a"]} becomes metadata[call]=x and expand[0]=a."""
    return dict(sorted(pair for name, value in fields.items() for pair in _flat(name, value)))


def _flat(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for inner, content in value.items():
            yield from _flat(f"{name}[{inner}]", content)
    elif isinstance(value, str | int):
        yield name, str(value).lower() if isinstance(value, bool) else str(value)
    elif isinstance(value, Sequence):
        for place, content in enumerate(value):
            yield from _flat(f"{name}[{place}]", content)
    else:
        raise TypeError(f"{name} can't be sent")


def get(
    account: Account,
    operation: str,
    path: str,
    query: Mapping[str, Value],
    *,
    correlation_id: UUID,
    asked: Asked | None = None,
) -> Call:
    """A reading; `path` is quoted already."""
    flat = urlencode(form(query))
    return Call(
        vendor=VENDOR,
        operation=operation,
        shop=account.slug,
        kind=Kind.READ,
        method="GET",
        url=f"{account.stripe_api_base}{path}{'?' if flat else ''}{flat}",
        correlation_id=correlation_id,
        headers=_headers(account),
        judge=(asked or Asked()).judge,
    )


def post(
    account: Account,
    operation: str,
    path: str,
    fields: Mapping[str, Value],
    *,
    key: str,
    correlation_id: UUID,
) -> Call:
    """A write under an idempotency key, which Stripe takes up to 255 characters long."""
    if not 0 < len(key) <= LONGEST_KEY:
        raise InvalidArgs(vendor=VENDOR, operation=operation, code="key_too_long")
    headers = {"Idempotency-Key": key, "Content-Type": "application/x-www-form-urlencoded"}
    return Call(
        vendor=VENDOR,
        operation=operation,
        shop=account.slug,
        kind=Kind.IDEMPOTENT_WRITE,
        method="POST",
        url=account.stripe_api_base + path,
        correlation_id=correlation_id,
        headers={**_headers(account), **headers},
        content=urlencode(form(fields)).encode(),
        judge=Asked().judge,
    )


def _headers(account: Account) -> dict[str, str]:
    return {"Authorization": f"Bearer {account.stripe_api_key}", "Stripe-Version": VERSION}
