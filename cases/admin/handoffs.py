"""The hand-off queue: who waits for a person, whose time runs out first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Case as Choice
from django.db.models import Count, F, IntegerField, Prefetch, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.moment import moment
from audit.shop_admin import HistoryAdmin, button_column
from cases.models import Handoff, Message
from tools import reasons

PROMISE = timedelta(seconds=60)
WAITING_FIRST = Choice(
    When(state=Handoff.State.WAITING, then=Value(0)),
    When(state=Handoff.State.CLAIMED, then=Value(1)),
    default=Value(2),
    output_field=IntegerField(),
).asc()


@admin.register(Handoff)
class HandoffAdmin(HistoryAdmin):
    list_display = ("time_left", "customer", "why", "channel", "order")
    list_filter = ("state", "reason", ("shop", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("shop", "case__person", "case__order", "case__conversation", "claimed_by")
    search_fields = ("case__person__name", "=case__order__name", "=case__id")
    change_list_template = "admin/ops/handoffs.html"
    list_display_links = ("customer",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        first = Message.objects.filter(direction=Message.Direction.IN).order_by("-id")
        rows = super().get_queryset(request)
        return rows.prefetch_related(Prefetch("case__messages", first, to_attr="heard"))

    def get_ordering(self, request: HttpRequest) -> Any:
        return (WAITING_FIRST, "due_at", "id")

    def get_list_display(self, request: HttpRequest) -> Any:
        may_claim = request.user.has_perm("cases.change_handoff")
        claim = button_column(claim_url if may_claim else nowhere, _("Claim"), otherwise=claimed_by)
        return (*super().get_list_display(request), claim)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """A hand-off has no page but its case's."""
        row = self.row_or_404(request, object_id)
        return HttpResponseRedirect(reverse("admin:cases_case_change", args=[row.case_id]))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        numbers = self._today(request)
        return super().changelist_view(request, {**numbers, **(extra_context or {})})

    def _today(self, request: HttpRequest) -> dict[str, Any]:
        midnight = timezone.localtime(moment()).replace(hour=0, minute=0, second=0, microsecond=0)
        rows = super().get_queryset(request)
        today = Q(claimed_at__gte=midnight)
        in_time = Q(claimed_at__lte=F("received_at") + PROMISE)
        kept = Q(claimed_at__lte=F("due_at"))
        return rows.order_by().aggregate(
            n_waiting=Count("pk", filter=Q(state=Handoff.State.WAITING)),
            n_claimed=Count("pk", filter=today),
            n_in_time=Count("pk", filter=today & in_time),
            n_late=Count("pk", filter=today & ~kept),
        )

    @admin.display(description=gettext_lazy("time left"), ordering="due_at")
    def time_left(self, row: Handoff) -> SafeString:
        return SafeString(render_to_string("admin/ops/time_left.html", {"row": row, "took": _took(row)}))

    @admin.display(description=gettext_lazy("customer"))
    def customer(self, row: Handoff) -> str:
        heard = row.case.heard[0].text if row.case.heard else ""  # type: ignore[attr-defined]  # prefetched
        who = row.case.person or row.case.title
        words = f"“{heard[:80]}”" if heard else row.case.title if row.case.person else row.detail
        return format_html("{}<small>{}</small>", who, words)

    @admin.display(description=gettext_lazy("why"), ordering="reason")
    def why(self, row: Handoff) -> SafeString:
        context = {"reason": row.reason, "word": row.get_reason_display()}
        badge = SafeString(render_to_string("admin/ops/reason.html", context))
        more = reasons.sentence(row.detail)
        return format_html("{}<small>{}</small>", badge, more) if more else badge

    @admin.display(description=gettext_lazy("channel"))
    def channel(self, row: Handoff) -> str:
        conversation = row.case.conversation
        name = conversation.get_channel_display() if conversation else _("nobody wrote")
        return format_html("{}<small>{}, {}</small>", capfirst(name), row.case.language, row.shop)

    @admin.display(description=gettext_lazy("order"))
    def order(self, row: Handoff) -> str:
        order = row.case.order
        if order is None:
            return ""
        url = reverse("admin:tools_order_change", args=[order.pk])
        return format_html('<a href="{}">{}</a><small>{}</small>', url, order.name, order.total)


def claim_url(row: Handoff) -> str:
    return reverse("admin:claim", args=[row.pk]) if row.state == Handoff.State.WAITING else ""


def nowhere(row: Handoff) -> str:
    """No button: this person may only look."""
    return ""


def claimed_by(row: Handoff) -> str:
    return (row.claimed_by.get_full_name() or row.claimed_by.get_username()) if row.claimed_by else ""


def _took(row: Handoff) -> int:
    """Seconds from the call for a person until somebody claimed."""
    return int((row.claimed_at - row.received_at).total_seconds()) if row.claimed_at else 0
