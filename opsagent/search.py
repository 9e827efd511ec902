"""One field that finds what staff hold in their hand: an order number, a person, a case, a refund's id or key."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from approvals.models import Decision
from audit.shop_admin import of_own_shops
from cases.models import Case, Person
from tools.models import Order, ToolCall

if TYPE_CHECKING:
    from opsagent.admin_site import OpsAdminSite

MOST = 20
BIGGEST = 2**63 - 1


def page(site: OpsAdminSite) -> Callable[..., HttpResponse]:
    def search(request: HttpRequest) -> HttpResponse:
        words = request.GET.get("q", "").strip()[:200]
        found = find(request.user, words) if words else None
        context = {**site.each_context(request), "title": _("Search"), "words": words, "found": found}
        return TemplateResponse(request, "admin/search.html", context)

    return search


def find(user: Any, words: str) -> dict[str, list[Any]]:
    """What matches, by kind, each only where the person may view it; at most 20 of a kind."""
    found: dict[str, list[Any]] = {
        "orders": _orders(user, words) if user.has_perm("tools.view_order") else [],
        "people": _people(user, words) if user.has_perm("cases.view_person") else [],
        "cases": _cases(user, words) if user.has_perm("cases.view_case") else [],
        "decisions": _decisions(user, words) if user.has_perm("approvals.view_decision") else [],
        "calls": _calls(user, words) if user.has_perm("tools.view_toolcall") else [],
    }
    return {kind: rows for kind, rows in found.items() if rows}


def number(words: str) -> int | None:
    """The words as one of our ids, with or without a number sign."""
    bare = words.removeprefix("#")
    return int(bare) if bare.isdecimal() and bare.isascii() and int(bare) <= BIGGEST else None


def _orders(user: Any, words: str) -> list[Order]:
    name = Q(name__in=[words, f"#{words.removeprefix('#')}"]) | Q(external_id=words)
    parcel = Q(shipments__tracking_number=words) | Q(shipments__tracking_numbers__contains=words)
    tracking = parcel if len(words) > 4 else Q()
    rows = of_own_shops(Order.objects.filter(name | tracking).select_related("shop", "person"), user)
    return list(rows.distinct()[:MOST])


def _people(user: Any, words: str) -> list[Person]:
    rows = Person.objects.filter(Q(email=words.lower()) | Q(name__icontains=words)).select_related("shop")
    return list(of_own_shops(rows, user)[:MOST])


def _cases(user: Any, words: str) -> list[Case]:
    wish = Q(order__name__in=[words, f"#{words.removeprefix('#')}"]) | Q(person__email=words.lower())
    pk, correlation = number(words), as_uuid(words)
    if pk is not None:
        wish |= Q(pk=pk)
    if correlation is not None:
        wish |= Q(correlation_id=correlation)
    rows = Case.objects.filter(wish).select_related("shop", "order", "person")
    return list(of_own_shops(rows, user)[:MOST])


def _decisions(user: Any, words: str) -> list[Decision]:
    pk = number(words)
    rows = (
        Decision.objects.filter(pk=pk).select_related("case", "shop")
        if pk is not None
        else Decision.objects.none()
    )
    return list(of_own_shops(rows, user)[:MOST])


def _calls(user: Any, words: str) -> list[ToolCall]:
    wish = Q(vendor_ref=words)
    key = as_uuid(words)
    if key is not None:
        wish |= Q(idempotency_key=key)
    return list(of_own_shops(ToolCall.objects.filter(wish).select_related("case", "shop"), user)[:MOST])


def as_uuid(words: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(words)
    except ValueError:
        return None
