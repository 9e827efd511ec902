"""Stripe's events, read back: what a webhook would have brought, for up to 30 days.

https://docs.stripe.com/api/events/list
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, JsonValue

from tools.adapters.accounts import Account
from tools.adapters.replies import Reply, canonical
from tools.adapters.stripe_known import FIELDS
from tools.adapters.stripe_lists import Listing, ListReply, made_since
from tools.adapters.stripe_wire import VENDOR, Value
from tools.adapters.stripe_words import moment
from tools.errors import InvalidArgs

MOST_TYPES = 20


class EventObject(Reply):
    """An event as it is listed; the rest is kept, since it becomes the body of a webhook that never came."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="allow", hide_input_in_errors=True, ser_json_inf_nan="strings"
    )
    also_known = FIELDS["event"]

    object: Literal["event"]
    id: str
    type: str
    created: int
    livemode: bool
    data: dict[str, JsonValue]


class EventList(ListReply):
    """A page of events."""

    data: tuple[EventObject, ...]


@dataclass(frozen=True)
class SeenEvent:
    """An event that Stripe tells of; `raw` is its JSON as a webhook would carry it, so it may hold personal data."""

    id: str
    topic: str
    created_at: datetime
    raw: bytes = field(repr=False)


@dataclass(frozen=True)
class EventPage:
    """Some events, newest first; with `has_more` the last one's id continues the list."""

    events: tuple[SeenEvent, ...]
    has_more: bool


def _seen(event: EventObject) -> SeenEvent:
    return SeenEvent(event.id, event.type, moment(event.created), canonical(event.model_dump(mode="json")))


EVENTS = Listing(
    "events.list",
    "/v1/events",
    EventList,
    lambda page: tuple(_seen(event) for event in page.data),
    lambda seen: seen.id,
)


def list_events(
    account: Account,
    *,
    types: Sequence[str],
    since: datetime,
    starting_after: str = "",
    correlation_id: UUID,
) -> EventPage:
    """One page of the events of these types that were made at or after `since`, newest first.

    Raises InvalidArgs for no type or more than the twenty that Stripe takes at once.
    """
    query = event_query(types, since)
    page = EVENTS.page(account, query, starting_after=starting_after, correlation_id=correlation_id)
    return EventPage(page.items, page.has_more)


def event_query(types: Sequence[str], since: datetime) -> dict[str, Value]:
    """What is asked of Stripe."""
    if not 0 < len(types) <= MOST_TYPES:
        raise InvalidArgs("1 to 20 types", vendor=VENDOR, operation="events.list", code="too_many_types")
    wanted: dict[str, Value] = {"type": types[0]} if len(types) == 1 else {"types": list(types)}
    return {**made_since(since), **wanted}
