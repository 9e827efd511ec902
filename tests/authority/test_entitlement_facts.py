"""What the terms are asked about comes from the server: parcels, returns, countries, files, the version in force."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from approvals import recheck
from approvals.deciding import Made
from approvals.entitlement_words import say
from approvals.models import ApprovalRequest, Decision, TermsVersion
from audit import sources
from cases.models import Case
from tests import factories
from tests.authority.rows import decide_refund, order_of, refundable_case, seen_by_agent
from tools.models import Order, Return, Shipment, ShipmentLine

pytestmark = pytest.mark.django_db


def sent_back(order: Order, status: str = "closed", **fields: Any) -> Return:
    asked = {"requested_at": factories.now(), "external_id": f"{order.pk}-{order.returns.count()}", **fields}
    return Return.objects.create(shop=order.shop, order=order, status=status, **asked)


def why(made: Made) -> str:
    """The rule that entitles, or the code of why none does; the verdict agrees."""
    said: str = made.decision.judged_under["entitlement"]["rule"]
    granted = made.decision.entitled_by
    assert (granted, made.decision.rule == "refund.entitled") in ((said, False), ("", True))
    assert bool(made.decision.entitlement)
    return said


def two_lines() -> Case:
    order = factories.make_order(
        factories.make_shop(), [("Mug", 1, 900), ("Towel", 1, 400)], shipping_minor=0
    )
    return factories.make_case(order=order)


def holding(order: Order, place: int, **fields: Any) -> Shipment:
    """A parcel with one line of the order."""
    parcel = factories.make_shipment(order, **fields)
    ShipmentLine.objects.filter(shipment=parcel).exclude(line=order.lines.order_by("pk")[place]).delete()
    return parcel


@pytest.mark.parametrize("reason", ["missing", "damaged", "wrong_item"])
def test_the_parcel_that_holds_the_line_decides_and_no_other(reason: str) -> None:
    case = two_lines()
    holding(order_of(case), 0, status="in_transit", delivered_at=None)
    holding(order_of(case), 1)
    assert why(decide_refund(case, reason=reason)) == "parcel.not_delivered"
    Shipment.objects.filter(order=case.order).update(status="delivered", delivered_at=factories.now())
    assert why(decide_refund(case, reason=reason)) == f"terms.{reason}"


def test_a_line_that_no_parcel_holds_is_not_missing_and_a_cancelled_parcel_holds_none() -> None:
    case = two_lines()
    holding(order_of(case), 1)
    holding(order_of(case), 0, status="cancelled")
    assert why(decide_refund(case, reason="missing")) == "parcel.none"


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        ("requested", "return.none"),
        ("declined", "return.none"),
        ("canceled", "return.none"),
        ("open", "return.not_sent"),
        ("closed", "terms.withdrawal"),
    ],
)
def test_a_return_pays_once_the_shop_has_it(status: str, answer: str) -> None:
    case = refundable_case()
    sent_back(order_of(case), status)
    assert why(decide_refund(case, reason="returned")) == answer


def test_a_return_that_names_no_lines_pays_for_no_part_of_an_order() -> None:
    case = two_lines()
    factories.make_shipment(order_of(case))
    sent_back(order_of(case))
    assert why(decide_refund(case, reason="returned")) == "return.none"


def held(order: Order, quantity: int = 1, processed: int = 1, place: int = 0) -> list[dict[str, Any]]:
    """The contents of a return with pieces of one line."""
    line = order.lines.order_by("pk")[place]
    return [{"line": line.external_id, "quantity": quantity, "processed": processed}]


@pytest.mark.parametrize(
    ("status", "processed", "place", "answer"),
    [
        ("closed", 1, 0, "terms.withdrawal"),
        ("open", 1, 0, "terms.withdrawal"),
        ("open", 0, 0, "return.not_sent"),
        # Closed without this piece: it never came.
        ("closed", 0, 0, "return.none"),
        ("closed", 1, 1, "return.none"),
        ("declined", 1, 0, "return.none"),
    ],
)
def test_a_return_that_names_its_lines_pays_for_these(
    status: str, processed: int, place: int, answer: str
) -> None:
    case = two_lines()
    order = order_of(case)
    factories.make_shipment(order)
    sent_back(order, status, contents=held(order, processed=processed, place=place))
    assert why(decide_refund(case, reason="returned")) == answer


def test_what_came_back_pays_once_and_for_no_piece_more() -> None:
    order = factories.make_order(factories.make_shop(), [("Mug", 3, 900)], shipping_minor=0)
    factories.make_shipment(order)
    sent_back(order, contents=held(order))
    case = factories.make_case(order=order)
    both = [{"line_id": order.lines.get().pk, "quantity": 2}]
    assert why(decide_refund(case, reason="returned", lines=both)) == "return.none"
    made = decide_refund(case, reason="returned")
    assert why(made) == "terms.withdrawal"
    # Its own piece, set aside by now, is none that was given before it.
    assert recheck.stopped(made.calls[0], seen_by_agent(case)) == ""
    assert why(decide_refund(case, reason="returned")) == "return.none"
    sent_back(order, "open", contents=held(order, quantity=2, processed=0))
    assert why(decide_refund(case, reason="returned")) == "return.not_sent"


def test_a_withdrawal_from_the_whole_order_gives_the_standard_shipping_back() -> None:
    shop = factories.make_shop()
    order = factories.make_order(shop, [("Mug", 1, 900)], shipping_minor=490, country="DE")
    factories.make_shipment(order)
    sent_back(order)
    case = factories.make_case(order=order)
    assert why(decide_refund(case, reason="returned", shipping=True)) == "shipping.no_rate"
    factories.make_terms(shop, standard_shipping={"EUR": 490})
    assert why(decide_refund(case, reason="returned")) == "shipping.owed"
    made = decide_refund(case, reason="returned", shipping=True)
    assert (why(made), made.effect.body["shipping_minor"]) == ("terms.withdrawal", 490)
    # What is reserved for it now changes nothing about what it is judged by.
    assert recheck.stopped(made.calls[0], seen_by_agent(case)) == ""


def test_the_country_that_the_order_went_to_decides_about_the_law() -> None:
    case = refundable_case()
    sent_back(order_of(case))
    Order.objects.update(country="US")
    assert why(decide_refund(case, reason="returned")) == "terms.returned"


def test_days_are_those_of_the_customers_country_else_of_the_shop() -> None:
    case = refundable_case()
    # 14 days ago by the clock of Tokyo, where that day is over; on Hawaii it is not.
    arrived = factories.now() - timedelta(days=15, hours=2)
    Shipment.objects.update(delivered_at=arrived)
    Order.objects.update(country="JP")
    assert why(decide_refund(case)) == "window.over"
    terms = factories.make_terms(order_of(case).shop, damage_days=16)
    made = decide_refund(case)
    assert (why(made), made.decision.terms) == ("terms.damaged", terms)


def test_what_was_written_in_time_holds_while_the_case_waits() -> None:
    case = refundable_case()
    Shipment.objects.update(delivered_at=factories.now() - timedelta(days=17))
    assert why(decide_refund(case)) == "window.over"
    factories.make_message(case, at=factories.now() - timedelta(days=5))
    assert why(decide_refund(case)) == "terms.damaged"


def test_above_an_amount_a_photo_is_asked_for_and_a_person_looks_at_it() -> None:
    case = refundable_case(1500)
    factories.make_terms(order_of(case).shop, photo_above={"EUR": 1000})
    assert why(decide_refund(case)) == "photo.missing"
    factories.make_message(case, attachments=1)
    made = decide_refund(case)
    assert why(made) == "terms.damaged"
    assert (made.decision.rule, made.decision.outcome) == ("refund.photo", "one_approver")
    assert ApprovalRequest.objects.get().tier == "one_approver"
    assert made.calls == ()


def test_a_photo_of_another_case_or_of_ours_proves_nothing() -> None:
    case = refundable_case(1500)
    factories.make_terms(order_of(case).shop, photo_above={"EUR": 1000})
    factories.make_message(factories.make_case(), attachments=1)
    factories.make_message(case, attachments=1, direction="out")
    assert why(decide_refund(case)) == "photo.missing"


def test_small_claims_on_one_order_add_up_to_a_photo() -> None:
    order = factories.make_order(factories.make_shop(), [("Mug", 3, 1500)], shipping_minor=0)
    factories.make_shipment(order)
    factories.make_terms(order.shop, photo_above={"EUR": 1000})
    case = factories.make_case(order=order)
    made = [decide_refund(case) for _piece in range(3)]
    assert [why(one) for one in made] == ["terms.damaged", "terms.damaged", "photo.missing"]
    # The second is no third of itself when it is looked at again before it is sent.
    assert recheck.stopped(made[1].calls[0], seen_by_agent(case)) == ""


def test_a_decision_keeps_the_version_that_granted_it_and_its_sentence() -> None:
    made = decide_refund(refundable_case())
    kept = Decision.objects.get(pk=made.decision.pk)
    assert kept.terms == TermsVersion.objects.get()
    assert kept.judged_under["entitlement"]["values"]["days"] == 14
    assert kept.entitlement.startswith("Claimed as damaged. It arrived on ")


def test_the_sentence_says_when_the_customer_first_wrote_whatever_it_was_about() -> None:
    case = refundable_case()
    arrived = (factories.now() - timedelta(days=2)).replace(hour=10)
    order_of(case).shipments.update(delivered_at=arrived)
    factories.make_message(case, text="Thanks, it came!", at=arrived + timedelta(hours=1))
    with sources.frozen(arrived + timedelta(days=20)):
        factories.make_message(case, text="It is damaged.", at=sources.now())
        said = decide_refund(case).decision
    assert said.entitled_by == "terms.damaged"
    told = said.judged_under["entitlement"]["values"]
    assert (told["heard"], "first word after that came on" in said.entitlement) == (told["arrived"], True)


def test_a_decision_of_before_the_day_was_kept_still_has_a_sentence() -> None:
    values: dict[str, str | int] = {"arrived": "2026-11-04", "until": "2026-11-18", "days": 14}
    assert "came on a day that was not kept" in say("terms.damaged", values)


def test_terms_hold_once_they_are_published_and_from_their_moment_on() -> None:
    case = refundable_case()
    shop = order_of(case).shop
    waits = {"published_at": None, "effective_at": None, "author": factories.make_user()}
    factories.make_terms(shop, damage_days=0, **waits)
    factories.make_terms(shop, damage_days=0, effective_at=factories.now() + timedelta(days=1))
    assert why(decide_refund(case)) == "terms.damaged"


def test_terms_that_are_changed_void_no_refund_that_they_still_grant() -> None:
    case = refundable_case()
    made = decide_refund(case)
    factories.make_terms(order_of(case).shop, damage_days=30, return_days=0)
    assert recheck.stopped(made.calls[0], seen_by_agent(case)) == ""


def test_a_shop_without_terms_in_force_grants_nothing() -> None:
    shop = factories.make_shop(terms_in_force=False)
    case = refundable_case(shop=shop)
    assert why(decide_refund(case)) == "terms.none"


def test_stricter_terms_of_today_stop_what_was_granted_before() -> None:
    case = refundable_case()
    made = decide_refund(case)
    assert recheck.stopped(made.calls[0], seen_by_agent(case)) == ""
    factories.make_terms(order_of(case).shop, damage_days=0)
    assert recheck.stopped(made.calls[0], seen_by_agent(case)) == "refund.entitled"
