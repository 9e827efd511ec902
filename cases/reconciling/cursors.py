"""The cursor's row: made for each shop, claimed with a lease and a fencing token, moved only over what is committed.

Every change is one conditional UPDATE, so that a worker whose lease ran out writes nothing any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from urllib.parse import urlsplit
from uuid import UUID

from django.db.models import F, Q
from django.db.models.functions import Greatest

from audit import sources
from cases.connections import counts_from
from cases.models import Cursor, Shop
from tools.adapters.accounts import Account

# Longer than a turn, its last vendor call included.
LEASE = timedelta(minutes=3)
# A webhook that is merely on its way is not late.
GRACE = timedelta(minutes=2)
BUDGET = timedelta(seconds=40)
RING_AGAIN = timedelta(minutes=1)
FIRST_RETRY, LAST_RETRY = timedelta(seconds=30), timedelta(hours=1)
MOST_DOUBLINGS = 8


@dataclass(frozen=True, slots=True)
class Turn:
    """A claimed cursor: what is read, between which moments of the vendor's clock, and on from where."""

    cursor_id: int
    fence: int
    shop: Shop
    account: Account
    since: datetime
    until: datetime
    after: str
    began: datetime
    correlation_id: UUID

    def account_at(self, source: str) -> str:
        """The vendor's name for the shop's account, as its webhooks name it; Stripe's own events name none."""
        return urlsplit(self.account.shopify_admin_url).hostname or "" if source == "shopify" else ""

    @property
    def is_late(self) -> bool:
        """Whether the rest is for the next turn."""
        return sources.now() - self.began > BUDGET

    @property
    def is_half_gone(self) -> bool:
        """Whether what comes first has had its part of the turn."""
        return sources.now() - self.began > BUDGET / 2


@dataclass(frozen=True, slots=True)
class Part:
    """A page whose finds are committed. `after` is where the next one begins; empty where nothing is left."""

    seen: int
    after: str


def open_missing(resources: Iterable[tuple[str, str]]) -> None:
    """A row for each shop and resource that has none; reading begins where the source's news counts."""
    wanted = list(resources)
    known = set(Cursor.objects.values_list("shop_id", "source", "resource"))
    now, missing = sources.now(), []
    for shop in Shop.objects.all():
        for source, resource in wanted:
            if (shop.pk, source, resource) not in known:
                begin = min(counts_from(shop, source), now)
                row = Cursor(shop=shop, source=source, resource=resource, read_until=begin, next_at=now)
                missing.append(row)
    Cursor.objects.bulk_create(missing, ignore_conflicts=True)


def take_due(resources: Iterable[tuple[str, str]], most: int) -> list[int]:
    """Cursors whose turn has come and that nobody works on; each is named once a minute."""
    known = reduce(or_, (Q(source=source, resource=resource) for source, resource in resources))
    now = sources.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    silent = Q(rung_at__isnull=True) | Q(rung_at__lt=now - RING_AGAIN)
    rows = Cursor.objects.select_for_update(skip_locked=True).filter(known, free, silent, next_at__lte=now)
    ids = list(rows.order_by("next_at").values_list("pk", flat=True)[:most])
    Cursor.objects.filter(pk__in=ids).update(rung_at=now)
    return ids


def claim(cursor_id: int) -> Cursor | None:
    """The row, ours for three minutes, or None where it isn't due or somebody has it."""
    now = sources.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    mine = Cursor.objects.filter(free, pk=cursor_id, next_at__lte=now)
    if not mine.update(lease_until=now + LEASE, fence=F("fence") + 1):
        return None
    return Cursor.objects.select_related("shop").get(pk=cursor_id)


def turn_of(cursor: Cursor, overlap: timedelta) -> Turn:
    """What a claimed cursor reads now: from a little before where it stopped, to what can't be on its way any more.

    Nothing from before the source's connection is read, since no webhook was owed then.
    """
    now = sources.now()
    shop = cursor.shop
    return Turn(
        cursor.pk,
        cursor.fence,
        shop,
        Account.of(shop),
        since=max(cursor.read_until - overlap, counts_from(shop, cursor.source)),
        until=cursor.resume_until or now - GRACE,
        after=cursor.resume_after,
        began=now,
        correlation_id=sources.random_id(),
    )


def _ours(turn: Turn, **changes: object) -> bool:
    mine = Cursor.objects.filter(pk=turn.cursor_id, fence=turn.fence, lease_until__gt=sources.now())
    return bool(mine.update(**changes))


def keep(turn: Turn, part: Part) -> bool:
    """Remember that a page is done; False where the cursor is no longer ours."""
    return _ours(
        turn,
        resume_after=part.after,
        resume_until=turn.until if part.after else None,
        seen=F("seen") + part.seen,
        lease_until=sources.now() + LEASE,
    )


def finish(turn: Turn, every: timedelta) -> bool:
    """All up to `until` is committed."""
    now = sources.now()
    return _ours(
        turn,
        read_until=Greatest(F("read_until"), turn.until),
        resume_after="",
        resume_until=None,
        next_at=now + every,
        ran_at=now,
        rung_at=None,
        error="",
        failures=0,
        lease_until=None,
    )


def go_on_later(turn: Turn, *, wait: float = 0) -> bool:
    """The turn was too short for all: it is due again at once, or after so many seconds."""
    now = sources.now()
    return _ours(
        turn,
        next_at=now + timedelta(seconds=wait),
        ran_at=now,
        rung_at=None,
        error="",
        failures=0,
        lease_until=None,
    )


def fail(turn: Turn, code: str, *, retry_after: float | None = None, restart: bool = False) -> bool:
    """The vendor could not be read: later again, each time a little later, never before the vendor wishes.

    `restart`: the vendor doesn't take the place to go on from, so the next turn begins where the cursor stands.
    """
    now = sources.now()
    failures = Cursor.objects.values_list("failures", flat=True).get(pk=turn.cursor_id)
    wait = min(FIRST_RETRY * 2 ** min(failures, MOST_DOUBLINGS), LAST_RETRY)
    wait = max(wait, timedelta(seconds=retry_after or 0))
    changes = {"resume_after": "", "resume_until": None} if restart else {}
    return _ours(
        turn,
        error=code[:64],
        failures=failures + 1 if failures < MOST_DOUBLINGS else failures,
        next_at=now + wait,
        ran_at=now,
        rung_at=None,
        lease_until=None,
        **changes,
    )
