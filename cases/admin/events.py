"""What arrived: events, the dead letters among them with their reason, and bodies that contradict each other."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from approvals.errors import Refusal
from audit import actors
from audit.shop_admin import HistoryAdmin
from cases.drifting import operation_of
from cases.intake import requeueing
from cases.models import EventConflict, InboundEvent, RefusedRequests
from tools.models import Drift
from tools.vendor_names import vendor_name

SHOP = ("shop", admin.RelatedOnlyFieldListFilter)
TONES = {"absorbed": "good", "case": "info", "dead": "danger"}
# A body holds a customer's words and addresses: only who works with cases or audits reads it.
RAW_RIGHTS = ("cases.change_case", "audit.view_entry")
LONGEST_SHOWN = 20_000


def may_read_raw(user: Any) -> bool:
    return any(user.has_perm(right) for right in RAW_RIGHTS)


def readable(raw: bytes | memoryview) -> str:
    """A body as text for an escaped <pre>, cut where it is very long."""
    text = bytes(raw[: LONGEST_SHOWN + 1]).decode("utf-8", "replace")
    return text if len(raw) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]} …"


class FoundLate(admin.SimpleListFilter):
    """Events that no webhook told of."""

    title = _("how it came")
    parameter_name = "late"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("yes", _("found late")), ("no", _("by webhook"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in ("yes", "no"):
            return queryset.filter(found_late_seconds__isnull=self.value() == "no")
        return queryset


@admin.register(InboundEvent)
class InboundEventAdmin(HistoryAdmin):
    list_display = (
        "received_at",
        "shop",
        "what",
        "standing",
        "dead_reason",
        "case",
        "duplicates",
        "external_id",
    )
    list_filter = ("state", FoundLate, "source", SHOP)
    list_select_related = ("shop", "case")
    actions = ("put_back",)  # type: ignore[assignment]  # the other lists have none
    search_fields = ("=external_id", "=correlation_id", "topic")
    page_template = "admin/ops/event.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("raw")

    @admin.display(description=_("what"), ordering="topic")
    def what(self, event: InboundEvent) -> str:
        return format_html("{}<small>{}</small>", vendor_name(event.source), event.topic)

    @admin.display(description=_("state"), ordering="state")
    def standing(self, event: InboundEvent) -> str:
        badge = format_html('<span class="badge {}">{}</span>', TONES[event.state], event.get_state_display())
        if event.found_late_seconds is None:
            return badge
        return format_html('{} <span class="badge attention">{}</span>', badge, _now("found late"))

    def has_requeue_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(requeueing.RIGHT)

    @admin.action(description=_("Put back to work"), permissions=["requeue"])
    def put_back(self, request: HttpRequest, chosen: QuerySet[Any]) -> None:
        """Dead letters among the chosen are read again; the others stay as they are."""
        dead = chosen.filter(state=InboundEvent.State.DEAD).order_by("pk")
        ids = list(dead.values_list("pk", flat=True)[: requeueing.BATCH])
        by = actors.staff(request.user)  # type: ignore[arg-type]  # signed in
        try:
            tried = requeueing.requeue_chosen(ids, by=by)
        except Refusal as refusal:
            messages.error(request, refusal.sentence)
            return
        for level, sentence in _outcome(tried):
            messages.add_message(request, level, sentence)

    def page_context(self, request: HttpRequest, row: InboundEvent) -> dict[str, Any]:
        shown = may_read_raw(request.user)
        return {
            "title": f"{vendor_name(row.source)} {row.topic}".strip(),
            "event": row,
            "raw": readable(row.raw) if shown else "",
            "may_read_raw": shown,
            "conflicts": list(row.conflicts.defer("raw")),
            "may_requeue": request.user.has_perm(requeueing.RIGHT),
            "drift": _drift_of(request, row),
        }


def _drift_of(request: HttpRequest, event: InboundEvent) -> Drift | None:
    """The open drift for which a dead letter lies here, for who may view it."""
    if event.state != InboundEvent.State.DEAD or not request.user.has_perm("tools.view_drift"):
        return None
    rows = Drift.objects.filter(shop_id=event.shop_id, vendor=event.source, state=Drift.State.OPEN)
    return rows.filter(operation=operation_of(event)).defer("sample").first()


def _outcome(tried: requeueing.Requeued) -> list[tuple[int, str]]:
    done = ngettext("%(n)s event was read.", "%(n)s events were read.", tried.done) % {"n": tried.done}
    dead = ngettext(
        "%(n)s event still can't be read: its page says why.",
        "%(n)s events still can't be read: their pages say why.",
        tried.dead,
    ) % {"n": tried.dead}
    if not tried.done and not tried.dead:
        return [(messages.WARNING, _now("None of these is a dead letter. Nothing was changed."))]
    return [
        *([(messages.SUCCESS, done)] if tried.done else []),
        *([(messages.ERROR, dead)] if tried.dead else []),
    ]


@admin.register(EventConflict)
class EventConflictAdmin(HistoryAdmin):
    list_display = ("received_at", "shop", "event", "digest")
    list_filter = (SHOP,)
    list_select_related = ("shop", "event")
    page_template = "admin/ops/conflict.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("raw", "event__raw")

    def page_context(self, request: HttpRequest, row: EventConflict) -> dict[str, Any]:
        shown = may_read_raw(request.user)
        return {
            "title": row.event.external_id,
            "conflict": row,
            "event": row.event,
            "may_read_raw": shown,
            "first": readable(row.event.raw) if shown else "",
            "second": readable(row.raw) if shown else "",
        }


@admin.register(RefusedRequests)
class RefusedRequestsAdmin(HistoryAdmin):
    list_display = ("day", "shop", "source", "reason", "count")
    list_filter = ("source", "reason", SHOP)
    list_select_related = ("shop",)
