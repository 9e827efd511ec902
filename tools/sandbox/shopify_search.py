"""Finding orders: Shopify's search syntax, sort keys and cursors that stay right while orders move.

https://shopify.dev/docs/api/usage/search-syntax
"""

import re
from collections.abc import Callable
from operator import eq, ge, gt, le, lt
from sqlite3 import Connection
from typing import Any

from graphql import GraphQLError

from tools.sandbox import books, store
from tools.sandbox.exchange import Doc, utc
from tools.sandbox.shopify_nodes import cursor, page_of, page_size, place_of

TERM = re.compile(r"""(?P<field>\w+):(?P<sign>>=|<=|>|<)?(?P<value>'[^']*'|"[^"]*"|[^\s()]+)""")
MOMENTS = {"updated_at": "updated_at", "created_at": "created_at", "processed_at": "created_at"}
COMPARE: dict[str, Callable[[Any, Any], bool]] = {"": eq, ">": gt, ">=": ge, "<": lt, "<=": le}
SORTED_BY = {"UPDATED_AT": "updated_at", "CREATED_AT": "created_at", "PROCESSED_AT": "created_at", "ID": "id"}


def terms(query: str) -> list[tuple[str, str, str]]:
    """Field, comparator and value of each term; a GraphQL error for what the sandbox can't search by."""
    found = [(one["field"], one["sign"] or "", one["value"].strip("'\"")) for one in TERM.finditer(query)]
    rest = TERM.sub("", query).replace("AND", "").strip()
    known = (*MOMENTS, "name", "email", "id", "tag", "status")
    if rest or not found or any(field not in known for field, _, _ in found):
        raise GraphQLError(f"the sandbox can't search orders by {query!r}; known: {', '.join(known)}")
    return found


def matching(db: Connection, shop: str, query: str | None) -> list[Doc]:
    """The orders that fit the query; `status` is understood and changes nothing, for none is ever closed."""
    wanted = terms(query) if query else []
    since = max((utc(value) for field, sign, value in wanted if field == "updated_at" and sign in (">", ">=")),
                default="")  # fmt: skip
    found = store.orders(db, shop, since)
    for field, sign, value in wanted:
        found = [order for order in found if _fits(db, order, field, sign, value)]
    return found


def _fits(db: Connection, order: Doc, field: str, sign: str, value: str) -> bool:
    if field == "status":
        return True
    if field in MOMENTS:
        return COMPARE[sign](utc(order[MOMENTS[field]]), utc(value))
    if field == "id":
        return COMPARE[sign](int(order["id"]), int(value))
    if field == "tag":
        return value in books.tags_of(db, order["shop"], str(order["id"]))
    have = order["name"] if field == "name" else (order.get("customer") or {}).get("email")
    return str(have).lower() == value.lower()


def page(
    found: list[Doc],
    key: str,
    reverse: bool,
    first: int | None,
    after: str | None,
    node: Callable[[Doc], Doc],
) -> Doc:
    """One page in the order of the key; a cursor names the value and the id that it stopped at."""
    column = SORTED_BY.get(key)
    if column is None:
        raise GraphQLError(f"the sandbox can't sort orders by {key}; known: {', '.join(SORTED_BY)}")
    size = page_size(first)

    def rank(order: Doc) -> list[Any]:
        own = int(order["id"])
        return [own if column == "id" else utc(order[column]), own]

    ranked = sorted(found, key=rank, reverse=reverse)
    if after:
        last = place_of(after)
        ranked = [order for order in ranked if (rank(order) < last if reverse else rank(order) > last)]
    chosen = ranked[:size]
    marks = [cursor(rank(order)) for order in chosen]
    return page_of([node(order) for order in chosen], marks, more=len(ranked) > size, earlier=bool(after))
