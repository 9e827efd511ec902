"""What banks and card networks say against charges: disputes with their deadlines, and early fraud warnings.

https://docs.stripe.com/api/disputes and https://docs.stripe.com/api/radar/early_fraud_warnings
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote
from uuid import UUID

from tools.adapters.accounts import Account
from tools.adapters.asking import ask
from tools.adapters.stripe_lists import Listing, ListReply, Page, made_since
from tools.adapters.stripe_objects import DisputeObject, WarningObject
from tools.adapters.stripe_wire import get
from tools.adapters.stripe_words import dispute_snapshot, warning_snapshot
from tools.snapshots import DisputeSnapshot, FraudWarningSnapshot


class DisputeList(ListReply):
    """A page of disputes."""

    data: tuple[DisputeObject, ...]


class WarningList(ListReply):
    """A page of early fraud warnings."""

    data: tuple[WarningObject, ...]


DISPUTES = Listing(
    "disputes.list",
    "/v1/disputes",
    DisputeList,
    lambda page: tuple(dispute_snapshot(dispute) for dispute in page.data),
    lambda seen: seen.external_id,
)
WARNINGS = Listing(
    "early_fraud_warnings.list",
    "/v1/radar/early_fraud_warnings",
    WarningList,
    lambda page: tuple(warning_snapshot(warning) for warning in page.data),
    lambda seen: seen.external_id,
)


def read_dispute(account: Account, dispute: str, *, correlation_id: UUID) -> DisputeSnapshot:
    """The dispute as Stripe knows it now, with the moment until which evidence counts.

    https://docs.stripe.com/api/disputes/retrieve
    """
    path = f"/v1/disputes/{quote(dispute, safe='')}"
    call = get(account, "disputes.retrieve", path, {}, correlation_id=correlation_id)
    return ask(call, DisputeObject, dispute_snapshot)


def list_disputes(
    account: Account, *, since: datetime, starting_after: str = "", correlation_id: UUID
) -> Page[DisputeSnapshot]:
    """One page of the disputes that began at or after `since`, newest first.

    https://docs.stripe.com/api/disputes/list
    """
    return DISPUTES.page(
        account, made_since(since), starting_after=starting_after, correlation_id=correlation_id
    )


def disputes_of(account: Account, charge: str, *, correlation_id: UUID) -> tuple[DisputeSnapshot, ...]:
    """All disputes of a charge, newest first."""
    return tuple(DISPUTES.all(account, {"charge": charge}, correlation_id=correlation_id))


def list_fraud_warnings(
    account: Account, *, since: datetime, starting_after: str = "", correlation_id: UUID
) -> Page[FraudWarningSnapshot]:
    """One page of the early fraud warnings of `since` or later, newest first.

    https://docs.stripe.com/api/radar/early_fraud_warnings/list
    """
    return WARNINGS.page(
        account, made_since(since), starting_after=starting_after, correlation_id=correlation_id
    )
