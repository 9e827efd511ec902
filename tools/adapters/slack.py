"""Slack: announcements to staff by an incoming webhook, whose address is the secret.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from __future__ import annotations

from uuid import UUID

from tools import wire
from tools.adapters.accounts import Account
from tools.adapters.replies import canonical
from tools.wire import Kind, Reconcile


def announce(account: Account, text: str, *, correlation_id: UUID) -> None:
    """Posts one line to the shop's channel; never customers' words, and never twice."""
    call = wire.Call(
        vendor="slack",
        operation="webhook",
        shop=account.slug,
        kind=Kind.UNSAFE_WRITE,
        reconcile=Reconcile.PERSON,
        method="POST",
        url=account.slack_webhook_url,
        correlation_id=correlation_id,
        headers={"Content-Type": "application/json"},
        content=canonical({"text": text}),
    )
    wire.send(call)
