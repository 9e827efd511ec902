"""Changes that vendors really made, each with the sentence that a developer reads before the upgrade."""

import json
from dataclasses import replace
from typing import Any, Literal

from pydantic import AwareDatetime

from tests.contracts.answers import HERE
from tools.adapters import stripe_known
from tools.adapters.operation import Example, Operation
from tools.adapters.replies import Reply
from tools.adapters.table import named
from tools.contracts import check
from tools.contracts.findings import Finding
from tools.wire import Kind

DISPUTE = "query OpsDispute($id: ID!) { dispute(id: $id) { id status evidenceDueBy } }"
STOCK = """
mutation OpsStock($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) { userErrors { message } }
}
"""
NEEDS_A_KEY = (
    "refundCreate needs the directive @idempotent(key: …) since 2026-04: "
    "Shopify refuses the mutation without it, although the schema does not say so"
)


class Dispute(Reply):
    id: str
    status: Literal["ACCEPTED", "CHARGE_REFUNDED", "LOST", "NEEDS_RESPONSE", "UNDER_REVIEW", "WON"]
    evidenceDueBy: AwareDatetime | None  # noqa: N815 - the vendor's name


class DisputeData(Reply):
    dispute: Dispute | None


class DisputeReply(Reply):
    data: DisputeData


def findings(version: str, operation: Operation) -> list[Finding]:
    text = (HERE / f"shopify_{version}.graphql").read_text()
    return list(check.shopify(text, version, [operation]).findings)


def told(version: str, operation: Operation) -> list[tuple[str, str, str]]:
    return [(one.severity.value, one.where, one.what) for one in findings(version, operation)]


def stock(quantity: dict[str, object], **more: object) -> Operation:
    item = {"inventoryItemId": "gid://shopify/InventoryItem/1", "locationId": "gid://shopify/Location/2"}
    wish = {
        "name": "available",
        "reason": "correction",
        "quantities": [{**item, "quantity": 3, **quantity}],
        **more,
    }
    example = Example(variables={"input": wish, "key": "5f5b6ebf-143c-4da5-8d0f-fb8553bfd85d"})
    return Operation("shopify", "stock", Kind.IDEMPOTENT_WRITE, None, lambda: (example,), document=STOCK)


def dispute() -> Operation:
    example = Example(variables={"id": "gid://shopify/ShopifyPaymentsDispute/1"})
    return Operation("shopify", "dispute", Kind.READ, DisputeReply, lambda: (example,), document=DISPUTE)


def refund_without_key() -> Operation:
    """Our own refund as somebody wrote it before keys were a must."""
    ours = named("shopify", "refundCreate")
    assert ours is not None
    document = ours.document.replace("@idempotent(key: $key)", "").replace(", $key: String!", "")
    examples = tuple(
        replace(one, variables={name: value for name, value in one.variables.items() if name != "key"})
        for one in ours.examples()
    )
    return replace(ours, document=document, examples=lambda: examples)


def test_a_refund_without_a_key_is_refused_since_2026_04() -> None:
    assert told("2026-01", refund_without_key()) == []
    for version in ("2026-04", "2026-07"):
        assert told(version, refund_without_key()) == [
            (
                "breaks",
                "document, refundCreate",
                NEEDS_A_KEY,
            )
        ]


def test_before_2026_01_no_key_could_be_sent_at_all() -> None:
    ours = named("shopify", "refundCreate")
    assert ours is not None
    text = (
        (HERE / "shopify_2026-01.graphql")
        .read_text()
        .replace("directive @idempotent(key: String!) on FIELD", "")
    )
    found = check.shopify(text, "2025-10", [ours]).findings
    assert [(one.severity.value, one.what) for one in found] == [
        ("breaks", "Unknown directive '@idempotent'.")
    ]
    assert found[0].where == "document line 3, refundCreate"


def test_a_key_on_a_mutation_that_takes_none_is_named() -> None:
    document = (
        'mutation OpsTags { tagsAdd(id: "1", tags: []) @idempotent(key: "a") { userErrors { message } } }'
    )
    operation = Operation("shopify", "tagsAdd", Kind.UNSAFE_WRITE, None, lambda: (), document=document)
    assert told("2026-07", operation) == [
        ("breaks", "document, tagsAdd", "tagsAdd does not take the directive @idempotent")
    ]


def test_the_quantity_to_compare_with_was_deprecated_in_2026_01_and_gone_in_2026_04() -> None:
    operation = stock({"compareQuantity": 2})
    assert told("2026-01", operation) == [
        (
            "deprecated",
            "variable input.quantities.0.compareQuantity",
            "compareQuantity is deprecated: Use `changeFromQuantity` instead. This will be removed in 2026-04.",
        )
    ]
    for version in ("2026-04", "2026-07"):
        (found,) = told(version, operation)
        assert found[:2] == ("breaks", "variable input.quantities.0")
        assert "InventoryQuantityInput' not to include unknown field 'compareQuantity'" in found[2]


def test_what_came_in_its_place_is_taken_by_all_three() -> None:
    for version in ("2026-01", "2026-04", "2026-07"):
        assert told(version, stock({"changeFromQuantity": 2})) == []


def test_a_disputes_deadline_was_a_date_until_2026_04() -> None:
    assert told("2026-01", dispute()) == [
        (
            "breaks",
            "reply field dispute.evidenceDueBy",
            "it is Date in this version, and Dispute.evidenceDueBy reads instant or null",
        )
    ]
    assert "reply field dispute.evidenceDueBy" not in [one[1] for one in told("2026-04", dispute())]


def test_a_new_status_of_disputes_is_a_change_to_look_at() -> None:
    assert told("2026-04", dispute()) == [
        ("changes", "reply field dispute.status", "it may be PREVENTED, which Dispute.status does not know")
    ]


def stripe_without(schema: str, name: str) -> str:
    content: dict[str, Any] = json.loads((HERE / f"stripe_{stripe_known.VERSION}.json").read_text())
    told = content["components"]["schemas"][schema]
    del told["properties"][name]
    told["required"] = [one for one in told["required"] if one != name]
    return json.dumps(content)


def test_a_field_that_charges_lose_is_named_with_who_reads_it() -> None:
    report = check.rest(stripe_without("charge", "amount_captured"), "stripe")
    found = [
        (one.operation, one.where, one.what) for one in report.findings if one.operation == "charges.retrieve"
    ]
    what = "it is not in this version, and ChargeObject.amount_captured reads it"
    assert found == [("charges.retrieve", "reply field amount_captured", what)]
    assert report.breaks


def test_a_field_that_we_never_read_may_go() -> None:
    content: dict[str, Any] = json.loads((HERE / f"stripe_{stripe_known.VERSION}.json").read_text())
    del content["components"]["schemas"]["charge"]["properties"]["receipt_url"]
    assert check.rest(json.dumps(content), "stripe").findings == ()
