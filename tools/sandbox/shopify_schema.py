"""The part of Shopify's Admin GraphQL schema that the sandbox serves, under each version as published then.

Everything else is refused by name when a document is validated. Currency and country codes are plain scalars
here, for their enums list every one there is. https://shopify.dev/docs/api/usage/versioning
"""

from functools import cache
from typing import Any

from graphql import GraphQLScalarType, GraphQLSchema, build_schema

from tools.sandbox.shopify_sdl_orders import ORDERS
from tools.sandbox.shopify_sdl_parts import INPUTS, PARTS

VERSIONS = ("2025-10", "2026-01", "2026-04", "2026-07")
NEW_PAYMENT_ERRORS = """
AMOUNT_TOO_LARGE AMOUNT_TOO_SMALL AUTHENTICATION_FAILED AUTHENTICATION_REQUIRED
AUTHORIZATION_EXPIRED CANCELLED_PAYMENT CARD_TESTING DO_NOT_HONOR FRAUD_SUSPECTED
INSTRUMENT_DECLINED INSUFFICIENT_FUNDS INVALID_CURRENCY INVALID_PAYMENT_METHOD INVALID_PURCHASE_TYPE
MERCHANT_ACCOUNT_ERROR MERCHANT_RULE PAYMENT_METHOD_UNSUPPORTED PAYMENT_PROVIDER_ERROR
RETRY_DECLINED TRANSACTION_LIMIT_EXCEEDED
"""


def changes(version: str) -> dict[str, str]:
    """What differs between the versions, each where the changelog of its version tells of it."""
    keyed, spring = version >= "2026-01", version >= "2026-04"
    return {
        "idempotent": "directive @idempotent(key: String!) on FIELD" if keyed else "",
        "dispute_day": "DateTime" if spring else "Date",
        "prevented": "PREVENTED" if spring else "",
        "inactive": ", includeInactive: Boolean" if spring else "",
        "is_active": " isActive: Boolean!" if spring else "",
        "new_errors": NEW_PAYMENT_ERRORS if spring else "",
    }


def _day(value: Any) -> Any:
    return str(value)[:10]


@cache
def schema(version: str) -> GraphQLSchema:
    """The schema of a version; one that is newer than all that we know is served as the newest."""
    made = build_schema((ORDERS + PARTS + INPUTS) % changes(version))
    day = made.type_map["Date"]
    if isinstance(day, GraphQLScalarType):
        day.coerce_output_value = _day
    return made
