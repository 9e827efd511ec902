"""The stand-ins say nothing that the vendors' published contracts don't say, where those are at hand."""

import json
from typing import Any

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    is_enum_type,
)

from tests.contracts.answers import SPECS
from tests.sandbox.world import Caller
from tools.sandbox.shopify_schema import schema

needs_specs = pytest.mark.skipif(not SPECS.is_dir(), reason="the vendors' contracts are not at hand")


@needs_specs
@pytest.mark.parametrize("version", ["2026-01", "2026-04", "2026-07"])
def test_the_shopify_schema_is_part_of_the_published_one(version: str) -> None:
    published = build_schema((SPECS / f"shopify/admin_{version}.trimmed.graphql").read_text())
    assert set(differences(schema(version), published)) == {"CurrencyCode", "CountryCode"}


def differences(ours: GraphQLSchema, theirs: GraphQLSchema) -> list[str]:
    found = []
    for name, kind in ours.type_map.items():
        other = theirs.type_map.get(name)
        if other is None or type(other) is not type(kind):
            found.append(name)
        elif is_enum_type(kind):
            # The trimmed contract holds every value of an enum that it holds at all.
            found += [f"{name}.{value}" for value in set(kind.values) ^ set(other.values)]  # type: ignore[attr-defined]  # narrowed by its twin
        elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            found += [f"{name}.{field}" for field in kind.fields if not same(kind, other, field)]
    return found


def same(kind: Any, other: Any, field: str) -> bool:
    ours, theirs = kind.fields[field], other.fields.get(field)
    if theirs is None or str(ours.type) != str(theirs.type):
        return False
    arguments = {name: str(one.type) for name, one in getattr(ours, "args", {}).items()}
    known = {name: str(one.type) for name, one in getattr(theirs, "args", {}).items()}
    required = {name for name, kind in known.items() if kind.endswith("!")}
    return arguments.items() <= known.items() and required <= set(arguments)


@needs_specs
def test_stripe_objects_hold_what_the_published_types_require_and_no_more(caller: Caller) -> None:
    published = json.loads((SPECS / "stripe/stripe_2026-10-28.endive.from-sdk.json").read_text())
    dispute = {"shop": "north", "charge": "ch_1", "amount": "28.90", "reason": "general", "id": "du_1"}
    caller.control("disputes", {**dispute, "status": "warning_needs_response"})
    answers = {
        "refund": caller.refund("k1").json(),
        "charge": caller.stripe("GET", "charges/ch_1").json(),
        "payment_intent": caller.stripe("GET", "payment_intents/pi_1").json(),
        "dispute": caller.stripe("GET", "disputes").json()["data"][0],
        "error": caller.stripe("GET", "charges/ch_9").json(),
    }
    for name, answer in answers.items():
        wanted = published["components"]["schemas"][name]
        assert set(wanted.get("required", [])) <= set(answer), name
        assert set(answer) <= set(wanted["properties"]), name


@needs_specs
def test_whatsapp_answers_have_the_published_shape(caller: Caller) -> None:
    published = json.loads((SPECS / "whatsapp/whatsapp_v23.0.trimmed.json").read_text())
    schemas = published["components"]["schemas"]
    assert set(caller.whatsapp().json()) <= set(schemas["MessageResponsePayload"]["properties"])
    error = schemas["GraphAPIError"]["properties"]["error"]
    refused = caller.whatsapp(token="EAA_other").json()["error"]
    assert set(error["required"]) <= set(refused) <= set(error["properties"])


@needs_specs
def test_klaviyo_errors_have_the_published_shape(caller: Caller) -> None:
    published = json.loads((SPECS / "klaviyo/klaviyo_2026-07-15.trimmed.json").read_text())
    client_error = published["components"]["responses"]["ClientError"]["content"]
    items = client_error["application/vnd.api+json"]["schema"]["properties"]["errors"]["items"]
    answer = caller.klaviyo("m1", {})
    assert answer.headers["Content-Type"] == "application/vnd.api+json"
    assert set(items["required"]) <= set(answer.json()["errors"][0])
