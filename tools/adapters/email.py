"""Plain e-mail, for a shop without Klaviyo: one text to one address, by Django's or anymail's backend.

SMTP has no idempotency key and nobody who could be asked afterwards, so a mail whose answer was lost is never sent
again. Its Message-ID is made of the call's key, by which a person finds it in the server's log.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
from dataclasses import dataclass, field
from email.errors import MessageError
from email.utils import formataddr
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from tools import pacing, stops, upstreams, wire
from tools.adapters.accounts import Account
from tools.adapters.email_errors import PROBLEMS, error_of, health_of
from tools.adapters.mail_server import VENDOR, backend
from tools.adapters.operation import Known, Operation
from tools.errors import InvalidArgs, Refused, ToolError
from tools.snapshots import SendResult
from tools.wire import Call, Health, Kind, News, Reconcile

log = structlog.get_logger(__name__)

OPERATION = "message"
LONGEST_REF = 128
# A comma or a name in angle brackets would reach a second person, and a line break would write a header.
ONE_ADDRESS = re.compile(r"""^[^\s@,:;<>"()\[\]\\]{1,64}@[^\s@,:;<>"()\[\]\\]{1,253}\Z""")


@dataclass(frozen=True)
class Attachment:
    """A file that goes along. `name` is what it is saved as."""

    name: str
    content: bytes = field(repr=False)
    media_type: str


@dataclass(frozen=True)
class Mail:
    """What one person reads. `answers` is the Message-ID that they wrote under, if it is known; `automatic` says that
    nobody wrote this one (RFC 3834).
    """

    sender_name: str
    sender_email: str
    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    answers: str = ""
    automatic: bool = True
    attachments: tuple[Attachment, ...] = field(default=(), repr=False)


def send_mail(account: Account, mail: Mail, *, key: UUID, correlation_id: UUID) -> SendResult:
    """Hands one mail to the shop's server, once. Raises one of tools.errors, and RuntimeError inside a transaction."""
    wire.forbid_inside_transaction()
    call = _call(account, Kind.UNSAFE_WRITE, correlation_id)
    message = _message(mail, key)
    upstreams.refuse_while_drifting(call)
    connection = backend(account.email_url, operation=OPERATION)
    news = News(probe=pacing.GATE.before(call))
    try:
        ref = _hand_over(call, connection, message)
        news.outcome, news.health = "accepted", Health.WELL
    except ToolError as error:
        news.outcome, news.health = error.code, health_of(error)
        raise
    finally:
        _note(call, news.outcome)
        pacing.GATE.after(call, news)
    return SendResult(ref=ref[:LONGEST_REF])


def sign_in(account: Account, *, correlation_id: UUID) -> bool:
    """Connects and signs in without sending anything."""
    wire.forbid_inside_transaction()
    call = _call(account, Kind.READ, correlation_id)
    stops.refuse(call.shop, call.vendor, call.operation)
    connection = backend(account.email_url, operation=OPERATION)
    try:
        connection.open()
    except PROBLEMS as problem:
        raise error_of(call, problem, offered=False) from None
    finally:
        _hang_up(connection)
    return True


def _hand_over(call: Call, connection: BaseEmailBackend, message: EmailMessage) -> str:
    """The id under which the mail is known where it went; without its domain, for ids of ours hold no address."""
    offered = False
    try:
        connection.open()
        # Signing in may have taken long.
        pacing.GATE.still(call)
        offered = True
        if not connection.send_messages([message]):
            raise Refused(vendor=VENDOR, operation=OPERATION, code="not_sent")
    except PROBLEMS as problem:
        # The problem's own text may name the recipient, so it goes no further.
        raise error_of(call, problem, offered=offered) from None
    finally:
        _hang_up(connection)
    status = getattr(message, "anymail_status", None)
    known = str(getattr(status, "message_id", None) or message.extra_headers["Message-ID"])
    return known.strip("<>").partition("@")[0]


def _hang_up(connection: BaseEmailBackend) -> None:
    """A server that doesn't say goodbye has accepted the mail all the same."""
    with contextlib.suppress(smtplib.SMTPException, OSError):
        connection.close()


def _message(mail: Mail, key: UUID) -> EmailMessage:
    """The mail as it will stand in the inbox; InvalidArgs where an address or a header can't be written."""
    domain = mail.sender_email.rpartition("@")[2]
    headers = {"Message-ID": f"<{key}@{domain}>"}
    if mail.answers:
        headers |= {"In-Reply-To": mail.answers, "References": mail.answers}
    if mail.automatic:
        headers["Auto-Submitted"] = "auto-generated"
    message = EmailMessage(
        subject=" ".join(mail.subject.split()),
        body=mail.text,
        from_email=formataddr((" ".join(mail.sender_name.split()), mail.sender_email)),
        to=[mail.to],
        headers=headers,
    )
    for file in mail.attachments:
        message.attach(file.name, file.content, file.media_type)
    if not (ONE_ADDRESS.match(mail.sender_email) and ONE_ADDRESS.match(mail.to)):
        raise InvalidArgs(vendor=VENDOR, operation=OPERATION, code="address")
    try:
        message.message()
    except (ValueError, MessageError):
        # BadHeaderError is one too; its text repeats the address.
        raise InvalidArgs(vendor=VENDOR, operation=OPERATION, code="address") from None
    return message


def _call(account: Account, kind: Kind, correlation_id: UUID) -> Call:
    """The call as budgets and circuits know it; wire.send never sees it."""
    server = urlsplit(account.email_url)
    return Call(
        vendor=VENDOR,
        operation=OPERATION,
        shop=account.slug,
        kind=kind,
        method="MAIL",
        url=f"{server.scheme}://{server.hostname or ''}",
        correlation_id=correlation_id,
        reconcile=Reconcile.PERSON,
    )


def _note(call: Call, outcome: str) -> None:
    log.info(
        "vendor_call",
        vendor=VENDOR,
        operation=OPERATION,
        shop=call.shop,
        outcome=outcome,
        correlation_id=str(call.correlation_id),
    )


def _probe(account: Account, known: Known, correlation_id: UUID) -> bool:
    return sign_in(account, correlation_id=correlation_id)


OPERATIONS: tuple[Operation, ...] = (
    # There is no contract to hold a mail against but RFC 5322, which Django's own writer follows.
    Operation(VENDOR, OPERATION, Kind.UNSAFE_WRITE, None, lambda: (), probe=_probe),
)
