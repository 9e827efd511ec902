"""Exchange rates with source and age, and what the last reading of them found."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from approvals.models import ExchangeRate, RateReading
from approvals.rates import Rate, ratio_of
from audit.moment import moment
from audit.shop_admin import HistoryAdmin
from tools.adapters import ecb


@admin.register(ExchangeRate)
class ExchangeRateAdmin(HistoryAdmin):
    shop_path = ""
    list_words = gettext_lazy(
        "Caps that cross currencies are summed by these. Where a rate is missing, or older than the shop's caps allow,"
        " a person decides."
    )
    list_display = ("pair", "value", "as_of", "age", "source", "read_at")
    list_display_links = None
    list_filter = ("source", "as_of")
    search_fields = ("base", "quote")
    change_list_template = "admin/ops/rates.html"

    @admin.display(description=gettext_lazy("one"), ordering="quote")
    def pair(self, row: ExchangeRate) -> str:
        return f"{row.base} → {row.quote}"

    @admin.display(description=gettext_lazy("rate"), ordering="rate")
    def value(self, row: ExchangeRate) -> str:
        return format_html('<span class="money">{}</span>', f"{row.rate.normalize():f}")

    @admin.display(description=gettext_lazy("age"), ordering="-as_of")
    def age(self, row: ExchangeRate) -> str:
        hours = int(Rate(ratio_of(row), row.as_of, row.source).age(moment()).total_seconds() // 3600)
        return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        last = RateReading.objects.order_by("-id").first()
        return super().changelist_view(
            request, {"standing": standing_of(last), "last": last, **(extra_context or {})}
        )


def standing_of(last: RateReading | None) -> tuple[str, str, str, str]:
    """Tone, picture, word and sentence about the reading of rates."""
    if not ecb.rates_url():
        words = _(
            "No rates are read: OPSAGENT_RATES_URL is not set. Rates may be imported by manage.py rates."
        )
        return "attention", "triangle", _("not read"), words
    if last is None:
        return "info", "clock", _("not yet read"), _("The first reading has not begun yet.")
    if last.error:
        words = _("The last reading failed (%(code)s), and is tried again every quarter of an hour.")
        return "danger", "triangle", _("not read"), words % {"code": last.error}
    if last.ended_at is None:
        return "info", "clock", _("being read"), _("A reading is under way.")
    return "good", "check", _("read"), _("From: %(source)s.") % {"source": last.source}
