"""What people have to pay by hand: the list, and the page on which they tick it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from approvals.models import Decision
from approvals.services import conflict
from audit.moment import moment
from audit.shop_admin import HistoryAdmin
from cases.models import PaymentTask

TONES = {"open": ("attention", "clock"), "paid": ("good", "check"), "dropped": ("", "barred")}


@admin.register(PaymentTask)
class PaymentTaskAdmin(HistoryAdmin):
    list_display = ("amount", "payee_reference", "gateway", "standing", "due_at", "case", "shop")
    list_filter = ("state", ("shop", admin.RelatedOnlyFieldListFilter))
    search_fields = ("=payee_reference", "=case__id", "=reference")
    page_template = "admin/ops/payment_task.html"
    list_words = _(
        "Refunds of orders that were paid in cash or by transfer: a person pays them and ticks them here."
    )

    @admin.display(description=_("amount"), ordering="amount_minor")
    def amount(self, task: PaymentTask) -> str:
        return format_html('<span class="money">{}</span>', task.money)

    @admin.display(description=_("state"), ordering="state")
    def standing(self, task: PaymentTask) -> str:
        return format_html('<span class="badge {}">{}</span>', TONES[task.state][0], task.get_state_display())

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows.select_related(
            "shop", "case__order__person", "case__person", "call__decision__limits", "ended_by"
        )

    def page_context(self, request: HttpRequest, row: PaymentTask) -> dict[str, Any]:
        tone, icon = TONES[row.state]
        large = row.call.decision.outcome == Decision.Outcome.TWO_FACTOR
        right = "approvals.approve_large_refund" if large else "approvals.approve_refund"
        refusal = conflict(row.call.decision, request.user)  # type: ignore[arg-type]  # our own user, signed in
        order = row.case.order
        return {
            "title": _("Pay %(amount)s by hand") % {"amount": row.money},
            "task": row,
            "tone": tone,
            "icon": icon,
            "person": order.person if order and order.person else row.case.person,
            "order": order,
            "open": row.state == PaymentTask.State.OPEN,
            "late": row.state == PaymentTask.State.OPEN and row.due_at < moment(),
            "may_tick": request.user.has_perm(right) and not refusal,
            "refusal": refusal,
            "today": localtime(moment()).date(),
        }
