"""The page on which a kill switch is engaged. The GET shows, the POST calls one service."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals import limits as authority
from approvals.errors import Refusal
from approvals.models import KillSwitch
from audit import actors
from audit.shop_admin import of_own_shops
from cases.models import Shop
from tools.models import ToolCall

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


def urls(site: OpsAdminSite) -> list[URLPattern]:
    return [
        path("approvals/killswitch/engage/", site.admin_view(engage(site)), name="engage_switch"),
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
