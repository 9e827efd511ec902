"""What a failed attempt means, drawn; a test holds every exception and every status against this table.

    what happened                    read            idempotent      unsafe
    -----------------------------------------------------------------------------
    not a request                    InvalidArgs     InvalidArgs     InvalidArgs
    never sent                       Unavailable     Unavailable     Unavailable
    sent and lost                    Unavailable     OutcomeUnknown  OutcomeUnknown
    2xx                              Answer          Answer          Answer
    425, 429, 503 with Retry-After   Unavailable     Unavailable     Unavailable
    408, 500 and above               Unavailable     OutcomeUnknown  OutcomeUnknown
    other 4xx                        Refused         Refused         Refused
    below 200, 3xx                   ContractDrift   OutcomeUnknown  OutcomeUnknown

Never sent: no connection could be made (refused, timed out, TLS, proxy, a full pool, a closed client). Sent and lost:
anything that fails after the first byte of the request. An adapter's judge goes before the status, and the vendor's
own word on repeating (`Stripe-Should-Retry`) before both: told to repeat, a refusal is Unavailable.

May it be sent again, with the same bytes, within the same call? Unavailable always, OutcomeUnknown unless the write is
unsafe, all others never, and none that the vendor told not to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

import httpx

from tools.errors import ContractDrift, InvalidArgs, OutcomeUnknown, Refused, ToolError, Unavailable
from tools.wire.call import Answer, Call, Kind

NUMBER = re.compile(r"^-?\d{1,9}(?:\.\d{1,9})?$", re.ASCII)
# These say that nothing was executed, as does 503 with Retry-After.
NOT_EXECUTED = frozenset({425, 429})
NO_CONNECTION = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)
NEVER_SENT = (*NO_CONNECTION, httpx.PoolTimeout)
OUR_FAULT = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL)
# What a request that can't be put into bytes raises past httpx; before sending only.
NOT_A_REQUEST = (TypeError, ValueError)


class Health(StrEnum):
    """What an attempt tells of the vendor: it answers, it is asked too often, it is broken, or nothing."""

    WELL = "well"
    BUSY = "busy"
    ILL = "ill"
    UNTOLD = "untold"


def error_of_exception(call: Call, problem: Exception, *, sent: bool = True) -> ToolError:
    """What an exception of an exchange means for this call; `sent` where httpx doesn't say it by the class."""
    code = type(problem).__name__
    # A certificate that doesn't verify is a ValueError too, and none of ours.
    unfit = isinstance(problem, NOT_A_REQUEST) and not isinstance(problem, OSError)
    if isinstance(problem, OUR_FAULT) or (unfit and not sent):
        return InvalidArgs(vendor=call.vendor, operation=call.operation, code=code)
    if isinstance(problem, NEVER_SENT) or not sent:
        return Unavailable(vendor=call.vendor, operation=call.operation, code=code)
    return lost(call, code)


def health_of_exception(problem: Exception, *, sent: bool = True) -> Health:
    """A full pool and a closed client are ours; a vendor that can't be reached or stops in mid-sentence is ill."""
    if isinstance(problem, NO_CONNECTION):
        return Health.ILL
    if isinstance(problem, (*OUR_FAULT, httpx.PoolTimeout)) or not sent:
        return Health.UNTOLD
    return Health.ILL


def error_of_answer(call: Call, answer: Answer) -> ToolError | None:
    """What an answer means: the judge first, then the status, and over both the vendor's word on repeating."""
    error = call.judge(call, answer) or error_of_status(call, answer)
    wish = should_retry(answer.headers)
    if error is None or wish is None:
        return error
    if wish and isinstance(error, Refused):
        error = Unavailable(
            vendor=call.vendor,
            operation=call.operation,
            code=error.code,
            retry_after=seconds_of(answer.headers),
        )
    error.again = wish
    return error


def error_of_status(call: Call, answer: Answer) -> ToolError | None:
    """What a status means for this call; None for 2xx."""
    status, code = answer.status, f"http_{answer.status}"
    if 200 <= status < 300:
        return None
    retry_after = seconds_of(answer.headers)
    if status in NOT_EXECUTED or (status == 503 and retry_after is not None):
        return Unavailable(vendor=call.vendor, operation=call.operation, code=code, retry_after=retry_after)
    if 400 <= status < 500 and status != 408:
        return Refused(vendor=call.vendor, operation=call.operation, code=code)
    if status < 400 and call.kind is Kind.READ:
        return ContractDrift(code, vendor=call.vendor, operation=call.operation, field_path="status")
    return lost(call, code)


def health_of_answer(answer: Answer, error: ToolError | None) -> Health:
    """A "no" is an answer too. Inside a 2xx, an error that names a time to wait is a throttle."""
    status = answer.status
    if status >= 500 or status == 408 or not (200 <= status < 300 or 400 <= status < 500):
        return Health.ILL
    if isinstance(error, Unavailable):
        return Health.BUSY if status >= 400 or error.retry_after is not None else Health.ILL
    if isinstance(error, OutcomeUnknown) and status < 300:
        return Health.ILL
    return Health.WELL


def may_repeat(call: Call, error: ToolError) -> bool:
    """Whether the same bytes may be sent again within this call."""
    if error.again is False:
        return False
    if isinstance(error, OutcomeUnknown):
        return call.kind is not Kind.UNSAFE_WRITE
    return isinstance(error, Unavailable)


def lost(call: Call, code: str) -> ToolError:
    """A call that was sent and not answered: a read can be made again, a write may have been executed."""
    if call.kind is Kind.READ:
        return Unavailable(vendor=call.vendor, operation=call.operation, code=code)
    return OutcomeUnknown(vendor=call.vendor, operation=call.operation, code=code)


def not_json(call: Call, answer: Answer) -> ToolError | None:
    """A 2xx whose body is no JSON (a maintenance page, half an answer) is a lost answer; None for all others."""
    if not 200 <= answer.status < 300:
        return None
    try:
        json.loads(answer.body)
    except ValueError:
        return lost(call, "not_json")
    return None


def should_retry(headers: Mapping[str, str]) -> bool | None:
    """The vendor's own word on sending the same again, None where it says nothing.

    https://docs.stripe.com/error-low-level#idempotency
    """
    return {"true": True, "false": False}.get(headers.get("Stripe-Should-Retry", "").strip().lower())


def seconds_of(headers: Mapping[str, str]) -> float | None:
    """Retry-After in seconds, from seconds or an HTTP date (RFC 9110 10.2.3); None where absent or unreadable.

    A date is compared with the answer's own Date, so that a wrong clock on either side cancels out.
    """
    text = headers.get("Retry-After", "").strip()
    if NUMBER.match(text):
        return max(0.0, float(text))
    moment = _http_date(text)
    if moment is None:
        return None
    present = _http_date(headers.get("Date", "")) or datetime.now(UTC)
    return max(0.0, (moment - present).total_seconds())


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
