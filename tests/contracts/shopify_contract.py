"""Shopify's Admin GraphQL schema, pruned to the types that our documents and the sandbox use.

Every plain field and every enum value of a kept type stays, so that asking for one more needs no new derivation;
fields that lead to types outside OBJECTS go. Descriptions aren't kept.
"""

from __future__ import annotations

import gzip
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from graphql import build_client_schema, lexicographic_sort_schema, print_schema

VERSIONS = ("2026-01", "2026-04", "2026-07")
# Of these types only the named fields are kept.
CHOSEN = {
    "Shop": frozenset("currencyCode ianaTimezone id myshopifyDomain name".split()),
    "QueryRoot": frozenset(
        """
        customer dispute inventoryItem job location node order orders productVariant productVariants refund return shop
        shopifyPaymentsAccount
        """.split()
    ),
    "Mutation": frozenset(
        """
        fulfillmentCreate inventoryAdjustQuantities inventorySetQuantities orderCancel orderUpdate refundCreate
        tagsAdd tagsRemove
        """.split()
    ),
}
OBJECTS = frozenset(
    """
    AdditionalFee CardPaymentDetails CurrencyExchangeAdjustment Customer CustomerConnection CustomerEdge
    CustomerEmailAddress CustomerPhoneNumber DiscountAllocation DiscountApplication DiscountApplicationConnection
    DiscountApplicationEdge Duty Fulfillment FulfillmentConnection FulfillmentCreatePayload FulfillmentEdge
    FulfillmentLineItem FulfillmentLineItemConnection FulfillmentLineItemEdge FulfillmentOrder
    FulfillmentOrderAssignedLocation FulfillmentOrderConnection FulfillmentOrderEdge FulfillmentOrderLineItem
    FulfillmentOrderLineItemConnection FulfillmentOrderLineItemEdge FulfillmentTrackingInfo
    InventoryAdjustQuantitiesPayload InventoryAdjustQuantitiesUserError InventoryItem InventoryLevel
    InventoryLevelConnection InventoryLevelEdge InventoryQuantity InventorySetQuantitiesPayload
    InventorySetQuantitiesUserError Job LineItem LineItemConnection LineItemEdge Location MailingAddress MoneyBag
    MoneyV2 Node Order OrderAdjustment OrderAdjustmentConnection OrderCancelPayload OrderCancelUserError
    OrderCancellation OrderConnection OrderDisputeSummary OrderEdge OrderRiskAssessment OrderRiskSummary
    OrderTransaction OrderTransactionConnection OrderTransactionEdge OrderUpdatePayload PageInfo PaymentDetails
    ProductVariant ProductVariantConnection ProductVariantEdge Refund RefundConnection RefundCreatePayload
    RefundDuty RefundEdge RefundLineItem RefundLineItemConnection RefundLineItemEdge RefundShippingLine
    RefundShippingLineConnection RefundShippingLineEdge Return ReturnConnection ReturnDecline ReturnEdge
    ReturnLineItem ReturnLineItemType ReturnLineItemTypeConnection ReturnLineItemTypeEdge ShippingLine
    ShippingLineConnection ShippingLineEdge ShippingRefund Shop ShopifyPaymentsAccount ShopifyPaymentsDispute
    ShopifyPaymentsDisputeReasonDetails SuggestedOrderTransaction SuggestedRefund TagsAddPayload TagsRemovePayload
    TaxLine UserError
    """.split()
)
INPUTS = frozenset(
    """
    FulfillmentInput FulfillmentOrderLineItemInput FulfillmentOrderLineItemsInput FulfillmentTrackingInput
    InventoryAdjustQuantitiesInput InventoryChangeInput InventoryQuantityInput InventorySetQuantitiesInput
    OrderCancelRefundMethodInput OrderCancelStoreCreditRefundInput OrderInput OrderTransactionInput RefundDutyInput
    RefundInput RefundLineItemInput RefundShippingInput ShippingRefundInput
    """.split()
)
LEAVES = ("SCALAR", "ENUM")
Named = dict[str, Any]


def introspections(source: Path) -> dict[str, Named]:
    """The introspection of each version, out of the package as downloaded or unpacked."""
    if source.is_dir():
        found = {version: next(source.rglob(f"admin_{version}.json.gz")).read_bytes() for version in VERSIONS}
    else:
        with tarfile.open(source) as archive:
            found = {
                version: _member(archive, f"package/dist/data/admin_{version}.json.gz")
                for version in VERSIONS
            }
    return {version: json.loads(gzip.decompress(packed))["data"] for version, packed in found.items()}


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    assert file is not None
    return file.read()


def sdl(version: str, introspection: Named) -> str:
    """The pruned schema as SDL, sorted, the same bytes each time."""
    pruned: Any = {"__schema": _pruned(introspection["__schema"])}
    schema = build_client_schema(pruned)
    header = (
        f"# Shopify's Admin GraphQL API {version}, pruned. Written by `python -m tests.contracts.derive` from the npm\n"
        "# package @shopify/dev-mcp 1.16.0 (ISC licence, see NOTICE): don't edit.\n\n"
    )
    return header + print_schema(lexicographic_sort_schema(schema)) + "\n"


def _pruned(schema: Named) -> Named:
    for kind in schema["types"]:
        _without_descriptions(kind)
    types = {kind["name"]: kind for kind in schema["types"]}
    wanted = OBJECTS | INPUTS | set(CHOSEN)
    composite = {name for name in types if name in wanted}

    def kept(reference: Named) -> bool:
        named = _named(reference)
        return named["kind"] in LEAVES or named["name"] in composite

    chosen = [_cut(types[name], kept, composite) for name in sorted(composite)]
    leaves = _leaves_of(chosen) | {"Boolean", "String", "Int", "Float", "ID"}
    chosen += [types[name] for name in sorted(leaves)]
    chosen += [kind for kind in schema["types"] if kind["name"].startswith("__")]
    directives = [one for one in schema["directives"] if one["name"] == "idempotent"]
    for directive in directives:
        _without_descriptions(directive)
    return {
        **schema,
        "types": chosen,
        "directives": directives,
        "subscriptionType": None,
        "description": None,
    }


def _cut(kind: Named, kept: Callable[[Named], bool], composite: set[str]) -> Named:
    made = dict(kind)
    chosen = CHOSEN.get(kind["name"])
    fields = [one for one in kind.get("fields") or [] if kept(one["type"])]
    made["fields"] = [
        {**one, "args": [argument for argument in one["args"] if kept(argument["type"])]}
        for one in fields
        if chosen is None or one["name"] in chosen
    ] or None
    made["inputFields"] = [one for one in kind.get("inputFields") or [] if kept(one["type"])] or None
    for key in ("interfaces", "possibleTypes"):
        if kind.get(key) is not None:
            made[key] = [one for one in kind[key] if one["name"] in composite]
    return made


def _leaves_of(chosen: list[Named]) -> set[str]:
    references = [
        reference["type"]
        for kind in chosen
        for field in [*(kind["fields"] or []), *(kind["inputFields"] or [])]
        for reference in [field, *field.get("args", [])]
    ]
    return {named["name"] for named in map(_named, references) if named["kind"] in LEAVES}


def _named(reference: Named) -> Named:
    while reference.get("ofType"):
        reference = reference["ofType"]
    return reference


def _without_descriptions(node: object) -> None:
    if isinstance(node, dict):
        node.pop("description", None)
        for inner in node.values():
            _without_descriptions(inner)
    elif isinstance(node, list):
        for inner in node:
            _without_descriptions(inner)
