"""Nothing that we use can vanish from a vendor's contract without the check naming it."""

import random
import re
from collections.abc import Iterator

import pytest

from tests.contracts.answers import HERE, SPECS, needs_specs, shopify_schema
from tests.contracts.uses import Document, Use, graphql_uses, rest_uses
from tools.adapters import shopify_documents, stripe_known
from tools.adapters.operation import Operation
from tools.contracts import check
from tools.contracts.accepted import ACCEPTED
from tools.contracts.findings import Difference
from tools.contracts.openapi import OpenApi

ORDINARY = 12


def operations(vendor: str) -> list[Operation]:
    return list(check.of_vendor(vendor))


def not_chosen(vendor: str, found: Iterator[Difference]) -> list[Difference]:
    return [one for one in found if (vendor, one.rule, one.owner) not in ACCEPTED]


def shopify_unnoticed(operation: Operation, few: int | None) -> list[str]:
    schema = shopify_schema()
    uses = graphql_uses(schema, operation)
    assert uses, "the operation uses nothing"
    unnoticed = []
    for use in sample(uses, few):
        with use.gone():
            found = not_chosen(
                "shopify", check.graphql_differences(schema, shopify_documents.VERSION, operation)
            )
        if not any(names(f"{one.where} {one.what}", use) for one in found):
            unnoticed.append(use.what)
    return unnoticed


def names(text: str, use: Use) -> bool:
    """As a word of its own: what is said of `paid` doesn't name `id`."""
    return re.search(rf"\b{re.escape(use.name)}\b", text) is not None


def sample(uses: list[Use], few: int | None) -> list[Use]:
    if few is None or len(uses) <= few:
        return uses
    return random.Random(7).sample(sorted(uses, key=lambda use: use.what), few)


def rest_unnoticed(vendor: str, document: Document, operation: Operation) -> list[str]:
    contract = OpenApi(document.content)
    unnoticed = []
    for use in rest_uses(document, operation):
        with use.gone():
            found = not_chosen(vendor, check.openapi_differences(contract, operation))
        if not any(names(one.where, use) for one in found):
            unnoticed.append(use.what)
    return unnoticed


@pytest.mark.parametrize("operation", operations("shopify"), ids=lambda one: one.name)
def test_what_vanishes_from_shopifys_schema_is_named(operation: Operation) -> None:
    assert shopify_unnoticed(operation, ORDINARY) == []


@pytest.mark.nightly
@pytest.mark.parametrize("operation", operations("shopify"), ids=lambda one: one.name)
def test_all_that_can_vanish_from_shopifys_schema_is_named(operation: Operation) -> None:
    assert shopify_unnoticed(operation, None) == []


@pytest.fixture(scope="module")
def stripe() -> Document:
    return Document((HERE / f"stripe_{stripe_known.VERSION}.json").read_text())


@pytest.mark.parametrize("operation", operations("stripe"), ids=lambda one: one.name)
def test_what_vanishes_from_stripes_contract_is_named(stripe: Document, operation: Operation) -> None:
    assert rest_uses(stripe, operation)
    assert rest_unnoticed("stripe", stripe, operation) == []


OTHERS = {"klaviyo": "klaviyo_2026-07-15.trimmed.json", "whatsapp": "whatsapp_v23.0.trimmed.json"}
# WhatsApp's contract doesn't hold the reading of a phone number.
OF_OTHERS = [one for vendor in OTHERS for one in operations(vendor) if one.name != "phone_number"]


@needs_specs
@pytest.mark.parametrize("operation", OF_OTHERS, ids=lambda one: one.name)
def test_what_vanishes_from_another_contract_is_named(operation: Operation) -> None:
    vendor = operation.vendor
    document = Document((SPECS / vendor / OTHERS[vendor]).read_text())
    assert rest_uses(document, operation)
    assert rest_unnoticed(vendor, document, operation) == []


@pytest.mark.parametrize("operation", operations("stripe"), ids=lambda one: one.name)
def test_an_operation_that_vanishes_is_named(stripe: Document, operation: Operation) -> None:
    example = operation.examples()[0]
    verbs = stripe.content["paths"][example.path]
    with Use(example.path, example.method.lower(), (verbs,)).gone():
        found = list(check.openapi_differences(OpenApi(stripe.content), operation))
    assert [one.what for one in found] == ["this version does not have the operation"] * len(
        operation.examples()
    )


WITH_QUERY = [one for one in operations("stripe") if any(example.query for example in one.examples())]


@pytest.mark.parametrize("operation", WITH_QUERY, ids=lambda one: one.name)
def test_a_query_parameter_that_vanishes_is_named(operation: Operation) -> None:
    for name in sorted({name.partition("[")[0] for each in operation.examples() for name in each.query}):
        document = Document((HERE / f"stripe_{stripe_known.VERSION}.json").read_text())
        told = document.operation(operation.examples()[0].method, operation.examples()[0].path)
        told["parameters"] = [one for one in told["parameters"] if one["name"] != name]
        found = list(check.openapi_differences(OpenApi(document.content), operation))
        assert f"query parameter {name}" in {one.where for one in found}
