"""The log, read-only: what happened, in its place in its stream."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from audit.models import Entry
from audit.shop_admin import HistoryAdmin


@admin.register(Entry)
class EntryAdmin(HistoryAdmin):
    list_display = ("at", "stream", "seq", "what", "actor_kind", "actor_id", "subject_type", "subject_id")
    list_filter = ("actor_kind", "action", ("shop", admin.RelatedOnlyFieldListFilter))
    search_fields = ("stream", "=correlation_id", "=subject_id")
    ordering = ("-id",)
    page_template = "admin/ops/entry.html"

    @admin.display(description=_("what"))
    def what(self, entry: Entry) -> str:
        return entry.sentence

    def page_context(self, request: HttpRequest, row: Entry) -> dict[str, Any]:
        before = Entry.objects.filter(stream=row.stream, seq=row.seq - 1).first()
        after = Entry.objects.filter(stream=row.stream, seq=row.seq + 1).first()
        return {"title": row.sentence, "before": before, "after": after}
