"""Shopify's Admin GraphQL API over HTTP: token, version, validation, cost, idempotency keys.

https://shopify.dev/docs/api/admin-graphql and https://shopify.dev/docs/api/usage/implementing-idempotency
"""

import re
from dataclasses import dataclass, field
from functools import cache, lru_cache
from hmac import compare_digest
from sqlite3 import Connection

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    StringValueNode,
    VariableNode,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)

from tools.sandbox import shopify_cancel, shopify_cost, shopify_refunds, store
from tools.sandbox.exchange import Answer, Doc, Request, Vendor, token
from tools.sandbox.shopify_root import Root, suggested
from tools.sandbox.shopify_schema import VERSIONS, schema

PATH = re.compile(r"^/admin/api/(?P<version>[^/]+)/graphql\.json$")
MOST_PRICES = 100
Prices = dict[object, tuple[int, bool]]
IN_PROGRESS = "This request is currently in progress, please try again."
DEPRECATED = "https://shopify.dev/api/usage/versioning#deprecation-practices"


@cache
def _schema(version: str) -> GraphQLSchema:
    made = schema(version)
    order = made.type_map["Order"]
    if isinstance(order, GraphQLObjectType):
        order.fields["suggestedRefund"].resolve = suggested
    return made


@dataclass
class Asked:
    """One GraphQL request as parsed: `problems` are why it can't be executed, `prices` what was worked out before."""

    document: DocumentNode | None = None
    problems: list[GraphQLError] = field(default_factory=list)
    prices: Prices = field(default_factory=dict)


@lru_cache(maxsize=512)
def _document(version: str, source: str) -> Asked:
    try:
        document = parse(source)
    except GraphQLError as error:
        return Asked(None, [error])
    return Asked(document, validate(_schema(version), document))


class MalformedError(ValueError):
    """The body is no GraphQL request."""


def _body(request: Request) -> tuple[str, Doc, str | None]:
    try:
        body = request.json()
        source, variables = body["query"], body.get("variables") or {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MalformedError("query is missing") from error
    if not isinstance(source, str) or not isinstance(variables, dict):
        raise MalformedError("query must be a string and variables an object")
    return source, variables, body.get("operationName")


def _chosen(document: DocumentNode | None, name: str | None) -> OperationDefinitionNode | None:
    return get_operation_ast(document, name) if document else None


def _roots(request: Request) -> list[FieldNode]:
    try:
        source, _, name = _body(request)
    except MalformedError:
        return []
    chosen = _chosen(_document(VERSIONS[-1], source).document, name)
    if chosen is None:
        return []
    return [node for node in chosen.selection_set.selections if isinstance(node, FieldNode)]


def operation(request: Request) -> str:
    """The first root field of the chosen operation, such as `order` or `refundCreate`.

    An order that is read for its refunds alone goes by `refunds`, one that is asked for advice by `suggestedRefund`.
    """
    roots = _roots(request)
    if not roots:
        return "unknown"
    inner = roots[0].selection_set.selections if roots[0].selection_set else ()
    parts = {node.name.value for node in inner if isinstance(node, FieldNode)}
    if roots[0].name.value == "order" and "suggestedRefund" in parts:
        return "suggestedRefund"
    if roots[0].name.value == "order" and "refunds" in parts and "lineItems" not in parts:
        return "refunds"
    return roots[0].name.value


def key(request: Request) -> str | None:
    """The idempotency key of a refundCreate; an unreadable one is left for the execution to complain about."""
    for node in _roots(request):
        if node.name.value == "refundCreate":
            return key_of(node, _body(request)[1])
    return None


def key_of(node: FieldNode, variables: Doc) -> str | None:
    for directive in node.directives or ():
        if directive.name.value == "idempotent" and directive.arguments:
            value = directive.arguments[0].value
            if isinstance(value, VariableNode):
                given = variables.get(value.name.value)
                return given if isinstance(given, str) else None
            return value.value if isinstance(value, StringValueNode) else None
    return None


def busy(request: Request) -> Answer:
    errors = [{"field": None, "message": IN_PROGRESS}]
    node = next(node for node in _roots(request) if node.name.value == "refundCreate")
    name = node.alias.value if node.alias else "refundCreate"
    headers = {"X-Shopify-API-Version": _served(request, ())}
    return Answer.json(200, {"data": {name: {"refund": None, "order": None, "userErrors": errors}}}, headers)


def _served(request: Request, supported: tuple[str, ...]) -> str:
    """The version that answers: the one in the path, or the oldest where that isn't supported."""
    found, known = PATH.match(request.path), supported or VERSIONS
    return found["version"] if found and found["version"] in known else known[0]


def answer(request: Request, db: Connection) -> Answer:
    found = PATH.match(request.path)
    if found is None or request.method != "POST":
        return Answer.json(404, {"errors": "Not Found"})
    known = store.credentials(db, request.shop) or {}
    secret = known.get("shopify_token")
    if not secret or not compare_digest(str(secret), request.headers.get("x-shopify-access-token", "")):
        message = "[API] Invalid API key or access token (unrecognized login or wrong password)"
        return Answer.json(401, {"errors": message})
    supported = tuple(known.get("shopify_versions") or VERSIONS)
    version = _served(request, supported)
    headers = {
        "X-Shopify-API-Version": version,
        "X-Request-Id": token(request.now, request.body, length=32),
    }
    try:
        source, variables, name = _body(request)
    except MalformedError as problem:
        return Answer.json(400, {"errors": {"query": str(problem)}}, headers)
    served = version if version in VERSIONS else VERSIONS[-1]
    asked = _document(served, source)
    document, chosen = asked.document, _chosen(asked.document, name)
    if asked.problems or document is None or chosen is None:
        problems = asked.problems or [GraphQLError("An operation name is required")]
        return Answer.json(200, {"errors": [error.formatted for error in problems]}, headers)
    shopify_cancel.settle(db, request.shop, request.when)
    shopify_refunds.settle(db, request.shop, request.when)
    return _priced(Work(request, db, served, document, asked.prices, chosen, variables), headers)


@dataclass(frozen=True)
class Work:
    """A request that can be executed."""

    request: Request
    db: Connection
    version: str
    document: DocumentNode
    prices: Prices
    chosen: OperationDefinitionNode
    variables: Doc

    def execute(self) -> ExecutionResult:
        root = Root(self.request, self.db, self.version, lambda node: key_of(node, self.variables))
        return execute_sync(
            _schema(self.version),
            self.document,
            root_value=root.fields(),
            variable_values=self.variables,
            operation_name=self.chosen.name.value if self.chosen.name else None,
            type_resolver=lambda value, info, kind: value["__typename"],
        )


def _priced(work: Work, headers: dict[str, str]) -> Answer:
    """Executes what the shop's bucket can pay for; the difference to what it really cost stays in the bucket."""
    requested, deprecated = _price(work)
    if deprecated:
        headers["X-Shopify-API-Deprecated-Reason"] = DEPRECATED
    if requested > shopify_cost.MOST:
        return Answer.json(200, {"errors": [shopify_cost.too_dear(requested)]}, headers)
    bucket = shopify_cost.Bucket(work.db, work.request.shop, work.request.now.timestamp())
    if not bucket.affords(requested):
        errors = [shopify_cost.throttled()]
        return Answer.json(200, {"errors": errors, "extensions": bucket.told(requested, None)}, headers)
    result = work.execute()
    mutation = work.chosen.operation is OperationType.MUTATION
    spent = min(requested, shopify_cost.actual(result.data, mutation=mutation))
    bucket.pay(spent)
    content: Doc = {"data": result.data, "extensions": bucket.told(requested, spent)}
    if result.errors:
        content["errors"] = [error.formatted for error in result.errors]
    return Answer.json(200, content, headers)


def _price(work: Work) -> tuple[int, bool]:
    """The requested cost, and whether a deprecated field is asked for; page sizes may come as variables."""
    sizes = tuple(sorted((name, size) for name, size in work.variables.items() if isinstance(size, int)))
    known = (work.chosen.name.value if work.chosen.name else None, sizes)
    if known not in work.prices:
        if len(work.prices) > MOST_PRICES:
            work.prices.clear()
        pricing = shopify_cost.Pricing(_schema(work.version), work.document, work.variables)
        work.prices[known] = (pricing.requested(work.chosen), bool(pricing.deprecated))
    return work.prices[known]


VENDOR = Vendor(operation, answer, key, busy)
