"""Slack: announcements to staff by an incoming webhook, whose address is the secret.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from __future__ import annotations

import re
from uuid import UUID

from tools import wire
from tools.adapters.accounts import Account
from tools.adapters.asking import tell
from tools.adapters.operation import Example, Operation
from tools.adapters.replies import canonical
from tools.errors import ContractDrift, InvalidArgs, Refused, ToolError, Unavailable
from tools.wire import Answer, Call, Kind, Reconcile

VENDOR = "slack"
OPERATION = "webhook"
# Slack cuts what is longer than 40,000 characters; one line of ours never comes near.
LONGEST = 3000
CODE = re.compile(r"^[a-z][a-z_]{1,47}$", re.ASCII)
# Slack escapes these three itself in nothing that we send: & would begin an entity, < a link or a mention.
ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def announce(account: Account, text: str, *, correlation_id: UUID) -> None:
    """Posts one line to the shop's channel; never customers' words, and never twice.

    Raises one of tools.errors; after OutcomeUnknown it may have been posted.
    """
    if not text.strip() or len(text) > LONGEST:
        raise InvalidArgs(vendor=VENDOR, operation=OPERATION)
    call = wire.Call(
        vendor=VENDOR,
        operation=OPERATION,
        shop=account.slug,
        kind=Kind.UNSAFE_WRITE,
        method="POST",
        url=account.slack_webhook_url,
        correlation_id=correlation_id,
        headers={"Content-Type": "application/json"},
        content=canonical(_line(text)),
        judge=_judge,
        reconcile=Reconcile.PERSON,
    )
    tell(call)


def _line(text: str) -> dict[str, object]:
    return {"text": text.translate(ESCAPES), "unfurl_links": False}


def _judge(call: Call, answer: Answer) -> ToolError | None:
    """Slack answers `ok` or one word: https://docs.slack.dev/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks."""
    word = answer.body[:64].decode("ascii", "replace").strip()
    if 200 <= answer.status < 300:
        return None if word == "ok" else _not_slack(call)
    if answer.status == 429:
        wish = wire.seconds_of(answer.headers)
        return Unavailable(vendor=VENDOR, operation=call.operation, code="rate_limited", retry_after=wish)
    if 400 <= answer.status < 500 and answer.status not in (408, 425) and CODE.match(word):
        return Refused(vendor=VENDOR, operation=call.operation, code=word)
    return None


def _not_slack(call: Call) -> ContractDrift:
    return ContractDrift("not ok", vendor=VENDOR, operation=call.operation, field_path="body")


def _examples() -> tuple[Example, ...]:
    return (Example(path="/services/{T}/{B}/{secret}", json=_line("A hand-off waits")),)


OPERATIONS: tuple[Operation, ...] = (Operation(VENDOR, OPERATION, Kind.UNSAFE_WRITE, None, _examples),)
