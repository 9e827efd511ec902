"""What is read from Stripe: charges, payment intents, disputes, warnings and events, and what of a change stops us."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest

from tests.adapters import bodies
from tests.adapters.faking import CORRELATION, NORTH, Vendor
from tests.adapters.stripe_faking import REFUND, listed, over, said, without
from tools.adapters import stripe, stripe_disputes, stripe_events
from tools.errors import ContractDrift, InvalidArgs, ToolError
from tools.models import Drift
from tools.snapshots import ChargeSnapshot, PaymentIntentSnapshot

SINCE = datetime(2026, 11, 1, 10, 0, tzinfo=UTC)
INTENT = {
    "object": "payment_intent",
    "id": "pi_1",
    "amount": 2642,
    "amount_received": 2642,
    "currency": "eur",
    "latest_charge": "ch_1",
    "livemode": False,
    "metadata": {"order_id": "5001001"},
    "status": "succeeded",
}
WARNING = {
    "object": "radar.early_fraud_warning",
    "id": "issfr_1",
    "charge": "ch_1",
    "created": 1793700000,
    "fraud_type": "misc",
    "actionable": True,
}
EVENT = {
    "object": "event",
    "id": "evt_1",
    "type": "refund.created",
    "created": 1793700000,
    "livemode": False,
    "api_version": "2026-10-28.endive",
    "pending_webhooks": 1,
    "request": {"id": None, "idempotency_key": None},
    "data": {"object": REFUND},
}


def charge(answer: httpx.Response) -> ChargeSnapshot:
    return over(Vendor(answer), lambda: stripe.read_charge(NORTH, "ch_1", correlation_id=CORRELATION))


def intent(answer: httpx.Response) -> PaymentIntentSnapshot:
    return over(Vendor(answer), lambda: stripe.read_payment_intent(NORTH, "pi_1", correlation_id=CORRELATION))


def test_a_charge_tells_what_was_taken_and_what_radar_thinks() -> None:
    judged = {"risk_level": "elevated", "risk_score": 66, "type": "manual_review"}
    thing = bodies.stripe_charge(outcome=judged, review="prv_1", payment_intent="pi_1", amount_refunded=100)
    seen = charge(said(thing))
    assert (seen.captured_minor, seen.refunded_minor, seen.currency) == (2642, 100, "EUR")
    assert (seen.risk_level, seen.risk_score, seen.review) == ("elevated", 66, "prv_1")
    assert (seen.payment_intent, seen.order_external_id, seen.livemode) == ("pi_1", "5001001", False)


def test_the_id_of_a_charge_can_not_lead_elsewhere() -> None:
    vendor = Vendor(said(bodies.stripe_charge()))
    over(vendor, lambda: stripe.read_charge(NORTH, "../refunds?x=/ch", correlation_id=CORRELATION))
    assert vendor.asked[0].url.raw_path == b"/v1/charges/..%2Frefunds%3Fx%3D%2Fch"


def test_a_stand_in_may_leave_out_what_decides_nothing() -> None:
    few = without(
        bodies.stripe_charge(captured=True),
        "amount_captured",
        "disputed",
        "livemode",
        "metadata",
        "outcome",
        "payment_method_details",
    )
    seen = charge(httpx.Response(200, json=few))
    assert (seen.captured_minor, seen.disputed, seen.livemode) == (2642, None, None)


# Without `captured` either, nothing says what was taken.
@pytest.mark.parametrize("name", ["amount", "amount_refunded", "amount_captured", "currency", "id", "paid"])
def test_a_charge_that_leaves_out_what_decides_is_drift(name: str) -> None:
    with pytest.raises(ContractDrift) as caught:
        charge(httpx.Response(200, json=without(bodies.stripe_charge(), name)))
    assert (caught.value.field_path, caught.value.finding) == (name, "missing")


def test_an_answer_of_the_pinned_version_is_held_to_all_of_it() -> None:
    thing = without(bodies.stripe_charge(captured=True), "amount_captured")
    with pytest.raises(ContractDrift) as caught:
        charge(said(thing))
    assert (caught.value.field_path, caught.value.finding) == ("amount_captured", "missing")


def test_an_amount_that_our_units_can_not_hold_is_drift() -> None:
    thing = bodies.stripe_charge(currency="isk", amount=4010, amount_captured=4010)
    with pytest.raises(ContractDrift) as caught:
        charge(said(thing))
    assert caught.value.field_path == "amount"


@pytest.mark.parametrize("ask", [charge, intent])
def test_another_version_than_asked_is_drift_and_written_down(
    ask: Callable[[httpx.Response], object],
) -> None:
    with pytest.raises(ContractDrift) as caught:
        ask(httpx.Response(200, json={}, headers={"Stripe-Version": "2027-02-24.fern"}))
    assert (caught.value.field_path, caught.value.finding) == ("Stripe-Version", "version")
    assert Drift.objects.get().finding == "version"


def test_a_payment_intent_tells_how_far_it_is_and_which_charge_it_made() -> None:
    seen = intent(said(INTENT))
    assert (seen.status, seen.received_minor, seen.charge) == ("succeeded", 2642, "ch_1")
    expanded = {**without(INTENT, "amount_received"), "latest_charge": bodies.stripe_charge()}
    seen = intent(httpx.Response(200, json=expanded))
    assert (seen.received_minor, seen.charge) == (None, "ch_1")


def test_an_unknown_status_of_a_payment_is_drift() -> None:
    with pytest.raises(ContractDrift) as caught:
        intent(said({**INTENT, "status": "succeeded_mostly"}))
    assert (caught.value.field_path, caught.value.finding) == ("status", "unknown_value")


def test_a_dispute_is_read_with_its_deadline() -> None:
    vendor = Vendor(said(bodies.stripe_dispute()))
    seen = over(vendor, lambda: stripe_disputes.read_dispute(NORTH, "dp_1", correlation_id=CORRELATION))
    assert seen.evidence_due_at == datetime.fromtimestamp(1795000000, UTC)
    assert vendor.asked[0].url.path == "/v1/disputes/dp_1"


@pytest.mark.parametrize(
    ("changes", "path", "finding"),
    [
        ({"status": "appealed_twice"}, "data.0.status", "unknown_value"),
        ({"evidence_details": {"due_by": "2026-11-20"}}, "data.0.evidence_details.due_by", "retyped"),
        ({"evidence_details": {}}, "data.0.evidence_details.due_by", "missing"),
        ({"charge": None}, "data.0.charge", "null"),
    ],
)
def test_a_changed_dispute_is_drift(changes: dict[str, object], path: str, finding: str) -> None:
    vendor = Vendor(said(listed(bodies.stripe_dispute(**changes))))
    with pytest.raises(ContractDrift) as caught:
        over(vendor, lambda: stripe_disputes.list_disputes(NORTH, since=SINCE, correlation_id=CORRELATION))
    assert (caught.value.field_path, caught.value.finding) == (path, finding)


def test_a_page_says_where_the_next_one_begins() -> None:
    vendor = Vendor(said(listed(bodies.stripe_dispute(), has_more=True)))
    page = over(
        vendor,
        lambda: stripe_disputes.list_disputes(
            NORTH, since=SINCE, starting_after="dp_9", correlation_id=CORRELATION
        ),
    )
    assert (page.items[0].external_id, page.after, page.has_more) == ("dp_1", "dp_1", True)
    assert dict(vendor.asked[0].url.params) == {
        "created[gte]": str(int(SINCE.timestamp())),
        "limit": "100",
        "starting_after": "dp_9",
    }


def test_a_full_page_that_does_not_say_whether_there_is_more_is_drift() -> None:
    few = without(listed(REFUND), "has_more")
    full = {**few, "data": [{**REFUND, "id": f"re_{n}"} for n in range(100)]}
    ask = lambda: stripe.list_recent_refunds(NORTH, since=SINCE, correlation_id=CORRELATION)  # noqa: E731
    assert len(over(Vendor(httpx.Response(200, json=few)), ask).items) == 1
    with pytest.raises(ContractDrift) as caught:
        over(Vendor(httpx.Response(200, json=full)), ask)
    assert caught.value.field_path == "has_more"


def test_early_warnings_are_listed() -> None:
    vendor = Vendor(said(listed(WARNING)))
    page = over(
        vendor, lambda: stripe_disputes.list_fraud_warnings(NORTH, since=SINCE, correlation_id=CORRELATION)
    )
    assert [(seen.charge, seen.actionable) for seen in page.items] == [("ch_1", True)]
    assert vendor.asked[0].url.path == "/v1/radar/early_fraud_warnings"


def events(vendor: Vendor, *types: str) -> stripe_events.EventPage:
    return over(
        vendor,
        lambda: stripe_events.list_events(NORTH, types=types, since=SINCE, correlation_id=CORRELATION),
    )


def test_an_event_that_is_read_back_has_the_body_of_its_webhook() -> None:
    vendor = Vendor(said(listed(EVENT)))
    page = events(vendor, "refund.created", "refund.updated")
    (seen,) = page.events
    assert (seen.id, seen.topic, page.has_more) == ("evt_1", "refund.created", False)
    assert json.loads(seen.raw) == EVENT
    query = dict(vendor.asked[0].url.params)
    assert (query["types[0]"], query["types[1]"]) == ("refund.created", "refund.updated")


def test_what_is_read_of_events_stays_out_of_tracebacks() -> None:
    page = events(Vendor(said(listed({**EVENT, "data": {"object": {"email": "ada@example.com"}}}))), "x")
    assert "ada" not in repr(page)


@pytest.mark.parametrize("types", [(), ("refund.created",) * 21])
def test_stripe_takes_one_to_twenty_types(types: tuple[str, ...]) -> None:
    with pytest.raises(InvalidArgs):
        events(Vendor(said(listed())), *types)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"<html>", b'{"object": "list"}', b'{"data": {}}']
)
def test_no_body_of_any_kind_is_taken_for_an_empty_list(body: bytes) -> None:
    vendor = Vendor(httpx.Response(200, content=body))
    with pytest.raises(ToolError):
        over(vendor, lambda: stripe.list_refunds(NORTH, "ch_1", correlation_id=CORRELATION))
