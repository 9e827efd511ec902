"""The two pages with a form: engage a kill switch, draft limits. The GET shows, the POST calls one service."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals import limits as authority
from approvals.errors import Refusal
from approvals.models import KillSwitch, LimitVersion
from audit import actors
from audit.shop_admin import of_own_shops
from cases.models import Shop
from tools.models import ToolCall
from tools.types import to_decimal, to_minor

if TYPE_CHECKING:
    from opsagent.admin_site import OpsAdminSite

FormView = Callable[..., HttpResponse]


class SwitchForm(forms.Form):
    """What stops, and why."""

    scope = forms.ChoiceField(label=gettext_lazy("What stops"), choices=KillSwitch.Scope)
    shop = forms.ModelChoiceField(
        Shop.objects.none(),
        label=gettext_lazy("Shop"),
        required=False,
        help_text=gettext_lazy("For one shop; leave empty to stop a tool or vendor in all shops."),
    )
    key = forms.CharField(
        label=gettext_lazy("Which tool, vendor or planner"),
        required=False,
        max_length=48,
        help_text=gettext_lazy("issue_refund, stripe, rules …; empty for everything or one shop."),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shop = cast("forms.ModelChoiceField[Shop]", self.fields["shop"])
        shop.queryset = of_own_shops(Shop.objects.all(), user, "pk")


class LimitsForm(forms.Form):
    """The next version of one currency's limits, in major units as people write them."""

    auto_up_to = forms.DecimalField(label=gettext_lazy("Automatic up to"), min_value=0, max_digits=14)
    one_approver_up_to = forms.DecimalField(
        label=gettext_lazy("One approver up to"), min_value=0, max_digits=14
    )
    goodwill_percent = forms.IntegerField(
        label=gettext_lazy("Goodwill at most (percent)"), min_value=0, max_value=100
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        self.currency = currency
        super().__init__(*args, **kwargs)

    def clean_auto_up_to(self) -> int:
        return self._minor("auto_up_to")

    def clean_one_approver_up_to(self) -> int:
        return self._minor("one_approver_up_to")

    def _minor(self, name: str) -> int:
        try:
            return to_minor(self.cleaned_data[name], self.currency)
        except ValueError as error:
            raise forms.ValidationError(
                _("%(currency)s doesn't have that many decimals.") % {"currency": self.currency}
            ) from error


def urls(site: OpsAdminSite) -> list[URLPattern]:
    return [
        path("approvals/killswitch/engage/", site.admin_view(engage(site)), name="engage_switch"),
        path("approvals/limitversion/<int:pk>/draft/", site.admin_view(draft(site)), name="draft_limits"),
    ]


def engage(site: OpsAdminSite) -> FormView:
    """What would stop, what goes on, and the reason, before anything stops."""

    def engage_switch(request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm("approvals.add_killswitch"):
            raise PermissionDenied
        form = SwitchForm(request.POST or None, user=request.user)
        if request.method == "POST" and form.is_valid() and _engaged(request, form):
            return HttpResponseRedirect(reverse("admin:approvals_killswitch_changelist"))
        context = {
            **site.each_context(request),
            "title": _("Stop something"),
            "form": form,
            **_standing(request),
        }
        return TemplateResponse(request, "admin/ops/engage.html", context)

    return engage_switch


def _engaged(request: HttpRequest, form: SwitchForm) -> bool:
    data = form.cleaned_data
    try:
        authority.engage_switch(
            scope=data["scope"],
            key=data["key"].strip(),
            shop_id=data["shop"].pk if data["shop"] else None,
            reason=data["reason"],
            by=actors.staff(request.user),  # type: ignore[arg-type]  # signed in
        )
    except Refusal as refusal:
        form.add_error(None, refusal.sentence)
        return False
    messages.success(request, _("Stopped. Nothing that it covers is sent until somebody releases it."))
    return True


def _standing(request: HttpRequest) -> dict[str, int]:
    calls = of_own_shops(ToolCall.objects.all(), request.user)
    return {
        "sending": calls.filter(state=ToolCall.State.SENDING).count(),
        "reserved": calls.filter(state=ToolCall.State.RESERVED).count(),
    }


def draft(site: OpsAdminSite) -> FormView:
    """The next version of a currency's limits, starting from the one that was open on the page."""

    def draft_limits(request: HttpRequest, pk: int) -> HttpResponse:
        if not request.user.has_perm("approvals.add_limitversion"):
            raise PermissionDenied
        rows = of_own_shops(LimitVersion.objects.select_related("shop"), request.user)
        row = get_object_or_404(rows, pk=pk)
        form = LimitsForm(request.POST or None, currency=row.currency, initial=_initial(row))
        if request.method == "POST" and form.is_valid():
            made = _drafted(request, row, form)
            if made:
                return HttpResponseRedirect(reverse("admin:approvals_limitversion_change", args=[made.pk]))
        context = {**site.each_context(request), "title": _("Propose new limits"), "form": form, "row": row}
        return TemplateResponse(request, "admin/ops/draft.html", context)

    return draft_limits


def _initial(row: LimitVersion) -> dict[str, Any]:
    return {
        "auto_up_to": to_decimal(row.auto_up_to_minor, row.currency),
        "one_approver_up_to": to_decimal(row.one_approver_up_to_minor, row.currency),
        "goodwill_percent": row.goodwill_percent,
    }


def _drafted(request: HttpRequest, row: LimitVersion, form: LimitsForm) -> LimitVersion | None:
    data = form.cleaned_data
    try:
        made = authority.draft_limits(
            shop_id=row.shop_id,
            currency=row.currency,
            auto_up_to_minor=data["auto_up_to"],
            one_approver_up_to_minor=data["one_approver_up_to"],
            goodwill_percent=data["goodwill_percent"],
            reason=data["reason"],
            by=actors.staff(request.user),  # type: ignore[arg-type]  # signed in
        )
    except Refusal as refusal:
        form.add_error(None, refusal.sentence)
        return None
    messages.success(request, _("Proposed. It holds once somebody else has published it."))
    return made
