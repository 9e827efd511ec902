"""Variants, inventory items and their levels; one warehouse holds all stock."""

from collections.abc import Callable
from sqlite3 import Connection
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo

from tools.sandbox import store
from tools.sandbox.exchange import Doc
from tools.sandbox.shopify_nodes import connection, gid

LOCATION = "1"
WAREHOUSE = {"__typename": "Location", "id": gid("Location", LOCATION), "name": "Warehouse", "isActive": True}
# https://shopify.dev/docs/apps/build/orders-fulfillment/inventory-management-apps#inventory-states
ON_THE_SHELF = ("available", "on_hand")
ELSEWHERE = ("committed", "incoming", "reserved", "damaged", "safety_stock", "quality_control")


def variant_graph(row: Doc) -> Doc:
    """A variant with its stock; one whose stock the control API has not set is not tracked."""
    return {
        "__typename": "ProductVariant",
        "id": gid("ProductVariant", row["id"]),
        "legacyResourceId": row["id"],
        "sku": row["sku"],
        "title": row["title"],
        "displayName": row["title"],
        "price": row["price"],
        "inventoryQuantity": row["available"] or 0,
        "inventoryItem": lambda info: item_graph(row),
    }


def item_graph(row: Doc) -> Doc:
    tracked = row["available"] is not None
    return {
        "__typename": "InventoryItem",
        "id": gid("InventoryItem", row["id"]),
        "legacyResourceId": row["id"],
        "sku": row["sku"],
        "tracked": tracked,
        "requiresShipping": True,
        "inventoryLevel": lambda info, **asked: (
            _level(row) if tracked and asked["locationId"] == gid("Location", LOCATION) else None
        ),
        "inventoryLevels": connection([_level(row)] if tracked else []),
    }


def _level(row: Doc) -> Doc:
    return {
        "__typename": "InventoryLevel",
        "id": gid("InventoryLevel", f"{row['id']}?inventory_item_id={row['id']}"),
        "isActive": True,
        "location": WAREHOUSE,
        "quantities": _quantities(row),
    }


def _quantities(row: Doc) -> Callable[..., list[Doc]]:
    def quantities(info: GraphQLResolveInfo[Any], names: list[str]) -> list[Doc]:
        unknown = [name for name in names if name not in (*ON_THE_SHELF, *ELSEWHERE)]
        if unknown:
            raise GraphQLError(f"The following quantity names are invalid: {', '.join(unknown)}")
        held = dict.fromkeys(ON_THE_SHELF, row["available"])
        return [
            {
                "id": gid("InventoryQuantity", f"{row['id']}?name={name}"),
                "name": name,
                "quantity": held.get(name, 0),
            }
            for name in names
        ]

    return quantities


def variant_named(db: Connection, shop: str, column: str, value: str) -> Doc | None:
    """The variant of this `sku` or `id`."""
    row = store.variant(db, shop, column, value)
    return variant_graph(row) if row else None
