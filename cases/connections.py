"""From when each source of events counts: what is older is history, which is read and opens, sends and pays nothing.

Orders are Shopify's, so `Shop.cutover_at` is the cut-over of that source, for all who only have an order in hand;
`connect` and `count_from` are the only writers and keep both alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from approvals.errors import Invalid
from approvals.services import person
from audit import sources
from audit.actors import Actor
from audit.services import record
from cases.models import Connection, Shop

Source = Connection.Source
MOVE = "cases.change_connection"


def counts_from(shop: Shop, source: str) -> datetime:
    """The instant from which the source's news counts; the shop's own where the source was never connected apart."""
    if source == Source.SHOPIFY:
        return shop.cutover_at
    found = Connection.objects.filter(shop=shop, source=source).values_list("cutover_at", flat=True).first()
    return found or shop.cutover_at


def is_history(shop: Shop, source: str, at: datetime | None) -> bool:
    """Whether something that happened then is older than the source's connection.

    `at` is the source's own time for it, never the sender's; None where it tells none, and then it counts.
    """
    return at is not None and at < counts_from(shop, source)


def connect(shop: Shop, since: Mapping[str, datetime], *, by: Actor) -> None:
    """Connect the sources of a shop, each from its instant. One that is connected already stays as it is.

    Runs in the caller's transaction.
    """
    for source, cutover_at in since.items():
        row, is_new = Connection.objects.get_or_create(
            shop=shop,
            source=Source(source),
            defaults={"cutover_at": cutover_at, "connected_at": sources.now()},
        )
        if is_new:
            _keep_alike(row)
            _tell(row, by)


def count_from(
    connection_id: int, cutover_at: datetime | None = None, *, sure: bool, by: Actor
) -> Connection:
    """Move a source's cut-over forward, to now if no instant is named: what lies between becomes history.

    Never back, since that would make news of what people have long settled; so `sure` is that the person has said to
    know it. Raises NotPermitted or Invalid.
    """
    with transaction.atomic():
        row = Connection.objects.select_for_update(of=("self",)).select_related("shop").get(pk=connection_id)
        person(by, MOVE, row.shop_id)
        if not sure:
            raise Invalid(_("Tick first that you know that this can't be taken back. Nothing was changed."))
        now = sources.now()
        wanted, before = cutover_at or now, row.cutover_at
        if wanted > now:
            raise Invalid(_("News that has not come yet can't be history. Choose a moment in the past."))
        if wanted <= before:
            raise Invalid(_("This source counts from a later moment already. Nothing was changed."))
        row.cutover_at = wanted
        row.save(update_fields=["cutover_at"])
        _keep_alike(row)
        _tell(row, by, before=before)
    return row


def _keep_alike(row: Connection) -> None:
    if row.source == Source.SHOPIFY and row.shop.cutover_at != row.cutover_at:
        Shop.objects.filter(pk=row.shop_id).update(cutover_at=row.cutover_at)
        row.shop.cutover_at = row.cutover_at


def _tell(row: Connection, by: Actor, before: datetime | None = None) -> None:
    moved = {"before": before.isoformat()} if before else {}
    record(
        "shop.connected",
        by=by,
        stream=f"shop/{row.shop.slug}",
        subject=row,
        shop_id=row.shop_id,
        correlation_id=sources.random_id(),
        data={"source": row.source, "counts_from": row.cutover_at.isoformat(), **moved},
    )
