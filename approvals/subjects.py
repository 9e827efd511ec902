"""Whom an exception is for, as people know them: the customer's name, or an order that leads to card or address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.utils.translation import gettext as _

from approvals.models import LimitException
from tools.models import Order, Payment

Scope = LimitException.Scope


@dataclass(frozen=True, slots=True)
class Subject:
    """In words, and the row that they lead to: a model's label and the key; both empty where nothing is left."""

    words: str
    model: str = ""
    pk: str = ""


def subjects(rows: Iterable[LimitException]) -> dict[int, Subject]:
    """Of each exception by its key; at most four queries, whatever their number."""
    rows = list(rows)
    wanted = {scope: {row.subject for row in rows if row.scope == scope} for scope in Scope.values}
    found = {
        Scope.CUSTOMER: _people(wanted[Scope.CUSTOMER]),
        Scope.ORDER: _orders(wanted[Scope.ORDER]),
        Scope.INSTRUMENT: _cards(wanted[Scope.INSTRUMENT]),
        Scope.ADDRESS: _addresses(wanted[Scope.ADDRESS]),
    }
    return {row.pk: found[Scope(row.scope)].get(row.subject) or Subject(_gone(row)) for row in rows}


def _gone(row: LimitException) -> str:
    return _("%(what)s that is gone") % {"what": row.get_scope_display()}


def _people(ids: set[str]) -> dict[str, Subject]:
    people: Any = apps.get_model("cases", "Person")._default_manager.filter(pk__in=ids) if ids else ()
    return {str(one.pk): Subject(str(one), "cases.person", str(one.pk)) for one in people}


def _orders(ids: set[str]) -> dict[str, Subject]:
    rows = Order.objects.filter(pk__in=[int(one) for one in ids]) if ids else ()
    return {str(one.pk): _of(_("order %(order)s"), one.name, one.pk) for one in rows}


def _cards(ids: set[str]) -> dict[str, Subject]:
    if not ids:
        return {}
    # The latest order that was paid with it comes last, and stays.
    rows = Payment.objects.filter(instrument__in=ids).order_by("order_id")
    told = rows.values_list("instrument", "order__name", "order_id")
    words = _("the payment method of order %(order)s")
    return {instrument: _of(words, name, pk) for instrument, name, pk in told}


def _addresses(ids: set[str]) -> dict[str, Subject]:
    if not ids:
        return {}
    told = Order.objects.filter(address_key__in=ids).order_by("pk").values_list("address_key", "name", "pk")
    words = _("the address of order %(order)s")
    return {str(key): _of(words, name, pk) for key, name, pk in told}


def _of(words: str, name: str, pk: int) -> Subject:
    return Subject(words % {"order": name}, "tools.order", str(pk))
