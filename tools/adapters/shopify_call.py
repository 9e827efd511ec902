"""One request to Shopify's Admin GraphQL API, and what its envelope says: errors, version, price.

https://shopify.dev/docs/api/usage/response-codes and https://shopify.dev/docs/api/usage/limits
"""

# ruff: noqa: N815 - the fields bear the vendor's names

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import ClassVar, TypeVar
from uuid import UUID

import structlog
from pydantic import ValidationError

from tools import pacing, wire
from tools.adapters import shopify_documents as documents
from tools.adapters.accounts import Account
from tools.adapters.replies import Reply, canonical
from tools.adapters.versions import other_version
from tools.errors import ContractDrift, InvalidArgs, OutcomeUnknown, Refused, ToolError, Unavailable
from tools.wire import Answer, Call, Kind

log = structlog.get_logger(__name__)
VENDOR = "shopify"
Value = TypeVar("Value")
# The smallest plan restores 100 points a second, and every plan's bucket is full again within a minute.
SLOWEST_RESTORE, LONGEST_FILL_SECONDS = 1.0, 3600.0
VERSION_HEADER = "X-Shopify-API-Version"
NEVER_RAN = frozenset({"THROTTLED"})
FINAL = frozenset({"ACCESS_DENIED", "SHOP_INACTIVE", "MAX_COST_EXCEEDED", "BAD_REQUEST"})
# https://shopify.dev/docs/api/usage/implementing-idempotency: without the directive, a retry pays twice.
NEEDS_KEY, KEY_DIRECTIVE = "refundCreate(", "@idempotent(key: $key)"


class Body(Reply):
    """Base of all answers: `data` is the subclass's, the rest of the envelope is read by the judge."""

    also_known: ClassVar[frozenset[str]] = frozenset({"extensions", "errors"})


class UserError(Reply):
    """What a mutation had against its input."""

    message: str
    field: tuple[str, ...] | None


class _Throttle(Reply):
    maximumAvailable: float
    currentlyAvailable: float
    restoreRate: float


class _Cost(Reply):
    requestedQueryCost: float
    throttleStatus: _Throttle


class _Extensions(Reply):
    cost: _Cost | None = None


class _ErrorExtensions(Reply):
    code: str = ""


class _Error(Reply):
    message: str = ""
    extensions: _ErrorExtensions = _ErrorExtensions()


class _Errors(Reply):
    errors: tuple[_Error, ...] = ()


def gid(kind: str, external_id: str) -> str:
    """The global id of a number, as GraphQL wants it: gid://shopify/Order/1."""
    return f"gid://shopify/{kind}/{external_id}"


def number(global_id: str) -> str:
    """The number at the end of a global id, as webhooks name the same thing."""
    return global_id.rpartition("/")[2].partition("?")[0]


def request(
    account: Account,
    operation: str,
    kind: Kind,
    document: str,
    variables: Mapping[str, object],
    correlation_id: UUID,
) -> Call:
    """The call; raises InvalidArgs for a refund whose document would let a retry pay twice."""
    if NEEDS_KEY in document and not (KEY_DIRECTIVE in document and variables.get("key")):
        raise InvalidArgs("no idempotency key", vendor=VENDOR, operation=operation, code="no_key")
    # A parser that only what asks the shop needs, and every command would load.
    from tools.adapters.shopify_cost import cost

    return Call(
        vendor=VENDOR,
        operation=operation,
        shop=account.slug,
        kind=kind,
        method="POST",
        url=f"{account.shopify_admin_url}/admin/api/{documents.VERSION}/graphql.json",
        correlation_id=correlation_id,
        headers={
            "Content-Type": "application/json",
            "X-Shopify-Access-Token": account.shopify_access_token,
        },
        content=canonical({"query": document, "variables": dict(variables)}),
        judge=judge,
        cost=float(cost(document)),
        reconcile=wire.Reconcile.READING if kind is Kind.UNSAFE_WRITE else None,
    )


def read_call(
    account: Account, operation: str, document: str, variables: Mapping[str, object], correlation_id: UUID
) -> Call:
    """A reading: it may be made as often as needed."""
    return request(account, operation, Kind.READ, document, variables, correlation_id)


def known(thing: Value | None, operation: str) -> Value:
    """What was asked for; Refused (not_found) where the shop knows none."""
    if thing is None:
        raise Refused(vendor=VENDOR, operation=operation, code="not_found")
    return thing


def same(told: str, asked: str, operation: str, path: str) -> None:
    """Raises ContractDrift where an answer is about another thing than was asked for."""
    if told != asked:
        raise ContractDrift("another one", vendor=VENDOR, operation=operation, field_path=path)


def refuse(operation: str, errors: Sequence[UserError]) -> None:
    """Raises what userErrors mean: a no, unless they speak of the key, which may have been executed before."""
    if not errors:
        return
    if any("idempot" in error.message.lower() or "in progress" in error.message for error in errors):
        raise OutcomeUnknown(vendor=VENDOR, operation=operation, code="idempotency")
    path = ".".join(errors[0].field or ()) or "user_error"
    # The message may repeat what a person wrote, and an error holds no personal data.
    raise Refused(vendor=VENDOR, operation=operation, code=path)


def judge(call: Call, answer: Answer) -> ToolError | None:
    """Shopify answers 200 to nearly all; what went wrong stands in `errors` and in the version header."""
    drift = other_version(call, answer, VERSION_HEADER, documents.VERSION)
    if drift is not None:
        return drift
    content = _json(answer)
    throttled = _learn(call, content)
    if answer.status != 200:
        return None
    if not isinstance(content, dict):
        return wire.lost(call, "not_json")
    return _errors(call, content, throttled) if "errors" in content else None


def _json(answer: Answer) -> object:
    try:
        content: object = json.loads(answer.body)
    except ValueError:
        return None
    return content


def _learn(call: Call, content: object) -> float:
    """Tells the budget what the vendor says of it; the seconds until the query could be paid, 1 where untold."""
    told = content.get("extensions") if isinstance(content, dict) else None
    try:
        found = _Extensions.model_validate_json(json.dumps(told or {})).cost
    except ValidationError:
        log.warning(
            "shopify_cost_unreadable", operation=call.operation, correlation_id=str(call.correlation_id)
        )
        return 1.0
    if found is None or not _believable(found.throttleStatus):
        return 1.0
    left = found.throttleStatus
    pacing.learn(call.shop, VENDOR, left.maximumAvailable, left.restoreRate, left.currentlyAvailable)
    return max(0.1, (found.requestedQueryCost - left.currentlyAvailable) / left.restoreRate)


def _believable(told: _Throttle) -> bool:
    """Whether a bucket can be so: one that would never fill again held back the very call that tells of a better."""
    figures = (told.maximumAvailable, told.restoreRate, told.currentlyAvailable)
    if (
        not all(map(math.isfinite, figures))
        or told.maximumAvailable <= 0
        or told.restoreRate < SLOWEST_RESTORE
    ):
        return False
    fills_in = (told.maximumAvailable + max(0.0, -told.currentlyAvailable)) / told.restoreRate
    return fills_in <= LONGEST_FILL_SECONDS


def _errors(call: Call, content: Mapping[str, object], throttled: float) -> ToolError:
    """What errors beside `data` mean; without `data` nothing was executed (GraphQL specification, 7.1)."""
    try:
        errors = _Errors.model_validate_json(json.dumps({"errors": content["errors"]})).errors
    except ValidationError:
        return wire.lost(call, "errors")
    code = next((error.extensions.code for error in errors if error.extensions.code), "")
    if code in NEVER_RAN:
        return Unavailable(vendor=VENDOR, operation=call.operation, code=code, retry_after=throttled)
    if code in FINAL or "data" not in content:
        return Refused(vendor=VENDOR, operation=call.operation, code=code or "graphql_error")
    return wire.lost(call, code or "graphql_error")
