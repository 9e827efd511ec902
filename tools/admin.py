"""Orders, payments, calls and stock as the system knows them: all read-only, money never in bulk."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from audit.moment import moment
from audit.shop_admin import HistoryAdmin, button_column, of_own_shops, worded
from tools import reasons
from tools.admin_upstreams import DriftAdmin, NewFieldAdmin, UpstreamAdmin
from tools.base import BY_HAND
from tools.errors import HeldBack
from tools.models import (
    Dispute,
    FeedRun,
    LedgerEntry,
    Order,
    Payment,
    StockLevel,
    StockReading,
    SupplierItem,
    ToolCall,
)
from tools.status_words import payment_status
from tools.tool_names import tool_name
from tools.types import Money
from tools.vendor_names import vendor_name

__all__ = ["DriftAdmin", "NewFieldAdmin", "UpstreamAdmin"]

SHOP = ("shop", admin.RelatedOnlyFieldListFilter)
TONES = {
    "reserved": ("info", "clock"),
    "sending": ("info", "clock"),
    "pending": ("info", "clock"),
    "succeeded": ("good", "check"),
    "failed": ("danger", "octagon"),
    "failed_later": ("danger", "octagon"),
    "unknown": ("attention", "triangle"),
    "cancelled": ("", "dotted"),
}

HELD: dict[str, Promise] = {
    HeldBack.CIRCUIT_OPEN: _("%(vendor)s has stopped answering, so it is left alone for a while."),
    HeldBack.RATE_BUDGET: _("The shop has asked %(vendor)s as often as it may for now."),
    HeldBack.SWITCH: _("A kill switch holds it back."),
}


def show(amount_minor: int, currency: str) -> str:
    """An amount for a list's cell; it never breaks across lines."""
    return format_html('<span class="money">{}</span>', Money(amount_minor, currency))


@admin.register(Order)
class OrderAdmin(HistoryAdmin):
    list_display = ("name", "shop", "person", "amount", "paid", "risk_level", "placed_at")
    list_filter = ("risk_level", ("financial_status", worded(payment_status)), SHOP)
    list_select_related = ("shop", "person")
    search_fields = ("name", "=external_id")
    page_template = "admin/ops/order.html"

    @admin.display(description=_("total"), ordering="total_minor")
    def amount(self, order: Order) -> str:
        return show(order.total_minor, order.currency)

    @admin.display(description=_("payment status"), ordering="financial_status")
    def paid(self, order: Order) -> str:
        return payment_status(order.financial_status)

    def page_context(self, request: HttpRequest, row: Order) -> dict[str, Any]:
        flags = list(row.flags.filter(lowered_at__isnull=True))
        may_mark = request.user.has_perm("approvals.add_riskflag") and all(
            flag.kind != "fraud" for flag in flags
        )
        return {
            "title": row.name,
            "order": row,
            "lines": list(row.lines.all()),
            "payments": list(row.payments.all()),
            "shipments": list(row.shipments.all()),
            "returns": list(row.returns.all()),
            # Reached by name, since cases and flags live in the layers above.
            "cases": list(row.cases.all()),
            "flags": flags,
            "mark_url": reverse("admin:mark_order", args=[row.pk]) if may_mark else "",
        }


@admin.register(Payment)
class PaymentAdmin(HistoryAdmin):
    list_display = ("external_id", "shop", "order", "vendor", "captured", "reserved", "refunded", "left")
    list_filter = ("vendor", "currency", SHOP)
    list_select_related = ("shop", "order")
    search_fields = ("=external_id", "=order__name")

    @admin.display(description=_("captured"), ordering="captured_minor")
    def captured(self, payment: Payment) -> str:
        return show(payment.captured_minor, payment.currency)

    @admin.display(description=_("reserved"), ordering="reserved_minor")
    def reserved(self, payment: Payment) -> str:
        return show(payment.reserved_minor, payment.currency)

    @admin.display(description=_("refunded by us"), ordering="refunded_minor")
    def refunded(self, payment: Payment) -> str:
        return show(payment.refunded_minor, payment.currency)

    @admin.display(description=_("refundable"))
    def left(self, payment: Payment) -> str:
        return show(payment.refundable.amount_minor, payment.currency)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(HistoryAdmin):
    list_display = ("at", "shop", "payment", "kind", "amount", "vendor_ref", "call")
    list_filter = ("kind", "currency", SHOP)
    list_select_related = ("shop", "payment", "call")
    search_fields = ("=vendor_ref", "=payment__external_id")

    @admin.display(description=_("amount"), ordering="amount_minor")
    def amount(self, entry: LedgerEntry) -> str:
        return show(entry.amount_minor, entry.currency)


@admin.register(ToolCall)
class ToolCallAdmin(HistoryAdmin):
    list_display = ("created_at", "what", "sent_to", "amount", "how_far", "vendor_ref", "shop")
    list_filter = ("state", ("tool", worded(tool_name)), ("vendor", worded(vendor_name)), SHOP)
    list_select_related = ("shop", "case")
    search_fields = ("=vendor_ref", "=idempotency_key", "=correlation_id")
    page_template = "admin/ops/call.html"

    @admin.display(description=_("what"), ordering="tool")
    def what(self, call: ToolCall) -> str:
        return format_html("{}<small>{}</small>", capfirst(tool_name(call.tool)), call.case)

    @admin.display(description=_("amount"), ordering="amount_minor")
    def amount(self, call: ToolCall) -> str:
        return show(call.amount_minor, call.currency) if call.amount_minor else ""

    @admin.display(description=_("vendor"), ordering="vendor")
    def sent_to(self, call: ToolCall) -> str:
        return vendor_name(call.vendor)

    @admin.display(description=_("state"), ordering="state")
    def how_far(self, call: ToolCall) -> str:
        tone, _icon = TONES[call.state]
        return format_html('<span class="badge {}">{}</span>', tone, call.get_state_display())

    def get_list_display(self, request: HttpRequest) -> Any:
        names = super().get_list_display(request)
        if not request.user.has_perm("cases.change_case"):
            return names
        return [*names, button_column(_undo_url, _("Undo"))]

    def page_context(self, request: HttpRequest, row: ToolCall) -> dict[str, Any]:
        tone, icon = TONES[row.state]
        return {
            "title": f"{capfirst(tool_name(row.tool))}, {row.get_state_display()}",
            "call": row,
            "request_lines": json.dumps(json.loads(row.request), indent=2, ensure_ascii=False),
            "ledger": list(row.ledger.all()),
            "tone": tone,
            "icon": icon,
            "why": reasons.failure(row.error),
            "undoable": undoable(row),
            "held": held(row),
            "now": moment(),
            "settleable": _settleable(row, request.user),
            "task": _task(row),
        }


SETTLEABLE = (ToolCall.State.UNKNOWN, ToolCall.State.PENDING)


def _settleable(call: ToolCall, user: Any) -> bool:
    """Whether this person may say what became of it: the right is that of the money's size, as the service asks it."""
    if call.state not in SETTLEABLE or call.vendor == BY_HAND:
        return False
    # A decision's outcome is read by its word, since decisions live in the layer above.
    large = call.decision.outcome == "two_factor"
    # Django gives a superuser every right, and the service none about money.
    return not user.is_superuser and bool(
        user.has_perm("approvals.approve_large_refund" if large else "approvals.approve_refund")
    )


def _task(call: ToolCall) -> Any:
    """The payment task in which a person says that they have paid, reached by name; None for all else."""
    return getattr(call, "payment_task", None) if call.vendor == BY_HAND else None


def undoable(call: ToolCall) -> bool:
    """Whether the call waits and nothing of it has left; the service asks again under the lock."""
    unsent = call.state == ToolCall.State.RESERVED and call.first_sent_at is None
    return unsent and call.not_before > moment()


def held(call: ToolCall) -> str:
    """Why a call is held back, in a sentence; empty where it isn't."""
    if call.state != ToolCall.State.RESERVED or call.held_since is None:
        return ""
    words = HELD.get(call.error, _("%(vendor)s can't be asked at the moment."))
    return str(words) % {"vendor": vendor_name(call.vendor)}


def _undo_url(call: ToolCall) -> str:
    return reverse("admin:undo", args=[call.pk]) if undoable(call) else ""


@admin.register(Dispute)
class DisputeAdmin(HistoryAdmin):
    list_display = ("external_id", "shop", "payment", "status", "reason", "amount", "evidence_due_at")
    list_filter = ("status", SHOP)
    list_select_related = ("shop", "payment")
    search_fields = ("=external_id",)

    @admin.display(description=_("amount"), ordering="amount_minor")
    def amount(self, dispute: Dispute) -> str:
        return show(dispute.amount_minor, dispute.currency)


@admin.register(StockLevel)
class StockLevelAdmin(HistoryAdmin):
    list_display = ("sku", "shop", "available", "at")
    list_filter = (SHOP,)
    list_select_related = ("shop",)
    search_fields = ("sku",)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, under how many items it is not right about."""
        given_up = StockReading.objects.filter(given_up_at__isnull=False)
        n = of_own_shops(given_up, request.user).count()
        words = ngettext(
            "The shop could not be asked about %(n)s item for a day: its count is old until news of it comes.",
            "The shop could not be asked about %(n)s items for a day: their counts are old until news of them comes.",
            n,
        )
        about = {"words": words % {"n": n}} if n else {}
        return super().changelist_view(request, {**about, **(extra_context or {})})


@admin.register(SupplierItem)
class SupplierItemAdmin(HistoryAdmin):
    list_display = ("sku", "shop", "supplier", "title", "available", "restock_on", "at")
    list_filter = (SHOP,)
    list_select_related = ("shop", "supplier")
    search_fields = ("sku", "title")


@admin.register(FeedRun)
class FeedRunAdmin(HistoryAdmin):
    list_display = ("at", "shop", "supplier", "rows", "taken", "refused")
    list_filter = (SHOP,)
    list_select_related = ("shop", "supplier")
