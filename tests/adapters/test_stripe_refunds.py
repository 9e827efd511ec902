"""Money back through Stripe: what goes out byte for byte, and which answers are believed."""

import httpx
import pytest

from tests.adapters.faking import CORRELATION, KEY, NORTH, Vendor
from tests.adapters.stripe_faking import REFUND, form_of, found, listed, over, refund, said, without
from tools.adapters import stripe, stripe_wire
from tools.errors import ContractDrift, InvalidArgs, OutcomeUnknown, Refused


def test_a_refund_names_its_key_its_case_and_its_version() -> None:
    vendor = Vendor(said(REFUND))
    refund(vendor)
    (request,) = vendor.asked
    assert (request.method, str(request.url)) == ("POST", "https://stripe.example/v1/refunds")
    assert request.headers["Idempotency-Key"] == str(KEY)
    assert request.headers["Stripe-Version"] == "2026-10-28.endive"
    assert request.headers["Authorization"] == "Bearer sk_test_north"
    assert form_of(request) == {
        "amount": "1200",
        "charge": "ch_1",
        "metadata[call]": str(KEY),
        "metadata[case]": "5",
        "metadata[correlation]": str(CORRELATION),
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 1201},
        {"amount": -1200},
        {"currency": "eur"},
        {"charge": "ch_2"},
        {"charge": None},
        {"status": "halfway"},
        {"id": None},
        {"metadata": {"call": "00000000-0000-4000-8000-000000000002"}},
        {"object": "charge"},
        {"livemode": True},  # under sk_test_
    ],
)
def test_an_answer_to_another_question_is_an_unknown_outcome(changes: dict[str, object]) -> None:
    vendor = Vendor(said({**REFUND, **changes}))
    with pytest.raises(OutcomeUnknown):
        refund(vendor)
    assert len(vendor.asked) == 1


@pytest.mark.parametrize("name", ["id", "amount", "charge", "currency"])
def test_an_answer_that_leaves_out_what_decides_is_an_unknown_outcome(name: str) -> None:
    with pytest.raises(OutcomeUnknown):
        refund(Vendor(said(without(REFUND, name))))


@pytest.mark.parametrize("name", ["object", "created", "metadata"])
def test_a_stand_in_may_leave_out_what_says_nothing_about_the_money(name: str) -> None:
    vendor = Vendor(said(without(REFUND, name)))
    assert refund(vendor).status == "succeeded"


@pytest.mark.parametrize("metadata", [None, {}, {"of": "somebody"}])
def test_a_stand_in_that_keeps_no_metadata_is_believed(metadata: object) -> None:
    assert refund(Vendor(said({**REFUND, "metadata": metadata}))).ref == "re_1"


def test_a_refund_that_the_bank_refuses_at_once_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        refund(Vendor(said({**REFUND, "status": "failed", "failure_reason": "expired_or_canceled_card"})))
    assert caught.value.code == "expired_or_canceled_card"


@pytest.mark.parametrize("status", ["pending", "requires_action", None])
def test_a_refund_on_its_way_is_pending(status: str | None) -> None:
    assert refund(Vendor(said({**REFUND, "status": status}))).status == "pending"


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (0, "USD", "invalid_args"),
        (-1, "USD", "invalid_args"),
        (1234, "KWD", "amount_not_expressible"),  # 1.234: Stripe takes no last digit but 0
    ],
)
def test_nothing_is_sent_for_an_amount_that_can_not_be(amount: int, currency: str, code: str) -> None:
    vendor = Vendor(said(REFUND))
    with pytest.raises(InvalidArgs) as caught:
        refund(vendor, amount, currency)
    assert (caught.value.code, vendor.asked) == (code, [])


@pytest.mark.parametrize(
    ("amount", "currency", "sent"),
    [
        (3000, "JPY", 3000),
        (1230, "KWD", 1230),
        (12, "ISK", 1200),  # ours are whole krónur, Stripe's are hundredths
        (1200, "HUF", 1200),
    ],
)
def test_an_amount_goes_out_in_stripes_units_and_comes_back_in_ours(
    amount: int, currency: str, sent: int
) -> None:
    vendor = Vendor(said({**REFUND, "amount": sent, "currency": currency.lower()}))
    assert refund(vendor, amount, currency).amount_minor == amount
    assert form_of(vendor.asked[0])["amount"] == str(sent)


@pytest.mark.parametrize(
    ("key", "livemode", "sends"),
    [
        ("sk_live_1", False, False),
        ("rk_live_1", False, False),
        ("sk_test_1", True, False),
        ("rk_test_1", True, False),
        ("sk_live_1", True, True),
        ("sk_test_1", False, True),
        ("sk_test_1", None, True),  # nobody told us the payment's mode
        ("sk_12345", True, True),  # a stand-in's key, which names none
    ],
)
def test_a_key_of_the_other_mode_sends_nothing(
    monkeypatch: pytest.MonkeyPatch, key: str, livemode: bool | None, sends: bool
) -> None:
    monkeypatch.setenv("NORTH_STRIPE_API_KEY", key)
    vendor = Vendor(said(REFUND))
    if sends:
        refund(vendor, livemode=livemode)
    else:
        with pytest.raises(InvalidArgs, match="other_mode"):
            refund(vendor, livemode=livemode)
    assert bool(vendor.asked) == sends


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_key_that_stripe_would_not_take_sends_nothing(key: str) -> None:
    with pytest.raises(InvalidArgs):
        stripe_wire.post(NORTH, "refunds.create", "/v1/refunds", {}, key=key, correlation_id=CORRELATION)


def test_a_retry_sends_the_same_bytes_under_the_same_key() -> None:
    vendor = Vendor(httpx.ReadTimeout("lost"), said(REFUND))
    assert refund(vendor).ref == "re_1"
    first, second = vendor.asked
    assert first.content == second.content
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]


def test_a_replayed_answer_is_noted_and_believed(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        made = refund(Vendor(said(REFUND, Idempotent_Replayed="true")))
    assert made.ref == "re_1"
    assert "stripe_replayed" in caplog.text


def test_our_refund_is_found_on_the_third_page() -> None:
    other = {**REFUND, "metadata": None}
    pages = [listed({**other, "id": f"re_{n}"}, has_more=True) for n in (9, 8)]
    vendor = Vendor(*(said(page) for page in pages), said(listed(REFUND)))
    made = found(vendor)
    assert made is not None
    assert made.ref == "re_1"
    asked = [dict(request.url.params) for request in vendor.asked]
    assert [query.get("starting_after") for query in asked] == [None, "re_9", "re_8"]
    assert {query["charge"] for query in asked} == {"ch_1"}


def test_a_list_without_end_is_given_up_and_never_called_empty() -> None:
    pages = (said(listed({**REFUND, "id": f"re_{n}", "metadata": {}}, has_more=True)) for n in range(99))
    vendor = Vendor(*pages)
    with pytest.raises(Refused) as caught:
        found(vendor)
    assert (caught.value.code, len(vendor.asked)) == ("too_many", 10)


def test_refunds_made_from_a_balance_do_not_hide_the_others() -> None:
    vendor = Vendor(said(listed({**REFUND, "charge": None, "id": "re_2"}, REFUND)))
    seen = over(vendor, lambda: stripe.list_refunds(NORTH, "ch_1", correlation_id=CORRELATION))
    assert [made.external_id for made in seen] == ["re_2", "re_1"]


def test_a_list_with_a_refund_that_does_not_say_when_is_drift() -> None:
    with pytest.raises(ContractDrift) as caught:
        over(
            Vendor(said(listed(without(REFUND, "created")))),
            lambda: stripe.list_refunds(NORTH, "ch_1", correlation_id=CORRELATION),
        )
    assert (caught.value.operation, caught.value.field_path, caught.value.finding) == (
        "refunds.list",
        "created",
        "missing",
    )


@pytest.mark.parametrize("lie", [{"charge": "ch_2"}, {"livemode": True}])
def test_a_refund_with_our_key_and_another_charge_or_mode_settles_nothing(lie: dict[str, object]) -> None:
    with pytest.raises(OutcomeUnknown):
        found(Vendor(said(listed({**REFUND, **lie}))))
