"""Dead letters go back to work: the same bytes through the same parser, once what they tripped over is mended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from approvals.errors import AlreadyDecided, Invalid
from approvals.services import person
from audit.actors import Actor
from audit.services import record
from cases.drifting import dead_letter
from cases.intake import deliveries, feeds, mail, readings
from cases.intake.receiving import Delivery, Unreadable, reason_of, receive, undone, work_on
from cases.models import InboundEvent
from tools.adapters.envelopes import Envelope
from tools.errors import ContractDrift

log = structlog.get_logger()

State = InboundEvent.State
RIGHT = "cases.change_inboundevent"
BATCH = 200


@dataclass(frozen=True, slots=True)
class Requeued:
    """How many dead letters were read this time, and how many still can't be."""

    done: int
    dead: int


def requeue(event_id: int, *, by: Actor) -> None:
    """Try a dead letter again. Raises NotPermitted, AlreadyDecided where it is dead no more, and Invalid where it
    still can't be read: then it stays dead, with the new reason.
    """
    person(by, RIGHT, InboundEvent.objects.values_list("shop_id", flat=True).get(pk=event_id))
    reason = _try(event_id, by)
    if reason:
        raise Invalid(_("It still can't be read: %(reason)s. It stays in this list.") % {"reason": reason})


def requeue_chosen(event_ids: list[int], *, by: Actor) -> Requeued:
    """Try each of these. Raises NotPermitted, with nothing tried, where one is of a shop that isn't theirs."""
    chosen = InboundEvent.objects.filter(pk__in=event_ids)
    person(by, RIGHT)
    for shop_id in chosen.order_by("shop_id").values_list("shop_id", flat=True).distinct():
        person(by, RIGHT, shop_id)
    return requeue_all(event_ids, by=by)


def requeue_all(event_ids: list[int], *, by: Actor) -> Requeued:
    """Try each; one that somebody else puts back at the same moment counts for them. The caller checks the right."""
    done = dead = 0
    for event_id in event_ids:
        try:
            reason = _try(event_id, by)
        except AlreadyDecided:
            continue
        done, dead = done + (not reason), dead + bool(reason)
    return Requeued(done, dead)


def _try(event_id: int, by: Actor) -> str:
    """Why it is still dead; empty where it was read. A database that fails changes nothing and is raised.

    What its vendor has changed is drift again, as at the first delivery: opened or counted, and with people.
    """
    try:
        with transaction.atomic():
            event = _locked(event_id)
            _work(event)
            _tell(event, by, "read")
        return ""
    except AlreadyDecided:
        raise
    except Exception as problem:
        if undone(problem):
            raise
        reason = reason_of(problem)
        log.exception("event.requeue_failed", event_id=event_id, reason=reason)
        drift = problem if isinstance(problem, ContractDrift) else None
    with transaction.atomic():
        event = _locked(event_id)
        InboundEvent.objects.filter(pk=event.pk).update(dead_reason=reason)
        if drift is not None:
            dead_letter(event, drift)
        _tell(event, by, "dead")
    return reason


def _locked(event_id: int) -> InboundEvent:
    rows = InboundEvent.objects.select_for_update(of=("self",)).select_related("shop")
    event = rows.get(pk=event_id)
    if event.state != State.DEAD:
        raise AlreadyDecided(_("This event was put back to work already, and was read."))
    return event


def _work(event: InboundEvent) -> None:
    """One that is known by its own id is worked on in place, so that a later delivery of it is a duplicate.

    One that didn't even say what it is was kept under its digest: what it says now goes in under its true ids.
    """
    found = AGAIN[event.source](event)
    mine = [one for one in found if (one.account, one.external_id) == (event.account, event.external_id)]
    if mine:
        work_on(event, mine[0].handle)
        return
    if not found:
        raise Unreadable("nothing in it says what it is: ask the vendor to send it again")
    for delivery in found:
        receive(event.shop, delivery)
    work_on(event, None)


def _tell(event: InboundEvent, by: Actor, outcome: str) -> None:
    InboundEvent.objects.filter(pk=event.pk).update(requeued=F("requeued") + 1)
    record(
        "event.requeued",
        by=by,
        stream=f"shop/{event.shop.slug}",
        subject=event,
        shop_id=event.shop_id,
        correlation_id=event.correlation_id,
        data={"source": event.source, "topic": event.topic, "outcome": outcome},
    )


def _shopify(event: InboundEvent) -> list[Delivery]:
    """Shopify's headers aren't kept, but what they said is in the row; without a topic nothing can be known."""
    named = Envelope(event.account, event.external_id, event.topic)
    return [deliveries.shopify_named(named, bytes(event.raw), event.content_type)] if event.topic else []


def _stripe(event: InboundEvent) -> list[Delivery]:
    return [deliveries.stripe(bytes(event.raw), event.content_type)]


def _whatsapp(event: InboundEvent) -> list[Delivery]:
    return deliveries.whatsapp(bytes(event.raw), event.content_type)


def _email(event: InboundEvent) -> list[Delivery]:
    return mail.again(event.topic, bytes(event.raw), event.content_type)


def _feed(event: InboundEvent) -> list[Delivery]:
    return [feeds.delivery(event.shop, event.account, bytes(event.raw))]


def _reading_or(parse: Callable[[InboundEvent], list[Delivery]]) -> Callable[[InboundEvent], list[Delivery]]:
    return lambda event: [readings.again(event)] if event.topic in readings.TOPICS else parse(event)


# Each source's parser, the one that its door uses.
AGAIN: dict[str, Callable[[InboundEvent], list[Delivery]]] = {
    "shopify": _reading_or(_shopify),
    "stripe": _reading_or(_stripe),
    "whatsapp": _whatsapp,
    "email": _email,
    "feed": _feed,
}
