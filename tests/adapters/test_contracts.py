"""What we send and read fits the vendors' published contracts, and the made-up day of the demo is readable."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from opsagent.demo.story import story
from tools.adapters import shopify_documents, shopify_webhooks, stripe_webhooks, whatsapp_webhooks
from tools.errors import ContractDrift

SHARED = Path(__file__).parents[3] / "shared"
BODIES = SHARED / "data" / "webhooks"
DOCUMENTS = {
    name: getattr(shopify_documents, name) for name in ("ORDER", "REFUND_CREATE", "REFUNDS", "TAGS_ADD")
}
needs_specs = pytest.mark.skipif(
    not (SHARED / "specs").is_dir(), reason="the vendors' contracts are not at hand"
)
needs_bodies = pytest.mark.skipif(not BODIES.is_dir(), reason="the vendors' sample bodies are not at hand")


@needs_specs
@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("version", ["2026-04", "2026-07"])
def test_our_documents_are_valid_at_shopify(version: str, name: str) -> None:
    text = (SHARED / "specs" / "shopify" / f"admin_{version}.trimmed.graphql").read_text()
    assert validate(build_schema(text), parse(DOCUMENTS[name])) == []


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
