"""The root fields of one Shopify request: what is read, and the mutations."""

import json
from collections.abc import Callable
from sqlite3 import Connection
from typing import Any

from graphql import FieldNode, GraphQLError, GraphQLResolveInfo

from tools.sandbox import books, changes, shopify_cancel, shopify_search, store, things
from tools.sandbox.exchange import Doc, Request, token
from tools.sandbox.shopify_customers import customer_graph
from tools.sandbox.shopify_nodes import connection, gid, number
from tools.sandbox.shopify_orders import dispute_graph, graph, refund_graph
from tools.sandbox.shopify_refunds import RefusedError, create, due, plan
from tools.sandbox.shopify_schema import VERSIONS
from tools.sandbox.shopify_stock import LOCATION, WAREHOUSE, item_graph, variant_graph, variant_named
from tools.sandbox.shopify_suggestion import suggest
from tools.sandbox.shopify_view import OrderView, moved, view_of

KEY_REQUIRED_SINCE = "2026-04"
NO_KEY = "The @idempotent directive is required for this mutation but was not provided."
OTHER_PARAMETERS = "The same idempotency key cannot be used with different operation parameters."
Info = GraphQLResolveInfo[Any]


class Root:
    """Resolvers of one request; `key_of` reads the idempotency key of a field."""

    def __init__(
        self, request: Request, db: Connection, version: str, key_of: Callable[[FieldNode], str | None]
    ) -> None:
        self.request, self.db, self.version, self.shop = request, db, version, request.shop
        self.key_of = key_of

    def fields(self) -> Doc:
        return {
            "shop": self.shop_graph,
            "order": lambda info, id: self.order_graph(number(id, "Order")),
            "orders": self.orders,
            "customer": self.customer,
            "refund": lambda info, id: self.refund_graph(number(id, "Refund")),
            "dispute": self.dispute,
            "job": self.job,
            "publicApiVersions": lambda info: [
                {"handle": version, "displayName": version, "supported": True} for version in VERSIONS
            ],
            "location": self.location,
            "inventoryItem": self.inventory_item,
            "productVariant": lambda info, id: variant_named(
                self.db, self.shop, "id", number(id, "ProductVariant")
            ),
            "productVariants": self.variants,
            "refundCreate": self.refund_create,
            "orderCancel": self.order_cancel,
            "orderUpdate": self.order_update,
            "tagsAdd": lambda info, id, tags: self.tags(id, tags, gone=False),
            "tagsRemove": lambda info, id, tags: self.tags(id, tags, gone=True),
        }

    def shop_graph(self, info: Info) -> Doc:
        known = store.credentials(self.db, self.shop) or {}
        return {
            "id": gid("Shop", 1),
            "name": known.get("name", self.shop),
            "currencyCode": known.get("currency", "USD"),
            "myshopifyDomain": f"{self.shop}.myshopify.com",
        }

    def view(self, name: str) -> OrderView | None:
        return view_of(self.db, self.shop, name)

    def order_graph(self, name: str) -> Doc | None:
        view = self.view(name)
        return graph(view) if view else None

    def orders(
        self,
        info: Info,
        query: str | None = None,
        sortKey: str = "PROCESSED_AT",  # noqa: N803 - GraphQL's name
        reverse: bool = False,
        first: int | None = None,
        after: str | None = None,
        **_: object,
    ) -> Doc:
        found = shopify_search.matching(self.db, self.shop, query)
        return shopify_search.page(
            found, sortKey, reverse, first, after, lambda order: graph(OrderView(self.db, order))
        )

    def customer(self, info: Info, id: str) -> Doc | None:
        mine = store.orders_of_customer(self.db, self.shop, number(id, "Customer"))
        return customer_graph(self.db, self.shop, mine[-1]["customer"], graph) if mine else None

    def refund_graph(self, name: str) -> Doc | None:
        for row in books.refunds(self.db, self.shop):
            view = self.view(row["order_id"]) if row["doc"].get("shopify_id") == name else None
            if view:
                return refund_graph(view, row)
        return None

    def dispute(self, info: Info, id: str) -> Doc | None:
        name = number(id, "ShopifyPaymentsDispute")
        for doc in books.disputes(self.db, self.shop):
            if str(doc["id"]) == name and not doc.get("charge"):
                return dispute_graph(self.view(str(doc.get("order_id"))), doc)
        return None

    def job(self, info: Info, id: str) -> Doc | None:
        job = things.one(self.db, "job", self.shop, number(id, "Job"))
        return shopify_cancel.graph(job) if job else None

    def location(self, info: Info, id: str | None = None) -> Doc | None:
        return WAREHOUSE if id is None or number(id, "Location") == LOCATION else None

    def inventory_item(self, info: Info, id: str) -> Doc | None:
        row = store.variant(self.db, self.shop, "id", number(id, "InventoryItem"))
        return item_graph(row) if row else None

    def variants(self, info: Info, query: str | None = None, **page: object) -> Doc:
        """All variants, or the one of a `sku:` query."""
        rows = store.variants(self.db, self.shop)
        if query:
            field, _, wanted = query.partition(":")
            if field != "sku":
                raise GraphQLError(f"the sandbox can't search variants by {query!r}; known: sku")
            rows = [row for row in rows if row["sku"] == wanted.strip("'\"")]
        return connection([variant_graph(row) for row in rows])(info, **page)

    def tags(self, id: str, names: list[str], *, gone: bool) -> Doc:
        name = number(id, "Order")
        if store.order(self.db, self.shop, name) is None:
            return {"node": None, "userErrors": [{"field": ["id"], "message": "Order does not exist"}]}
        changes.tags_changed(self.db, self.shop, name, names, self.request.when, gone=gone)
        return {"node": self.order_graph(name), "userErrors": []}

    def order_update(self, info: Info, input: Doc) -> Doc:
        """Sets a note or replaces the tags; contact data stays the control API's."""
        name = number(input["id"], "Order")
        order, served = store.order(self.db, self.shop, name), {"id", "note", "tags"}
        if order is None:
            return {"order": None, "userErrors": [{"field": ["id"], "message": "Order does not exist"}]}
        if set(input) - served:
            raise GraphQLError(f"the sandbox updates only: {', '.join(sorted(served))}")
        when = self.request.when
        if "tags" in input:
            wanted, had = set(input["tags"] or ()), books.tags_of(self.db, self.shop, name)
            changes.tags_changed(
                self.db, self.shop, name, [tag for tag in had if tag not in wanted], when, gone=True
            )
            changes.tags_changed(self.db, self.shop, name, sorted(wanted), when, gone=False)
        if "note" in input and input["note"] != order.get("note"):
            store.put_order(self.db, {**order, "note": input["note"]}, when.at)
            changes.order_changed(self.db, self.shop, name, when)
        return {"order": self.order_graph(name), "userErrors": []}

    def order_cancel(self, info: Info, **wish: Any) -> Doc:
        name = number(wish["orderId"], "Order")
        return shopify_cancel.ask(self.db, self.shop, name, wish, self.request.when)

    def refund_create(self, info: Info, input: Doc) -> Doc:
        name = self.key_of(info.field_nodes[0])
        if name is None and self.version >= KEY_REQUIRED_SINCE:
            raise GraphQLError(NO_KEY, extensions={"code": "BAD_REQUEST"})
        try:
            return self.refund_once(name, input)
        except RefusedError as refusal:
            return {"order": None, "refund": None, "userErrors": [refusal.user_error]}

    def refund_once(self, name: str | None, wish: Doc) -> Doc:
        """Executes a refund, or answers with the one that this key made before."""
        fingerprint = token(json.dumps(wish, sort_keys=True), length=64)
        kept = books.kept_answer(self.db, "shopify", self.shop, name) if name else None
        if kept and kept["fingerprint"] != fingerprint:
            raise RefusedError(OTHER_PARAMETERS)
        view = self.view(number(wish["orderId"], "Order"))
        if view is None:
            raise RefusedError("Order does not exist", "orderId")
        if kept:
            return self.made(kept["body"].decode(), view)
        when, note, made = self.request.when, wish.get("note"), plan(view, wish)
        slow = self.request.stumbles("pending") or due(self.db, self.shop, when)
        status = "pending" if slow and moved(made.moves) else "succeeded"
        row = create(view, made, key=name, when=when, note=note, status=status)
        if name:
            answer: tuple[int, bytes, Doc] = (200, row["doc"]["shopify_id"].encode(), {})
            books.keep_answer(self.db, "shopify", self.shop, name, fingerprint, answer, when.now)
        return self.made(row["doc"]["shopify_id"], view)

    def made(self, refund: str, view: OrderView) -> Doc:
        return {"order": self.order_graph(view.id), "refund": self.refund_graph(refund), "userErrors": []}


def suggested(order: Doc, info: Info, **wish: object) -> Doc:
    """Resolves Order.suggestedRefund."""
    try:
        return suggest(order["__view__"], wish)
    except RefusedError as refusal:
        raise GraphQLError(str(refusal)) from refusal
