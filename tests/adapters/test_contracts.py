"""What we send and read fits the vendors' published contracts, and the made-up day of the demo is readable."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from opsagent.demo.story import story
from tests.contracts.answers import SPECS, needs_specs, shared_contract, shopify_schema, stripe_contract
from tools.adapters import shopify_documents, shopify_webhooks, stripe_webhooks, whatsapp_webhooks
from tools.adapters.operation import Operation
from tools.adapters.table import OPERATIONS
from tools.contracts import check
from tools.contracts.accepted import ACCEPTED
from tools.contracts.findings import Difference
from tools.errors import ContractDrift
from tools.wire import Kind

BODIES = SPECS.parent / "data" / "webhooks"
# Slack and mail servers publish no contract, and WhatsApp's doesn't hold the reading of a phone number.
WITHOUT_CONTRACT = {"slack", "email"}
NOT_HELD = {("whatsapp", "phone_number")}
VERSIONS = {"klaviyo": "2026-07-15", "whatsapp": "v23.0"}
needs_bodies = pytest.mark.skipif(not BODIES.is_dir(), reason="the vendors' sample bodies are not at hand")


def differences(operation: Operation) -> Iterator[Difference]:
    """All in which one operation differs from the contract of the pinned version, also what we chose."""
    if operation.vendor == "shopify":
        yield from check.graphql_differences(shopify_schema(), shopify_documents.VERSION, operation)
        return
    vendor = operation.vendor
    contract = stripe_contract() if vendor == "stripe" else shared_contract(vendor, VERSIONS[vendor])
    if contract is None:
        pytest.skip(f"the contract of {vendor} is no part of the repository and not at hand")
    yield from check.openapi_differences(contract, operation)


def with_contract() -> list[Operation]:
    return [
        one
        for one in OPERATIONS
        if one.vendor not in WITHOUT_CONTRACT and (one.vendor, one.name) not in NOT_HELD
    ]


def accepted(vendor: str, one: Difference) -> bool:
    return (vendor, one.rule, one.owner) in ACCEPTED


@pytest.mark.parametrize("operation", with_contract(), ids=lambda one: f"{one.vendor} {one.name}")
def test_what_we_send_and_read_fits_the_pinned_contract(operation: Operation) -> None:
    found = [one for one in differences(operation) if not accepted(operation.vendor, one)]
    assert found == []


def test_every_vendor_with_a_contract_has_operations() -> None:
    assert {one.vendor for one in with_contract()} == {"shopify", "stripe", "klaviyo", "whatsapp"}


@pytest.mark.parametrize("operation", with_contract(), ids=lambda one: f"{one.vendor} {one.name}")
def test_every_operation_shows_what_it_sends(operation: Operation) -> None:
    assert operation.examples(), "an operation without an example is not held against anything"
    assert operation.reply is not None or operation.kind is not Kind.READ


@needs_specs
def test_no_accepted_difference_is_out_of_date() -> None:
    needed = {(one.vendor, each.rule, each.owner) for one in with_contract() for each in differences(one)}
    assert set(ACCEPTED) - needed == set()


def read(source: str, topic: str, body: bytes) -> object:
    if source == "shopify":
        return shopify_webhooks.parse(topic, body)
    return stripe_webhooks.parse(body) if source == "stripe" else whatsapp_webhooks.parse(body)


def test_every_delivery_of_the_made_up_day_can_be_read() -> None:
    unread = set()
    for step in story(7, 200, datetime(2026, 11, 1, 12, tzinfo=UTC)).steps:
        if step.source in ("shopify", "stripe", "whatsapp") and step.signed and step.kind != "garbage":
            try:
                read(step.source, step.topic, step.body)
            except ContractDrift as drift:
                unread.add((step.kind, step.topic, drift.field_path))
    assert unread == set()


# These samples are from older API versions; what they lack is named, and nothing is guessed.
SAMPLES = [
    ("shopify_disputes_create.json", "disputes/create", ""),
    ("shopify_fulfillment_events_create.json", "fulfillment_events/create", ""),
    ("shopify_refunds_create.json", "refunds/create", ""),
    ("shopify_orders_create.json", "orders/create", "presentment_currency"),
    ("stripe_event_charge_dispute_created.json", "", ""),
    ("stripe_event_radar_early_fraud_warning_created.json", "", ""),
    ("stripe_event_charge_refunded.json", "", "data.object.amount_captured"),
    ("whatsapp_message_document.json", "", ""),
    ("whatsapp_message_image.json", "", ""),
    ("whatsapp_message_text.json", "", ""),
    ("whatsapp_message_text_2.json", "", ""),
    ("whatsapp_message_unreaction.json", "", ""),
    ("whatsapp_status_sent.json", "", ""),
    ("whatsapp_status_with_errors.json", "", ""),
]


@needs_bodies
@pytest.mark.parametrize(("name", "topic", "missing"), SAMPLES)
def test_real_bodies_are_read_or_their_missing_field_is_named(name: str, topic: str, missing: str) -> None:
    body = (BODIES / name).read_bytes()
    source = name.partition("_")[0]
    if not missing:
        assert read(source, topic, body) is not None
        return
    with pytest.raises(ContractDrift) as caught:
        read(source, topic, body)
    assert caught.value.field_path == missing
