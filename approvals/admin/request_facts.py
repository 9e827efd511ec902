"""What an approver reads besides the effect: what changed since, what else there was to do, and who else can decide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from approvals.admin.words import reason
from approvals.deciding import Wish, resolve
from approvals.duty import caps_in_force
from approvals.eligibility import for_request
from approvals.models import ApprovalRequest, LimitVersion, RiskFlag, TermsVersion
from approvals.standing import signable, why_not
from approvals.today import scope_of
from approvals.versions import in_force
from tools import reasons
from tools.models import LedgerEntry, Order, ToolCall
from tools.types import Money, to_decimal

FEW = 5
QUESTIONS = (("photo", "ask_photo"), ("which_item", "ask_which_item"))
EDITABLE = ("issue_refund", "adjust_refund")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is no longer as it was when the request was made; `voids` where it can't be signed any more."""

    what: str
    at: datetime | None = None
    voids: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """Another way to end this, with what it would cost, and why it isn't the one that was asked for."""

    what: str
    cost: str
    why: str


def extras(row: ApprovalRequest, order: Order | None, user: Any, *, open_now: bool) -> dict[str, Any]:
    """For the page of one request; what can only be asked while it is open is left out afterwards."""
    signatures = list(row.signatures.select_related("user", "instead_of").order_by("id"))
    standing = [each for each in signatures if each.taken_back_at is None]
    people = for_request(row) if open_now else None
    return {
        "signatures": standing,
        "signed_by_me": open_now and any(each.user_id == user.pk for each in standing),
        "still_needed": max(0, row.people_needed - len(standing)),
        "handed_on": list(row.case.recusals.select_related("user")[:FEW]),
        "people": people,
        "changes": changes(row, order) if open_now else [],
        "options": options(row, order),
        "past": past(order),
        "editable": row.decision.tool in EDITABLE,
        "asked_amount": to_decimal(row.amount_minor, row.currency),
        "questions": [(key, template) for key, template in QUESTIONS],
    }


def changes(row: ApprovalRequest, order: Order | None) -> list[Change]:
    """Facts, limits and order against the moment of the request, what voids it first."""
    found = [*_effect(row), *_limits(row), *_flags(row, order), *_order(row, order), *_words(row)]
    return sorted(found, key=lambda change: not change.voids)


def _effect(row: ApprovalRequest) -> list[Change]:
    decision = row.decision
    wish = Wish(decision.tool, decision.action, decision.planner_id)
    effect, problem = resolve(wish, scope_of(decision), by_planner=decision.by_kind == "agent")
    if problem:
        return [Change(reasons.sentence(problem) or problem, voids=True)]
    if effect.digest != row.effect_hash:
        return [Change(_("It would have another effect today, so it can't be signed any more."), voids=True)]
    return []


def _limits(row: ApprovalRequest) -> list[Change]:
    found, then = [], row.decision.limits
    now = in_force(LimitVersion, shop_id=row.shop_id, currency=row.currency)
    if now is not None and (then is None or now.pk != then.pk):
        words = _("The limits changed to version %(n)s; the stricter of both holds.") % {"n": now.version}
        found.append(Change(words, now.effective_at))
    caps = caps_in_force(row.shop_id)
    if caps is not None and caps.effective_at is not None and caps.effective_at > row.requested_at:
        words = _("The caps changed to version %(n)s; the stricter of both holds.") % {"n": caps.version}
        found.append(Change(words, caps.effective_at))
    terms = in_force(TermsVersion, shop_id=row.shop_id)
    if terms is not None and row.decision.terms_id and terms.pk != row.decision.terms_id:
        words = _("The terms changed to version %(n)s; a refund that they no longer grant isn't sent.")
        found.append(Change(words % {"n": terms.version}, terms.effective_at))
    return found


def _flags(row: ApprovalRequest, order: Order | None) -> list[Change]:
    rows = RiskFlag.objects.filter(case=row.case, raised_at__gt=row.requested_at)
    if order is not None:
        rows = rows | RiskFlag.objects.filter(order=order, raised_at__gt=row.requested_at)
    return [
        Change(
            _("A flag was raised: %(kind)s.") % {"kind": flag.get_kind_display()}, flag.raised_at, voids=True
        )
        for flag in rows.filter(lowered_at__isnull=True)
    ]


def _order(row: ApprovalRequest, order: Order | None) -> list[Change]:
    if order is None:
        return []
    found = []
    if order.vendor_updated_at is not None and order.vendor_updated_at > row.requested_at:
        found.append(Change(_("The shop changed the order."), order.vendor_updated_at))
    paid = ToolCall.objects.filter(
        payment__order=order, created_at__gt=row.requested_at, amount_minor__gt=0
    ).exclude(state=ToolCall.State.CANCELLED)
    for call in paid[:FEW]:
        amount = Money(call.amount_minor, call.currency)
        found.append(
            Change(_("%(amount)s went back or was set aside.") % {"amount": amount}, call.created_at)
        )
    return [*found, *_by_others(row, order)]


def _by_others(row: ApprovalRequest, order: Order) -> list[Change]:
    """Money that others gave back by hand, or a bank questions."""
    words = {
        LedgerEntry.Kind.ELSEWHERE: _("%(amount)s was refunded by hand."),
        LedgerEntry.Kind.DISPUTED: _("The customer's bank questions %(amount)s."),
    }
    entries = LedgerEntry.objects.filter(
        payment__order=order, kind__in=words, at__gt=row.requested_at, amount_minor__gt=0
    )
    return [
        Change(words[LedgerEntry.Kind(one.kind)] % {"amount": Money(one.amount_minor, one.currency)}, one.at)
        for one in entries.order_by("-pk")[:FEW]
    ]


def _words(row: ApprovalRequest) -> list[Change]:
    rows = row.case.messages.filter(direction__in=("in", "note"), at__gt=row.requested_at)
    return [
        Change(
            _("The customer wrote.") if message.direction == "in" else _("A colleague wrote a note."),
            message.at,
        )
        for message in rows.order_by("-at")[:FEW]
    ]


def options(row: ApprovalRequest, order: Order | None) -> list[Option]:
    """What was not taken: nothing at all, a question first, a share as goodwill, all that is left, and a person."""
    money, found = row.money, []
    nothing = Money(0, row.currency).format()
    if order is not None and row.decision.tool in EDITABLE:
        found += _other_amounts(row, order, money)
    found += [
        Option(
            _("Ask the customer first"), nothing, _("The answer voids this request and asks again with it.")
        ),
        Option(_("Give nothing"), nothing, _("Reject it, with a reason: the agent can't ask for it again.")),
        Option(
            _("Decide it by hand"),
            "",
            _("Take the case over: the agent stays silent, and this request is void."),
        ),
    ]
    return found


def _other_amounts(row: ApprovalRequest, order: Order, money: Money) -> list[Option]:
    limits = row.decision.limits
    named = {part["line"] for part in row.decision.effect.get("lines", [])}
    lines = [line for line in order.lines.all() if line.pk in named]
    share = limits.goodwill_percent if limits else 0
    goodwill = sum(line.left_minor for line in lines) * share // 100
    left = sum(payment.refundable.amount_minor for payment in order.payments.all())
    found = []
    if 0 < goodwill < money.amount_minor:
        what = _("Goodwill of %(percent)s %% instead") % {"percent": share}
        why = (
            _("The shop's terms grant more than a gesture.")
            if row.decision.entitled_by
            else _("More than a gesture was asked for.")
        )
        found.append(Option(what, Money(goodwill, row.currency).format(), why))
    if left > money.amount_minor:
        words = _("The customer asked for less than the whole order.")
        found.append(Option(_("All that is left of the order"), Money(left, row.currency).format(), words))
    return found


def past(order: Order | None) -> list[dict[str, Any]]:
    """The customer's last refunds, by whomever they were decided."""
    if order is None or order.person_id is None:
        return []
    calls = ToolCall.objects.filter(payment__order__person_id=order.person_id, amount_minor__gt=0)
    rows = calls.select_related("payment__order", "decision").order_by("-id")[:FEW]
    return [
        {
            "order": call.payment.order.name if call.payment else "",
            "amount": Money(call.amount_minor, call.currency),
            "state": call.get_state_display(),
            "reason": reason(str(call.decision.action.get("reason", ""))),
            "at": call.created_at,
        }
        for call in rows
    ]


def next_for(user: Any, rows: Any, without: int) -> str:
    """The address of the next request that this person may sign, the first in the queue; empty where none waits."""
    waiting = rows.filter(signable(user), pk__in=ApprovalRequest.waiting().values("pk")).exclude(pk=without)
    ordered = waiting.select_related("decision__limits").order_by("-renewals", "expires_at", "pk")
    for row in ordered[:20]:
        if not why_not(row, user):
            return reverse("admin:approvals_approvalrequest_change", args=[row.pk])
    return ""
