"""What the planner is told of a case, read from the rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cases.models import Case, Message, PlannerConfig
from cases.planner.factory import current_config, planner_for
from cases.planner.gather import gather
from cases.planner.protocol import Proposal
from cases.planner.rules import RulesPlanner
from cases.planner.scripted import ScriptedPlanner
from tests.factories import (
    make_approval,
    make_call,
    make_case,
    make_decision,
    make_flag,
    make_message,
    make_order,
    make_person,
    make_shipment,
    make_shop,
    make_template,
    make_terms,
    make_user,
    now,
)
from tools.models import LedgerEntry, OrderLine, Return, StockLevel, Supplier, SupplierItem

pytestmark = pytest.mark.django_db


def queries(case: Case) -> int:
    fresh = Case.objects.select_related("shop", "order", "conversation__person").get(pk=case.pk)
    with CaptureQueriesContext(connection) as captured:
        gather(fresh)
    return len(captured)


def test_the_number_of_queries_does_not_grow_with_the_case() -> None:
    case = make_case(order=make_order(make_shop(), [("Mug", 9, 9000)]))
    make_message(case)
    make_shipment(case.order)  # type: ignore[arg-type]
    few = queries(case)
    for _ in range(4):
        other = make_order(case.shop, [("Mug", 2, 900)] * 5, person=case.person)
        make_shipment(other)
        make_shipment(case.order)  # type: ignore[arg-type]
        make_message(case)
        make_flag(case)
        make_call(make_decision(case, amount_minor=1000), amount_minor=1000)
    assert queries(case) == few


def test_gathering_writes_nothing() -> None:
    case = make_case()
    make_message(case)
    with CaptureQueriesContext(connection) as captured:
        gather(case)
    assert {query["sql"].split()[0] for query in captured} == {"SELECT"}


def test_the_planner_sees_the_orders_graph() -> None:
    order = make_order(make_shop(), [("Mug", 2, 900), ("Towel", 1, 400)])
    parcel = make_shipment(order)
    parcel.contents.filter(line__title="Towel").delete()
    seen = gather(make_case(order=order)).order
    assert seen is not None
    assert [(line.title, line.quantity, line.parcel_ids) for line in seen.lines] == [
        ("Mug", 2, (parcel.pk,)),
        ("Towel", 1, ()),
    ]
    assert seen.shipments[0].status == "delivered"
    assert seen.payments[0].refundable_minor == order.total_minor


def test_refunds_of_ours_and_of_elsewhere_are_told() -> None:
    case = make_case()
    make_call(make_decision(case), amount_minor=300)
    payment = case.order.payments.get()  # type: ignore[union-attr]
    LedgerEntry.objects.create(
        shop=case.shop,
        payment=payment,
        kind=LedgerEntry.Kind.ELSEWHERE,
        amount_minor=200,
        currency=payment.currency,
        vendor_ref="re_1",
        at=now(),
    )
    facts = gather(case)
    assert facts.order is not None
    assert {(refund.amount_minor, refund.by) for refund in facts.order.refunds} == {
        (300, "ours"),
        (200, "elsewhere"),
    }
    assert facts.person is not None
    assert facts.person.refunded_minor == {payment.currency: 300}


def test_pieces_that_were_taken_off_the_order_are_none_to_refund() -> None:
    case = make_case(order=make_order(make_shop(), [("Mug", 3, 900)]))
    OrderLine.objects.update(removed_quantity=2)
    facts = gather(case)
    assert facts.order is not None
    assert [line.open_quantity for line in facts.order.lines] == [1]


@pytest.mark.parametrize(
    ("country", "final", "days", "by_law"),
    # The law's 14 days may end after a weekend and holidays; where it holds, a final sale is none.
    [("US", True, 7, None), ("DE", False, 19, 14)],
)
def test_the_terms_are_told_as_they_hold_where_the_order_went(
    country: str, final: bool, days: int, by_law: int | None
) -> None:
    shop = make_shop()
    make_terms(shop, return_days=7, wrong_item_days=3, final_sale=["SKU-0"], photo_above={"EUR": 5000})
    facts = gather(make_case(order=make_order(shop, [("Mug", 1, 900), ("Towel", 1, 400)], country=country)))
    assert facts.order is not None
    assert [line.final_sale for line in facts.order.lines] == [final, False]
    told = facts.terms
    assert (told.return_days, told.withdrawal_days, told.photo_above_minor) == (days, by_law, 5000)
    assert [told.days(wish) for wish in ("damaged", "wrong_item", "missing")] == [14, 3, 14]


def test_what_is_back_at_the_shop_is_told() -> None:
    order = make_order(make_shop(), [("Mug", 3, 900)])
    line = order.lines.get()
    held = [
        {"line": line.external_id, "quantity": 2, "processed": 1},
        {"line": "gone", "quantity": 1, "processed": 1},
    ]
    Return.objects.create(
        shop=order.shop, order=order, external_id="5", status="open", requested_at=now(), contents=held
    )
    facts = gather(make_case(order=order))
    assert facts.order is not None
    (back,) = facts.order.returns
    assert [(piece.line_id, piece.quantity, piece.here) for piece in back.pieces] == [(line.pk, 2, 1)]


def test_at_most_five_other_orders_of_the_verified_sender_are_told() -> None:
    case = make_case()
    for days in range(1, 9):
        make_order(case.shop, person=case.person, placed_at=now() - timedelta(days=days))
    make_order(case.shop)
    facts = gather(case)
    assert len(facts.other_orders) == 5
    assert facts.order is not None
    assert facts.order.id not in [order.id for order in facts.other_orders]


def test_an_unverified_sender_brings_no_other_orders() -> None:
    case = make_case()
    make_order(case.shop, person=case.person)
    case.conversation.verified = False  # type: ignore[union-attr]
    case.conversation.save()  # type: ignore[union-attr]
    facts = gather(case)
    assert facts.other_orders == ()
    assert not facts.sender_is_contact


def test_somebody_elses_order_is_not_the_senders() -> None:
    shop = make_shop()
    facts = gather(make_case(order=make_order(shop), person=make_person(shop)))
    assert not facts.sender_is_contact


def test_messages_come_in_order_with_their_template_and_without_machine_text() -> None:
    case = make_case()
    make_message(case, "The mug broke.")
    out = Message.Direction.OUT
    make_message(case, "Which?", direction=out, template=make_template("question"))
    make_message(case, "a plan", direction=Message.Direction.MACHINE)
    told = [(message.direction, message.template_key) for message in gather(case).messages]
    assert told == [("in", None), ("out", "question")]


def test_denials_rejections_and_questions_are_remembered() -> None:
    case = make_case()
    make_decision(case, outcome="deny", rule="refund.more_than_bought")
    make_decision(case, tool="request_information", action={"question": "photo"})
    make_approval(case, state="rejected", reason="No.", decided_by=make_user(), decided_at=now())
    facts = gather(case)
    assert [denied.by for denied in facts.denied] == ["policy", "approver"]
    assert facts.questions_asked == ("photo",)


def test_flags_that_are_up_are_told_and_lowered_ones_are_not() -> None:
    case = make_case()
    make_flag(case, kind="legal")
    assert gather(case).flags == ("legal",)


@pytest.mark.parametrize(
    "text", ["When is the table lamp back in stock?", "Wann ist die Tischlampe wieder lieferbar?"]
)
def test_stock_of_the_goods_that_are_asked_about_is_told(text: str) -> None:
    case = make_case()
    make_message(case, text)
    supplier = Supplier.objects.create(shop=case.shop, name="Wholesale")
    rows: list[dict[str, Any]] = [
        {
            "sku": "LAMP",
            "title": "Brass Table Lamp",
            "available": 0,
            "restock_on": now().date() + timedelta(days=9),
        },
        {"sku": "SOAP", "title": "Olive Soap", "available": 9},
    ]
    for row in rows:
        SupplierItem.objects.create(shop=case.shop, supplier=supplier, at=now(), **row)
    StockLevel.objects.create(shop=case.shop, sku="LAMP", available=0, at=now())
    facts = gather(case)
    assert [(item.sku, item.available) for item in facts.stock] == [("LAMP", 0)]
    assert RulesPlanner().propose(facts).arguments["template"] == "back_in_stock_on"


def test_the_configuration_is_one_row_however_often_it_is_asked_for() -> None:
    shop = make_shop()
    assert current_config(shop) == current_config(shop)
    assert planner_for(current_config(shop)).kind == "rules"


def test_a_shops_own_configuration_goes_before_the_setting() -> None:
    own = PlannerConfig.objects.create(kind="rules", version="0", catalogue_hash="0" * 64, created_at=now())
    assert current_config(make_shop(planner=own)) == own


def test_no_planner_is_made_for_a_script() -> None:
    with pytest.raises(ValueError, match="scripted"):
        planner_for(PlannerConfig(kind="scripted"))


def test_a_script_says_its_lines_in_order() -> None:
    first, second = Proposal(tool="close_case", arguments={"reason": "answered"}), Proposal(tool="escalate")
    planner = ScriptedPlanner([first, second])
    facts = gather(make_case())
    assert [planner.propose(facts), planner.propose(facts)] == [first, second]
    with pytest.raises(AssertionError, match="ended"):
        planner.propose(facts)
    assert ScriptedPlanner(lambda seen: first).propose(facts) == first
