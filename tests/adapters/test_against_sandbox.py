"""The adapters against the stand-ins over real HTTP: what we ask is understood, and what fails is told apart."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.adapters.faking import CORRELATION, KEY, NORTH
from tests.sandbox.world import KEYS, Caller, order
from tools import wire
from tools.adapters import klaviyo, shopify, stripe
from tools.errors import OutcomeUnknown, Refused, Unavailable
from tools.sandbox.server import Sandbox
from tools.snapshots import OrderSnapshot, RefundResult

REQUEST = shopify.RefundRequest(
    order_external_id="5001001",
    transaction_external_id="31",
    gateway="shopify_payments",
    amount_minor=1200,
    currency="USD",
    lines=(shopify.RefundedLine("11", 1),),
    note="case 5",
)


@pytest.fixture
def control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    with Sandbox(ledger=tmp_path / "ledger.sqlite3") as running:
        base = f"{running.base_url}/north"
        monkeypatch.setenv("NORTH_SHOPIFY_ADMIN_URL", f"{base}/shopify")
        monkeypatch.setenv("NORTH_STRIPE_API_BASE", f"{base}/stripe")
        monkeypatch.setenv("NORTH_KLAVIYO_API_BASE", f"{base}/klaviyo")
        with httpx.Client(base_url=running.base_url, timeout=10) as client:
            caller = Caller(client)
            caller.control("shops", KEYS)
            caller.control("orders", order())
            yield caller


@pytest.fixture
def swift(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between tries, and a short deadline, so that a silent vendor costs no second."""
    monkeypatch.setattr(wire.client._state, "pace", wire.Pace(sleep=lambda seconds: None))


def read() -> OrderSnapshot:
    return shopify.read_order(NORTH, "5001001", correlation_id=CORRELATION)


def paid_by_shopify(control: Caller) -> None:
    control.control("orders", order(gateway="shopify_payments", charge=None))


def by_shopify(key: UUID = KEY, **changes: Any) -> RefundResult:
    request = shopify.RefundRequest(**{**REQUEST.__dict__, **changes})
    return shopify.refund(NORTH, request, key=key, correlation_id=CORRELATION)


def by_stripe(key: UUID = KEY, amount: int = 1200) -> RefundResult:
    return stripe.refund(NORTH, "ch_1", amount, "USD", key=key, case_id="5", correlation_id=CORRELATION)


def refunds(control: Caller) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = control.ledger()["refunds"]
    return found


def test_an_order_is_read_whole(control: Caller) -> None:
    seen = read()
    assert (seen.name, seen.total_minor, seen.shipping_minor, seen.complete) == ("#1001", 2890, 490, True)
    assert [(line.sku, line.quantity, line.total_minor) for line in seen.lines] == [("LAMP", 2, 2400)]
    assert seen.customer is not None
    assert seen.customer.email == "ada@example.com"


def test_a_payment_by_stripe_is_known_by_its_charge(control: Caller) -> None:
    (payment,) = read().payments
    assert (payment.vendor, payment.external_id, payment.captured_minor) == ("stripe", "ch_1", 2890)


def test_a_payment_by_shopify_is_known_by_its_transaction(control: Caller) -> None:
    paid_by_shopify(control)
    (payment,) = read().payments
    assert (payment.vendor, payment.external_id) == ("shopify", "31")


@pytest.mark.parametrize("gateway", ["manual", "klarna", "gift_card", "stripe"])
def test_a_tender_that_we_can_not_pay_back_for_sure_is_a_persons(control: Caller, gateway: str) -> None:
    control.control("orders", order(gateway=gateway, charge=None))
    assert [payment.vendor for payment in read().payments] == ["manual"]


def test_an_unpaid_order_has_no_payment(control: Caller) -> None:
    control.control("orders", order(financial_status="PENDING"))
    assert read().payments == ()


@pytest.mark.parametrize(("risk", "level"), [("PENDING", "pending"), ("HIGH", "high"), ("NONE", None)])
def test_risk_is_read_as_it_is(control: Caller, risk: str, level: str | None) -> None:
    control.control("orders", order(risk=risk))
    assert read().risk_level == level


def test_an_order_that_the_shop_does_not_know_is_refused(control: Caller) -> None:
    with pytest.raises(Refused) as caught:
        shopify.read_order(NORTH, "404", correlation_id=CORRELATION)
    assert caught.value.code == "not_found"


def test_a_wrong_token_is_refused(control: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORTH_SHOPIFY_ACCESS_TOKEN", "stolen")
    with pytest.raises(Refused) as caught:
        read()
    assert caught.value.code == "http_401"


def test_money_goes_back_by_shopify_and_can_be_read(control: Caller) -> None:
    paid_by_shopify(control)
    made = by_shopify(amount_minor=1690, shipping_minor=490)
    assert (made.amount_minor, made.currency, made.status) == (1690, "USD", "succeeded")
    (seen,) = read().refunds
    assert (seen.external_id, seen.call_key, seen.shipping_minor) == (made.ref, str(KEY), 490)
    assert [(line.line_external_id, line.quantity) for line in seen.lines] == [("11", 1)]


def test_money_goes_back_by_stripe(control: Caller) -> None:
    made = by_stripe()
    assert (made.amount_minor, made.currency, made.status) == (1200, "USD", "succeeded")
    assert [row["amount_minor"] for row in refunds(control)] == [1200]


@pytest.mark.parametrize("send", [by_stripe, by_shopify])
def test_a_second_try_with_the_same_key_moves_no_money(control: Caller, send: Any) -> None:
    if send is by_shopify:
        paid_by_shopify(control)
    assert send() == send()
    assert len(refunds(control)) == 1


@pytest.mark.parametrize("send", [by_stripe, by_shopify])
@pytest.mark.parametrize("fault", ["dropped_after", "half_json", "html_200", "stored_500"])
def test_an_answer_that_is_lost_moves_money_once_and_is_found(
    control: Caller, swift: None, send: Any, fault: str
) -> None:
    if send is by_shopify:
        paid_by_shopify(control)
    control.control("faults", {"vendor": "*", "operation": "*", "kind": fault, "times": 3, "executes": True})
    with pytest.raises(OutcomeUnknown):
        send()
    assert len(refunds(control)) == 1


@pytest.mark.parametrize("send", [by_stripe, by_shopify])
def test_a_lost_answer_is_settled_by_reading(control: Caller, swift: None, send: Any) -> None:
    if send is by_shopify:
        paid_by_shopify(control)
    control.control("faults", {"vendor": "*", "operation": "*", "kind": "dropped_after", "times": 3})
    with pytest.raises(OutcomeUnknown):
        send()
    if send is by_shopify:
        found = shopify.find_refund(NORTH, "5001001", key=KEY, correlation_id=CORRELATION)
    else:
        found = stripe.find_refund(NORTH, "ch_1", key=KEY, correlation_id=CORRELATION)
    assert found is not None
    assert found.amount_minor == 1200


def test_what_was_never_made_is_not_found(control: Caller) -> None:
    assert stripe.find_refund(NORTH, "ch_1", key=uuid4(), correlation_id=CORRELATION) is None
    assert shopify.find_refund(NORTH, "5001001", key=uuid4(), correlation_id=CORRELATION) is None


@pytest.mark.parametrize("kind", ["rate_limited", "throttled"])
def test_a_vendor_that_slows_us_down_is_tried_later(control: Caller, swift: None, kind: str) -> None:
    paid_by_shopify(control)
    fault = {"vendor": "shopify", "operation": "refundCreate", "kind": kind, "times": 3, "retry_after": "30"}
    control.control("faults", fault)
    with pytest.raises(Unavailable):
        by_shopify()
    assert refunds(control) == []


def test_a_vendor_that_is_down_was_sent_nothing(control: Caller, swift: None, monkeypatch: Any) -> None:
    monkeypatch.setenv("NORTH_STRIPE_API_BASE", "http://127.0.0.1:9")
    with pytest.raises(Unavailable):
        by_stripe()


@pytest.mark.parametrize("send", [by_stripe, by_shopify])
def test_a_refund_on_its_way_is_pending(control: Caller, send: Any) -> None:
    if send is by_shopify:
        paid_by_shopify(control)
    control.control("faults", {"vendor": "*", "operation": "*", "kind": "pending", "times": 1})
    assert send().status == "pending"


def test_more_than_was_paid_is_refused(control: Caller) -> None:
    with pytest.raises(Refused):
        by_stripe(amount=2891)
    paid_by_shopify(control)
    with pytest.raises(Refused):
        by_shopify(amount_minor=2891)
    assert refunds(control) == []


@pytest.mark.parametrize("send", [by_stripe, by_shopify])
def test_another_body_under_a_used_key_is_no_plain_refusal(control: Caller, swift: None, send: Any) -> None:
    if send is by_shopify:
        paid_by_shopify(control)
    send()
    with pytest.raises(OutcomeUnknown):
        by_shopify(amount_minor=1100) if send is by_shopify else by_stripe(amount=1100)


def test_a_refund_made_by_hand_is_listed_by_both_vendors(control: Caller) -> None:
    body = {"id": 9001, "amount": "12.00", "lines": [{"id": 11, "quantity": 1}]}
    control.control("orders/north/5001001/refunds", body)
    (seen,) = read().refunds
    assert seen.call_key == ""
    assert seen.parts[0].amount_minor == 1200
    listed = stripe.list_refunds(NORTH, "ch_1", correlation_id=CORRELATION)
    assert [part.ref for made in listed for part in made.parts] == [part.ref for part in seen.parts]


def test_a_charge_is_read_with_its_card(control: Caller) -> None:
    seen = stripe.read_charge(NORTH, "ch_1", correlation_id=CORRELATION)
    assert (seen.captured_minor, seen.instrument, seen.order_external_id) == (2890, "fp", "5001001")


def test_a_parcel_is_read_with_its_tracking(control: Caller) -> None:
    parcel = {
        "id": 900,
        "tracking_number": "JD01",
        "carrier": "DHL",
        "status": "in_transit",
        "created_at": "2026-11-02T10:00:00Z",
        "line_ids": [11],
    }
    control.control("orders/north/5001001/fulfilments", parcel)
    (seen,) = read().shipments
    assert (seen.status, seen.carrier, seen.tracking_numbers) == ("in_transit", "DHL", ("JD01",))
    assert [(line.line_external_id, line.quantity) for line in seen.lines] == [("11", 2)]


def test_tags_are_added_once(control: Caller) -> None:
    for _ in range(2):
        shopify.add_tags(NORTH, "5001001", ["fraud-suspect"], correlation_id=CORRELATION)
    assert [row["tag"] for row in control.ledger()["tags"]] == ["fraud-suspect"]


def test_a_message_leaves_once_per_key(control: Caller) -> None:
    for _ in range(2):
        klaviyo.send_event(
            NORTH,
            "Opsagent message",
            unique_id=KEY,
            email="ada@example.com",
            properties={"template": "order_in_transit"},
            correlation_id=CORRELATION,
        )
    (sent,) = control.ledger()["messages"]
    assert (sent["unique_id"], sent["properties"]["template"]) == (str(KEY), "order_in_transit")
