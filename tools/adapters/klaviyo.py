"""Klaviyo: a message leaves as an event, which triggers the flow that holds the approved text.

https://developers.klaviyo.com/en/reference/create_event (revision 2026-07-15)
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from tools import wire
from tools.adapters.accounts import Account
from tools.adapters.replies import canonical
from tools.errors import InvalidArgs
from tools.snapshots import SendResult
from tools.wire import Kind

VENDOR = "klaviyo"
REVISION = "2026-07-15"


def send_event(
    account: Account,
    metric: str,
    *,
    unique_id: UUID,
    email: str,
    properties: Mapping[str, str | int | bool],
    correlation_id: UUID,
) -> SendResult:
    """Records an event for a person; the same `unique_id` for the same person and metric counts once.

    Klaviyo answers 202 without a body, so the result names our own id. `properties` fill the template.
    """
    if not email or not metric:
        raise InvalidArgs("no address or no metric", vendor=VENDOR, operation="events.create")
    attributes = {
        "metric": {"data": {"type": "metric", "attributes": {"name": metric}}},
        "profile": {"data": {"type": "profile", "attributes": {"email": email}}},
        "properties": dict(properties),
        "unique_id": str(unique_id),
    }
    call = wire.Call(
        vendor=VENDOR,
        operation="events.create",
        shop=account.slug,
        kind=Kind.IDEMPOTENT_WRITE,
        method="POST",
        url=f"{account.klaviyo_api_base}/api/events",
        correlation_id=correlation_id,
        headers={
            "Accept": "application/vnd.api+json",
            "Authorization": f"Klaviyo-API-Key {account.klaviyo_api_key}",
            "Content-Type": "application/vnd.api+json",
            "revision": REVISION,
        },
        content=canonical({"data": {"type": "event", "attributes": attributes}}),
    )
    wire.send(call)
    return SendResult(ref=str(unique_id))
