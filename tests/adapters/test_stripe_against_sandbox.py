"""Stripe's adapter against its stand-in over real HTTP: whatever breaks, money moves at most once."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from audit import sources
from tests.adapters.faking import CORRELATION, KEY, NORTH
from tests.adapters.stand_ins import stand_ins
from tests.sandbox.world import Caller
from tools.adapters import (
    stripe,
    stripe_disputes,
    stripe_events,
    stripe_invoices,
    stripe_webhooks,
)
from tools.errors import OutcomeUnknown, Refused, ToolError, Unavailable
from tools.snapshots import RefundResult, RefundSnapshot

# What an operation's fault leads to when it hits one try, and when it hits all three.
FAULTS: list[tuple[dict[str, Any], type[ToolError] | None, type[ToolError]]] = [
    ({"kind": "timeout_before", "seconds": 0.05}, None, OutcomeUnknown),
    ({"kind": "timeout_after", "seconds": 0.05}, None, OutcomeUnknown),
    ({"kind": "dropped_before"}, None, OutcomeUnknown),
    ({"kind": "dropped_after"}, None, OutcomeUnknown),
    ({"kind": "unstored_500"}, None, OutcomeUnknown),
    ({"kind": "stored_500", "executes": True}, OutcomeUnknown, OutcomeUnknown),  # replayed for ever
    ({"kind": "stored_500", "executes": False}, OutcomeUnknown, OutcomeUnknown),
    ({"kind": "half_json"}, None, OutcomeUnknown),
    ({"kind": "html_200"}, None, OutcomeUnknown),
    ({"kind": "rate_limited", "retry_after": "60"}, Unavailable, Unavailable),
]


@pytest.fixture
def control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swift: None) -> Iterator[Caller]:
    with stand_ins(tmp_path, monkeypatch) as caller:
        yield caller


def by_stripe(key: UUID = KEY, amount: int = 1200, charge: str = "ch_1") -> RefundResult:
    return stripe.refund(NORTH, charge, amount, "USD", key=key, case_id="5", correlation_id=CORRELATION)


def moved(control: Caller) -> list[int]:
    return [row["amount_minor"] for row in control.ledger()["refunds"]]


def plant(control: Caller, fault: dict[str, Any], times: int, operation: str = "*") -> None:
    control.control("faults", {"vendor": "stripe", "operation": operation, "times": times, **fault})


@pytest.mark.parametrize(("fault", "once", "always"), FAULTS)
def test_whatever_breaks_once_money_moves_at_most_once(
    control: Caller, fault: dict[str, Any], once: type[ToolError] | None, always: type[ToolError]
) -> None:
    plant(control, fault, 1, "refunds.create")
    if once is None:
        assert by_stripe().amount_minor == 1200
        assert moved(control) == [1200]
    else:
        with pytest.raises(once):
            by_stripe()
        assert moved(control) in ([], [1200])


@pytest.mark.parametrize(("fault", "once", "always"), FAULTS)
def test_whatever_stays_broken_is_settled_by_reading(
    control: Caller, fault: dict[str, Any], once: type[ToolError] | None, always: type[ToolError]
) -> None:
    plant(control, fault, 3, "refunds.create")
    with pytest.raises(always) as caught:
        by_stripe()
    assert type(caught.value) is always
    if always is Unavailable:
        # Held back by the rate budget until Stripe's pause is over: nothing was done, and nothing needs settling.
        assert moved(control) == []
        return
    found = stripe.find_refund(NORTH, "ch_1", key=KEY, correlation_id=CORRELATION)
    assert moved(control) == ([found.amount_minor] if found else [])
    assert len(moved(control)) <= 1


READINGS: dict[str, Callable[[], object]] = {
    "charges.retrieve": lambda: stripe.read_charge(NORTH, "ch_1", correlation_id=CORRELATION),
    "payment_intents.retrieve": lambda: stripe.read_payment_intent(NORTH, "pi_1", correlation_id=CORRELATION),
    "refunds.list": lambda: stripe.list_refunds(NORTH, "ch_1", correlation_id=CORRELATION),
    "disputes.retrieve": lambda: stripe_disputes.read_dispute(NORTH, "dp_1", correlation_id=CORRELATION),
    "disputes.list": lambda: stripe_disputes.disputes_of(NORTH, "ch_1", correlation_id=CORRELATION),
}
DISPUTE = {
    "shop": "north",
    "charge": "ch_1",
    "amount": "28.90",
    "reason": "fraudulent",
    "id": "dp_1",
    "status": "needs_response",
    "evidence_due_by": "2026-11-20T00:00:00Z",
}


@pytest.mark.parametrize("operation", sorted(READINGS))
@pytest.mark.parametrize(
    "kind", ["timeout_after", "dropped_after", "unstored_500", "rate_limited", "half_json", "html_200"]
)
def test_a_reading_that_breaks_is_made_again_and_left_for_later_if_it_stays_broken(
    control: Caller, operation: str, kind: str
) -> None:
    control.control("disputes", DISPUTE)
    fault = {"kind": kind, "retry_after": "0", "seconds": 0.05}
    if kind != "rate_limited":  # that one waits for a share of the rate budget
        plant(control, fault, 1, operation)
        READINGS[operation]()
    plant(control, fault, 3, operation)
    with pytest.raises(Unavailable):
        READINGS[operation]()


def test_a_second_try_with_the_same_key_moves_no_money(control: Caller) -> None:
    assert by_stripe() == by_stripe()
    assert moved(control) == [1200]


def test_another_body_under_a_used_key_is_no_plain_refusal(control: Caller) -> None:
    by_stripe()
    with pytest.raises(OutcomeUnknown) as caught:
        by_stripe(amount=1100)
    assert caught.value.code == "idempotency_error"
    assert moved(control) == [1200]


@pytest.mark.parametrize(
    ("amount", "charge", "code"),
    [(2891, "ch_1", "invalid_request_error"), (100, "ch_404", "resource_missing")],
)
def test_what_stripe_will_not_do_is_refused(control: Caller, amount: int, charge: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        by_stripe(amount=amount, charge=charge)
    assert (caught.value.code, moved(control)) == (code, [])


def test_a_disputed_charge_gives_nothing_back(control: Caller) -> None:
    control.control("disputes", DISPUTE)
    with pytest.raises(Refused) as caught:
        by_stripe()
    assert (caught.value.code, moved(control)) == ("charge_disputed", [])


def test_a_charge_that_went_back_whole_gives_nothing_more(control: Caller) -> None:
    by_stripe(amount=2890)
    with pytest.raises(Refused) as caught:
        by_stripe(uuid4(), 100)
    assert (caught.value.code, moved(control)) == ("charge_already_refunded", [2890])


def test_a_wrong_key_is_told_apart(control: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORTH_STRIPE_API_KEY", "sk_test_stolen")
    with pytest.raises(Refused) as caught:
        by_stripe()
    assert caught.value.code == "api_key_invalid"


def test_a_charge_its_payment_and_its_dispute_are_read(control: Caller) -> None:
    control.control("disputes", DISPUTE)
    charge = stripe.read_charge(NORTH, "ch_1", correlation_id=CORRELATION)
    intent = stripe.read_payment_intent(NORTH, charge.payment_intent, correlation_id=CORRELATION)
    dispute = stripe_disputes.read_dispute(NORTH, "dp_1", correlation_id=CORRELATION)
    assert (charge.captured_minor, charge.instrument, charge.disputed) == (2890, "fp", True)
    assert (intent.charge, intent.received_minor, intent.status) == ("ch_1", 2890, "succeeded")
    assert (dispute.charge, dispute.status, dispute.amount_minor) == ("ch_1", "needs_response", 2890)


def test_a_refund_made_by_hand_is_listed(control: Caller) -> None:
    control.control("orders/north/5001001/refunds", {"id": 9001, "amount": "12.00", "lines": []})
    (made,) = stripe.list_refunds(NORTH, "ch_1", correlation_id=CORRELATION)
    assert (made.call_key, made.parts[0].amount_minor) == ("", 1200)


def credit(control: Caller) -> RefundResult:
    control.control("invoices", {"shop": "north", "id": "in_1", "charge": "ch_1"})
    return stripe_invoices.credit(
        NORTH,
        "in_1",
        1200,
        "USD",
        key=KEY,
        case_id="5",
        reason="product_unsatisfactory",
        correlation_id=CORRELATION,
    )


def test_an_invoice_is_credited_once_and_found_again(control: Caller) -> None:
    made = credit(control)
    assert credit(control) == made
    found = stripe_invoices.find_credit(NORTH, "in_1", "ch_1", key=KEY, correlation_id=CORRELATION)
    assert found is not None
    assert (found.ref, found.status, moved(control)) == (made.ref, "succeeded", [1200])


def test_an_invoice_is_read_with_its_number_and_its_day(control: Caller) -> None:
    planted = {
        "shop": "north",
        "id": "in_1",
        "charge": "ch_1",
        "number": "FF-7",
        "created_at": "2026-07-03T08:00:00Z",
    }
    control.control("invoices", planted)
    seen = stripe_invoices.read_invoice(NORTH, "in_1", correlation_id=CORRELATION)
    assert (seen.number, seen.issued_at.isoformat()) == ("FF-7", "2026-07-03T08:00:00+00:00")
    with pytest.raises(Refused):
        stripe_invoices.read_invoice(NORTH, "in_2", correlation_id=CORRELATION)


@pytest.mark.parametrize("kind", ["dropped_after", "html_200", "half_json"])
def test_a_lost_credit_note_moves_money_once(control: Caller, kind: str) -> None:
    plant(control, {"kind": kind}, 3, "credit_notes.create")
    with pytest.raises(OutcomeUnknown):
        credit(control)
    found = stripe_invoices.find_credit(NORTH, "in_1", "ch_1", key=KEY, correlation_id=CORRELATION)
    assert moved(control) == [1200]
    assert found is not None


def test_what_happened_is_read_back_as_its_webhook_would_have_told_it(control: Caller) -> None:
    made = by_stripe()
    page = stripe_events.list_events(
        NORTH,
        types=["refund.created", "refund.updated"],
        since=sources.now() - timedelta(days=1),
        correlation_id=CORRELATION,
    )
    (event,) = page.events
    seen = stripe_webhooks.parse(event.raw)
    assert isinstance(seen, RefundSnapshot)
    assert (seen.external_id, seen.call_key) == (made.ref, str(KEY))
