"""A colleague's suspicion: a flag with a reason, a person at once, and nothing automatic until a person lowers it."""

from __future__ import annotations

import pytest

from approvals.errors import AlreadyDecided, Invalid, NotPermitted
from approvals.models import ApprovalRequest, RiskFlag
from approvals.services import lower_flag
from audit.models import Entry
from cases.fraud.suspecting import mark_case, mark_order
from cases.models import Case, Shop
from tests import factories
from tests.authority.rows import acting, decide_refund, order_of, refundable_case
from tests.fraud.rows import called

pytestmark = pytest.mark.django_db


def test_a_marked_case_is_a_persons_whatever_it_asks_for(shop: Shop) -> None:
    case = refundable_case(shop=shop)
    mark_case(case.pk, reason="The same photo as last week", by=acting(shop, "agent"))
    flag = RiskFlag.objects.get()
    assert (flag.reason, flag.order_id) == ("The same photo as last week", case.order_id)
    assert called() == [("fraud", "staff.marked")]
    assert decide_refund(case).decision.rule == "risk.fraud"
    assert Entry.objects.filter(action="risk.raised", subject_id=str(flag.pk)).count() == 1


def test_a_marked_order_gets_a_case_where_it_has_none(shop: Shop) -> None:
    order = factories.make_order(shop)
    mark_order(order.pk, reason="Stolen card, says the bank", by=acting(shop, "agent"))
    case = Case.objects.get()
    assert (case.order_id, case.subject, case.state) == (order.pk, "risk", "handoff")


def test_a_request_that_waits_for_a_signature_is_void_by_it(shop: Shop) -> None:
    case = refundable_case(15_000, shop=shop)
    request = decide_refund(case).request
    assert request is not None
    mark_case(case.pk, reason="Odd", by=acting(shop, "agent"))
    assert ApprovalRequest.objects.get().state == "voided"


def test_nobody_tells_the_customer(shop: Shop) -> None:
    case = refundable_case(shop=shop)
    factories.make_message(case)
    mark_case(case.pk, reason="Odd", by=acting(shop, "agent"))
    assert not case.calls.exists()


def test_a_mark_says_why_and_is_made_once(shop: Shop) -> None:
    case, by = refundable_case(shop=shop), acting(shop, "agent")
    with pytest.raises(Invalid):
        mark_case(case.pk, reason=" ", by=by)
    mark_case(case.pk, reason="Odd", by=by)
    with pytest.raises(AlreadyDecided):
        mark_case(case.pk, reason="Odd", by=by)
    with pytest.raises(AlreadyDecided):
        mark_order(order_of(case).pk, reason="Odd", by=by)
    assert RiskFlag.objects.count() == 1


def test_a_closed_case_is_marked_by_its_order(shop: Shop) -> None:
    case, by = factories.make_case(order=factories.make_order(shop), state="closed"), acting(shop, "agent")
    with pytest.raises(AlreadyDecided):
        mark_case(case.pk, reason="Odd", by=by)
    assert mark_order(order_of(case).pk, reason="Odd", by=by).pk != case.pk


@pytest.mark.parametrize("role", ["viewer", "auditor", "limit author", "limit publisher", "admin"])
def test_no_other_role_marks(shop: Shop, role: str) -> None:
    case = refundable_case(shop=shop)
    for press, pk in ((mark_case, case.pk), (mark_order, order_of(case).pk)):
        with pytest.raises(NotPermitted):
            press(pk, reason="Odd", by=acting(shop, role))
    with pytest.raises(NotPermitted):
        mark_case(case.pk, reason="Odd", by=acting(factories.make_shop(), "agent"))
    assert not RiskFlag.objects.exists()


def test_a_marked_case_goes_on_once_a_person_has_lowered_the_flag(shop: Shop) -> None:
    case, by = refundable_case(shop=shop), acting(shop, "agent")
    mark_case(case.pk, reason="Odd", by=by)
    lower_flag(RiskFlag.objects.get().pk, reason="It was her sister", by=by)
    assert decide_refund(case).decision.rule == "refund.tier.automatic"
