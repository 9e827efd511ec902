"""Every way in which a GraphQL answer can change is named: null, lists, other types, other values, other arguments."""

from typing import Literal

import pytest

from tools.adapters.operation import Example, Operation
from tools.adapters.replies import Reply
from tools.contracts import check
from tools.wire import Kind

SCHEMA = """
schema { query: QueryRoot }
scalar DateTime
scalar Decimal
enum State { OPEN CLOSED }
interface Node { id: ID! }
type QueryRoot { thing(id: ID!): Thing node(id: ID!): Node }
type Thing implements Node {
  id: ID!
  count: Int!
  price: Decimal!
  state: State!
  tags: [String!]!
  parts(first: Int): [Part!]!
}
type Part { name: String! }
"""
DOCUMENT = """
query One($id: ID!, $first: Int) {
  thing(id: $id) { id count price state tags parts(first: $first) { ...Name } }
}
fragment Name on Part { label: name }
"""


class Part(Reply):
    label: str


class Thing(Reply):
    id: str
    count: int
    price: str
    state: Literal["OPEN", "CLOSED"]
    tags: tuple[str, ...]
    parts: tuple[Part, ...]


class Data(Reply):
    thing: Thing | None


class Answer(Reply):
    data: Data


def operation(document: str = DOCUMENT, reply: type[Reply] = Answer) -> Operation:
    example = Example(variables={"id": "gid://shop/Thing/1", "first": 5})
    return Operation("shopify", "thing", Kind.READ, reply, lambda: (example,), document=document)


def told(schema: str, *, of: Operation | None = None) -> list[tuple[str, str, str]]:
    findings = check.shopify(schema, "2027-01", [of or operation()]).findings
    return [(one.severity.value, one.where, one.what) for one in findings]


def test_a_schema_that_fits_leads_to_nothing() -> None:
    assert told(SCHEMA) == []


CHANGES = [
    (
        "count: Int!",
        "count: Int",
        "count",
        "it may be null in this version, and Thing.count does not take null",
    ),
    (
        "tags: [String!]!",
        "tags: [String]!",
        "tags",
        "it may be null in this version, and Thing.tags does not take null",
    ),
    ("tags: [String!]!", "tags: String!", "tags", "it is String in this version, and Thing.tags reads array"),
    ("count: Int!", "count: [Int!]!", "count", "it is a list in this version, and Thing.count reads integer"),
    ("count: Int!", "count: String!", "count", "it is String in this version, and Thing.count reads integer"),
    (
        "price: Decimal!",
        "price: Float!",
        "price",
        "it is Float in this version, and Thing.price reads string",
    ),
    ("state: State!", "state: Int!", "state", "it is Int in this version, and Thing.state reads string"),
    (
        "name: String!",
        "name: String",
        "parts.label",
        "it may be null in this version, and Part.label does not take null",
    ),
]


@pytest.mark.parametrize(("before", "after", "field", "what"), CHANGES)
def test_a_retyped_field_is_named_with_both_types(before: str, after: str, field: str, what: str) -> None:
    assert told(SCHEMA.replace(before, after)) == [("breaks", f"reply field thing.{field}", what)]


def test_a_scalar_of_which_we_know_nothing_is_a_change_to_look_at() -> None:
    what = "it has the type Amount, of which we don't know how it is written; Thing.price reads string"
    changed = SCHEMA.replace("price: Decimal!", "price: Amount!") + "scalar Amount"
    assert told(changed) == [("changes", "reply field thing.price", what)]


def test_an_argument_that_becomes_a_must_is_named_with_its_line() -> None:
    changed = SCHEMA.replace("thing(id: ID!)", "thing(id: ID!, shop: ID!)")
    ((severity, where, what),) = told(changed)
    assert (severity, where) == ("breaks", "document line 3, thing")
    assert "(shop:)' of type 'ID!' is required" in what


def test_an_argument_of_another_type_is_named() -> None:
    ((severity, where, what),) = told(SCHEMA.replace("parts(first: Int)", "parts(first: String)"))
    assert (severity, where) == ("breaks", "document line 2")
    assert "$first" in what


def test_a_deprecated_field_is_named_with_what_to_use_instead() -> None:
    changed = SCHEMA.replace("count: Int!", 'count: Int! @deprecated(reason: "Use `total` instead.")')
    what = "The field Thing.count is deprecated. Use `total` instead."
    assert told(changed) == [("deprecated", "document line 3, thing.count", what)]


def test_a_model_that_reads_what_the_document_does_not_ask_for_is_named() -> None:
    what = "Thing.count reads it, and the document does not ask for it"
    asked = operation(DOCUMENT.replace(" count ", " "))
    assert told(SCHEMA, of=asked) == [("breaks", "reply field thing.count", what)]


class NodeReply(Reply):
    id: str
    count: int


class NodeData(Reply):
    node: NodeReply | None


class NodeAnswer(Reply):
    data: NodeData


def test_what_only_some_types_have_is_not_needed_always() -> None:
    document = "query One($id: ID!) { node(id: $id) { id ... on Thing { count } } }"
    asked = Operation("shopify", "node", Kind.READ, NodeAnswer, lambda: (), document=document)
    what = "only some of the types that may come have it, and NodeReply.count needs it always"
    assert told(SCHEMA, of=asked) == [("breaks", "reply field node.count", what)]
