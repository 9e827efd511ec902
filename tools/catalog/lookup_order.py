"""Read the order graph at the shop: order, customer, payments, shipments, returns."""

from __future__ import annotations

from tools.adapters import shopify
from tools.adapters.accounts import Account
from tools.base import Arguments, Effect, Kind, Leaves, Scope, Tool
from tools.errors import InvalidArgs
from tools.models import Order
from tools.snapshots import OrderSnapshot


class LookupOrder(Arguments):
    """Read the case's order as the shop knows it now."""

    order_id: int


def resolve(arguments: LookupOrder, scope: Scope) -> Effect:
    """Raises InvalidArgs for an order of another case."""
    if arguments.order_id != scope.order_id:
        raise InvalidArgs(code="order.not_of_case")
    return Effect("lookup_order", Kind.READ, {"order": arguments.order_id})


def read(arguments: LookupOrder, scope: Scope) -> OrderSnapshot:
    """The order as the vendor answers now; one call over the network, so never inside a transaction."""
    resolve(arguments, scope)
    order = Order.objects.select_related("shop").get(pk=arguments.order_id, shop_id=scope.shop_id)
    account = Account.of(order.shop)
    return shopify.read_order(account, order.external_id, correlation_id=scope.correlation_id)


TOOL = Tool("lookup_order", Kind.READ, LookupOrder, resolve, leaves=Leaves.NOTHING)
