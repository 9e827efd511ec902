"""Where news comes from: each source with the moment from which it counts, and what is read back from it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from audit.shop_admin import HistoryAdmin
from cases.connections import MOVE
from cases.models import Connection, Cursor, InboundEvent
from cases.reconciling.table import NOT_READABLE, RECONCILERS, reconciler
from tools.vendor_names import vendor_name

SHOP = ("shop", admin.RelatedOnlyFieldListFilter)
NOT_CONNECTED = "not_configured"
LATEST = 20


@admin.register(Cursor)
class CursorAdmin(HistoryAdmin):
    list_words = _(
        "Each vendor is read again at intervals, so that what no webhook told of is found all the same, and taken in"
        " like any other event."
    )
    list_display = ("what", "shop", "standing", "read_until", "ran_at", "seen", "found")
    list_filter = ("source", SHOP)
    list_select_related = ("shop",)
    page_template = "admin/ops/cursor.html"

    @admin.display(description=_("what is read"), ordering="resource")
    def what(self, row: Cursor) -> str:
        return f"{vendor_name(row.source)}: {what_of(row)}"

    @admin.display(description=_("state"), ordering="error")
    def standing(self, row: Cursor) -> SafeString:
        tone, word = standing_of(row)
        code = row.error if tone == "danger" else ""
        return format_html('<span class="badge {}">{}</span><small>{}</small>', tone, word, code)

    def page_context(self, request: HttpRequest, row: Cursor) -> dict[str, Any]:
        tone, word = standing_of(row)
        topics = InboundEvent.objects.filter(shop_id=row.shop_id, source=row.source)
        late = topics.filter(found_late_seconds__isnull=False).defer("raw")[:LATEST]
        may_look = request.user.has_perm("cases.view_inboundevent")
        return {
            "title": f"{vendor_name(row.source)}: {what_of(row)}",
            "cursor": row,
            "tone": tone,
            "word": word,
            "vendor": vendor_name(row.source),
            "late": list(late) if may_look else [],
        }


def what_of(row: Cursor) -> str:
    """What the cursor reads, in words."""
    found = reconciler(row.source, row.resource)
    return str(found.what) if found else row.resource


def standing_of(row: Cursor) -> tuple[str, str]:
    """Tone and word for how the last reading went."""
    if row.error == NOT_CONNECTED:
        return "", _now("not connected")
    if row.error:
        return "danger", _now("not readable")
    if row.ran_at is None:
        return "", _now("not read yet")
    return ("info", _now("goes on")) if row.resume_after else ("good", _now("read"))


@admin.register(Connection)
class ConnectionAdmin(HistoryAdmin):
    list_words = _(
        "From when the news of each source counts. What is older is history: it is read and kept, opens no case, sends"
        " and pays nothing."
    )
    list_display = ("source", "shop", "cutover_at", "connected_at", "read_back")
    list_filter = ("source", SHOP)
    list_select_related = ("shop",)
    page_template = "admin/ops/connection.html"

    @admin.display(description=_("what finds lost news"))
    def read_back(self, row: Connection) -> str:
        return read_back_of(row)

    def page_context(self, request: HttpRequest, row: Connection) -> dict[str, Any]:
        return {
            "title": f"{row.get_source_display()}, {row.shop}",
            "connection": row,
            "read_back": read_back_of(row),
            "may_move": request.user.has_perm(MOVE),
        }


def read_back_of(row: Connection) -> str:
    """What finds a webhook of this source that never came, or why nothing can."""
    if row.source in NOT_READABLE:
        return str(NOT_READABLE[row.source])
    names = ", ".join(str(one.what) for one in RECONCILERS if one.source == row.source)
    return _now("reading again: %(names)s") % {"names": names} if names else ""
