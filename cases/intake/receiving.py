"""Stores what arrived, once, and lets its handler do the rest in the same transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import DatabaseError, DataError, InterfaceError, connection, transaction
from django.db.models import F, QuerySet

from audit import sources
from audit.actors import SYSTEM, Actor, vendor
from audit.services import record
from cases.drifting import dead_letter
from cases.models import Case, Cursor, EventConflict, InboundEvent, RefusedRequests, Shop
from tools.errors import ContractDrift
from tools.models import Order
from tools.snapshots import Snapshot

log = structlog.get_logger()

State = InboundEvent.State


@dataclass(frozen=True, slots=True)
class Handled:
    """What an event was about: a case where somebody wants something, else perhaps an order that it updated."""

    case: Case | None = None
    order: Order | None = None


Handler = Callable[[InboundEvent], Handled]


@dataclass(frozen=True, slots=True)
class Find:
    """Nobody delivered it: a reading of the vendor found it. `at` is the vendor's own time of what happened."""

    at: datetime
    cursor_id: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """One verified delivery. `handle` writes what it means; None is absorbed as it is.

    `glance` parses the body without writing anything, and raises what `handle` would; None where it can't be told.
    """

    source: str
    account: str
    external_id: str
    topic: str
    raw: bytes
    content_type: str
    handle: Handler | None
    find: Find | None = None
    glance: Callable[[], Snapshot | None] | None = None


class Unreadable(Exception):
    """The body can't be read; `reason` is for the dead-letter list and holds nothing of the body."""

    def __init__(self, reason: str) -> None:
        self.reason = reason[:200]
        super().__init__(self.reason)


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a delivery: accepted, duplicate, conflict or dead."""

    event_id: int
    what: str


def receive(shop: Shop, delivery: Delivery) -> Received:
    """Store and handle one delivery; when this returns, it is committed and may be answered with 2xx.

    A body that can't be read, or that its handler trips over, is kept as a dead letter: the same bytes would fail at
    each new delivery. A database that fails rolls everything back and reaches the sender as a 500, so that they
    deliver again.
    """
    try:
        with transaction.atomic():
            return _receive(shop, delivery, dead="")
    except Exception as problem:
        if undone(problem):
            raise
        reason = reason_of(problem)
        log.exception("webhook.dead", shop=shop.slug, source=delivery.source, reason=reason)
        drift = problem if isinstance(problem, ContractDrift) else None
        with transaction.atomic():
            return _receive(shop, delivery, dead=reason, drift=drift)


def undone(problem: Exception) -> bool:
    """Whether the database failed rather than the body: then trying again may help, and nothing is kept."""
    return isinstance(problem, DatabaseError | InterfaceError) and not isinstance(problem, DataError)


def reason_of(problem: Exception) -> str:
    """Why, for staff, with nothing of the body in it."""
    if isinstance(problem, Unreadable):
        return problem.reason or "unreadable"
    if isinstance(problem, ContractDrift):
        return f"changed by the vendor: {problem.field_path}"[:200]
    return f"could not be handled: {type(problem).__name__}"


def _receive(shop: Shop, delivery: Delivery, dead: str, drift: ContractDrift | None = None) -> Received:
    digest = hashlib.sha256(delivery.raw).hexdigest()
    event = _insert(shop, delivery, digest, dead)
    if event is None:
        return _again(shop, delivery, digest)
    if delivery.find is not None:
        _count_find(event, delivery.find)
    if dead:
        if drift is not None:
            dead_letter(event, drift)
        _tell("event.dead", event, reason=dead)
        return Received(event.pk, "dead")
    work_on(event, delivery.handle)
    return Received(event.pk, "accepted")


def work_on(event: InboundEvent, handle: Handler | None) -> None:
    """Do what a stored event means and write what became of it, in the caller's transaction."""
    handled = handle(event) if handle else Handled()
    row = InboundEvent.objects.filter(pk=event.pk)
    if handled.case is not None:
        row.update(state=State.CASE, case=handled.case, dead_reason="")
    else:
        row.update(state=State.ABSORBED, dead_reason="")
        _tell("event.absorbed", event, order=handled.order, by=vendor(event.source), topic=event.topic)


def _count_find(event: InboundEvent, find: Find) -> None:
    Cursor.objects.filter(pk=find.cursor_id).update(found=F("found") + 1)
    _tell("event.found_late", event, topic=event.topic, seconds=event.found_late_seconds or 0)


def _insert(shop: Shop, delivery: Delivery, digest: str, dead: str) -> InboundEvent | None:
    """One INSERT … ON CONFLICT DO NOTHING: None where the id is known."""
    now, find = sources.now(), delivery.find
    event = InboundEvent(
        shop=shop,
        source=delivery.source,
        account=delivery.account,
        external_id=delivery.external_id,
        topic=delivery.topic,
        raw=delivery.raw,
        content_type=delivery.content_type[:128],
        digest=digest,
        state=State.DEAD if dead else State.ABSORBED,
        dead_reason=dead,
        correlation_id=sources.random_id(),
        received_at=now,
        found_late_seconds=max(0, int((now - find.at).total_seconds())) if find else None,
    )
    InboundEvent.objects.bulk_create([event], ignore_conflicts=True)
    # What another delivery stored first has another correlation id.
    mine = _rows(shop, delivery).filter(correlation_id=event.correlation_id)
    stored = mine.values_list("pk", flat=True).first()
    if stored is None:
        return None
    event.pk = stored
    return event


def _rows(shop: Shop, delivery: Delivery) -> QuerySet[InboundEvent]:
    return InboundEvent.objects.filter(
        shop=shop, source=delivery.source, account=delivery.account, external_id=delivery.external_id
    )


def _again(shop: Shop, delivery: Delivery, digest: str) -> Received:
    """The same id: the same body changes nothing, another one is kept beside the first and flagged.

    A reading writes the same event in other bytes than its webhook (key order, deliveries still open), so between
    the two the id alone counts.
    """
    event = _rows(shop, delivery).select_for_update().get()
    if delivery.find is not None:
        # The webhook was just faster.
        return Received(event.pk, "duplicate")
    if event.digest == digest or event.found_late_seconds is not None:
        InboundEvent.objects.filter(pk=event.pk).update(duplicates=F("duplicates") + 1)
        return Received(event.pk, "duplicate")
    _row, created = EventConflict.objects.get_or_create(
        event=event, digest=digest, defaults={"shop": shop, "raw": delivery.raw, "received_at": sources.now()}
    )
    if created:
        _tell("event.conflict", event, digest=digest)
    return Received(event.pk, "conflict")


def refuse(shop: Shop, source: str, reason: str) -> None:
    """Count a forged or unsigned delivery; nothing of it is kept."""
    day = sources.now().date()
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {RefusedRequests._meta.db_table} (shop_id, source, reason, day, count)"  # noqa: S608
            " VALUES (%s, %s, %s, %s, 1)"
            " ON CONFLICT (shop_id, source, reason, day) DO UPDATE"
            f" SET count = {RefusedRequests._meta.db_table}.count + 1",
            [shop.pk, source, reason, day],
        )
    log.warning("webhook.refused", shop=shop.slug, source=source, reason=reason)


def _tell(
    action: str, event: InboundEvent, *, order: Order | None = None, by: Actor = SYSTEM, **data: str | int
) -> None:
    record(
        action,
        by=by,
        stream=f"order/{order.pk}" if order else f"shop/{event.shop.slug}",
        subject=event,
        shop_id=event.shop_id,
        correlation_id=event.correlation_id,
        data={"source": event.source, **data},
    )
