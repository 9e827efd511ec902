"""Kill switches."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals.models import KillSwitch
from approvals.rights import has_right
from approvals.standing_still import standing_still
from audit.shop_admin import HistoryAdmin


@admin.register(KillSwitch)
class KillSwitchAdmin(HistoryAdmin):
    list_display = ("what", "shop", "standing", "reason", "engaged_by", "engaged_at", "released_by")
    list_filter = ("scope", ("released_at", admin.EmptyFieldListFilter))
    list_select_related = ("shop", "engaged_by", "released_by")
    page_template = "admin/ops/switch.html"
    change_list_template = "admin/ops/switches.html"

    @admin.display(description=gettext_lazy("stops"), ordering="scope")
    def what(self, row: KillSwitch) -> str:
        return f"{row.get_scope_display()} {row.key}".strip()

    @admin.display(description=gettext_lazy("state"), ordering="released_at")
    def standing(self, row: KillSwitch) -> str:
        tone, word = ("", _("released")) if row.released_at else ("danger", _("engaged"))
        return format_html('<span class="badge {}">{}</span>', tone, word)

    def page_context(self, request: HttpRequest, row: KillSwitch) -> dict[str, Any]:
        refusal = _why_not_release(row, request.user) if row.released_at is None else ""
        may = request.user.has_perm("approvals.change_killswitch") and row.released_at is None
        return {
            "title": _("Stopped: %(what)s") % {"what": self.what(row)},
            "row": row,
            "still": standing_still(row, request.user),
            "may_release": may and not refusal,
            "refusal": refusal if may else "",
        }


def _why_not_release(row: KillSwitch, user: Any) -> str:
    """As the service asks it: what stops all shops goes on by those who answer for large sums."""
    if row.shop_id is not None or has_right(user, "approvals.approve_large_refund"):
        return ""
    return _("A finance approver releases what stops all shops.")
