"""A page with one form that makes one row: the GET shows it, the POST calls one service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals.errors import Refusal
from audit import actors
from audit.actors import Actor
from audit.shop_admin import of_own_shops
from cases.models import Shop
from tools.models import Order

if TYPE_CHECKING:
    from opsagent.admin_site import OpsAdminSite


class OfOwnShop(forms.Form):
    """A form about one of the shops that the person works for."""

    shop = forms.ModelChoiceField(Shop.objects.none(), label=gettext_lazy("Shop"), empty_label=None)

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shop = cast("forms.ModelChoiceField[Shop]", self.fields["shop"])
        shop.queryset = of_own_shops(Shop.objects.all(), user, "pk")

    def order_named(self, shop: Shop, number: str) -> Order | None:
        """The newest order that people know by this number, with or without its #; else an error at its field."""
        rows = Order.objects.filter(shop=shop, name__in=[number, f"#{number}"]).select_related("person")
        found = rows.order_by("-pk").first()
        if found is None:
            self.add_error("order", _("%(shop)s has no such order.") % {"shop": shop})
        return found


@dataclass(frozen=True, slots=True)
class Asking:
    """What the page asks and does. `defaults` are its fields that the address may fill, with what they hold else.

    `act` gets the form's clean values, and returns the row on whose page people go on.
    """

    right: str
    form: Callable[..., forms.Form]
    defaults: dict[str, str]
    act: Callable[[dict[str, Any], Actor], Model]
    title: Promise
    template: str
    done: Promise


def asks(site: OpsAdminSite, page: Asking) -> Callable[[HttpRequest], HttpResponse]:
    """The view: forbidden without the right, and a service's refusal is said on the form."""

    def view(request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm(page.right):
            raise PermissionDenied
        first = {name: request.GET.get(name, usual) for name, usual in page.defaults.items()}
        posted = request.POST if request.method == "POST" else None
        form = page.form(posted, user=request.user, initial=first)
        if posted is not None and form.is_valid():
            made = _done(request, page, form)
            if made is not None:
                what = f"{made._meta.app_label}_{made._meta.model_name}"
                return HttpResponseRedirect(reverse(f"admin:{what}_change", args=[made.pk]))
        context = {**site.each_context(request), "title": page.title, "form": form}
        return TemplateResponse(request, page.template, context)

    return view


def _done(request: HttpRequest, page: Asking, form: forms.Form) -> Model | None:
    try:
        made = page.act(form.cleaned_data, actors.staff(request.user))  # type: ignore[arg-type]  # signed in
    except Refusal as refusal:
        form.add_error(None, refusal.sentence)
        return None
    messages.success(request, str(page.done))
    return made
