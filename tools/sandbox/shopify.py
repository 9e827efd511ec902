"""Shopify's Admin GraphQL API over HTTP: token, version, validation, idempotent refunds, tags.

https://shopify.dev/docs/api/admin-graphql and https://shopify.dev/docs/api/usage/implementing-idempotency
"""

import json
import re
from functools import cache, lru_cache
from hmac import compare_digest
from sqlite3 import Connection
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    StringValueNode,
    VariableNode,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)

from tools.sandbox import store
from tools.sandbox.exchange import Answer, Doc, Request, Vendor, iso, token
from tools.sandbox.shopify_nodes import connection, gid, number, variant_graph, variant_named
from tools.sandbox.shopify_orders import OrderView, customer_graph
from tools.sandbox.shopify_refunds import RefusedError, create, plan, suggest
from tools.sandbox.shopify_schema import schema

VERSIONS = ("2026-01", "2026-04", "2026-07")
KEY_REQUIRED_SINCE = "2026-04"
PATH = re.compile(r"^/admin/api/(?P<version>[^/]+)/graphql\.json$")
NO_KEY = "The @idempotent directive is required for this mutation but was not provided."
OTHER_PARAMETERS = "The same idempotency key cannot be used with different operation parameters."
IN_PROGRESS = "This request is currently in progress, please try again."


@cache
def _schema() -> GraphQLSchema:
    made = schema()
    order = made.type_map["Order"]
    if isinstance(order, GraphQLObjectType):
        order.fields["suggestedRefund"].resolve = _suggested
    return made


@lru_cache(maxsize=256)
def _document(source: str) -> DocumentNode | list[GraphQLError]:
    try:
        document = parse(source)
    except GraphQLError as error:
        return [error]
    return validate(_schema(), document) or document


class MalformedError(ValueError):
    """The body is no GraphQL request."""


def _asked(request: Request) -> tuple[str, Doc, str | None]:
    try:
        body = request.json()
        source, variables = body["query"], body.get("variables") or {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MalformedError("query is missing") from error
    if not isinstance(source, str) or not isinstance(variables, dict):
        raise MalformedError("query must be a string and variables an object")
    return source, variables, body.get("operationName")


def _roots(request: Request) -> list[FieldNode]:
    try:
        source, _, name = _asked(request)
    except MalformedError:
        return []
    document = _document(source)
    if isinstance(document, list):
        return []
    chosen = get_operation_ast(document, name)
    if not isinstance(chosen, OperationDefinitionNode):
        return []
    return [node for node in chosen.selection_set.selections if isinstance(node, FieldNode)]


def operation(request: Request) -> str:
    """The first root field of the chosen operation, such as `order` or `refundCreate`."""
    roots = _roots(request)
    return roots[0].name.value if roots else "unknown"


def key(request: Request) -> str | None:
    """The idempotency key of a refundCreate; an unreadable one is left for the execution to complain about."""
    for node in _roots(request):
        if node.name.value == "refundCreate":
            return _key_of(node, _asked(request)[1])
    return None


def _key_of(node: FieldNode, variables: Doc) -> str | None:
    for directive in node.directives or ():
        if directive.name.value == "idempotent":
            value = (directive.arguments or ())[0].value
            if isinstance(value, VariableNode):
                given = variables.get(value.name.value)
                return given if isinstance(given, str) else None
            return value.value if isinstance(value, StringValueNode) else None
    return None


def busy(request: Request) -> Answer:
    errors = [{"field": None, "message": IN_PROGRESS}]
    node = next(node for node in _roots(request) if node.name.value == "refundCreate")
    name = node.alias.value if node.alias else "refundCreate"
    return Answer.json(200, {"data": {name: {"refund": None, "order": None, "userErrors": errors}}})


def answer(request: Request, db: Connection) -> Answer:
    found = PATH.match(request.path)
    if found is None or request.method != "POST":
        return Answer.json(404, {"errors": "Not Found"})
    secret = (store.credentials(db, request.shop) or {}).get("shopify_token")
    if not secret or not compare_digest(str(secret), request.headers.get("x-shopify-access-token", "")):
        message = "[API] Invalid API key or access token (unrecognized login or wrong password)"
        return Answer.json(401, {"errors": message})
    version = found["version"] if found["version"] in VERSIONS else VERSIONS[0]
    headers = {
        "X-Shopify-API-Version": version,
        "X-Request-Id": token(request.now, request.body, length=32),
    }
    try:
        source, variables, name = _asked(request)
    except MalformedError as problem:
        return Answer.json(400, {"errors": {"query": str(problem)}}, headers)
    document = _document(source)
    if isinstance(document, list):
        return Answer.json(200, {"errors": [error.formatted for error in document]}, headers)
    result = execute_sync(
        _schema(),
        document,
        root_value=Root(request, db, version).fields(),
        variable_values=variables,
        operation_name=name,
        type_resolver=lambda value, info, kind: value["__typename"],
    )
    content: Doc = {"data": result.data}
    if result.errors:
        content["errors"] = [error.formatted for error in result.errors]
    return Answer.json(200, content, headers)


class Root:
    """The root fields of one request."""

    def __init__(self, request: Request, db: Connection, version: str) -> None:
        self.request, self.db, self.version, self.shop = request, db, version, request.shop

    def fields(self) -> Doc:
        return {
            "shop": self.shop_graph,
            "order": lambda info, id: self.order_graph(number(id, "Order")),
            "orders": self.orders,
            "customer": self.customer,
            "refund": self.refund,
            "productVariant": lambda info, id: variant_named(
                self.db, self.shop, id=number(id, "ProductVariant")
            ),
            "productVariants": self.variants,
            "refundCreate": self.refund_create,
            "tagsAdd": self.tags_add,
        }

    def shop_graph(self, info: GraphQLResolveInfo[Any]) -> Doc:
        known = store.credentials(self.db, self.shop) or {}
        return {
            "id": gid("Shop", 1),
            "name": known.get("name", self.shop),
            "currencyCode": known.get("currency", "USD"),
            "myshopifyDomain": f"{self.shop}.myshopify.com",
        }

    def view(self, name: str) -> OrderView | None:
        order = store.order(self.db, self.shop, name)
        return OrderView(self.db, order) if order else None

    def order_graph(self, name: str) -> Doc | None:
        view = self.view(name)
        return view.graph() if view else None

    def orders(self, info: GraphQLResolveInfo[Any], query: str | None = None, **page: object) -> Doc:
        """All orders, newest first, or those of one name (`name:#1001`) or e-mail (`email:a@b.c`)."""
        found = store.orders(self.db, self.shop)
        if query:
            field, _, wanted = query.partition(":")
            wanted = wanted.strip("'\"")
            if field not in ("name", "email"):
                raise GraphQLError(f"the sandbox can't search orders by {query!r}; known: name, email")
            found = [order for order in found if wanted == _searched(order, field)]
        return connection([OrderView(self.db, order).graph() for order in found])(info, **page)

    def customer(self, info: GraphQLResolveInfo[Any], id: str) -> Doc | None:
        mine = store.orders_of_customer(self.db, self.shop, number(id, "Customer"))
        return customer_graph(self.db, self.shop, mine[-1]["customer"]) if mine else None

    def refund(self, info: GraphQLResolveInfo[Any], id: str) -> Doc | None:
        return self.refund_graph(number(id, "Refund"))

    def refund_graph(self, name: str) -> Doc | None:
        for row in store.refunds(self.db, self.shop):
            view = self.view(row["order_id"]) if row["doc"].get("shopify_id") == name else None
            if view:
                return view.refund_graph(row)
        return None

    def variants(self, info: GraphQLResolveInfo[Any], query: str | None = None, **page: object) -> Doc:
        """All variants, or the one of a `sku:` query."""
        rows = store.variants(self.db, self.shop)
        if query:
            field, _, wanted = query.partition(":")
            if field != "sku":
                raise GraphQLError(f"the sandbox can't search variants by {query!r}; known: sku")
            rows = [row for row in rows if row["sku"] == wanted.strip("'\"")]
        return connection([variant_graph(row) for row in rows])(info, **page)

    def tags_add(self, info: GraphQLResolveInfo[Any], id: str, tags: list[str]) -> Doc:
        name = number(id, "Order")
        if store.order(self.db, self.shop, name) is None:
            return {"node": None, "userErrors": [{"field": ["id"], "message": "Order does not exist"}]}
        for tag in tags:
            store.add_tag(self.db, self.shop, name, tag)
        return {"node": self.order_graph(name), "userErrors": []}

    def refund_create(self, info: GraphQLResolveInfo[Any], input: Doc) -> Doc:
        name = _key_of(info.field_nodes[0], _asked(self.request)[1])
        if name is None and self.version >= KEY_REQUIRED_SINCE:
            raise GraphQLError(NO_KEY, extensions={"code": "BAD_REQUEST"})
        try:
            return self.refund_once(name, input)
        except RefusedError as refusal:
            return {"order": None, "refund": None, "userErrors": [refusal.user_error]}

    def refund_once(self, name: str | None, wish: Doc) -> Doc:
        """Executes a refund, or answers with the one that this key made before."""
        fingerprint = token(json.dumps(wish, sort_keys=True), length=64)
        kept = store.kept_answer(self.db, "shopify", self.shop, name) if name else None
        if kept and kept["fingerprint"] != fingerprint:
            raise RefusedError(OTHER_PARAMETERS)
        view = self.view(number(wish["orderId"], "Order"))
        if view is None:
            raise RefusedError("Order does not exist", "orderId")
        if kept:
            return self.made(kept["body"].decode(), view)
        status = "pending" if self.request.stumbles("pending") else "succeeded"
        at = iso(self.request.now)
        row = create(view, plan(view, wish), key=name, at=at, note=wish.get("note"), status=status)
        if name:
            refund = row["doc"]["shopify_id"]
            store.keep_answer(self.db, "shopify", self.shop, name, fingerprint, (200, refund.encode(), {}))
        return self.made(row["doc"]["shopify_id"], view)

    def made(self, refund: str, view: OrderView) -> Doc:
        return {"order": self.order_graph(view.id), "refund": self.refund_graph(refund), "userErrors": []}


def _suggested(order: Doc, info: GraphQLResolveInfo[Any], **wish: object) -> Doc:
    try:
        return suggest(order["__view__"], wish)
    except RefusedError as refusal:
        raise GraphQLError(str(refusal)) from refusal


def _searched(order: Doc, field: str) -> object:
    return order["name"] if field == "name" else (order.get("customer") or {}).get("email")


VENDOR = Vendor(operation, answer, key, busy)
