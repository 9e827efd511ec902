"""Customers as Shopify's graph tells them: as last seen on an order, with their history."""

from collections.abc import Callable
from sqlite3 import Connection
from typing import Any

from graphql import GraphQLResolveInfo

from tools.sandbox import store
from tools.sandbox.exchange import Doc
from tools.sandbox.money import to_minor
from tools.sandbox.shopify_nodes import bag, connection, gid
from tools.sandbox.shopify_view import OrderView


def customer_graph(db: Connection, shop: str, customer: Doc, order_graph: Callable[[OrderView], Doc]) -> Doc:
    """Spending counts orders in the currency of the newest one."""
    mine = store.orders_of_customer(db, shop, str(customer["id"]))
    currency = mine[-1]["currency"]
    spent = sum(to_minor(order["total"], currency) for order in mine if order["currency"] == currency)
    names = [customer.get("first_name"), customer.get("last_name")]
    email, phone = customer.get("email"), customer.get("phone")

    def orders(info: GraphQLResolveInfo[Any], **page: object) -> Doc:
        return connection([order_graph(OrderView(db, order)) for order in mine])(info, **page)

    return {
        "__typename": "Customer",
        "id": gid("Customer", customer["id"]),
        "legacyResourceId": str(customer["id"]),
        "createdAt": mine[0]["created_at"],
        "updatedAt": mine[-1]["updated_at"],
        "displayName": " ".join(name for name in names if name) or email or "",
        "email": email,
        "phone": phone,
        "firstName": customer.get("first_name"),
        "lastName": customer.get("last_name"),
        "locale": customer.get("locale") or "en",
        "note": None,
        "tags": [],
        "state": "DISABLED",
        "verifiedEmail": True,
        "numberOfOrders": str(len(mine)),
        "amountSpent": bag(spent, currency)["shopMoney"],
        "defaultEmailAddress": {"emailAddress": email, "validFormat": True} if email else None,
        "defaultPhoneNumber": {"phoneNumber": phone} if phone else None,
        "orders": orders,
    }


def mailing_address(name: str, order: Doc, *kinds: str) -> Doc | None:
    """The first of these addresses that the neutral order has; who gets it is the customer, where nobody is named."""
    found = next((order[kind] for kind in kinds if order.get(kind)), None)
    if found is None:
        return None
    customer = order.get("customer") or {}
    names = [customer.get("first_name"), customer.get("last_name")]
    fields = ("company", "address1", "address2", "city", "province", "zip")
    return {
        "id": gid("MailingAddress", f"{name}?model_name=Address"),
        **{field: found.get(field) or None for field in fields},
        "name": found.get("name") or " ".join(filter(None, names)) or None,
        "provinceCode": found.get("province_code") or None,
        "countryCodeV2": found.get("country_code"),
    }
