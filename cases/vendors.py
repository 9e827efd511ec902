"""What staff do about a vendor that has changed: probe it, clear its drift, check all vendors; and the nightly check.

button ─▶ ask_* (row, audit, task) ─▶ worker: one read per operation, no transaction ─▶ row ─▶ the page shows it
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from approvals.errors import AlreadyDecided, Invalid
from approvals.services import person
from audit import actors, sources
from audit.actors import Actor
from audit.models import Entry
from cases.drifting import operation_of
from cases.intake import requeueing
from cases.models import InboundEvent, Shop
from cases.telling import ring
from tools import drift as drifts
from tools import probing
from tools.adapters import shopify_webhooks, stripe_webhooks, whatsapp_webhooks
from tools.adapters.accounts import Account
from tools.adapters.table import named
from tools.errors import ContractDrift
from tools.models import Drift, UpstreamCheck
from tools.redacting import place

log = structlog.get_logger()

RIGHT = "tools.clear_drift"
# At night, when few people wait for an answer and the vendors' rate budgets are full.
QUIET_HOUR, QUIET_MINUTE = 3, 17
# A task that has not begun by then was lost.
FORGOTTEN = timedelta(seconds=60)
# Below the time-out of the cluster that runs the check.
LONGEST_CHECK = timedelta(seconds=90)
EVENTS_AT_ONCE = 100

# How the bodies of a source are read, without doing anything about them.
READERS: dict[str, Callable[[str, bytes], object]] = {
    "shopify": shopify_webhooks.parse,
    "stripe": lambda topic, raw: stripe_webhooks.parse(raw),
    "whatsapp": lambda topic, raw: whatsapp_webhooks.parse(raw),
}


def ask_probe(drift_id: int, *, by: Actor) -> Drift:
    """Have the vendor read once more, in a worker; what comes of it is shown with the drift."""
    with transaction.atomic():
        row = _open_row(drift_id, by)
        if drifts.waits_for_probe(row):
            raise AlreadyDecided(_("A probe is under way. Wait for its answer."))
        row.probe_asked_at = sources.now()
        row.save(update_fields=["probe_asked_at"])
        ring("probe", row.pk)
        drifts.tell("drift.probed", row, by=by)
    return row


def _open_row(drift_id: int, by: Actor) -> Drift:
    row = Drift.objects.select_for_update(of=("self",)).select_related("shop", "cleared_by").get(pk=drift_id)
    person(by, RIGHT, row.shop_id)
    if row.state != Drift.State.OPEN:
        who = row.cleared_by.get_full_name() or row.cleared_by.get_username() if row.cleared_by else ""
        raise AlreadyDecided(_("%(who)s cleared this already. Nothing was changed.") % {"who": who})
    return row


def run_probe(drift_id: int) -> str | None:
    """The task: read once and keep what came. None where nobody waits for it any more."""
    row = Drift.objects.select_related("shop").get(pk=drift_id)
    if not drifts.waits_for_probe(row):
        return None
    found = _probe(row)
    word = found.result if found.result != probing.DRIFT else f"{probing.DRIFT} {found.field_path}"
    fresh = Q(probed_at__isnull=True) | Q(probed_at__lte=found.at)
    Drift.objects.filter(fresh, pk=row.pk, state=Drift.State.OPEN).update(probed_at=found.at, probe=word[:64])
    return found.result


def _probe(row: Drift) -> probing.Found:
    if row.operation.startswith(drifts.WEBHOOK):
        return _probe_events(row)
    operation = named(row.vendor, row.operation)
    if operation is None:
        return probing.Found(row.vendor, row.operation, probing.NO_PROBE, sources.now())
    known = probing.known_things(row.shop_id, row.vendor)
    return probing.probe(operation, Account.of(row.shop), known)


def _probe_events(row: Drift) -> probing.Found:
    """Events can't be asked for again: the probe is whether the present code can read all that lie there unread."""
    began, read = sources.now(), READERS.get(row.vendor)
    if read is None:
        return probing.Found(row.vendor, row.operation, probing.NO_PROBE, began)
    for event in dead_letters(row):
        try:
            read(event.topic, bytes(event.raw))
        except ContractDrift as problem:
            where = place(problem.field_path)
            return probing.Found(row.vendor, row.operation, probing.DRIFT, began, where, problem.finding)
    return probing.Found(row.vendor, row.operation, probing.OK, began)


def dead_letters(row: Drift) -> Iterator[InboundEvent]:
    """The unread events of a webhook's drift: the oldest first, behind them what was tried again in vain."""
    topic = row.operation.removeprefix(drifts.WEBHOOK)
    # A long topic is cut in the drift's name; one that was never told may be any.
    mine = Q(topic__startswith=topic) | Q(topic="")
    rows = InboundEvent.objects.filter(
        mine, shop_id=row.shop_id, source=row.vendor, state=InboundEvent.State.DEAD
    )
    for event in rows.order_by("requeued", "pk").iterator(chunk_size=200):
        if operation_of(event) == row.operation:
            yield event


def clear_drift(drift_id: int, *, by: Actor) -> Drift:
    """The operation may write again: needs a probe that has passed since the drift was last seen."""
    with transaction.atomic():
        row = _open_row(drift_id, by)
        if not drifts.may_be_cleared(row):
            raise Invalid(
                _("Run the probe first: a drift is cleared once a probe has passed after it was last seen.")
            )
        row.state, row.cleared_at = Drift.State.CLEARED, sources.now()
        row.cleared_by = person(by, RIGHT, row.shop_id)
        row.save(update_fields=["state", "cleared_at", "cleared_by"])
        drifts.tell("drift.cleared", row, by=by, count=row.count, probe=row.probe)
    return row


def clear_and_requeue(drift_id: int, *, by: Actor) -> Drift:
    """Clears a webhook's drift and puts its unread events back to work, the first batch at once, the rest by task.

    Not one transaction: each event is worked on in its own, and one that still can't be read holds up no other.
    """
    row = clear_drift(drift_id, by=by)
    requeue_events(row.pk)
    return row


def requeue_events(drift_id: int) -> int:
    """The task: put a batch of a cleared drift's unread events back to work, and ring for the next until none is left.

    In the name of who cleared it. Each is tried once for this clearing: one that stays dead holds up no other and is
    not tried for ever. Returns how many were read.
    """
    row = Drift.objects.select_related("shop", "cleared_by").get(pk=drift_id)
    if row.cleared_by is None:
        return 0
    by = actors.staff(row.cleared_by)
    person(by, RIGHT, row.shop_id)
    untried = (event.pk for event in dead_letters(row) if not _was_tried(event, row))
    ids = list(islice(untried, EVENTS_AT_ONCE))
    done = requeueing.requeue_all(ids, by=by).done
    if len(ids) == EVENTS_AT_ONCE:
        ring("requeue_events", drift_id)
    return done


def _was_tried(event: InboundEvent, row: Drift) -> bool:
    """Whether the event was put back to work since the drift was cleared."""
    if not event.requeued:
        return False
    told = Entry.objects.filter(subject_type=event._meta.label_lower, subject_id=str(event.pk))
    return told.filter(action="event.requeued", at__gte=row.cleared_at).exists()


def ask_check(shop_id: int, *, by: Actor) -> UpstreamCheck:
    """Have all of a shop's vendors read once, in a worker, now instead of at night."""
    with transaction.atomic():
        person(by, RIGHT, shop_id)
        shop = Shop.objects.get(pk=shop_id)
        row, _created = UpstreamCheck.objects.select_for_update().get_or_create(
            shop=shop, defaults={"next_at": quiet_time(shop, sources.now())}
        )
        if _is_asked(row):
            raise AlreadyDecided(_("A check is under way. Wait for its result."))
        row.asked_at = sources.now()
        row.save(update_fields=["asked_at"])
        ring("check_vendors", shop_id)
    return row


def _is_asked(row: UpstreamCheck) -> bool:
    """Whether a check was asked for and hasn't ended; one that died is taken for ended after a while."""
    return (
        row.under_way
        and row.asked_at is not None
        and sources.now() - row.asked_at < LONGEST_CHECK + FORGOTTEN
    )


def due_checks() -> int:
    """The watch job: ask for each shop's nightly check, once whoever looks. Returns how many it asked for."""
    now, asked = sources.now(), 0
    _plan_new_shops(now)
    for row in UpstreamCheck.objects.filter(next_at__lte=now).select_related("shop"):
        with transaction.atomic():
            # Of several watchers the first one moves the date, and it alone rings.
            mine = UpstreamCheck.objects.filter(pk=row.pk, next_at=row.next_at)
            if mine.update(next_at=quiet_time(row.shop, now), asked_at=now):
                ring("check_vendors", row.shop_id)
                asked += 1
    return asked + _lost(now)


def _plan_new_shops(now: datetime) -> None:
    new = Shop.objects.exclude(pk__in=UpstreamCheck.objects.values("shop_id"))
    rows = [UpstreamCheck(shop=shop, next_at=quiet_time(shop, now)) for shop in new]
    UpstreamCheck.objects.bulk_create(rows, ignore_conflicts=True)


def _lost(now: datetime) -> int:
    """Checks that were asked for and never began are rung for again, once a minute."""
    unbegun = Q(began_at__isnull=True) | Q(began_at__lt=F("asked_at"))
    rows = UpstreamCheck.objects.filter(unbegun, asked_at__lt=now - FORGOTTEN)
    with transaction.atomic():
        ids = list(rows.select_for_update(skip_locked=True).values_list("shop_id", flat=True))
        UpstreamCheck.objects.filter(shop_id__in=ids).update(asked_at=now)
        for shop_id in ids:
            ring("check_vendors", shop_id)
    return len(ids)


def lost_probes() -> int:
    """Probes that were asked for and never answered are rung for again, once a minute."""
    now = sources.now()
    waiting = Q(probed_at__isnull=True) | Q(probed_at__lt=F("probe_asked_at"))
    rows = Drift.objects.filter(waiting, state=Drift.State.OPEN, probe_asked_at__lt=now - FORGOTTEN)
    with transaction.atomic():
        ids = list(rows.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:100])
        Drift.objects.filter(pk__in=ids).update(probe_asked_at=now)
        for drift_id in ids:
            ring("probe", drift_id)
    return len(ids)


def check_vendors(shop_id: int) -> int | None:
    """The task: one read per operation. Returns how many drifted or could not be read, None if another did it."""
    now = sources.now()
    unbegun = Q(began_at__isnull=True) | Q(began_at__lt=F("asked_at"))
    if not UpstreamCheck.objects.filter(unbegun, shop_id=shop_id, asked_at__isnull=False).update(
        began_at=now
    ):
        return None
    asked = bad = 0
    for found in probing.probe_all(Shop.objects.get(pk=shop_id)):
        asked += found.result in probing.ASKED
        bad += found.bad
        if sources.now() - now > LONGEST_CHECK:
            # What was not asked in time is no better than what did not answer.
            bad += 1
            break
    UpstreamCheck.objects.filter(shop_id=shop_id, began_at=now).update(
        ended_at=sources.now(), asked=asked, bad=bad
    )
    log.info("vendors.checked", shop=shop_id, asked=asked, bad=bad)
    return bad


def quiet_time(shop: Shop, now: datetime) -> datetime:
    """The next quiet time of the shop's own night after `now` (aware), as an aware moment."""
    try:
        zone = ZoneInfo(shop.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    night = now.astimezone(zone).replace(hour=QUIET_HOUR, minute=QUIET_MINUTE, second=0, microsecond=0)
    return night if night > now else night + timedelta(days=1)
