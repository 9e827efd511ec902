"""The page on which somebody asks for an exception. The GET shows, the POST calls one service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals import exceptions
from approvals.models import LimitException
from audit.actors import Actor
from opsagent.asking import Asking, OfOwnShop, asks
from opsagent.drafting import reason_field
from tools.models import Order
from tools.types import to_minor

if TYPE_CHECKING:
    from opsagent.admin_site import OpsAdminSite

Scope = LimitException.Scope


class ExceptionForm(OfOwnShop):
    """Which cap, for whom, up to how much and until when; the subject is found by an order that people know."""

    order = forms.CharField(
        label=gettext_lazy("Order"), max_length=40, help_text=gettext_lazy("Its number, as #1001.")
    )
    scope = forms.ChoiceField(label=gettext_lazy("Lift the cap for"), choices=Scope)
    up_to = forms.DecimalField(
        label=gettext_lazy("Up to"), min_value=0, max_digits=16,
        help_text=gettext_lazy("In the shop's base currency."),
    )  # fmt: skip
    expires_at = forms.DateTimeField(
        label=gettext_lazy("Until"),
        help_text=gettext_lazy("In your time zone, within 90 days."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )
    reason = reason_field()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        shop, number = data.get("shop"), data.get("order", "").strip()
        if shop is None or self.errors:
            return data
        order = self.order_named(shop, number)
        if order is None:
            return data
        data["subject"] = self._subject(order, data["scope"])
        try:
            data["up_to_minor"] = to_minor(data["up_to"], shop.base_currency)
        except ValueError:
            words = _("%(currency)s doesn't have that many decimals.")
            self.add_error("up_to", words % {"currency": shop.base_currency})
        return data

    def _subject(self, order: Order, scope: str) -> str:
        """Our own id of what the order leads to; an error where it leads to none, or to several."""
        if scope == Scope.ORDER:
            return str(order.pk)
        if scope == Scope.INSTRUMENT:
            cards = set(order.payments.exclude(instrument="").values_list("instrument", flat=True))
            if len(cards) != 1:
                self.add_error("scope", _("The order wasn't paid by one known payment method."))
            return "".join(sorted(cards)[:1])
        found = order.person_id if scope == Scope.CUSTOMER else order.address_key
        if not found:
            self.add_error("scope", _("The order has none of these on record."))
        return str(found or "")


def urls(site: OpsAdminSite) -> list[URLPattern]:
    return [
        path("approvals/limitexception/ask/", site.admin_view(asks(site, EXCEPTION)), name="ask_exception")
    ]


def _ask(data: dict[str, Any], by: Actor) -> LimitException:
    return exceptions.ask(
        shop_id=data["shop"].pk,
        scope=data["scope"],
        subject=data["subject"],
        up_to_minor=data["up_to_minor"],
        reason=data["reason"],
        expires_at=data["expires_at"],
        by=by,
    )


EXCEPTION = Asking(
    right=exceptions.ASK,
    form=ExceptionForm,
    defaults={"order": "", "scope": Scope.ORDER},
    act=_ask,
    title=gettext_lazy("Ask for an exception"),
    template="admin/ops/ask_exception.html",
    done=gettext_lazy("Asked for. It holds once somebody else has approved it."),
)
