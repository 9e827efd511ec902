"""Exceptions to a cap: which hold, which wait for a second person, and what each lifts."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals import exceptions
from approvals.admin.decisions import SHOP
from approvals.admin.versions import money
from approvals.caps import caps_of
from approvals.models import LimitException
from audit.moment import moment
from audit.shop_admin import HistoryAdmin
from tools.models import Order
from tools.types import Money

State = tuple[str, str, str]
Scope = LimitException.Scope


@admin.register(LimitException)
class LimitExceptionAdmin(HistoryAdmin):
    list_words = gettext_lazy(
        "One cap lifted for one subject until a date. Somebody asks, somebody else approves; flags and the last line"
        " of the limits hold all the same."
    )
    list_display = ("what", "shop", "up_to", "standing", "expires_at", "author", "approved_by")
    list_filter = ("scope", SHOP)
    list_select_related = ("shop", "author", "approved_by")
    page_template = "admin/ops/exception.html"
    change_list_template = "admin/ops/exceptions.html"

    @admin.display(description=gettext_lazy("for"), ordering="scope")
    def what(self, row: LimitException) -> str:
        return f"{row.get_scope_display()} {row.subject}"

    @admin.display(description=gettext_lazy("up to"), ordering="up_to_minor")
    def up_to(self, row: LimitException) -> str:
        return money(row.up_to_minor, row.currency)

    @admin.display(description=gettext_lazy("state"), ordering="expires_at")
    def standing(self, row: LimitException) -> str:
        tone, _picture, word = state_of(row)
        return format_html('<span class="badge {}">{}</span>', tone, word)

    def page_context(self, request: HttpRequest, row: LimitException) -> dict[str, Any]:
        user: Any = request.user
        caps = caps_of(row.shop_id)
        state = exceptions.state_of(row, moment())
        may_approve = user.has_perm(exceptions.APPROVE)
        return {
            "title": _("Exception for %(what)s") % {"what": row.get_scope_display()},
            "row": row,
            "state": state_of(row),
            "cap": Money(caps.amounts()[row.scope], caps.currency),
            "subject_url": _page_of(row),
            "may_approve": state == "waits" and may_approve and row.author_id != user.pk,
            "own": state == "waits" and row.author_id == user.pk,
            "may_end": state != "over" and (may_approve or user.has_perm(exceptions.ASK)),
        }


def state_of(row: LimitException) -> State:
    """Tone, picture and word."""
    words: dict[str, State] = {
        "waits": ("attention", "clock", _("waits for a second person")),
        "holds": ("good", "check", _("holds")),
        "over": ("", "dotted", _("over")),
    }
    return words[exceptions.state_of(row, moment())]


def _page_of(row: LimitException) -> str:
    if row.scope == Scope.CUSTOMER:
        return reverse("admin:cases_person_change", args=[row.subject])
    if row.scope == Scope.ORDER and Order.objects.filter(pk=int(row.subject)).exists():
        return reverse("admin:tools_order_change", args=[row.subject])
    return ""
