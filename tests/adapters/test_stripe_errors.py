"""How Stripe says no: each of its errors tells what may be done now."""

import httpx
import pytest

from tests.adapters.faking import CORRELATION, NORTH, Vendor
from tests.adapters.stripe_faking import REFUND, error, over, refund, said
from tools.adapters import stripe
from tools.errors import OutcomeUnknown, Refused, ToolError, Unavailable

RAK = "The provided key 'rk_test_*****' does not have 'rak_refund_write' on account 'acct_1' of ada@example.com."
# https://docs.stripe.com/error-codes and https://docs.stripe.com/error-low-level
TABLE: list[tuple[int, object, type[ToolError], str]] = [
    (400, error("charge_already_refunded"), Refused, "charge_already_refunded"),
    (400, error("charge_disputed"), Refused, "charge_disputed"),
    (400, error("parameter_unknown"), Refused, "parameter_unknown"),
    (402, error("card_declined", "card_error"), Refused, "card_declined"),
    (402, error("insufficient_funds"), Refused, "insufficient_funds"),
    (404, error("resource_missing"), Refused, "resource_missing"),
    (401, error(), Refused, "api_key_invalid"),
    (401, error("api_key_expired"), Refused, "api_key_expired"),
    (403, error(), Refused, "permission_missing"),
    (403, error(message=RAK), Refused, "permission_missing:rak_refund_write"),
    (403, error("testmode_charges_only"), Refused, "testmode_charges_only"),
    (400, error(), Refused, "invalid_request_error"),
    (400, "no object", Refused, "http_400"),
    # Something was or is being done under our key: no is not the whole answer.
    (400, error(kind="idempotency_error"), OutcomeUnknown, "idempotency_error"),
    (409, error("idempotency_key_in_use", "idempotency_error"), OutcomeUnknown, "idempotency_key_in_use"),
    (409, error(), OutcomeUnknown, "invalid_request_error"),
    (424, error(), OutcomeUnknown, "invalid_request_error"),
    (400, error(kind="api_error"), OutcomeUnknown, "api_error"),
    (500, error(kind="api_error"), OutcomeUnknown, "api_error"),
    (503, "away", OutcomeUnknown, "http_503"),
    # Stripe hadn't begun.
    (429, error("rate_limit"), Unavailable, "rate_limit"),
    (429, error("lock_timeout"), Unavailable, "lock_timeout"),
    (400, error("lock_timeout"), Unavailable, "lock_timeout"),
    (409, error("lock_timeout"), Unavailable, "lock_timeout"),
    (429, "slow down", Unavailable, "http_429"),
]


@pytest.mark.parametrize(("status", "body", "kind", "code"), TABLE)
def test_each_no_of_stripe_says_what_may_be_done_now(
    status: int, body: object, kind: type[ToolError], code: str
) -> None:
    with pytest.raises(ToolError) as caught:
        refund(Vendor(said(body, status)))
    assert (type(caught.value), caught.value.code) == (kind, code)
    assert "ada@example.com" not in str(caught.value)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_write_that_broke_midway_is_in_doubt_even_when_stripe_names_a_time(status: int) -> None:
    with pytest.raises(OutcomeUnknown):
        refund(Vendor(said(error(kind="api_error"), status, Retry_After="1")))


@pytest.mark.parametrize(
    ("status", "body", "word", "tries"),
    [
        (400, error("x"), "true", 3),  # only Stripe knows that asking again helps
        (500, error(kind="api_error"), "false", 1),
        (429, error("rate_limit"), "false", 1),
        (409, error("idempotency_key_in_use", "idempotency_error"), "true", 3),
        (409, error("idempotency_key_in_use", "idempotency_error"), "false", 1),
    ],
)
def test_stripes_word_on_repeating_overrides_the_status(
    status: int, body: object, word: str, tries: int
) -> None:
    vendor = Vendor(said(body, status, Stripe_Should_Retry=word))
    with pytest.raises(ToolError):
        refund(vendor)
    assert len(vendor.asked) == tries


def test_a_no_after_a_lost_answer_is_no_refusal() -> None:
    vendor = Vendor(httpx.ReadTimeout("lost"), said(error("charge_already_refunded"), 400))
    with pytest.raises(OutcomeUnknown):
        refund(vendor)


def test_a_wait_that_stripe_names_reaches_the_queue() -> None:
    with pytest.raises(Unavailable) as caught:
        refund(Vendor(said(error("rate_limit"), 429, Retry_After="30")))
    assert caught.value.retry_after == 30


@pytest.mark.parametrize("status", [500, 503])
def test_a_reading_that_broke_is_made_again(status: int) -> None:
    vendor = Vendor(said(error(kind="api_error"), status), said({**REFUND, "object": "list"}))
    with pytest.raises(ToolError):
        over(vendor, lambda: stripe.list_refunds(NORTH, "ch_1", correlation_id=CORRELATION))
    assert len(vendor.asked) == 2
