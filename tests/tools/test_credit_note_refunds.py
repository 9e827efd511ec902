"""A credit note's refund carries no key of ours: whoever tells of it first, it is counted once, and as ours."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db import transaction

from tests.adapters.faking import KEY
from tests.adapters.stripe_faking import NOTE, REFUND, listed, said
from tests.factories import make_call, make_case, make_decision, make_order, make_shop, now
from tests.tools.telling import part, refund
from tools import execution, invoices, orders, settling, wire
from tools.models import LedgerEntry, Payment, ToolCall
from tools.snapshots import InvoicePaymentSnapshot

PAID = InvoicePaymentSnapshot(external_id="inpay_1", invoice="in_1", payment_intent="pi_1")


@pytest.fixture
def call(db: None, connected: None) -> ToolCall:
    """Twelve dollars of a charge that paid an invoice, due now."""
    shop = make_shop("north", env_prefix="NORTH")
    order = make_order(shop, currency="USD")
    Payment.objects.update(external_id="ch_1", payment_intent="pi_1")
    invoices.record_invoice_payment(shop.pk, PAID)
    decision = make_decision(make_case(shop, order=order), amount_minor=1200)
    due = now() - timedelta(seconds=1)
    return make_call(decision, amount_minor=1200, idempotency_key=KEY, not_before=due)


def webhook(call: ToolCall, status: str = "succeeded", amount_minor: int = 1200) -> orders.RefundRecord:
    """Stripe tells of the credit note's refund, which it made without any metadata."""
    moved = part(
        payment_external_id="ch_1", currency="USD", status=status, ref="re_1", amount_minor=amount_minor
    )
    seen = refund(moved, vendor="stripe", external_id="re_1", order_external_id="", lines=())
    with transaction.atomic():
        record = orders.record_refund(call.shop_id, seen)
    assert record is not None
    return record


def sends(call: ToolCall, answer: Any) -> str | None:
    return asked(call, answer, execution.run)


def settles(call: ToolCall, refund_status: str = "succeeded") -> str | None:
    made = {**REFUND, "metadata": {}, "status": refund_status}

    def answer(request: httpx.Request) -> httpx.Response:
        return said(listed(NOTE if "credit_notes" in request.url.path else made))

    return asked(call, answer, settling.settle)


def asked(call: ToolCall, answer: Any, step: Any) -> str | None:
    with wire.transport_override(httpx.MockTransport(answer)):
        ended: str | None = step(call.pk, before_send=lambda call: "", after_outcome=lambda call: None)
    return ended


def lost(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("lost", request=request)


def books() -> tuple[int, int, int]:
    """Set aside, given back by us, given back elsewhere."""
    row = Payment.objects.get()
    return row.reserved_minor, row.refunded_minor, row.elsewhere_minor


def test_a_webhook_that_is_quicker_than_the_answer_counts_once(call: ToolCall) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        webhook(call)
        return said(NOTE)

    assert sends(call, answer) == "pending"
    assert books() == (1200, 0, 0)
    assert settles(call) == "succeeded"
    assert books() == (0, 1200, 0)


def test_a_webhook_while_the_answer_is_lost_counts_once(call: ToolCall) -> None:
    assert sends(call, lost) == "unknown"
    assert webhook(call).booked_minor == 1200
    assert settles(call) == "succeeded"
    assert books() == (0, 1200, 0)
    booked = LedgerEntry.objects.filter(kind="elsewhere").order_by("pk")
    assert list(booked.values_list("vendor_ref", "amount_minor")) == [("re_1", 1200), ("re_1/ours", -1200)]


def test_a_webhook_after_the_settling_is_known_as_ours(call: ToolCall) -> None:
    sends(call, lost)
    settles(call)
    assert webhook(call).ours == call
    assert books() == (0, 1200, 0)


def test_a_webhook_that_is_told_again_afterwards_changes_nothing(call: ToolCall) -> None:
    sends(call, lost)
    webhook(call)
    settles(call)
    assert webhook(call).booked_minor == 0
    assert books() == (0, 1200, 0)


@pytest.mark.parametrize(("state", "vendor_ref", "alarms"), [("unknown", "", 0), ("pending", "re_2", 1)])
def test_a_whole_refund_alarms_nobody_while_it_may_be_the_one_on_its_way(
    call: ToolCall, state: str, vendor_ref: str, alarms: int
) -> None:
    sends(call, lost)
    Payment.objects.update(captured_minor=1200)
    ToolCall.objects.update(state=state, vendor_ref=vendor_ref)
    assert len(webhook(call).exceeded) == alarms


@pytest.mark.parametrize("told_of_the_failure", [True, False])
def test_a_refund_that_failed_is_given_back_once(call: ToolCall, told_of_the_failure: bool) -> None:
    sends(call, lost)
    webhook(call)
    if told_of_the_failure:
        webhook(call, "failed")
    assert settles(call, "failed") == "failed"
    assert books() == (0, 0, 0)
    webhook(call, "failed")
    assert books() == (0, 0, 0)


def test_a_refund_of_another_amount_stays_booked_as_made_elsewhere(call: ToolCall) -> None:
    sends(call, lost)
    webhook(call, amount_minor=1300)
    execution.conclude(
        call.pk, succeeded=True, ref="re_1", settled_by="person", after_outcome=lambda call: None
    )
    assert books() == (0, 1200, 1300)
