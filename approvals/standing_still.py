"""What stands still because of one kill switch, and what it has sent to people; as numbers for its page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import Q, QuerySet

from approvals.models import Decision, KillSwitch
from audit.shop_admin import of_own_shops
from tools.models import ToolCall

Scope = KillSwitch.Scope
State = ToolCall.State
STOPPED = "switch.engaged"
SOME = 10


@dataclass(frozen=True, slots=True)
class StandingStill:
    """Of the shops that a person sees: turns that wait, calls that wait or can't be read, and what went to people."""

    turns: int
    waiting: int
    unread: int
    denied: int
    ended: int
    calls: list[ToolCall]


def standing_still(row: KillSwitch, user: Any) -> StandingStill:
    """A fixed number of statements. What was stopped by several switches counts for each."""
    calls = of_own_shops(_calls(row), user)
    since = Q(ended_at__gte=row.engaged_at)
    ended = calls.filter(since, state=State.CANCELLED, error=STOPPED)
    if row.released_at is not None:
        ended = ended.filter(ended_at__lte=row.released_at)
    live = row.released_at is None
    open_calls = calls if live else calls.none()
    return StandingStill(
        turns=of_own_shops(_turns(row), user).count() if live else 0,
        waiting=open_calls.filter(state=State.RESERVED).count(),
        unread=open_calls.filter(state__in=[State.UNKNOWN, State.PENDING]).count()
        if _stops_reading(row)
        else 0,
        denied=of_own_shops(_denied(row), user).count(),
        ended=ended.count(),
        calls=list(ended.select_related("shop").order_by("-ended_at")[:SOME]),
    )


def _stops_reading(row: KillSwitch) -> bool:
    return row.scope in (Scope.EVERYTHING, Scope.SHOP, Scope.VENDOR)


def _of_its_shop(row: KillSwitch, rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows if row.shop_id is None else rows.filter(shop_id=row.shop_id)


def _calls(row: KillSwitch) -> QuerySet[ToolCall]:
    which = {
        Scope.TOOL: Q(tool=row.key) | Q(decision__tool=row.key),
        Scope.VENDOR: Q(vendor=row.key),
        Scope.PLANNER: Q(decision__planner__kind=row.key, decision__by_kind="agent"),
    }
    return _of_its_shop(row, ToolCall.objects.filter(which.get(Scope(row.scope), Q())))


def _denied(row: KillSwitch) -> QuerySet[Decision]:
    """What policy said no to while it held."""
    rows = Decision.objects.filter(rule=STOPPED, at__gte=row.engaged_at)
    if row.released_at is not None:
        rows = rows.filter(at__lte=row.released_at)
    if row.scope == Scope.TOOL:
        rows = rows.filter(tool=row.key)
    elif row.scope == Scope.PLANNER:
        rows = rows.filter(planner__kind=row.key, by_kind="agent")
    return _of_its_shop(row, rows)


def _turns(row: KillSwitch) -> QuerySet[Any]:
    """Cases whose planner would have its turn. A tool stops no turn: policy denies its wish."""
    cases: QuerySet[Any] = apps.get_model("cases", "Case")._default_manager.filter(
        state="open", human_only=False, due_at__isnull=False
    )
    if row.scope == Scope.TOOL or (row.scope == Scope.VENDOR and row.key != "shopify"):
        return cases.none()
    if row.scope == Scope.PLANNER:
        mine = Q(shop__planner__kind=row.key)
        if row.key == settings.PLANNER:
            mine |= Q(shop__planner__isnull=True)
        cases = cases.filter(mine)
    return _of_its_shop(row, cases)
