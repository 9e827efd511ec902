"""Read what the case's customer bought and got back before."""

from __future__ import annotations

from django.db.models import Count, Q, Sum
from pydantic import BaseModel, ConfigDict

from tools.base import Arguments, Effect, Kind, Leaves, Scope, Tool
from tools.models import OPEN_STATES, Order, ToolCall


class LookupCustomer(Arguments):
    """Read the history of the customer of this case: orders and refunds, in numbers."""


class CustomerHistory(BaseModel):
    """`refunded_minor` by currency, in minor units; refunds on their way count."""

    model_config = ConfigDict(frozen=True)

    orders: int
    refunds: int
    refunded_minor: dict[str, int]


def resolve(arguments: LookupCustomer, scope: Scope) -> Effect:
    """The customer is the case's: there is nothing to name."""
    return Effect("lookup_customer", Kind.READ, {"case": scope.case_id})


def read(arguments: LookupCustomer, scope: Scope) -> CustomerHistory:
    """Three numbers from our own order graph and ledger; an order without a known customer has no history."""
    if scope.order_id is None:
        return CustomerHistory(orders=0, refunds=0, refunded_minor={})
    person = Order.objects.filter(pk=scope.order_id).values_list("person_id", flat=True).first()
    if person is None:
        return CustomerHistory(orders=0, refunds=0, refunded_minor={})
    counts = Q(state__in=(*OPEN_STATES, ToolCall.State.SUCCEEDED), amount_minor__gt=0)
    by_currency = (
        ToolCall.objects.filter(counts, shop_id=scope.shop_id, payment__order__person_id=person)
        .values("currency")
        .annotate(total=Sum("amount_minor"), refunds=Count("decision", distinct=True))
    )
    return CustomerHistory(
        orders=Order.objects.filter(shop_id=scope.shop_id, person_id=person).count(),
        refunds=sum(row["refunds"] for row in by_currency),
        refunded_minor={row["currency"]: row["total"] for row in by_currency},
    )


TOOL = Tool("lookup_customer", Kind.READ, LookupCustomer, resolve, leaves=Leaves.NOTHING)
