"""The case: list and page. Everything that changes it is a button of its own, never this form."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from approvals.models import RiskFlag
from audit.moment import moment
from audit.shop_admin import HistoryAdmin
from cases.admin import timeline
from cases.admin.cancelling import cancelling
from cases.composing import window_closes_at
from cases.credit_notes import ISSUE, due, missing, stopped
from cases.fraud.suspecting import MARK
from cases.models import Case, Conversation, Handoff, Message, PaymentTask
from tools import reasons
from tools.admin import undoable
from tools.models import CreditNote, Order

SHOP = ("shop", admin.RelatedOnlyFieldListFilter)
TONES = {
    "open": ("info", "robot"),
    "waiting": ("", "clock"),
    "approval": ("attention", "person"),
    "handoff": ("attention", "person"),
    "closed": ("good", "check"),
}


@admin.register(Case)
class CaseAdmin(HistoryAdmin):
    list_display = ("number", "what", "shop", "standing", "assigned_to", "opened_at", "wake_at")
    list_filter = ("state", "subject", "wait_reason", SHOP)
    list_select_related = ("shop", "order", "person", "assigned_to")
    search_fields = ("=id", "=order__name", "=person__email", "=correlation_id")
    page_template = "admin/ops/case.html"

    @admin.display(description=_("case"), ordering="id")
    def number(self, case: Case) -> str:
        return f"#{case.pk}"

    @admin.display(description=_("what"))
    def what(self, case: Case) -> str:
        return format_html("{}<small>{}</small>", case.title, case.person or "")

    @admin.display(description=_("state"), ordering="state")
    def standing(self, case: Case) -> str:
        word = case.get_state_display()
        if case.state == Case.State.WAITING:
            word = f"{word}: {case.get_wait_reason_display()}"
        return format_html('<span class="badge {}">{}</span>', TONES[case.state][0], word)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        related = ("shop", "person", "assigned_to", "conversation", "previous")
        return self.model.objects.select_related(*related).get(pk=row.pk) if row else None

    def page_context(self, request: HttpRequest, row: Case) -> dict[str, Any]:
        user: Any = request.user
        story, order = timeline.read(row, user), _order(row)
        tone, icon = TONES[row.state]
        handoff = next((each for each in story.handoffs if each.state != Handoff.State.RESOLVED), None)
        return {
            "title": row.title,
            "case": row,
            "tone": tone,
            "icon": icon,
            "story": story,
            "items": timeline.items(story),
            "said": [message for message in story.messages if message.direction != Message.Direction.NOTE],
            "notes": [message for message in story.messages if message.direction == Message.Direction.NOTE],
            "order": order,
            "handoff": handoff,
            "why": reasons.sentence(handoff.detail) if handoff else "",
            "chat": row.conversation is not None
            and row.conversation.channel == Conversation.Channel.WHATSAPP,
            "window": window_closes_at(row, now=moment()),
            "pending": next((each for each in story.approvals if each.state == "pending"), None),
            "to_pay": list(PaymentTask.objects.filter(case=row, state=PaymentTask.State.OPEN)),
            "credit_notes": _documents(row),
            "document_elsewhere": missing(row, story.calls),
            "undocumented": stopped(story.calls),
            "may_issue": user.has_perm(ISSUE),
            "now": moment(),
            "cancelling": cancelling(row, order, story.calls, handoff, user),
            "undoable": [call for call in story.calls if undoable(call)],
            "flags_up": [flag for flag in story.flags if flag.lowered_at is None],
            "others": _others(row),
            "may_work": user.has_perm("cases.change_case"),
            "mark_url": _mark_url(row, story.flags, user),
            "may_claim": user.has_perm("cases.change_handoff"),
        }


def _mark_url(case: Case, flags: list[RiskFlag], user: Any) -> str:
    """Where a colleague's suspicion is posted to; empty where it is known, closed or not theirs to say."""
    known = any(flag.kind == RiskFlag.Kind.FRAUD and flag.lowered_at is None for flag in flags)
    if known or case.state == Case.State.CLOSED or not user.has_perm(MARK):
        return ""
    return reverse("admin:mark_case", args=[case.pk])


def _documents(case: Case) -> list[tuple[CreditNote, bool]]:
    """The case's credit notes, and whether each has to be taken back by a person."""
    rows = CreditNote.objects.filter(decision__case=case).order_by("pk")
    theirs = set(due(rows).values_list("pk", flat=True))
    return [(note, note.pk in theirs) for note in rows]


def _order(case: Case) -> Order | None:
    related = ("lines", "payments", "shipments", "returns")
    rows: QuerySet[Order] = Order.objects.select_related("person").prefetch_related(*related)
    return rows.get(pk=case.order_id) if case.order_id else None


def _others(case: Case) -> list[Case]:
    """The same person's other cases, newest first."""
    if case.person_id is None:
        return []
    return list(Case.objects.filter(person_id=case.person_id).exclude(pk=case.pk).order_by("-id")[:5])
