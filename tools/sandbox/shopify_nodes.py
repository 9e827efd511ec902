"""What every part of Shopify's graph is made of: global ids, money bags, connections; and variants with stock."""

from collections.abc import Callable
from sqlite3 import Connection
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo

from tools.sandbox import store
from tools.sandbox.exchange import Doc
from tools.sandbox.money import to_decimal


def gid(kind: str, name: object) -> str:
    return f"gid://shopify/{kind}/{name}"


def number(global_id: str, kind: str) -> str:
    """The id inside a global one of this kind; a GraphQL error for another kind or none, as Shopify answers."""
    prefix = gid(kind, "")
    if not global_id.startswith(prefix) or not global_id[len(prefix) :]:
        raise GraphQLError(f"Invalid global id '{global_id}'")
    return global_id[len(prefix) :]


def bag(minor: int, currency: str) -> Doc:
    money = {"amount": to_decimal(minor, currency), "currencyCode": currency}
    return {"presentmentMoney": money, "shopMoney": money}


def connection(nodes: list[Doc]) -> Callable[..., Doc]:
    """A resolver that pages forward through nodes; `first` is required, as it is at Shopify."""

    def page(
        info: GraphQLResolveInfo[Any], first: int | None = None, after: str | None = None, **_: object
    ) -> Doc:
        if first is None or not 0 < first <= 250:
            raise GraphQLError("you must provide one of first or last, between 1 and 250")
        start = int(after) + 1 if after and after.isdigit() else 0
        chosen = nodes[start : start + first]
        edges = [{"cursor": str(start + place), "node": node} for place, node in enumerate(chosen)]
        return {
            "nodes": chosen,
            "edges": edges,
            "pageInfo": {
                "hasNextPage": start + len(chosen) < len(nodes),
                "hasPreviousPage": start > 0,
                "startCursor": edges[0]["cursor"] if edges else None,
                "endCursor": edges[-1]["cursor"] if edges else None,
            },
        }

    return page


def listed(nodes: list[Doc]) -> Callable[..., list[Doc]]:
    return lambda info, first=None, **_: nodes[:first]


def variant_graph(row: Doc) -> Doc:
    """A variant with its stock; one whose stock the control API has not set is not tracked."""
    tracked, available = row["available"] is not None, row["available"] or 0

    def quantities(info: GraphQLResolveInfo[Any], names: list[str]) -> list[Doc]:
        return [
            {"id": gid("InventoryQuantity", f"{row['id']}?name={name}"), "name": name, "quantity": available}
            for name in names
        ]

    level = {
        "id": gid("InventoryLevel", f"{row['id']}?inventory_item_id={row['id']}"),
        "location": {"id": gid("Location", 1), "name": "Warehouse"},
        "quantities": quantities,
    }
    return {
        "id": gid("ProductVariant", row["id"]),
        "sku": row["sku"],
        "title": row["title"],
        "displayName": row["title"],
        "price": row["price"],
        "inventoryQuantity": available,
        "inventoryItem": {
            "id": gid("InventoryItem", row["id"]),
            "sku": row["sku"],
            "tracked": tracked,
            "inventoryLevels": connection([level] if tracked else []),
        },
    }


def variant_named(db: Connection, shop: str, **wanted: str) -> Doc | None:
    """The first variant whose columns equal what is wanted (sku or id)."""
    for row in store.variants(db, shop):
        if all(row[name] == value for name, value in wanted.items()):
            return variant_graph(row)
    return None
