"""What is signed is one exact effect: another payee, currency or order is another one, and nothing moves for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from approvals.errors import EffectChanged
from approvals.models import ApprovalRequest
from cases.models import Case
from cases.services import decide_approval
from tests import factories
from tests.authority.rows import acting, money_calls, order_of
from tools.base import Effect, Kind
from tools.models import Order, Payment

pytestmark = pytest.mark.django_db


def other_payee(request: ApprovalRequest) -> None:
    """The same sum, but the shop's own payments would send it."""
    order_of(request.case).payments.update(vendor="shopify", gateway="shopify_payments", external_id="31")


def other_payment(request: ApprovalRequest) -> None:
    """The same sum by the same vendor, from another card of the order's."""
    order = order_of(request.case)
    first = order.payments.get()
    Payment.objects.create(
        shop=request.shop, order=order, vendor=first.vendor, gateway=first.gateway, external_id="ch_other",
        currency=first.currency, captured_minor=first.captured_minor, livemode=first.livemode,
        payment_intent=first.payment_intent, invoice=first.invoice,
    )  # fmt: skip
    Payment.objects.filter(pk=first.pk).update(captured_minor=0)


def other_currency(request: ApprovalRequest) -> None:
    order = order_of(request.case)
    Order.objects.filter(pk=order.pk).update(currency="GBP")
    order.payments.update(currency="GBP")


def other_order(request: ApprovalRequest) -> None:
    """The case turns out to be about another order of the same price."""
    assert request.case.order is not None
    other = factories.make_order(request.shop, person=request.case.order.person)
    Case.objects.filter(pk=request.case_id).update(order=other)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (other_payee, "effect"),
        (other_payment, "effect"),
        (other_currency, "effect"),
        (other_order, "order.not_of_case"),
    ],
)
def test_another_payee_currency_or_order_voids_the_request(
    change: Callable[[ApprovalRequest], None], why: str
) -> None:
    request = factories.make_approval()
    change(request)
    with pytest.raises(EffectChanged):
        decide_approval(request.pk, approve=True, proof=None, reason="", by=acting(request.shop))
    request.refresh_from_db()
    assert (request.state, request.reason, money_calls()) == ("voided", why, 0)
    assert not Payment.objects.exclude(reserved_minor=0).exists()
    assert Case.objects.get(pk=request.case_id).state == Case.State.HANDOFF


def test_what_is_signed_is_every_part_of_the_effect() -> None:
    """No key of the body may change without another hash, nor the tool that would run it."""
    body = factories.make_approval().decision.effect
    signed = Effect("issue_refund", Kind.MONEY, body).digest
    assert {"order", "lines", "amount_minor", "currency", "tenders", "payment", "vendor", "reason"} <= set(
        body
    )
    for key in body:
        assert Effect("issue_refund", Kind.MONEY, {**body, key: "another"}).digest != signed
        assert Effect("issue_refund", Kind.MONEY, {k: body[k] for k in body if k != key}).digest != signed
    assert Effect("adjust_refund", Kind.MONEY, body).digest != signed
