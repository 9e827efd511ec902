"""Tells a shop's Slack channel of what can't wait, a line each: pressing hand-offs, drift, lost second factors.

No line holds a customer's personal text. The row is what counts, and the desk shows it without any of this. A line is
claimed on its row before it is sent, so that it is posted once; where Slack surely didn't take it, it is given back
and tried again a few times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db.models import F, Model, Q, QuerySet
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from approvals.models import ResetNews
from audit import sources
from cases.models import Handoff, Shop
from cases.telling import ring
from tools.adapters import slack
from tools.adapters.accounts import Account
from tools.drift import WEBHOOK
from tools.errors import Refused, ToolError, Unavailable
from tools.models import Drift
from tools.vendor_names import vendor_name

log = structlog.get_logger()

# Promised within the hour; everything else is found on the desk in time. A drift has a line of its own.
PRESSING = (
    Handoff.Reason.FRAUD,
    Handoff.Reason.DISPUTE,
    Handoff.Reason.LEGAL,
    Handoff.Reason.DISTRESS,
    Handoff.Reason.ANGER,
)
# What is older has been seen, or a line about it would only confuse.
NEWS_FOR = timedelta(hours=6)
# How long after the row was written each attempt may be made.
ATTEMPTS = (
    timedelta(0),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
)
BATCH = 50


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that is announced: its rows that still want a line, and the line.

    `since` is the field from which attempts count, `news` the one by which a row grows old.
    """

    rows: Callable[[], QuerySet[Any]]
    since: str
    news: str
    line: Callable[[Any], str]


def wants_announcing(row: Handoff, shop: Shop) -> None:
    """Queue the line about a hand-off, in the transaction that opened it or made it more pressing."""
    if row.announced_at is None and row.reason in PRESSING and Account.of(shop).announces:
        ring("announce_handoff", row.pk)


def announce_handoff(handoff_id: int) -> bool:
    """Post the line about one hand-off, if nobody has. False where nothing was posted."""
    return _announce("handoff", handoff_id)


def announce_drift(drift_id: int) -> bool:
    """Post the line about one drift, if nobody has. False where nothing was posted."""
    return _announce("drift", drift_id)


def announce_reset(news_id: int) -> bool:
    """Post the line about a reset second factor, if nobody has. False where nothing was posted."""
    return _announce("reset", news_id)


def watch_announcements() -> int:
    """Queue what wants a line and has none: the task was lost, or Slack was away. Returns how many."""
    shops = {shop.pk: Account.of(shop).announces for shop in Shop.objects.all()}
    found = 0
    for name, kind in KINDS.items():
        wanting = kind.rows().filter(shop_id__in=[pk for pk, announces in shops.items() if announces])
        for row in wanting.filter(_due(kind)).order_by("pk")[:BATCH]:
            ring(f"announce_{name}", row.pk)
            found += 1
    return found


def _announce(name: str, row_id: int) -> bool:
    kind = KINDS[name]
    row = kind.rows().filter(_due(kind), pk=row_id).first()
    if row is None or not Account.of(row.shop).announces or not _claim(kind, row):
        return False
    correlation_id = sources.random_id()
    try:
        slack.announce(Account.of(row.shop), kind.line(row), correlation_id=correlation_id)
    except (Unavailable, Refused) as error:
        # Surely not posted: the next attempt may.
        type(row).objects.filter(pk=row.pk).update(announced_at=None)
        _warn(name, row, error, correlation_id)
        return False
    except ToolError as error:
        # It may stand there already, and nobody is told twice.
        _warn(name, row, error, correlation_id)
        return False
    return True


def _claim(kind: Kind, row: Any) -> bool:
    """Whether this process may post: the attempt is counted before it is made."""
    free = kind.rows().filter(pk=row.pk, announce_attempts=row.announce_attempts)
    claimed = free.update(announced_at=sources.now(), announce_attempts=F("announce_attempts") + 1)
    return bool(claimed)


def _due(kind: Kind) -> Q:
    """Not too old, and the time for the next attempt has come."""
    now = sources.now()
    due = Q(pk__in=[])
    for made, after in enumerate(ATTEMPTS):
        due |= Q(**{"announce_attempts": made, f"{kind.since}__lte": now - after})
    return due & Q(**{f"{kind.news}__gt": now - NEWS_FOR})


def _warn(name: str, row: Any, error: ToolError, correlation_id: UUID) -> None:
    log.warning(
        "announcement.not_posted",
        what=name,
        row=row.pk,
        shop=row.shop.slug,
        code=error.code,
        attempt=row.announce_attempts + 1,
        correlation_id=str(correlation_id),
    )


def _pressing() -> QuerySet[Handoff]:
    rows = Handoff.objects.select_related("shop", "case").filter(announced_at__isnull=True)
    return rows.filter(state=Handoff.State.WAITING, reason__in=PRESSING)


def _drifting() -> QuerySet[Drift]:
    # Slack can't be told by Slack that Slack has changed.
    rows = Drift.objects.select_related("shop").filter(announced_at__isnull=True, state=Drift.State.OPEN)
    return rows.exclude(vendor=slack.VENDOR)


def _reset() -> QuerySet[ResetNews]:
    return ResetNews.objects.select_related("shop", "reset__user").filter(announced_at__isnull=True)


def _handoff_line(row: Handoff) -> str:
    said = _("%(shop)s: case %(case)s waits for a person (%(reason)s), promised by %(time)s UTC.") % {
        "shop": row.shop.name,
        "case": row.case_id,
        "reason": row.get_reason_display(),
        "time": _time(row.due_at),
    }
    return _with_link(said, row.case)


def _drift_line(row: Drift) -> str:
    if row.operation.startswith(WEBHOOK):
        sentence = _(
            "%(shop)s: %(vendor)s has changed its event %(operation)s (%(field)s). Events of the kind wait unread"
            " until somebody clears it."
        )
    else:
        sentence = _(
            "%(shop)s: %(vendor)s has changed its answer to %(operation)s (%(field)s). Nothing of the kind is sent"
            " until somebody clears it."
        )
    said = sentence % {
        "shop": row.shop.name,
        "vendor": vendor_name(row.vendor),
        "operation": row.operation.removeprefix(WEBHOOK),
        "field": row.field_path,
    }
    return _with_link(said, row)


def _reset_line(row: ResetNews) -> str:
    said = _(
        "%(shop)s: the second factor of %(who)s was reset by two colleagues. They sign no money for a day; if that"
        " isn't right, say so now."
    ) % {"shop": row.shop.name, "who": row.reset.user.get_username()}
    return f"{said} {settings.SITE_URL}{reverse('admin:index')}" if settings.SITE_URL else said


def _time(at: datetime) -> str:
    return date_format(at, "H:i")


def _with_link(said: str, row: Model) -> str:
    if not settings.SITE_URL:
        return said
    place = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    return f"{said} {settings.SITE_URL}{place}"


KINDS: dict[str, Kind] = {
    "handoff": Kind(_pressing, "opened_at", "due_at", _handoff_line),
    "drift": Kind(_drifting, "first_seen_at", "first_seen_at", _drift_line),
    "reset": Kind(_reset, "at", "at", _reset_line),
}
