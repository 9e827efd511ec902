"""Every button that changes something: one POST, one right, one service. A GET never decides.

    POST ─▶ signed in? ─▶ right? else 403 ─▶ row of an own shop? else 404 ─▶ the service ─▶ message, back to the page

The page that shows a button asks `allowed` with the same name, so that nobody sees what they may not press.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    QueryDict,
)
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals import limits as authority
from approvals import services as approvals
from approvals.admin.request_facts import next_for
from approvals.errors import Invalid, Refusal
from approvals.models import ApprovalRequest
from approvals.standing import is_stand_in
from audit import actors, sources
from audit.actors import Actor
from cases import approving, cancelling, connections, credit_notes, handoff, paying, services, vendors
from cases.intake import requeueing
from opsagent.risk_buttons import RISK
from opsagent.signing_in import proof_of
from opsagent.version_buttons import VERSIONS
from tools.types import to_minor

if TYPE_CHECKING:
    from opsagent.admin_site import OpsAdminSite

Service = Callable[[int, QueryDict, Actor], object]


@dataclass(frozen=True, slots=True)
class Button:
    """What pressing does: `rights` are Django permissions, any one of which suffices to be let through."""

    model: str
    rights: tuple[str, ...]
    press: Service
    done: str | Promise | Callable[[Any], str] = field(default="")

    def said(self, result: Any) -> str:
        """What the person reads after it."""
        return self.done(result) if callable(self.done) else str(self.done)


def _signed(request: ApprovalRequest) -> str:
    """Of two signatures the first moves nothing yet."""
    if request.state == ApprovalRequest.State.PENDING:
        return _("Signed with a second factor. It leaves when another person signs too.")
    return _("Approved with a second factor. The refund is on its way to the vendor.")


def _approve(pk: int, form: QueryDict, by: Actor) -> object:
    return services.decide_approval(pk, approve=True, proof=None, reason="", by=by)


def _approve_large(pk: int, form: QueryDict, by: Actor) -> object:
    return services.decide_approval(pk, approve=True, proof=proof_of(form), reason="", by=by)


def _edit_amount(pk: int, form: QueryDict, by: Actor) -> object:
    currency = ApprovalRequest.objects.values_list("currency", flat=True).get(pk=pk)
    try:
        amount = to_minor(form.get("amount", "").strip(), currency)
    except (ArithmeticError, ValueError) as error:
        raise Invalid(_("Write the amount as 12.50, with no more decimals than the currency has.")) from error
    return approving.edit_amount(pk, amount_minor=amount, leaves_nobody_ok=form.get("nobody") == "1", by=by)


def _ask_customer(pk: int, form: QueryDict, by: Actor) -> object:
    return approving.ask_customer(
        pk, question=form.get("question", ""), leaves_nobody_ok=form.get("nobody") == "1", by=by
    )


def _reject(pk: int, form: QueryDict, by: Actor) -> object:
    return services.decide_approval(pk, approve=False, proof=None, reason=form.get("reason", ""), by=by)


def _snooze(pk: int, form: QueryDict, by: Actor) -> object:
    days = form.get("days", "")
    if days not in SNOOZE_DAYS:
        raise Invalid(_("Choose for how long the case is set aside. Nothing was changed."))
    return services.snooze(pk, until=_in_days(int(days)), by=by)


def _in_days(days: int) -> datetime:
    return sources.now() + timedelta(days=days)


def _settle(pk: int, form: QueryDict, by: Actor) -> object:
    succeeded = form.get("succeeded", "")
    if succeeded not in ("0", "1"):
        raise Invalid(_("Say whether the vendor did it. Nothing was changed."))
    return services.settle_call(
        pk,
        succeeded=succeeded == "1",
        vendor_ref=form.get("vendor_ref", ""),
        reason=form.get("reason", ""),
        by=by,
    )


def _clear(pk: int, form: QueryDict, by: Actor) -> object:
    if form.get("requeue") == "1":
        return vendors.clear_and_requeue(pk, by=by)
    return vendors.clear_drift(pk, by=by)


def _pay(pk: int, form: QueryDict, by: Actor) -> object:
    try:
        paid_on = date.fromisoformat(form.get("paid_on", ""))
    except ValueError as error:
        raise Invalid(_("Choose the day on which it was paid. Nothing was changed.")) from error
    return paying.pay(pk, paid_on=paid_on, reference=form.get("reference", ""), by=by)


# What ends an approver's part in a request.
DECIDES = ("approve", "approve_large", "reject", "edit_amount", "ask_customer")
SNOOZE_DAYS = ("1", "3", "7")
CASE, HANDOFF = "cases.case", "cases.handoff"
REQUEST = "approvals.approvalrequest"
CHANGE_CASE = ("cases.change_case",)
DRIFT, CLEAR_DRIFT = "tools.drift", ("tools.clear_drift",)

EVENT, CHANGE_EVENT = "cases.inboundevent", ("cases.change_inboundevent",)

TASK, SIGNERS = "cases.paymenttask", ("approvals.approve_refund", "approvals.approve_large_refund")

BUTTONS: dict[str, Button] = {
    "claim": Button(
        HANDOFF,
        ("cases.change_handoff",),
        lambda pk, form, by: handoff.claim_handoff(pk, by=by),
        gettext_lazy("Claimed. The case is yours, and the agent is silent in it."),
    ),
    "resolve": Button(
        HANDOFF,
        ("cases.change_handoff",),
        lambda pk, form, by: handoff.resolve_handoff(pk, close=form.get("close") == "1", by=by),
        gettext_lazy("Resolved."),
    ),
    "take_over": Button(
        CASE,
        CHANGE_CASE,
        lambda pk, form, by: services.take_over(pk, by=by),
        gettext_lazy("The case is yours. The agent is silent in it."),
    ),
    "note": Button(
        CASE,
        CHANGE_CASE,
        lambda pk, form, by: services.add_note(pk, text=form.get("text", ""), by=by),
        gettext_lazy("Note kept."),
    ),
    "reply": Button(
        CASE,
        CHANGE_CASE,
        lambda pk, form, by: services.reply(pk, text=form.get("text", ""), by=by),
        gettext_lazy("The reply waits to be sent. The agent is silent in this case."),
    ),
    "close": Button(
        CASE,
        CHANGE_CASE,
        lambda pk, form, by: services.close_case(pk, by=by),
        gettext_lazy("Closed."),
    ),
    "ask_cancelling": Button(
        CASE,
        CHANGE_CASE,
        lambda pk, form, by: cancelling.ask(pk, by=by),
        gettext_lazy(
            "The order and its payments are being read. What cancelling does stands here in a moment."
        ),
    ),
    "cancel_order": Button(
        CASE,
        CHANGE_CASE,
        lambda pk, form, by: cancelling.cancel_order(pk, shown=form.get("shown", ""), by=by),
        gettext_lazy("Decided. Policy says whether it runs by itself or waits for a signature."),
    ),
    "snooze": Button(CASE, CHANGE_CASE, _snooze, gettext_lazy("Set aside.")),
    "undo": Button(
        "tools.toolcall",
        CHANGE_CASE,
        lambda pk, form, by: services.undo(pk, by=by),
        gettext_lazy("Undone before it was sent. Its money is no longer set aside."),
    ),
    "settle": Button(
        "tools.toolcall",
        ("approvals.approve_refund", "approvals.approve_large_refund"),
        _settle,
        gettext_lazy("Settled by you. What you saw is kept as a note in the case."),
    ),
    "approve": Button(
        REQUEST,
        ("approvals.approve_refund",),
        _approve,
        gettext_lazy("Approved. The refund is on its way to the vendor."),
    ),
    "approve_large": Button(
        REQUEST,
        ("approvals.approve_large_refund",),
        _approve_large,
        _signed,
    ),
    "reject": Button(
        REQUEST,
        ("approvals.approve_refund", "approvals.approve_large_refund"),
        _reject,
        gettext_lazy("Rejected. No money moves, and a person has the case."),
    ),
    "edit_amount": Button(
        REQUEST,
        SIGNERS,
        _edit_amount,
        gettext_lazy("Asked for. Another person approves this amount."),
    ),
    "ask_customer": Button(
        REQUEST,
        SIGNERS,
        _ask_customer,
        gettext_lazy("The question is on its way. Another person decides now."),
    ),
    "take_back": Button(
        REQUEST,
        SIGNERS,
        lambda pk, form, by: approvals.take_back(pk, by=by),
        gettext_lazy("Taken back. Your signature no longer counts."),
    ),
    "reverse": Button(
        "approvals.decision",
        ("approvals.add_reversal",),
        lambda pk, form, by: approvals.reverse(pk, reason=form.get("reason", ""), by=by),
        gettext_lazy("Marked as wrong. It counts in the reversal rate."),
    ),
    **{name: Button(*row) for name, row in RISK.items()},
    **{name: Button(*row) for name, row in VERSIONS.items()},
    "pay": Button(
        TASK, SIGNERS, _pay, gettext_lazy("Ticked as paid. The customer hears that the money is back.")
    ),
    "drop": Button(
        TASK,
        SIGNERS,
        lambda pk, form, by: paying.drop(pk, reason=form.get("reason", ""), by=by),
        gettext_lazy("Not paid. Its money is no longer set aside, and a person has the case."),
    ),
    "correct_credit_note": Button(
        "tools.creditnote",
        (credit_notes.RIGHT,),
        lambda pk, form, by: credit_notes.correct(pk, reason=form.get("reason", ""), by=by),
        gettext_lazy("The counter-document is issued. Both stay in the register."),
    ),
    "issue_credit_note": Button(
        "tools.toolcall",
        (credit_notes.ISSUE,),
        lambda pk, form, by: credit_notes.issue(pk, by=by),
        gettext_lazy("The credit note is issued. It stands in the register, and nothing has been sent."),
    ),
    "requeue": Button(
        EVENT,
        CHANGE_EVENT,
        lambda pk, form, by: requeueing.requeue(pk, by=by),
        gettext_lazy("Read. It is worked on like any other event now."),
    ),
    "count_from_now": Button(
        "cases.connection",
        ("cases.change_connection",),
        lambda pk, form, by: connections.count_from(pk, sure=form.get("sure") == "1", by=by),
        gettext_lazy("Moved. What is older than this moment is history from now on."),
    ),
    "release_switch": Button(
        "approvals.killswitch",
        ("approvals.change_killswitch",),
        lambda pk, form, by: authority.release_switch(pk, by=by),
        gettext_lazy("Released. It goes on."),
    ),
    "probe_drift": Button(
        DRIFT,
        CLEAR_DRIFT,
        lambda pk, form, by: vendors.ask_probe(pk, by=by),
        gettext_lazy("The vendor is being read. The result stands here in a moment."),
    ),
    "clear_drift": Button(
        DRIFT,
        CLEAR_DRIFT,
        _clear,
        gettext_lazy("Cleared. Writing goes on; the cases stay with the people who have them."),
    ),
    "check_vendors": Button(
        "cases.shop",
        CLEAR_DRIFT,
        lambda pk, form, by: vendors.ask_check(pk, by=by),
        gettext_lazy("Each vendor is being asked once per operation."),
    ),
}


def allowed(user: Any, name: str) -> bool:
    """Whether the person has a right, of their own or lent, that lets them press this button."""
    button = BUTTONS[name]
    if any(user.has_perm(right) for right in button.rights):
        return True
    return button.model == REQUEST and is_stand_in(user, button.rights)


def urls(site: OpsAdminSite) -> list[URLPattern]:
    return [
        path(
            f"{_place(button)}/<int:pk>/{name.replace('_', '-')}/",
            site.admin_view(_view(site, name, button)),
            name=name,
        )
        for name, button in BUTTONS.items()
    ]


def _place(button: Button) -> str:
    return button.model.replace(".", "/")


def _view(site: admin.AdminSite, name: str, button: Button) -> Callable[..., HttpResponse]:
    def press(request: HttpRequest, pk: int) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not allowed(request.user, name):
            raise PermissionDenied
        model = apps.get_model(button.model)
        if not site.get_model_admin(model).get_queryset(request).filter(pk=pk).exists():
            raise Http404
        try:
            by = actors.staff(request.user)  # type: ignore[arg-type]  # signed in
            result = button.press(pk, request.POST, by)
        except Refusal as refusal:
            messages.error(request, refusal.sentence)
        else:
            messages.success(request, button.said(result))
            if name in DECIDES:
                return HttpResponseRedirect(_next(site, request, pk) or back(request, button.model, pk))
        return HttpResponseRedirect(back(request, button.model, pk))

    press.__name__ = name
    return press


def _next(site: admin.AdminSite, request: HttpRequest, pk: int) -> str:
    """After a decision the next request opens."""
    rows = site.get_model_admin(ApprovalRequest).get_queryset(request)
    return next_for(request.user, rows, without=pk)


def back(request: HttpRequest, model: str, pk: int) -> str:
    """Where the form asked to return to, if that is a page of ours; else the row's own page."""
    wish = request.POST.get("next", "")
    if wish and url_has_allowed_host_and_scheme(
        wish, {request.get_host()}, require_https=request.is_secure()
    ):
        return wish
    return reverse(f"admin:{model.replace('.', '_')}_change", args=[pk])
