"""A charge that paid an invoice is refunded by a credit note; which it is, is settled once and stays."""

import httpx
import pytest

from tests.adapters.faking import KEY, Vendor
from tests.adapters.stripe_faking import NOTE, REFUND, form_of, listed, said
from tests.factories import make_call, make_case, make_decision, make_order, make_shop
from tools import invoices, payments, wire
from tools.catalog import issue_refund
from tools.errors import InvalidArgs, OutcomeUnknown, ReadOnly, Unavailable
from tools.models import InvoicePayment, Payment, ToolCall
from tools.snapshots import ChargeSnapshot, InvoicePaymentSnapshot

PAID = InvoicePaymentSnapshot(external_id="inpay_1", invoice="in_1", payment_intent="pi_1")
CHARGE = {
    "object": "charge",
    "id": "ch_1",
    "amount": 5000,
    "amount_captured": 5000,
    "amount_refunded": 0,
    "currency": "usd",
    "paid": True,
    "payment_intent": "pi_1",
}


@pytest.fixture
def payment(db: None, connected: None) -> Payment:
    shop = make_shop("north", env_prefix="NORTH")
    order = make_order(shop, currency="USD")
    Payment.objects.update(external_id="ch_1")
    return order.payments.get()


@pytest.fixture
def call(payment: Payment) -> ToolCall:
    """A refund of twelve dollars, reserved."""
    decision = make_decision(make_case(payment.shop, order=payment.order), amount_minor=1200)
    return make_call(decision, amount_minor=1200, idempotency_key=KEY)


def sent(call: ToolCall, *answers: httpx.Response | Exception) -> list[httpx.Request]:
    vendor = Vendor(*answers)
    with wire.transport_override(vendor.transport):
        issue_refund.send(call)
    return vendor.asked


def test_a_shop_without_invoices_asks_nothing_more(call: ToolCall) -> None:
    (request,) = sent(call, said(REFUND))
    assert request.url.path == "/v1/refunds"
    assert Payment.objects.get().invoice == ""


def test_a_charge_that_paid_an_invoice_is_refunded_by_a_credit_note(call: ToolCall) -> None:
    invoices.record_invoice_payment(call.shop_id, PAID)
    first, second = sent(call, said(CHARGE), said(NOTE))
    assert (first.url.path, second.url.path) == ("/v1/charges/ch_1", "/v1/credit_notes")
    assert (form_of(second)["invoice"], form_of(second)["reason"]) == ("in_1", "product_unsatisfactory")


def test_an_intent_that_is_known_is_not_asked_for_again(call: ToolCall) -> None:
    seen = ChargeSnapshot(
        external_id="ch_1",
        amount_minor=5000,
        captured_minor=5000,
        refunded_minor=0,
        currency="USD",
        paid=True,
        payment_intent="pi_1",
        livemode=False,
    )
    payments.record_charge(call.shop_id, seen)
    invoices.record_invoice_payment(call.shop_id, PAID)
    (request,) = sent(ToolCall.objects.get(pk=call.pk), said(NOTE))
    assert request.url.path == "/v1/credit_notes"


def test_what_was_settled_at_the_first_try_stays_for_the_second(call: ToolCall) -> None:
    with pytest.raises(OutcomeUnknown):
        sent(call, httpx.ReadTimeout("lost"))
    invoices.record_invoice_payment(call.shop_id, PAID)
    (request,) = sent(ToolCall.objects.get(pk=call.pk), said(REFUND))
    assert request.url.path == "/v1/refunds"


def test_a_payment_of_two_invoices_is_nobodys_credit(call: ToolCall, payment: Payment) -> None:
    for name in ("in_1", "in_2"):
        invoices.record_invoice_payment(call.shop_id, PAID.model_copy(update={"invoice": name}))
    assert invoices.settle_invoice(payment, "pi_1") == ""


def test_two_workers_settle_a_payment_alike(call: ToolCall, payment: Payment) -> None:
    late = Payment.objects.get(pk=payment.pk)
    assert invoices.settle_invoice(payment, "pi_1") == ""
    invoices.record_invoice_payment(call.shop_id, PAID)
    assert invoices.settle_invoice(late, "pi_1") == ""


def test_another_shops_invoice_is_none_of_ours(payment: Payment) -> None:
    invoices.record_invoice_payment(make_shop("sakura").pk, PAID)
    assert not invoices.used_by(payment.shop_id)
    assert invoices.settle_invoice(payment, "pi_1") == ""


def test_an_invoice_that_is_told_twice_is_kept_once(payment: Payment) -> None:
    for _ in range(2):
        invoices.record_invoice_payment(payment.shop_id, PAID)
    assert InvoicePayment.objects.count() == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [(said({**CHARGE, "amount": "50"}), ReadOnly), (said({}, 500), Unavailable)],
)
def test_no_money_moves_where_the_charge_can_not_be_read(
    call: ToolCall, answer: httpx.Response, error: type[Exception]
) -> None:
    invoices.record_invoice_payment(call.shop_id, PAID)
    vendor = Vendor(answer)
    with wire.transport_override(vendor.transport), pytest.raises(error):
        issue_refund.send(call)
    assert {request.method for request in vendor.asked} == {"GET"}
    assert Payment.objects.get().invoice is None


def test_a_lost_credit_note_is_found_by_its_key(call: ToolCall, payment: Payment) -> None:
    invoices.record_invoice_payment(call.shop_id, PAID)
    invoices.settle_invoice(payment, "pi_1")
    vendor = Vendor(said(listed(NOTE)), said(listed({**REFUND, "metadata": {}})))
    with wire.transport_override(vendor.transport):
        found = issue_refund.find(ToolCall.objects.get(pk=call.pk))
    assert found is not None
    assert (found.ref, found.pending, found.failed) == ("re_1", False, False)


def test_a_key_of_the_other_mode_sends_nothing_for_a_known_payment(call: ToolCall, payment: Payment) -> None:
    Payment.objects.update(livemode=True)
    vendor = Vendor(said(REFUND))
    with wire.transport_override(vendor.transport), pytest.raises(InvalidArgs, match="other_mode"):
        issue_refund.send(ToolCall.objects.get(pk=call.pk))
    assert vendor.asked == []
