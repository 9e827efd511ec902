"""The page on which somebody is put on a shop's fraud list. The GET shows, the POST calls one service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.actors import Actor
from cases import personal
from cases.fraud import listed
from cases.models import FraudEntry
from opsagent.asking import Asking, OfOwnShop, asks
from opsagent.drafting import reason_field
from tools.models import Order
from tools.snapshots import AddressSnapshot

if TYPE_CHECKING:
    from opsagent.admin_site import OpsAdminSite

Kind = FraudEntry.Kind


class FraudForm(OfOwnShop):
    """What is listed: written out, or as an order has it."""

    kind = forms.ChoiceField(label=gettext_lazy("What"), choices=Kind)
    order = forms.CharField(
        label=gettext_lazy("As this order has it"), required=False, max_length=40,
        help_text=gettext_lazy("Its number, as #1001. Leave it empty to write it out below."),
    )  # fmt: skip
    value = forms.CharField(
        label=gettext_lazy("E-mail, phone, or street and number"), required=False, max_length=254,
        help_text=gettext_lazy("A phone with its country. Of a card, the fingerprint that Stripe shows."),
    )  # fmt: skip
    zip_code = forms.CharField(
        label=gettext_lazy("Post code"),
        required=False,
        max_length=20,
        help_text=gettext_lazy("Of an address."),
    )
    country = forms.CharField(
        label=gettext_lazy("Country"), required=False, max_length=2,
        help_text=gettext_lazy("Of an address: two letters, as DE."),
    )  # fmt: skip
    expires_at = forms.DateTimeField(
        label=gettext_lazy("Until"),
        required=False,
        help_text=gettext_lazy("In your time zone. Empty: until somebody ends it."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )
    reason = reason_field()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.errors:
            return data
        number = data["order"].strip()
        data["what"] = self._of_order(data, number) if number else _written(data)
        if not number and not data["what"]:
            self.add_error("value", _("Write it out, or name an order that has it."))
        return data

    def _of_order(self, data: dict[str, Any], number: str) -> str | AddressSnapshot | None:
        order = self.order_named(data["shop"], number)
        if order is None:
            return None
        found = _on_record(order, data["kind"])
        if not found:
            self.add_error("order", _("The order has none of these on record, or several."))
        return found


def _written(data: dict[str, Any]) -> str | AddressSnapshot:
    value = str(data["value"]).strip()
    if data["kind"] != Kind.ADDRESS or not value:
        return value
    return AddressSnapshot(
        address1=value, zip=data["zip_code"].strip(), country=data["country"].strip().upper()
    )


def _on_record(order: Order, kind: str) -> str | AddressSnapshot | None:
    if kind == Kind.ADDRESS:
        return personal.address_of(order)
    if kind == Kind.CARD:
        cards = set(order.payments.exclude(instrument="").values_list("instrument", flat=True))
        return cards.pop() if len(cards) == 1 else None
    who = order.person
    if who is None:
        return None
    return str(who.email if kind == Kind.EMAIL else who.phone)


def urls(site: OpsAdminSite) -> list[URLPattern]:
    return [path("cases/fraudentry/list/", site.admin_view(asks(site, LISTING)), name="list_fraud")]


def _add(data: dict[str, Any], by: Actor) -> FraudEntry:
    return listed.add(
        shop_id=data["shop"].pk,
        kind=data["kind"],
        value=data["what"],
        reason=data["reason"],
        expires_at=data["expires_at"],
        by=by,
    )


LISTING = Asking(
    right=listed.ADD,
    form=FraudForm,
    defaults={"order": "", "kind": Kind.EMAIL},
    act=_add,
    title=gettext_lazy("Put somebody on the fraud list"),
    template="admin/ops/list_fraud.html",
    done=gettext_lazy("Listed. What comes from them goes to a person from now on."),
)
