"""Decisions, reversals and risk flags: why something was allowed, and where people disagreed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals.admin.effect import asked, converted, facts, parts
from approvals.admin.ruler import ruler
from approvals.models import Decision, Reversal, RiskFlag
from approvals.policy import SENTENCES
from audit.models import Entry
from audit.shop_admin import HistoryAdmin, of_own_shops, worded
from tools import reasons
from tools.models import Order
from tools.tool_names import tool_name

SHOP = ("shop", admin.RelatedOnlyFieldListFilter)
TONES = {
    "allow": ("good", "check"),
    "allow_after_undo": ("good", "check"),
    "one_approver": ("attention", "person"),
    "two_factor": ("info", "padlock"),
    "human": ("attention", "person"),
    "deny": ("danger", "barred"),
}


def order_of(decision: Decision) -> Order | None:
    """The case's order with all that pages about money show, in a fixed number of queries."""
    if decision.case.order_id is None:
        return None
    rows = Order.objects.select_related("person").prefetch_related("lines", "payments", "shipments")
    return rows.get(pk=decision.case.order_id)


def headline(decision: Decision) -> str:
    """The page's title: what the verdict means."""
    return {
        "allow": _("Why this ran by itself"),
        "allow_after_undo": _("Why this ran by itself"),
        "one_approver": _("Why this waits for a person"),
        "two_factor": _("Why this is locked behind a second factor"),
        "human": _("Why this went to a person"),
        "deny": _("Why this was denied"),
    }[decision.outcome]


@admin.register(Decision)
class DecisionAdmin(HistoryAdmin):
    list_display = ("at", "about", "asked_for", "verdict", "why")
    list_filter = ("outcome", ("tool", worded(tool_name)), "by_kind", SHOP)
    list_select_related = ("shop", "case")
    search_fields = ("=id", "rule", "=correlation_id")
    page_template = "admin/ops/decision.html"

    @admin.display(description=gettext_lazy("case"), ordering="case")
    def about(self, decision: Decision) -> str:
        return format_html("{}<small>{}</small>", decision.case, decision.shop)

    @admin.display(description=gettext_lazy("what"), ordering="tool")
    def asked_for(self, decision: Decision) -> str:
        return format_html("{}<small>{}</small>", capfirst(tool_name(decision.tool)), decision.by_kind)

    @admin.display(description=gettext_lazy("why"), ordering="rule")
    def why(self, decision: Decision) -> str:
        return format_html("{}<small>{}</small>", SENTENCES.get(decision.rule, ""), decision.rule)

    @admin.display(description=gettext_lazy("verdict"), ordering="outcome")
    def verdict(self, decision: Decision) -> str:
        return format_html(
            '<span class="badge {}">{}</span>', TONES[decision.outcome][0], decision.get_outcome_display()
        )

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        related = (
            "case__person",
            "limits__author",
            "limits__published_by",
            "terms",
            "planner",
            "machine_text",
            "shop",
        )
        return self.model.objects.select_related(*related).get(pk=row.pk) if row else None

    def page_context(self, request: HttpRequest, row: Decision) -> dict[str, Any]:
        tone, icon = TONES[row.outcome]
        order = order_of(row)
        request_row = getattr(row, "approval", None)
        reversal = Reversal.objects.filter(decision=row).select_related("by").first()
        may_reverse = request.user.has_perm("approvals.add_reversal")
        return {
            "title": headline(row),
            "decision": row,
            "tone": tone,
            "icon": icon,
            "sentence": SENTENCES.get(row.rule, row.rule),
            "why": reasons.sentence(row.problem),
            "ruler": ruler(row),
            "rules": asked(row),
            "parts": parts(row, order),
            "facts": [*facts(order), *converted(row)],
            "order": order,
            "approval": request_row,
            "reversal": reversal,
            "may_reverse": may_reverse and reversal is None and row.by_kind != "staff",
            "calls": list(row.calls.order_by("position")),
            "entry": _entry(row, request),
        }


def _entry(row: Decision, request: HttpRequest) -> Entry | None:
    rows = Entry.objects.filter(subject_type="approvals.decision", subject_id=str(row.pk)).order_by("id")
    return of_own_shops(rows, request.user).first()


@admin.register(Reversal)
class ReversalAdmin(HistoryAdmin):
    list_display = ("at", "shop", "decision", "by", "reason")
    list_filter = (SHOP,)
    list_select_related = ("shop", "decision", "by")


# Why a flag was raised, by how its source begins.
SOURCES: dict[str, Promise] = {
    "fraud_list.": gettext_lazy("It meets the shop's own fraud list."),
    "planner.": gettext_lazy("The planner marked it."),
    "shopify.dispute": gettext_lazy("The customer's bank opened a dispute."),
    "shopify.risk.high": gettext_lazy("The shop system rates its risk as high."),
    "shopify.risk.pending": gettext_lazy("The shop system has not rated its risk in time."),
    "staff.marked": gettext_lazy("A colleague marked it."),
    "stripe.early_fraud_warning": gettext_lazy("The card's bank warns early of fraud."),
    "stripe.dispute": gettext_lazy("The customer's bank opened a dispute."),
    "triage.message": gettext_lazy("The customer's words say so."),
    "velocity.orders": gettext_lazy("More orders in a day than anybody honest places."),
    "velocity.refunds": gettext_lazy("More refunds in 30 days than anybody honest gets."),
    "velocity.wishes": gettext_lazy("More wishes for money in 30 days than anybody honest has."),
}


def _listed_at(flag: RiskFlag) -> str:
    """The page of the fraud list's entry that raised it, reached by name, since the list lives in a layer above."""
    if not flag.source.startswith("fraud_list."):
        return ""
    return reverse("admin:cases_fraudentry_change", args=[flag.source.rpartition(".")[2]])


@admin.register(RiskFlag)
class RiskFlagAdmin(HistoryAdmin):
    list_display = ("raised_at", "shop", "sort", "on", "source", "raised_by", "lowered_at", "lowered_by")
    list_filter = ("kind", ("lowered_at", admin.EmptyFieldListFilter), SHOP)
    list_select_related = ("shop", "order", "case", "lowered_by")
    page_template = "admin/ops/flag.html"

    @admin.display(description=gettext_lazy("flag"), ordering="kind")
    def sort(self, flag: RiskFlag) -> str:
        tone = "" if flag.lowered_at else "danger"
        return format_html('<span class="badge {}">{}</span>', tone, flag.get_kind_display())

    @admin.display(description=gettext_lazy("on"))
    def on(self, flag: RiskFlag) -> str:
        return " ".join(str(thing) for thing in (flag.order, flag.case) if thing)

    def page_context(self, request: HttpRequest, row: RiskFlag) -> dict[str, Any]:
        may_lower = request.user.has_perm("approvals.lower_riskflag")
        return {
            "title": _("Flag: %(kind)s") % {"kind": row.get_kind_display()},
            "flag": row,
            "words": next((words for start, words in SOURCES.items() if row.source.startswith(start)), ""),
            "entry_url": _listed_at(row),
            "may_lower": may_lower and row.lowered_at is None,
        }
