"""The vendors as staff see them: one page for all of a shop's vendors, and one for each change that stops writing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.moment import moment
from audit.shop_admin import HistoryAdmin, of_own_shops
from tools import drift as drifts
from tools import pacing, probing
from tools.models import Drift, NewField, Upstream, UpstreamCheck
from tools.vendor_names import vendor_name
from tools.vendor_report import VendorStanding, standing_of

SHOP = ("shop", admin.RelatedOnlyFieldListFilter)
RIGHT = "tools.clear_drift"
# A version that ends within so many days is worth a colour, and within so many an alarm.
SOON_DAYS, URGENT_DAYS = 120, 30
# So long after a drift was cleared its page tells how many of its events are left.
JUST_NOW = timedelta(minutes=15)

WHAT: dict[str, Promise] = {
    Drift.Finding.MISSING: gettext_lazy("The field %(field)s is missing."),
    Drift.Finding.NULL: gettext_lazy("The field %(field)s is empty, and it must not be."),
    Drift.Finding.RETYPED: gettext_lazy("The field %(field)s has another type than before."),
    Drift.Finding.UNKNOWN_VALUE: gettext_lazy("The field %(field)s has a value that we don't know."),
    Drift.Finding.VERSION: gettext_lazy("Another version of the API answered than the one we asked for."),
    Drift.Finding.OTHER: gettext_lazy("At %(field)s it is no longer what it was."),
}
PROBES: dict[str, tuple[str, str, Promise]] = {
    probing.OK: ("good", "check", gettext_lazy("Passed: it reads as before.")),
    probing.NOTHING: ("", "dotted", gettext_lazy("There was nothing there to read, so it proves nothing.")),
    probing.DRIFT: ("danger", "octagon", gettext_lazy("It still doesn't fit.")),
    probing.UNAVAILABLE: (
        "attention",
        "triangle",
        gettext_lazy("The vendor could not be reached. Try again later."),
    ),
    probing.REFUSED: ("attention", "triangle", gettext_lazy("The vendor refused the reading.")),
    probing.NOT_CONFIGURED: ("", "dotted", gettext_lazy("Not connected for this shop.")),
    probing.NO_PROBE: ("", "dotted", gettext_lazy("Not proven: it has no reading of its own.")),
    probing.CRASHED: ("danger", "octagon", gettext_lazy("It failed on our side. The log says why.")),
}


def what_changed(row: Drift) -> str:
    """What is different, in a sentence."""
    return str(WHAT[row.finding]) % {"field": row.field_path}


def probe_words(word: str) -> tuple[str, str, str]:
    """Tone, icon and sentence of what a probe found; `word` is as the row keeps it."""
    tone, icon, words = PROBES.get(word.partition(" ")[0], ("", "dotted", gettext_lazy("Not probed yet.")))
    return tone, icon, str(words)


@admin.register(Drift)
class DriftAdmin(HistoryAdmin):
    list_words = gettext_lazy(
        "An answer or event of a vendor that no longer fits what we know. Nothing is guessed from it, and nothing that"
        " rests on it is written, until the probe has passed and somebody has cleared it."
    )
    list_display = ("last_seen_at", "shop", "where", "what", "count", "standing")
    list_filter = ("state", "vendor", "finding", SHOP)
    list_select_related = ("shop", "cleared_by")
    search_fields = ("operation", "field_path")
    page_template = "admin/ops/drift.html"

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request)
        return rows.defer("sample") if request.resolver_match and not request.resolver_match.kwargs else rows

    @admin.display(description=gettext_lazy("where"), ordering="operation")
    def where(self, row: Drift) -> str:
        return format_html("{} {}<small>{}</small>", vendor_name(row.vendor), row.operation, row.field_path)

    @admin.display(description=gettext_lazy("what"), ordering="finding")
    def what(self, row: Drift) -> str:
        return format_html("{}<small>{}</small>", row.get_finding_display(), row.detail)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def standing(self, row: Drift) -> str:
        tone = "danger" if row.state == Drift.State.OPEN else "good"
        return format_html('<span class="badge {}">{}</span>', tone, row.get_state_display())

    def page_context(self, request: HttpRequest, row: Drift) -> dict[str, Any]:
        tone, icon, words = probe_words(row.probe)
        topic = row.operation.removeprefix(drifts.WEBHOOK) if row.operation.startswith(drifts.WEBHOOK) else ""
        # Reached by name, since cases live in a layer above.
        handoffs = list(row.handoffs.select_related("case").order_by("-pk")[:20])
        return {
            "title": _("%(vendor)s has changed: %(operation)s")
            % {"vendor": vendor_name(row.vendor), "operation": topic or row.operation},
            "drift": row,
            "what": what_changed(row),
            "topic": topic,
            "unread": _unread(row, topic),
            "going_on": row.cleared_at is not None and moment() - row.cleared_at < JUST_NOW,
            "probe_tone": tone,
            "probe_icon": icon,
            "probe_words": words,
            "probing": drifts.waits_for_probe(row),
            "clearable": drifts.may_be_cleared(row),
            "may_clear": request.user.has_perm(RIGHT),
            "handoffs": handoffs,
            "events_url": f"{reverse('admin:cases_inboundevent_changelist')}?state__exact=dead&q={topic}",
        }


def _unread(row: Drift, topic: str) -> int:
    """How many events of a webhook's drift still wait unread."""
    if not topic:
        return 0
    events = apps.get_model("cases", "InboundEvent")._default_manager
    return int(events.filter(shop_id=row.shop_id, source=row.vendor, state="dead", topic=topic).count())


@admin.register(NewField)
class NewFieldAdmin(HistoryAdmin):
    list_words = gettext_lazy(
        "What vendors have added to their answers. Nothing is wrong: it is not read until somebody wants it."
    )
    list_display = ("last_seen_at", "shop", "where", "field_path", "count", "first_seen_at")
    list_filter = ("vendor", SHOP)
    list_select_related = ("shop",)
    search_fields = ("operation", "field_path")

    @admin.display(description=gettext_lazy("where"), ordering="operation")
    def where(self, row: NewField) -> str:
        return f"{vendor_name(row.vendor)} {row.operation}"


@dataclass(frozen=True, slots=True)
class Line:
    """An operation's line on the page."""

    name: str
    tone: str
    icon: str
    words: str
    probed_at: Any
    drift: tuple[Drift, ...]
    new_fields: int
    stopped: bool


@dataclass(frozen=True, slots=True)
class Block:
    """One vendor's part of the page; `ends` holds the tone and days of each version's end."""

    standing: VendorStanding
    pace: Any
    lines: list[Line]
    ends: list[tuple[str, Any, int]]

    @property
    def forward(self) -> bool:
        """Whether another version answered than was asked for."""
        return any(served and asked != served for asked, served in self.standing.versions)


def blocks(shop_id: int, today: date) -> list[Block]:
    """All vendors of one shop; a fixed number of queries."""
    paces = {one.vendor: one for one in pacing.standing(shop_id)}
    return [_block(one, paces.get(one.vendor), today) for one in standing_of([shop_id])[shop_id]]


def _block(one: VendorStanding, pace: Any, today: date) -> Block:
    lines = []
    for operation in one.operations:
        row = operation.row
        tone, icon, words = probe_words(row.probe if row else "")
        lines.append(
            Line(
                operation.name,
                tone,
                icon,
                words,
                row.probed_at if row else None,
                operation.drift,
                len(operation.new_fields),
                operation.stopped,
            )
        )
    ends = [(_urgency(sunset.days_left(today)), sunset, sunset.days_left(today)) for sunset in one.sunsets]
    return Block(one, pace, lines, ends)


def _urgency(days: int) -> str:
    return "danger" if days <= URGENT_DAYS else "attention" if days <= SOON_DAYS else ""


@admin.register(Upstream)
class UpstreamAdmin(HistoryAdmin):
    """One page for all vendors of a shop instead of a list of operations."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            return super().changelist_view(request, extra_context)
        shops = list(
            of_own_shops(
                apps.get_model("cases", "Shop")._default_manager.order_by("slug"), request.user, "pk"
            )
        )
        slug = request.GET.get("shop", "")
        shop = next((one for one in shops if one.slug == slug), None)
        if slug and shop is None:
            raise Http404(_("There is no such page, or it belongs to another shop."))
        shop = shop or next(iter(shops), None)
        check = UpstreamCheck.objects.filter(shop_id=shop.pk).first() if shop else None
        checking = check is not None and check.under_way
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Vendors"),
            "shops": shops,
            "shop": shop,
            "blocks": blocks(shop.pk, moment().date()) if shop else [],
            "check": check,
            "checking": checking,
            "may_check": request.user.has_perm(RIGHT),
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/ops/vendors.html", context)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """An operation has no page but its vendor's part of the shop's."""
        row = self.row_or_404(request, object_id)
        place = reverse("admin:tools_upstream_changelist")
        return HttpResponseRedirect(f"{place}?shop={row.shop.slug}#{row.vendor}")
