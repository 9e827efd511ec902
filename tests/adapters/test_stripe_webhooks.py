"""What the events of Stripe tell in our words, and which changes of theirs stop us."""

from typing import Any

import pytest

from tests.adapters import bodies
from tests.adapters.bodies import stripe_event
from tests.adapters.stripe_faking import without
from tools.adapters import stripe_webhooks
from tools.errors import ContractDrift
from tools.snapshots import (
    ChargeSnapshot,
    DisputeSnapshot,
    FraudWarningSnapshot,
    InvoicePaymentSnapshot,
    RefundSnapshot,
)


def test_an_event_is_known_by_its_own_id() -> None:
    found = stripe_webhooks.envelope(stripe_event("refund.created", {}))
    assert (found.account, found.external_id, found.topic) == ("", "evt_1", "refund.created")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("succeeded", "succeeded"), ("pending", "pending"), (None, "pending"), ("canceled", "failed")],
)
def test_a_refund_tells_how_far_it_is(status: str | None, outcome: str) -> None:
    seen = stripe_webhooks.parse(stripe_event("refund.updated", bodies.stripe_refund(status=status)))
    assert isinstance(seen, RefundSnapshot)
    assert (seen.parts[0].status, seen.parts[0].payment_external_id) == (outcome, "ch_1")


def test_a_refund_of_ours_carries_its_key() -> None:
    seen = stripe_webhooks.parse(stripe_event("refund.created", bodies.stripe_refund()))
    assert isinstance(seen, RefundSnapshot)
    assert seen.call_key.endswith("-000000000001")


def test_a_dispute_has_a_deadline_and_a_charge() -> None:
    seen = stripe_webhooks.parse(stripe_event("charge.dispute.created", bodies.stripe_dispute()))
    assert isinstance(seen, DisputeSnapshot)
    assert (seen.charge, seen.currency) == ("ch_1", "EUR")
    assert seen.evidence_due_at is not None


def test_a_charge_names_order_and_card() -> None:
    seen = stripe_webhooks.parse(stripe_event("charge.refunded", bodies.stripe_charge(amount_refunded=100)))
    assert isinstance(seen, ChargeSnapshot)
    assert (seen.order_external_id, seen.instrument, seen.refunded_minor) == ("5001001", "fp_1", 100)


def test_an_early_warning_names_the_charge() -> None:
    warning = {
        "object": "radar.early_fraud_warning",
        "id": "issfr_1",
        "charge": "ch_1",
        "fraud_type": "misc",
        "actionable": True,
    }
    seen = stripe_webhooks.parse(stripe_event("radar.early_fraud_warning.created", warning))
    assert seen == FraudWarningSnapshot(
        external_id="issfr_1", charge="ch_1", fraud_type="misc", actionable=True
    )


NO_CAPTURE = without(bodies.stripe_charge(captured=True), "amount_captured")
PAID = {
    "object": "invoice_payment",
    "id": "inpay_1",
    "invoice": "in_1",
    "payment": {"type": "payment_intent", "payment_intent": "pi_1"},
}


def test_a_paid_invoice_names_its_payment() -> None:
    seen = stripe_webhooks.parse(stripe_event("invoice_payment.paid", PAID))
    assert seen == InvoicePaymentSnapshot(external_id="inpay_1", invoice="in_1", payment_intent="pi_1")


def test_an_invoice_that_was_paid_outside_of_stripe_is_absorbed() -> None:
    outside = {**PAID, "payment": {"type": "payment_record", "payment_record": "pr_1"}}
    assert stripe_webhooks.parse(stripe_event("invoice_payment.paid", outside)) is None


@pytest.mark.parametrize(
    ("topic", "thing", "path"),
    [
        ("refund.created", bodies.stripe_refund(status="halfway"), "data.object.status"),
        ("refund.created", bodies.stripe_refund(amount="1276"), "data.object.amount"),
        ("charge.dispute.updated", bodies.stripe_dispute(status="appealed"), "data.object.status"),
        ("charge.succeeded", bodies.stripe_charge(amount_captured=None), "data.object.amount_captured"),
        ("charge.succeeded", bodies.stripe_refund(), "data.object.object"),
        ("charge.succeeded", NO_CAPTURE, "data.object.amount_captured"),
        ("invoice_payment.paid", {**PAID, "invoice": None}, "data.object.invoice"),
    ],
)
def test_a_changed_field_of_stripe_is_named(topic: str, thing: dict[str, Any], path: str) -> None:
    with pytest.raises(ContractDrift) as caught:
        stripe_webhooks.parse(stripe_event(topic, thing))
    assert caught.value.field_path == path


def test_an_event_that_we_do_not_read_is_absorbed() -> None:
    assert stripe_webhooks.parse(stripe_event("customer.created", {"object": "customer"})) is None
