"""Money back for a paid invoice: the credit note, what of its answer is believed, and how it is found again."""

from datetime import UTC, datetime

import httpx
import pytest

from tests.adapters.faking import CORRELATION, KEY, NORTH, Vendor
from tests.adapters.stripe_faking import NOTE, REFUND, credit, form_of, listed, over, said
from tools.adapters import stripe_invoices
from tools.errors import InvalidArgs, OutcomeUnknown
from tools.snapshots import RefundResult

PART = {"amount_refunded": 1200, "refund": "re_1", "type": "refund"}


def found(vendor: Vendor) -> RefundResult | None:
    return over(
        vendor,
        lambda: stripe_invoices.find_credit(NORTH, "in_1", "ch_1", key=KEY, correlation_id=CORRELATION),
    )


def test_a_credit_note_refunds_its_whole_amount_and_lets_stripe_write_to_nobody() -> None:
    vendor = Vendor(said(NOTE))
    made = credit(vendor)
    assert (made.ref, made.amount_minor, made.status) == ("re_1", 1200, "pending")
    (request,) = vendor.asked
    assert request.headers["Idempotency-Key"] == str(KEY)
    assert form_of(request) == {
        "amount": "1200",
        "email_type": "none",
        "invoice": "in_1",
        "metadata[call]": str(KEY),
        "metadata[case]": "5",
        "metadata[correlation]": str(CORRELATION),
        "reason": "product_unsatisfactory",
        "refund_amount": "1200",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 1300},
        {"currency": "eur"},
        {"invoice": "in_2"},
        {"livemode": True},
        {"metadata": {"call": "another"}},
        {"status": "void"},
        {"status": "drafted"},
        {"refunds": []},
        {"refunds": [{**PART, "amount_refunded": 1100}]},
        {"refunds": [{**PART, "refund": None}]},
        {"refunds": [PART, {**PART, "refund": "re_2"}]},
    ],
)
def test_a_credit_note_that_is_not_what_was_asked_for_is_an_unknown_outcome(
    changes: dict[str, object],
) -> None:
    with pytest.raises(OutcomeUnknown):
        credit(Vendor(said({**NOTE, **changes})))


@pytest.mark.parametrize("amount", [0, -5])
def test_no_credit_note_over_nothing(amount: int) -> None:
    vendor = Vendor(said(NOTE))
    with pytest.raises(InvalidArgs):
        credit(vendor, amount)
    assert vendor.asked == []


def test_a_credit_note_for_a_payment_of_the_other_mode_is_not_sent() -> None:
    vendor = Vendor(said(NOTE))
    with pytest.raises(InvalidArgs):
        credit(vendor, livemode=True)
    assert vendor.asked == []


def test_a_credit_in_another_unit_is_compared_in_stripes() -> None:
    note = {**NOTE, "amount": 1200, "currency": "isk"}
    assert credit(Vendor(said(note)), 12, "ISK").amount_minor == 12


@pytest.mark.parametrize("status", ["succeeded", "pending", "failed"])
def test_a_lost_credit_note_is_found_with_how_far_its_refund_is(status: str) -> None:
    other = {**NOTE, "id": "cn_0", "metadata": {}}
    by_stripe = {**REFUND, "metadata": {}, "status": status}
    vendor = Vendor(said(listed(other, NOTE)), said(listed({**by_stripe, "id": "re_0"}, by_stripe)))
    made = found(vendor)
    assert made is not None
    assert (made.ref, made.status) == ("re_1", status)
    assert [request.url.path for request in vendor.asked] == ["/v1/credit_notes", "/v1/refunds"]


def test_a_credit_note_that_was_never_made_is_not_found() -> None:
    assert found(Vendor(said(listed({**NOTE, "metadata": None})))) is None


def test_a_note_whose_refund_is_nowhere_settles_nothing() -> None:
    with pytest.raises(OutcomeUnknown):
        found(Vendor(said(listed(NOTE)), said(listed())))


def test_a_lost_answer_sends_the_same_credit_note_again() -> None:
    vendor = Vendor(httpx.ReadTimeout("lost"), said(NOTE))
    credit(vendor)
    first, second = vendor.asked
    assert (first.content, first.headers["Idempotency-Key"]) == (
        second.content,
        second.headers["Idempotency-Key"],
    )


@pytest.mark.parametrize(
    ("changes", "number", "day"),
    [
        ({}, "FF-2041", 3),
        ({"effective_at": None}, "FF-2041", 2),
        ({"effective_at": None, "status_transitions": {"finalized_at": None}}, "FF-2041", 1),
        ({"number": None}, "", 3),
    ],
)
def test_an_invoice_is_named_by_what_is_printed_on_it(
    changes: dict[str, object], number: str, day: int
) -> None:
    first = int(datetime(2026, 7, 1, tzinfo=UTC).timestamp())
    told = {
        "object": "invoice",
        "id": "in_1",
        "number": "FF-2041",
        "created": first,
        "effective_at": first + 2 * 86_400,
        "status_transitions": {"finalized_at": first + 86_400},
        **changes,
    }
    seen = over(
        Vendor(said(told)), lambda: stripe_invoices.read_invoice(NORTH, "in_1", correlation_id=CORRELATION)
    )
    assert (seen.number, seen.issued_at) == (number, datetime(2026, 7, day, tzinfo=UTC))
