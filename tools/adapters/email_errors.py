"""What each failure of a mail server or mail provider means for the message.

before the message was offered   nothing was sent: Unavailable, or Refused where asking again changes nothing
the server answered 4xx or 5xx   not accepted (RFC 5321 4.2.1): Unavailable, Refused
the connection broke afterwards  OutcomeUnknown: it may be on its way
"""

from __future__ import annotations

import smtplib

import httpx
import requests
from anymail.exceptions import (
    AnymailAPIError,
    AnymailConfigurationError,
    AnymailError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailSerializationError,
    AnymailUnsupportedFeature,
)
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from tools import wire
from tools.errors import HeldBack, InvalidArgs, OutcomeUnknown, Refused, ToolError, Unavailable
from tools.wire import Answer, Call, Health

PROBLEMS: tuple[type[Exception], ...] = (
    smtplib.SMTPException,
    OSError,
    AnymailError,
    AnymailConfigurationError,
)
NOT_BUILT = (AnymailInvalidAddress, AnymailUnsupportedFeature, AnymailSerializationError)
# requests reports a refused name or port and a failed handshake under these, all before a byte of the message.
NEVER_SENT = (
    requests.exceptions.ConnectTimeout,
    requests.exceptions.SSLError,
    requests.exceptions.ProxyError,
)


def error_of(call: Call, problem: Exception, *, offered: bool) -> ToolError:
    """The error of the tree; `offered` is False while the connection was being made. No text of the problem is kept,
    since servers repeat addresses in theirs.
    """
    if isinstance(problem, AnymailError | AnymailConfigurationError):
        return _of_provider(call, problem)
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        return _of_recipients(call, problem)
    if isinstance(problem, smtplib.SMTPAuthenticationError) and problem.smtp_code >= 500:
        return _refused(call, "sign_in_refused")
    if isinstance(problem, smtplib.SMTPResponseException):
        return _of_code(call, problem.smtp_code, offered)
    if isinstance(problem, smtplib.SMTPNotSupportedError):
        # STARTTLS, the way of signing in or an address with letters beyond ASCII: known before the message is offered.
        return _refused(call, "server_can_not")
    if offered:
        return _unknown(call, type(problem).__name__)
    return Unavailable(vendor=call.vendor, operation=call.operation, code=type(problem).__name__)


def health_of(error: ToolError) -> Health:
    """What the failure tells of the server: a no is an answer, a broken connection is none."""
    if isinstance(error, InvalidArgs | HeldBack):
        return Health.UNTOLD
    if isinstance(error, OutcomeUnknown):
        return Health.ILL
    answered = error.code.startswith(("smtp_", "http_"))
    return Health.ILL if isinstance(error, Unavailable) and not answered else Health.WELL


def _of_recipients(call: Call, problem: smtplib.SMTPRecipientsRefused) -> ToolError:
    """There is one recipient; a server that is busy says so with 4xx (greylisting)."""
    codes = [code for code, _text in problem.recipients.values()]
    if any(400 <= code < 500 for code in codes):
        return Unavailable(vendor=call.vendor, operation=call.operation, code=f"smtp_{min(codes)}")
    return _refused(call, "recipient_refused")


def _of_code(call: Call, code: int, offered: bool) -> ToolError:
    if 500 <= code < 600:
        return _refused(call, f"smtp_{code}")
    if 400 <= code < 500 or not offered:
        return Unavailable(vendor=call.vendor, operation=call.operation, code=f"smtp_{code}")
    # -1 is smtplib's word for an answer that is none.
    return _unknown(call, "smtp_unreadable")


def _of_provider(call: Call, problem: Exception) -> ToolError:
    if isinstance(problem, AnymailConfigurationError):
        return _refused(call, "email_url")
    if isinstance(problem, AnymailRecipientsRefused):
        return _refused(call, "recipient_refused")
    if isinstance(problem, NOT_BUILT):
        return InvalidArgs(vendor=call.vendor, operation=call.operation, code=type(problem).__name__)
    if isinstance(problem, AnymailAPIError) and _never_sent(problem):
        return Unavailable(vendor=call.vendor, operation=call.operation, code="not_reached")
    response = getattr(problem, "response", None)
    if response is not None:
        answer = Answer(response.status_code, httpx.Headers(dict(response.headers)), b"")
        return wire.error_of_status(call, answer) or _unknown(call, "unreadable")
    return _unknown(call, type(problem).__name__)


def _never_sent(problem: Exception) -> bool:
    cause = problem.__cause__
    if isinstance(cause, NEVER_SENT):
        return True
    inner = cause.args[0] if isinstance(cause, requests.exceptions.ConnectionError) and cause.args else None
    reason = inner.reason if isinstance(inner, MaxRetryError) else None
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def _refused(call: Call, code: str) -> Refused:
    return Refused(vendor=call.vendor, operation=call.operation, code=code)


def _unknown(call: Call, code: str) -> OutcomeUnknown:
    return OutcomeUnknown(vendor=call.vendor, operation=call.operation, code=code)
