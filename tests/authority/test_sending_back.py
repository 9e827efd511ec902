"""Who pays for sending goods back, what is kept of the refund for it, and what everybody is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from approvals import recheck
from approvals.admin.effect import parts
from approvals.deciding import Wish, resolve
from approvals.entitlement import Grant, Refusal, entitled
from approvals.entitling import judged, sending_back
from cases.composing import values
from cases.handoff import scope_of
from cases.models import Case, Message
from tests import factories
from tests.authority.claims import NOW, claim, returned, terms, told
from tests.authority.rows import decide_refund, order_of, refundable_case, seen_by_agent
from tests.authority.test_entitlement_facts import held, sent_back, why
from tools.credit_notes.composing import lines_of, totals_of
from tools.credit_notes.part import given_by
from tools.models import Order, OrderLine, Payment, Return, Shipment, ToolCall
from tools.types import Money

LABEL: dict[str, Any] = {"return_shipping": "label", "return_fee": {"EUR": 490}}
VAT = {"title": "MwSt", "rate_ppm": 190_000, "amount_minor": 239}


def grant_of(answer: Any) -> Grant:
    assert isinstance(answer, Grant), answer
    return answer


@pytest.mark.parametrize(
    ("said", "country", "by_law", "payer"),
    [
        ({}, "US", False, "customer"),
        ({"return_shipping": "shop"}, "US", False, "shop"),
        ({"return_shipping": "shop"}, "DE", True, "shop"),
        ({"return_shipping": "shop", "withdrawal_shipping": "customer"}, "DE", True, "customer"),
        ({"return_shipping": "shop", "withdrawal_shipping": "customer"}, "DE", False, "shop"),
        (LABEL, "US", False, "label"),
        # Of a withdrawal no fee is kept, so the label is the shop's.
        (LABEL, "DE", True, "shop"),
        ({"return_shipping_in": {"US": "label"}}, "US", False, "label"),
        ({"return_shipping_in": {"US": "label"}}, "CA", False, "customer"),
        ({"return_shipping_in": {"DE": "shop"}, "withdrawal_shipping": "customer"}, "DE", True, "shop"),
        ({"return_shipping_in": {"DE": "label"}, "withdrawal_shipping": "customer"}, "DE", True, "shop"),
    ],
)
def test_the_terms_say_who_pays_by_reason_and_country(
    said: dict[str, Any], country: str, by_law: bool, payer: str
) -> None:
    assert terms(**said).payer(country, by_law=by_law) == payer


def test_a_fee_is_kept_of_a_change_of_mind_and_of_nothing_else() -> None:
    promised = terms(**LABEL)
    assert grant_of(entitled(returned(), promised, NOW)).fee_minor == 490
    faulty = [grant_of(entitled(claim(why), promised, NOW)) for why in ("damaged", "missing", "wrong_item")]
    by_law = grant_of(entitled(returned(country="DE"), promised, NOW))
    later = grant_of(entitled(returned(country="DE"), terms(**LABEL, withdrawal={}), NOW))
    assert [grant.fee_minor for grant in (*faulty, by_law)] == [0, 0, 0, 0]
    assert (by_law.rule, by_law.values["return_shipping"]) == ("terms.withdrawal", "shop")
    # Where no right of withdrawal holds, what the shop takes back by itself has the shop's price.
    assert (later.rule, later.fee_minor) == ("terms.returned", 490)
    assert grant_of(entitled(returned(fee_kept=True), promised, NOW)).fee_minor == 0
    assert grant_of(entitled(returned(currency="JPY"), promised, NOW)).fee_minor == 0


def test_staff_read_who_pays_in_words() -> None:
    said = [
        grant_of(entitled(returned(), terms(**changes), NOW)).sentence
        for changes in (LABEL, {}, {"return_shipping": "shop"})
    ]
    assert "the shop's label, for which €4.90 is kept" in said[0]
    assert "pays the carrier" in said[1]
    assert "The shop pays for sending it back." in said[2]


def case_abroad(amount_minor: int = 1900, *, taxed: bool = False, **said: Any) -> Case:
    """Goods that came back to a shop with these terms from where no right of withdrawal holds."""
    case = refundable_case(amount_minor)
    order = order_of(case)
    Order.objects.filter(pk=order.pk).update(country="US")
    if taxed:
        order.lines.update(taxes=[VAT])
    if said:
        factories.make_terms(order.shop, **said)
    sent_back(order)
    return Case.objects.get(pk=case.pk)


@pytest.mark.django_db
def test_the_fee_is_a_line_of_the_effect_and_the_money_the_credit_note_and_the_lines_agree() -> None:
    case = case_abroad(taxed=True, **LABEL)
    made = decide_refund(case, reason="returned")
    body = made.effect.body
    assert (why(made), body["return_fee_minor"], body["amount_minor"]) == ("terms.returned", 490, 1410)
    assert made.effect.money == Money(1410, "EUR")
    money = [call for call in made.calls if call.amount_minor]
    assert [call.amount_minor for call in money] == [1410]
    line = OrderLine.objects.get(order=case.order)
    # The piece is gone for its whole price, of which the shop keeps a part.
    assert (line.left, line.left_minor) == (0, 0)
    titles = dict(OrderLine.objects.values_list("pk", "title"))
    noted = lines_of(body, titles)
    assert [(one.kind, one.gross_minor) for one in noted] == [("goods", 1900), ("return_fee", -490)]
    # The fee is taxed as the goods: 239 × 490 / 1900, and the document says what is left of both.
    assert noted[1].tax_minor == -62
    assert [(each["gross_minor"], each["taxes"][0]["amount_minor"]) for each in totals_of(noted)] == [
        (1410, 177)
    ]
    shown = parts(made.decision, order_of(case))
    assert [(str(part.refund)) for part in shown] == ["€19.00", "-€4.90"]
    assert made.decision.entitlement.endswith("for which €4.90 is kept of the refund.")
    assert recheck.stopped(money[0], seen_by_agent(case)) == ""


@pytest.mark.django_db
def test_an_order_pays_for_one_label_however_many_steps_it_comes_back_in() -> None:
    order = factories.make_order(factories.make_shop(), [("Mug", 2, 1800)], shipping_minor=0, country="US")
    factories.make_shipment(order)
    factories.make_terms(order.shop, **LABEL)
    sent_back(order, contents=held(order, quantity=2, processed=2))
    case = factories.make_case(order=order)
    fees = [
        decide_refund(case, reason="returned").effect.body.get("return_fee_minor", 0) for _piece in range(2)
    ]
    assert fees == [490, 0]
    # One that was called off has kept nothing.
    ToolCall.objects.update(state="cancelled")
    assert decide_refund(case, reason="returned").decision.rule == "action.resolved"
    OrderLine.objects.update(refunded_quantity=0, refunded_minor=0)
    Payment.objects.update(reserved_minor=0)
    assert decide_refund(case, reason="returned").effect.body["return_fee_minor"] == 490


@pytest.mark.django_db
@pytest.mark.parametrize("amount_minor", [490, 489, 1])
def test_a_fee_leaves_nothing_below_zero(amount_minor: int) -> None:
    made = decide_refund(case_abroad(amount_minor, **LABEL), reason="returned")
    assert (made.decision.outcome, made.decision.problem) == ("deny", "refund.nothing_left")


@pytest.mark.django_db
def test_the_planner_has_no_say_in_the_fee_and_what_is_signed_names_it() -> None:
    case = case_abroad(6000, **LABEL)
    made = decide_refund(case, reason="returned", return_fee_minor=0)
    assert made.decision.problem == "tool.arguments"
    request = decide_refund(case, reason="returned").request
    assert request is not None
    assert request.amount_minor == 5510
    # Terms that give more by now make it another effect: nobody signs the one that was asked for.
    factories.make_terms(order_of(case).shop, return_shipping="shop")
    wish = Wish("issue_refund", request.decision.action, request.decision.planner_id)
    effect, _problem = resolve(wish, scope_of(case))
    assert effect.money == Money(6000, "EUR")
    assert effect.digest != request.effect_hash


@pytest.mark.django_db
def test_no_more_is_kept_than_the_terms_say_when_it_is_sent() -> None:
    case = case_abroad(**LABEL)
    made = decide_refund(case, reason="returned")
    assert recheck.stopped(made.calls[0], seen_by_agent(case)) == ""
    # Better terms by now, or another refund of the return that kept the fee at the same moment.
    factories.make_terms(order_of(case).shop, return_shipping="label", return_fee={"EUR": 489})
    assert recheck.stopped(made.calls[0], seen_by_agent(case)) == "refund.entitled"


@pytest.mark.django_db
def test_two_refunds_that_were_resolved_at_the_same_moment_keep_one_fee() -> None:
    order = factories.make_order(factories.make_shop(), [("Mug", 2, 1800)], shipping_minor=0, country="US")
    factories.make_shipment(order)
    factories.make_terms(order.shop, **LABEL)
    sent_back(order, contents=held(order, quantity=2, processed=2))
    case = factories.make_case(order=order)
    wish = Wish(
        "issue_refund", {**factories.refund_wish(order), "reason": "returned"}, factories.planner_config().pk
    )
    early, _problem = resolve(wish, scope_of(case))
    decide_refund(case, reason="returned")
    late = judged(early, scope_of(case)).answer
    assert isinstance(late, Refusal)
    assert (late.code, "€4.90" in late.sentence) == ("return.fee", True)


@pytest.mark.django_db
@pytest.mark.parametrize(("processed", "answer"), [(1, "terms.returned"), (0, "return.none")])
def test_an_amount_that_a_person_wrote_rests_on_the_return_and_has_no_fee(
    processed: int, answer: str
) -> None:
    case = case_abroad(6000, **LABEL)
    order = order_of(case)
    Return.objects.update(contents=held(order, processed=processed))
    wish = {
        "order_id": order.pk,
        "lines": [{"line_id": order.lines.get().pk, "quantity": 1}],
        "amount_minor": 3000,
        "reason": "returned",
    }
    asked = Wish("adjust_refund", wish, factories.planner_config().pk)
    effect, _problem = resolve(asked, scope_of(case), by_planner=False)
    said = judged(effect, scope_of(case)).answer
    assert said is not None
    assert (told(said), "kept" in said.sentence) == (answer, False)
    assert (effect.money, "return_fee_minor" in effect.body) == (Money(3000, "EUR"), False)


MESSAGES = [
    (LABEL, "The price of the return label, €4.90, is already taken off this amount.", "We keep €4.90"),
    ({}, "at your own cost", "You choose the carrier and pay"),
    ({"return_shipping": "shop"}, "", ""),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("said", "done", "before"), MESSAGES)
def test_the_customer_is_told_who_pays(said: dict[str, Any], done: str, before: str) -> None:
    case = case_abroad(**said)
    Shipment.objects.update(delivered_at=factories.now() - timedelta(days=2))
    decide_refund(case, reason="returned")
    text = Message.objects.latest("pk").text
    assert done in text
    assert ("label" in text, "own cost" in text) == ("label" in done, "own cost" in done)
    named = values(case, "return_instructions")
    assert bool(named["return_fee"]) == ("€4.90" in before)
    assert bool(named["return_at_own_cost"]) == ("carrier" in before)


@pytest.mark.django_db
def test_a_damaged_thing_costs_nobody_a_label_and_no_word_about_it() -> None:
    case = case_abroad(**LABEL)
    assert "return_fee_minor" not in decide_refund(case).effect.body
    text = Message.objects.latest("pk").text
    assert "label" not in text
    assert "own cost" not in text


@pytest.mark.django_db
def test_while_the_right_of_withdrawal_lasts_the_label_is_free() -> None:
    case = refundable_case()
    order = order_of(case)
    factories.make_terms(order.shop, **LABEL)
    Order.objects.update(country="DE")
    assert sending_back(Order.objects.get(pk=order.pk)) == ("shop", 0)
    Shipment.objects.update(delivered_at=factories.now() - timedelta(days=25))
    assert sending_back(Order.objects.get(pk=order.pk)) == ("label", 490)


@given(
    st.lists(st.integers(0, 5000), min_size=1, max_size=4),
    st.integers(0, 900),
    st.integers(1, 900),
    st.data(),
)
def test_the_parts_of_several_tenders_add_up_to_the_refund_with_its_fee(
    prices: list[int], shipping: int, fee: int, data: st.DataObject
) -> None:
    fee = min(fee, sum(prices))
    money = sum(prices) + shipping - fee
    assume(money > 0)
    cut = data.draw(st.integers(0, money))
    body = {
        "lines": [
            {"line": n, "quantity": 1, "amount_minor": price, "duties_minor": 0}
            for n, price in enumerate(prices)
        ],
        "shipping_minor": shipping,
        "amount_minor": money,
        "return_fee_minor": fee,
        "return_fee_taxes": [{"title": "VAT", "rate_ppm": 190_000, "amount_minor": fee // 6}],
        "tenders": [{"payment": 1, "amount_minor": cut}, {"payment": 2, "amount_minor": money - cut}],
    }
    titles = {n: str(n) for n in range(len(prices))}
    halves = [given_by(body, {1}), given_by(body, {2})]
    for half in halves:
        # Raises where a document would not add up to the money that went back.
        assert all(line.gross_minor >= 0 or line.kind == "return_fee" for line in lines_of(half, titles))
    assert sum(half["return_fee_minor"] for half in halves) == fee
    assert sum(half["return_fee_taxes"][0]["amount_minor"] for half in halves) == fee // 6
    assert sum(half["shipping_minor"] for half in halves) == shipping
