"""Stripe read back: its events, which it keeps for 30 days, and for all that is older its own lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from cases.intake import deliveries
from cases.intake.receiving import Find, receive
from cases.reconciling import finds
from cases.reconciling.cursors import Part, Turn
from tools.adapters import stripe, stripe_disputes, stripe_events, stripe_webhooks
from tools.adapters.accounts import Account
from tools.adapters.stripe_lists import Page
from tools.snapshots import DisputeSnapshot, FraudWarningSnapshot, RefundSnapshot

TYPES = tuple(sorted(stripe_webhooks.PARSERS))
CONTENT_TYPE = "application/json"

Item = TypeVar("Item")


def read_events(turn: Turn) -> Iterator[Part]:
    """Newest first, so the cursor moves only when the last page is done; within a page the oldest first."""
    after = turn.after
    while True:
        page = stripe_events.list_events(
            turn.account,
            types=TYPES,
            since=turn.since,
            starting_after=after,
            correlation_id=turn.correlation_id,
        )
        ready = [event for event in page.events if event.created_at <= turn.until]
        known = finds.known_ids(turn, "stripe", [event.id for event in ready])
        for event in reversed(ready):
            if event.id not in known:
                find = Find(event.created_at, turn.cursor_id)
                receive(turn.shop, replace(deliveries.stripe(event.raw, CONTENT_TYPE), find=find))
        last = page.events[-1].id if page.events else ""
        after = last if page.has_more and last != after else ""
        yield Part(len(ready), after)
        if not after:
            return


class Listing(Protocol[Item]):
    """One of the adapter's lists."""

    def __call__(
        self, account: Account, *, since: datetime, starting_after: str, correlation_id: UUID
    ) -> Page[Item]: ...


def _read_list(turn: Turn, listing: Listing[Item], take: Callable[[Turn, Item], bool]) -> Iterator[Part]:
    after = turn.after
    while True:
        page = listing(
            turn.account, since=turn.since, starting_after=after, correlation_id=turn.correlation_id
        )
        for item in reversed(page.items):
            take(turn, item)
        after = page.after if page.after != after else ""
        yield Part(len(page.items), after)
        if not after:
            return


def read_disputes(turn: Turn) -> Iterator[Part]:
    """Every dispute of the last months, whatever has become of it since."""
    return _read_list(turn, stripe_disputes.list_disputes, _take_dispute)


def read_refunds(turn: Turn) -> Iterator[Part]:
    """Refunds by whomever: those made by hand in the dashboard are the ones that we may not know."""
    return _read_list(turn, stripe.list_recent_refunds, _take_refund)


def read_warnings(turn: Turn) -> Iterator[Part]:
    """Early fraud warnings."""
    return _read_list(turn, stripe_disputes.list_fraud_warnings, _take_warning)


def _take_dispute(turn: Turn, seen: DisputeSnapshot) -> bool:
    at = seen.created_at or turn.until
    return at <= turn.until and finds.find_dispute(turn, "stripe", seen, at)


def _take_refund(turn: Turn, seen: RefundSnapshot) -> bool:
    return seen.at <= turn.until and finds.find_refund(turn, seen)


def _take_warning(turn: Turn, seen: FraudWarningSnapshot) -> bool:
    return (seen.created_at or turn.until) <= turn.until and finds.find_warning(turn, seen)
