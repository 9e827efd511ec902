"""The approval page: a question, the exact effect, why it asks, and a panel to sign or refuse."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Case, Count, Q, QuerySet, Sum, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals.admin.decisions import SHOP, order_of
from approvals.admin.effect import converted, document, facts, parts, payers, restocked, shown_in_shop
from approvals.admin.request_facts import extras
from approvals.admin.ruler import ruler
from approvals.models import ApprovalRequest, RiskFlag
from approvals.policy import SENTENCES
from approvals.second_factor import TRIES, challenge, own, passkeys, tries_left
from approvals.standing import why_not
from audit.moment import moment
from audit.shop_admin import HistoryAdmin
from tools.catalog import cancel_order
from tools.models import Dispute, Order, Payment
from tools.types import Money

TONES = {
    "pending": ("attention", "clock"),
    "approved": ("good", "check"),
    "rejected": ("danger", "barred"),
    "expired": ("", "dotted"),
    "voided": ("", "dotted"),
}


@admin.register(ApprovalRequest)
class ApprovalRequestAdmin(HistoryAdmin):
    list_display = (
        "asks",
        "shop",
        "signing",
        "standing",
        "amount",
        "requested_at",
        "expires_at",
        "decided_by",
    )
    list_filter = ("state", "tier", SHOP)
    list_select_related = ("shop", "case__order", "case__person", "decided_by")
    search_fields = ("=id", "=case__order__name")
    page_template = "admin/ops/approval.html"

    def get_ordering(self, request: HttpRequest) -> tuple[Any, ...]:
        """What waits, as the queue has it; then what was decided, the newest first."""
        waits = Q(state=ApprovalRequest.State.PENDING)
        return (
            Case(When(waits, then=0), default=1).asc(),
            Case(When(waits, then="renewals"), default=0).desc(),
            Case(When(waits, then="expires_at")).asc(),
            "-decided_at",
        )

    @admin.display(description=gettext_lazy("request"))
    def asks(self, row: ApprovalRequest) -> str:
        return format_html("{}<small>{}</small>", row.case.title, row.case.person or "")

    @admin.display(description=gettext_lazy("signing"), ordering="tier")
    def signing(self, row: ApprovalRequest) -> str:
        tone = "info" if row.tier == ApprovalRequest.Tier.TWO_FACTOR else ""
        return format_html('<span class="badge {}">{}</span>', tone, row.get_tier_display())

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def standing(self, row: ApprovalRequest) -> str:
        return format_html('<span class="badge {}">{}</span>', TONES[row.state][0], row.get_state_display())

    @admin.display(description=gettext_lazy("amount"), ordering="amount_minor")
    def amount(self, row: ApprovalRequest) -> str:
        return format_html('<span class="money">{}</span>', row.money)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        related = ("case__person", "shop", "decided_by", "decision__limits", "decision__planner")
        rows = self.model.objects.select_related(
            *related, "decision__machine_text", "decision__case", "decision__terms"
        )
        return rows.get(pk=row.pk) if row else None

    def page_context(self, request: HttpRequest, row: ApprovalRequest) -> dict[str, Any]:
        order = order_of(row.decision)
        payment = _payment(row, order)
        refusal = why_not(row, request.user)  # type: ignore[arg-type]  # our own user, signed in
        open_now = row.state == ApprovalRequest.State.PENDING and row.expires_at > moment()
        before, after, place, all_ = neighbours(self.get_queryset(request), row)
        return {
            "title": _title(row) % {"amount": row.money, "who": _who(row, order)},
            "request_row": row,
            "decision": row.decision,
            "case": row.case,
            "order": order,
            "payment": payment,
            "who": _who(row, order),
            "large": row.tier == ApprovalRequest.Tier.TWO_FACTOR,
            "parts": parts(row.decision, order),
            "payers": payers(row.decision, order),
            "shown_in_shop": shown_in_shop(row.decision),
            "document": document(row.decision),
            "restocked": restocked(row.decision),
            "ruler": ruler(row.decision),
            "sentence": SENTENCES.get(row.decision.rule, row.decision.rule),
            "facts": [*facts(order), *converted(row.decision)],
            "customer": _customer(order),
            "flags": _flags(row, order),
            "open_now": open_now,
            "may_sign": open_now and not refusal,
            "refusal": refusal,
            **extras(row, order, request.user, open_now=open_now),
            **_factor(request, row, open_now and not refusal),
            "tone": TONES[row.state][0],
            "icon": TONES[row.state][1],
            "before": before,
            "after": after,
            "place": place,
            "all": all_,
        }


def _title(row: ApprovalRequest) -> str:
    if row.decision.tool == cancel_order.NAME:
        return _("Cancel the order of %(who)s and refund %(amount)s?")
    return _("Refund %(amount)s to %(who)s?")


def _who(row: ApprovalRequest, order: Order | None) -> str:
    person = order.person if order and order.person else row.case.person
    return str(person) if person else _("the customer")


def _payment(row: ApprovalRequest, order: Order | None) -> Payment | None:
    wanted = row.decision.effect.get("payment")
    return (
        next((payment for payment in order.payments.all() if payment.pk == wanted), None) if order else None
    )


def _factor(request: HttpRequest, row: ApprovalRequest, may_sign: bool) -> dict[str, Any]:
    """What signing a large refund asks for: a challenge made with this page, for this person and this effect."""
    if not may_sign or row.tier != ApprovalRequest.Tier.TWO_FACTOR:
        return {}
    user: Any = request.user
    has, asked = own.factors(user), challenge(row, user)
    return {
        "factors": has,
        "challenge": asked,
        "challenge_seconds": int((asked.expires_at - asked.made_at).total_seconds()),
        "passkey_options": passkeys.ask(user, asked) if has.passkeys and passkeys.offered() else "",
        "tries_left": tries_left(user),
        "tries": TRIES,
    }


def _flags(row: ApprovalRequest, order: Order | None) -> list[RiskFlag]:
    rows = RiskFlag.objects.filter(case=row.case, lowered_at__isnull=True)
    if order is not None:
        rows = rows | RiskFlag.objects.filter(order=order, lowered_at__isnull=True)
    return list(rows)


def _customer(order: Order | None) -> dict[str, Any] | None:
    """What this customer bought, got back and disputed in the order's currency."""
    if order is None or order.person_id is None:
        return None
    orders = Order.objects.filter(person_id=order.person_id, currency=order.currency)
    bought = orders.aggregate(n=Count("pk"), paid=Sum("total_minor", default=0))
    payments = Payment.objects.filter(order__in=orders)
    back = payments.aggregate(ours=Sum("refunded_minor", default=0), other=Sum("elsewhere_minor", default=0))
    return {
        "orders": bought["n"],
        "paid": Money(bought["paid"], order.currency),
        "refunded": Money(back["ours"] + back["other"], order.currency),
        "disputes": Dispute.objects.filter(payment__in=payments).count(),
        "since": order.person.created_at if order.person else None,
    }


def neighbours(rows: QuerySet[Any], row: ApprovalRequest) -> tuple[str, str, int, int]:
    """Addresses of the pending requests before and after this one, its place, and how many there are."""
    pending = rows.filter(state=ApprovalRequest.State.PENDING).order_by("-renewals", "expires_at", "pk")
    ids = list(pending.values_list("pk", flat=True)[:200])
    if row.pk not in ids:
        return "", "", 0, len(ids)
    index = ids.index(row.pk)
    name = "admin:approvals_approvalrequest_change"
    before = reverse(name, args=[ids[index - 1]]) if index else ""
    after = reverse(name, args=[ids[index + 1]]) if index + 1 < len(ids) else ""
    return before, after, index + 1, len(ids)
