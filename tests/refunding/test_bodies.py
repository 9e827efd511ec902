"""What is signed and what is sent: a body adds up, its calls carry each part once, and old bodies end well."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from approvals.admin.effect import parts, payers
from approvals.errors import EffectChanged
from approvals.models import ApprovalRequest
from audit import sources
from cases.handoff import scope_of
from cases.models import Case, Handoff
from cases.services import decide_approval
from tests import factories
from tests.authority.rows import acting, decide_refund, order_of, refundable_case
from tools import ledger
from tools.base import Effect, digest
from tools.catalog.issue_refund import IssueRefund, resolve
from tools.models import Order, OrderLine, Payment, RefundQuote, ToolCall
from tools.payments import record_refund
from tools.refunding.composition import compose
from tools.refunding.quotes import wish_digest
from tools.snapshots import RefundLineSnapshot, RefundPartSnapshot, RefundSnapshot

pytestmark = pytest.mark.django_db
MWST = {"title": "MwSt", "rate_ppm": 190000, "amount_minor": 1900}


def mixed_case(*tenders: tuple[str, str, int]) -> Case:
    """Two taxed lamps with duties and shipping for 134.90, paid by a gift card and a card unless said otherwise."""
    case = refundable_case(11900, quantity=2)
    order = order_of(case)
    Order.objects.filter(pk=order.pk).update(
        shipping_minor=590, shipping_taxes=[{**MWST, "amount_minor": 94}], total_minor=13490
    )
    order.lines.update(duties_minor=1000, taxes=[MWST])
    Payment.objects.filter(order=order).update(captured_minor=0)
    for vendor, gateway, minor in tenders or (
        ("shopify", "gift_card", 3000),
        ("shopify", "shopify_payments", 10490),
    ):
        factories.make_payment(order, vendor=vendor, gateway=gateway, captured_minor=minor)
    return Case.objects.select_related("order__shop", "shop", "conversation__person").get(pk=case.pk)


def wish(case: Case, **more: Any) -> IssueRefund:
    return IssueRefund.model_validate({**factories.refund_wish(order_of(case)), **more})


def quote(case: Case, *amounts: int, minutes: int = 0, **more: Any) -> RefundQuote:
    """The shop has split the wish like this, so many minutes ago."""
    order, asked = order_of(case), wish(case, **more)
    draft = compose(
        Order.objects.get(pk=order.pk),
        [(line.line_id, line.quantity) for line in asked.lines],
        shipping=asked.shipping,
        goodwill_percent=asked.goodwill_percent,
        reason=asked.reason,
    )
    payments = order.payments.filter(captured_minor__gt=0).order_by("pk")
    split = [
        {"payment": payment.pk, "amount_minor": minor, "maximum_minor": payment.captured_minor}
        for payment, minor in zip(payments, amounts, strict=True)
    ]
    at = sources.now() - timedelta(minutes=minutes)
    return RefundQuote.objects.create(order=order, wish=wish_digest(draft), parts=split, read_at=at)


def effect(case: Case, **more: Any) -> Effect:
    return resolve(wish(case, **more), scope_of(case))


def test_a_body_adds_up_in_lines_and_in_tenders() -> None:
    case = mixed_case()
    quote(case, 2000, 5040, shipping=True)
    body = effect(case, shipping=True).body
    assert body["amount_minor"] == 5950 + 500 + 590
    assert sum(part["amount_minor"] + part["duties_minor"] for part in body["lines"]) + 590 == 7040
    assert [tender["amount_minor"] for tender in body["tenders"]] == [2000, 5040]
    assert body["lines"][0]["taxes"] == [{**MWST, "amount_minor": 950}]
    assert body["shipping_taxes"] == [{**MWST, "amount_minor": 94}]


def test_each_tender_has_a_call_and_the_first_carries_the_pieces() -> None:
    case = mixed_case()
    quote(case, 2000, 4450)
    pays = [step for step in effect(case).steps if step.tool == "issue_refund"]
    assert [step.money.amount_minor for step in pays if step.money] == [2000, 4450]
    assert [len(step.request["lines"]) for step in pays] == [1, 0]
    assert len({step.payment_id for step in pays}) == 2


def test_a_quote_is_good_for_fifteen_minutes_and_for_its_wish_alone() -> None:
    case = mixed_case()
    quote(case, 2000, 4450, minutes=16)
    quote(case, 2000, 5040, shipping=True)
    made = decide_refund(case)
    assert (made.decision.rule, made.decision.outcome) == ("action.resolved", "deny")
    assert made.decision.values[-1]["values"] == {"problem": "refund.not_quoted"}


def test_what_is_signed_hours_later_is_still_split_as_it_was_shown() -> None:
    case = mixed_case()
    quote(case, 2000, 4450)
    made = decide_refund(case)
    assert made.request is not None
    later = replace(scope_of(case), decided_at=made.decision.at)
    RefundQuote.objects.update(read_at=made.decision.at - timedelta(minutes=14))
    with sources.frozen(sources.now() + timedelta(hours=3)):
        assert resolve(wish(case), later).digest == made.effect.digest


def test_the_books_move_pieces_and_duties_once_and_money_per_tender() -> None:
    case = mixed_case()
    quote(case, 2000, 4450)
    steps = [step for step in effect(case).steps if step.tool == "issue_refund"]
    decision = factories.make_decision(case)
    calls = [
        factories.make_call(
            decision,
            position=place,
            state="cancelled",
            vendor=step.vendor,
            request=json.dumps(dict(step.request)),
            payment=Payment.objects.get(pk=step.payment_id or 0),
            amount_minor=step.money.amount_minor if step.money else 0,
        )
        for place, step in enumerate(steps)
    ]
    with transaction.atomic():
        for call in calls:
            ledger.reserve(call)
    assert line_sums(case) == (1, 5950, 500)
    assert list(paid(case)) == [2000, 4450]
    with transaction.atomic():
        for call in calls:
            ledger.release(call)
    assert line_sums(case) == (0, 0, 0)
    assert list(paid(case)) == [0, 0]


def line_sums(case: Case) -> tuple[int, int, int]:
    line = order_of(case).lines.order_by("pk")[0]
    return line.refunded_quantity, line.refunded_minor, line.duties_refunded_minor


def paid(case: Case) -> Any:
    payments = order_of(case).payments.filter(captured_minor__gt=0).order_by("pk")
    return payments.values_list("reserved_minor", flat=True)


def test_a_decision_refunds_a_payment_once() -> None:
    call = factories.make_call()
    with pytest.raises(IntegrityError, match="decision_refunds_a_payment_once"), transaction.atomic():
        factories.make_call(call.decision, position=1)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"removed_quantity": 3}, "line_refunds_no_more_than_bought"),
        ({"refunded_quantity": 3}, "line_refunds_no_more_than_bought"),
        ({"removed_quantity": 1, "refunded_quantity": 2}, "line_refunds_no_more_than_is_left"),
        ({"elsewhere_quantity": 1, "refunded_quantity": 2}, "line_refunds_no_more_than_is_left"),
        ({"duties_refunded_minor": 1001}, "line_refunds_no_more_duties_than_paid"),
        ({"duties_refunded_minor": -1}, "line_refunds_no_more_duties_than_paid"),
    ],
)
def test_the_database_refuses_pieces_and_duties_that_were_not_there(
    change: dict[str, int], name: str
) -> None:
    mixed_case()
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        OrderLine.objects.update(**change)


def test_whoever_signs_reads_taxes_duties_and_who_pays() -> None:
    case = mixed_case(("shopify", "gift_card", 3000), ("manual", "bank_deposit", 10490))
    quote(case, 2000, 4450)
    decision = factories.make_decision(case, effect=dict(effect(case).body))
    order = Order.objects.get(pk=order_of(case).pk)
    lamp, _shipping = parts(decision, order)
    assert lamp.notes == ("includes €9.50 MwSt 19 %", "with duties of €5.00")
    assert lamp.refund.amount_minor == 6450
    shop, person = payers(decision, order)
    assert shop.startswith("Shopify sends €20.00 back to the payment (gift_card)")
    assert person.startswith("A person pays €44.50 by hand")


# Bodies that were made before refunds had taxes, duties and tenders.


def old_body(call: ToolCall) -> dict[str, Any]:
    body = json.loads(call.request)
    for name in ("tenders", "shipping_taxes"):
        del body[name]
    body["lines"] = [
        {name: part[name] for name in ("line", "quantity", "amount_minor")} for part in body["lines"]
    ]
    return dict(body)


def test_an_old_call_is_booked_and_given_back_as_it_was_stored() -> None:
    call = factories.make_call(state="cancelled")
    old = factories.make_call(
        factories.make_decision(call.case), state="cancelled", request=json.dumps(old_body(call))
    )
    with transaction.atomic():
        ledger.reserve(old)
        ledger.release(old)
    assert line_sums(call.case) == (0, 0, 0)


def test_an_old_effect_is_still_shown() -> None:
    call = factories.make_call()
    decision = factories.make_decision(call.case, effect=old_body(call))
    order = order_of(call.case)
    assert parts(decision, order)[0].refund.amount_minor == 1500
    assert payers(decision, order)[0].startswith("Stripe sends €15.00")


def test_a_request_that_shows_an_old_effect_is_void_and_moves_nothing() -> None:
    """Its fingerprint is of a body that would be made otherwise today: nobody signs what they did not read."""
    case = refundable_case(6640)
    old = old_body(factories.make_call(factories.make_decision(case, amount_minor=6640), state="cancelled"))
    decision = factories.make_decision(
        case,
        amount_minor=6640,
        effect=old,
        outcome="one_approver",
        effect_hash=digest({"tool": "issue_refund", **old}),
    )
    Case.objects.filter(pk=case.pk).update(state=Case.State.APPROVAL)
    request = factories.make_approval(case, decision=decision)
    with pytest.raises(EffectChanged):
        decide_approval(request.pk, approve=True, proof=None, reason="", by=acting(request.shop))
    request.refresh_from_db()
    assert (request.state, request.reason) == ("voided", "effect")
    assert not ToolCall.objects.exclude(state="cancelled").exists()
    assert Handoff.objects.filter(case=request.case).exists()


def test_what_the_shop_shows_of_a_given_up_record_is_no_refund_made_elsewhere() -> None:
    """A record moves no money, so even one whose call was given up is nobody else's refund."""
    case = refundable_case()
    call = factories.make_call(
        factories.make_decision(case), tool="record_refund", vendor="shopify", state="failed", payment=None,
        amount_minor=0, currency="",
    )  # fmt: skip
    told = RefundSnapshot(
        vendor="shopify",
        external_id="902",
        order_external_id=order_of(case).external_id,
        call_key=str(call.idempotency_key),
        parts=(
            RefundPartSnapshot(
                ref="9", gateway="manual", amount_minor=1500, currency="EUR", status="succeeded"
            ),
        ),
        lines=(RefundLineSnapshot(line_external_id=order_of(case).lines.get().external_id, quantity=1),),
        at=factories.now(),
    )
    for _ in range(2):
        record = record_refund(case.shop_id, told)
        assert record is not None
        assert (record.ours, record.booked_minor, record.unplaced_minor) == (call, 0, 0)
    assert line_sums(case) == (0, 0, 0)


@pytest.mark.parametrize(
    ("setting", "invoice", "says"),
    [("ours", None, "ours"), ("ours", "in_1", "stripe"), ("external", "", "external"), ("none", "", "none")],
)
def test_who_issues_the_document_is_signed_with_the_refund(
    setting: str, invoice: str | None, says: str
) -> None:
    case = refundable_case()
    type(case.shop).objects.filter(pk=case.shop_id).update(credit_notes=setting)
    Payment.objects.filter(order=case.order).update(invoice=invoice)
    made = effect(case)
    assert made.body["credit_note"] == says
    assert ("issue_credit_note" in [step.tool for step in made.steps]) == (says == "ours")


def test_a_setting_that_changes_between_request_and_signature_voids_the_request() -> None:
    case = refundable_case(6640)
    request = ApprovalRequest.objects.get(decision=decide_refund(case).decision)
    assert request.decision.effect["credit_note"] == "none"
    type(case.shop).objects.filter(pk=case.shop_id).update(credit_notes="ours")
    with pytest.raises(EffectChanged):
        decide_approval(request.pk, approve=True, proof=None, reason="", by=acting(request.shop))
    request.refresh_from_db()
    assert (request.state, request.reason) == ("voided", "effect")
    assert not ToolCall.objects.exists()
