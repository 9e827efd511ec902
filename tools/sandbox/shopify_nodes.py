"""What every part of Shopify's graph is made of: global ids, money bags, connections."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo

from tools.sandbox.exchange import Doc
from tools.sandbox.money import to_decimal

MOST_PER_PAGE = 250


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


def cursor(place: object) -> str:
    """An opaque place in a list, as Shopify's are."""
    return base64.b64encode(json.dumps(place).encode()).decode()


def place_of(text: str) -> Any:
    """What a cursor stands for; a GraphQL error for one that we didn't give out."""
    try:
        return json.loads(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error) as error:
        raise GraphQLError(f"Invalid cursor for current pagination sort: {text!r}") from error


def page_size(first: int | None, last: int | None = None) -> int:
    """How many are asked for; Shopify wants one of the two, between 1 and 250."""
    asked = first if first is not None else last
    if asked is None or not 0 < asked <= MOST_PER_PAGE or (first is not None and last is not None):
        raise GraphQLError("you must provide one of first or last, between 1 and 250")
    return asked


def page_of(nodes: Sequence[Doc], cursors: Sequence[str], *, more: bool, earlier: bool) -> Doc:
    """A connection's content with its page info."""
    return {
        "nodes": list(nodes),
        "edges": [{"cursor": mark, "node": node} for mark, node in zip(cursors, nodes, strict=True)],
        "pageInfo": {
            "hasNextPage": more,
            "hasPreviousPage": earlier,
            "startCursor": cursors[0] if cursors else None,
            "endCursor": cursors[-1] if cursors else None,
        },
    }


def connection(nodes: Sequence[Doc]) -> Callable[..., Doc]:
    """A resolver that pages through nodes both ways; `first` or `last` is required, as it is at Shopify."""

    def page(
        info: GraphQLResolveInfo[Any],
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        reverse: bool = False,
        **_: object,
    ) -> Doc:
        size = page_size(first, last)
        chosen = list(reversed(nodes)) if reverse else list(nodes)
        start = int(place_of(after)) + 1 if after else 0
        end = int(place_of(before)) if before else len(chosen)
        if first is not None:
            end = min(end, start + size)
        else:
            start = max(start, end - size)
        marks = [cursor(place) for place in range(start, max(start, end))]
        return page_of(
            chosen[start:end], marks[: len(chosen[start:end])], more=end < len(chosen), earlier=start > 0
        )

    return page


def lazily(make: Callable[[], Sequence[Doc]]) -> Callable[..., Doc]:
    """A connection whose nodes are made when they are asked for."""

    def page(info: GraphQLResolveInfo[Any], **asked: Any) -> Doc:
        return connection(make())(info, **asked)

    return page


def listed(nodes: list[Doc]) -> Callable[..., list[Doc]]:
    return lambda info, first=None, **_: nodes[:first]
