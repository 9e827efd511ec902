"""The fraud list: whom the shop fears, since when and why, and how it is ended."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.moment import moment
from audit.shop_admin import HistoryAdmin
from cases.fraud.listed import END, value_of
from cases.models import FraudEntry

State = tuple[str, str, str]


@admin.register(FraudEntry)
class FraudEntryAdmin(HistoryAdmin):
    list_words = gettext_lazy(
        "Orders and messages of whom this list names are fraud-suspect and go to a person; nothing automatic touches"
        " them. It is looked at when something comes in and again before money leaves."
    )
    list_display = ("value", "kind", "shop", "standing", "reason", "author", "created_at", "expires_at")
    list_filter = ("kind", ("shop", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("shop", "key", "author", "ended_by")
    page_template = "admin/ops/fraud_entry.html"
    change_list_template = "admin/ops/fraud_list.html"

    @admin.display(description=gettext_lazy("who"))
    def value(self, row: FraudEntry) -> str:
        return value_of(row)

    @admin.display(description=gettext_lazy("state"), ordering="ended_at")
    def standing(self, row: FraudEntry) -> str:
        tone, _picture, word = state_of(row)
        return format_html('<span class="badge {}">{}</span>', tone, word)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        related = ("shop", "key", "author", "ended_by")
        return self.model.objects.select_related(*related).get(pk=row.pk) if row else None

    def page_context(self, request: HttpRequest, row: FraudEntry) -> dict[str, Any]:
        return {
            "title": value_of(row),
            "row": row,
            "state": state_of(row),
            "may_end": row.ended_at is None and request.user.has_perm(END),
        }


def state_of(row: FraudEntry) -> State:
    """Tone, picture and word."""
    if row.ended_at is not None:
        return "", "check", _("ended")
    if row.expires_at is not None and row.expires_at <= moment():
        return "", "clock", _("over")
    return "danger", "triangle", _("holds")
