"""Holds every answer that a test provokes against the vendor's published contract."""

import json
from functools import cache
from pathlib import Path

import httpx
from graphql import GraphQLSchema, build_schema, parse

from tests.contracts.answers import SPECS, _Answer, stripe_contract
from tools.contracts.instances import problems
from tools.contracts.openapi import OpenApi

STRIPE_NAMES = {
    "refunds": "refund", "charges": "charge", "payment_intents": "intent", "disputes": "dispute", "events": "id",
    "radar/early_fraud_warnings": "early_fraud_warning", "credit_notes": "id",
}  # fmt: skip


def check(answer: httpx.Response) -> None:
    """Asserts that the answer is one that its vendor's contract allows; other paths than vendors' pass."""
    _, shop, vendor, *rest = [*answer.request.url.path.split("/"), "", ""]
    if shop.startswith("_") or not answer.content:
        return
    if vendor == "shopify" and answer.status_code == 200:
        _shopify(answer)
    elif vendor == "stripe":
        _stripe(answer, "/".join(filter(None, rest)))
    elif vendor == "klaviyo" and answer.status_code < 300:
        _rest(answer, _contract("klaviyo", "klaviyo_2026-07-15.trimmed"), "/" + "/".join(rest).strip("/"))
    elif vendor == "whatsapp" and answer.status_code < 300:
        found = next((one for one in rest if one in ("message_templates", "phone_numbers")), None)
        if found:
            contract = _contract("whatsapp", "whatsapp_v23.0.trimmed")
            _rest(answer, contract, f"/{{Version}}/{{WABA-ID}}/{found}")


@cache
def _published(version: str) -> GraphQLSchema | None:
    path = SPECS / "shopify" / f"admin_{version}.trimmed.graphql"
    return build_schema(path.read_text()) if path.is_file() else None


def _shopify(answer: httpx.Response) -> None:
    content, asked = answer.json(), json.loads(answer.request.content)
    assert set(content) <= {"data", "errors", "extensions"}
    schema = _published(answer.headers["X-Shopify-API-Version"])
    if schema is not None and content.get("data") is not None:
        told = _Answer(schema, parse(asked["query"])).problems(content["data"])
        found = [one for one in told if not one.endswith("__typename was not asked for")]
        # A root field that failed is null with an error beside it, whatever its type says.
        wrong = [one for one in found if not content.get("errors") or not one.endswith("is null")]
        assert wrong == [], wrong


@cache
def _contract(vendor: str, name: str) -> OpenApi | None:
    """A contract from beside the repository, None where it isn't at hand; its form was looked at before."""
    path: Path = SPECS / vendor / f"{name}.json"
    return OpenApi(json.loads(path.read_text())) if path.is_file() else None


def _stripe(answer: httpx.Response, path: str) -> None:
    contract = _contract("stripe", "stripe_2026-10-28.endive.from-sdk") or stripe_contract()
    content = answer.json()
    if answer.status_code >= 400:
        _fits(contract, {"$ref": "#/components/schemas/error"}, content)
        return
    rest = path.removeprefix("v1/")
    resource = next(name for name in STRIPE_NAMES if rest == name or rest.startswith(f"{name}/"))
    tail = rest.removeprefix(resource).strip("/")
    template = f"/v1/{resource}" + (f"/{{{STRIPE_NAMES[resource]}}}" if tail else "")
    template += "/cancel" if tail.endswith("/cancel") else ""
    found = contract.operation(answer.request.method, template)
    if found is not None:
        schema = contract.answer(found)
        assert schema is not None
        _fits(contract, schema, content)


def _rest(answer: httpx.Response, contract: OpenApi | None, path: str) -> None:
    found = contract.operation(answer.request.method, path) if contract else None
    if contract is not None and found is not None:
        _fits(contract, contract.answer(found) or {}, answer.json())


def _fits(contract: OpenApi, schema: object, content: object) -> None:
    # The contract's example of a page is the last one, which has no `next`; CursorPaging beside it has.
    found = [
        one
        for one in problems(contract, schema, content)
        if one.rule != "deprecated" and one.path != "paging.next"
    ]
    assert found == [], found
