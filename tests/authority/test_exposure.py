"""Small sums of one customer add up, however the customer is spelled and whoever decides at the same moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.db.models import Sum

from approvals import exposure, rates
from approvals.facts import gather
from approvals.models import ApprovalRequest, Decision
from approvals.policy import Facts
from audit import sources
from audit.actors import SYSTEM
from cases import personal
from cases.handoff import scope_of
from cases.models import Case, KnownAddress, Person, Shop, ShopKey
from tests import factories
from tests.authority.rows import decide_refund, order_of, refundable_case, seen_by_agent, together
from tools.base import Effect
from tools.elsewhere import book
from tools.models import LedgerEntry, Order, Payment, ToolCall
from tools.registry import parse
from tools.snapshots import AddressSnapshot

pytestmark = pytest.mark.django_db

AUTOMATIC, ONE, LARGE = "refund.tier.automatic", "refund.tier.one_approver", "refund.tier.two_factor"
HOME = AddressSnapshot(name="Ida Berg", address1="Elm Lane 1", zip="0150", city="Oslo", country="NO")


def effect_of(case: Case) -> Effect:
    tool, arguments = parse("issue_refund", factories.refund_wish(order_of(case)), by_planner=True)
    return tool.resolve(arguments, scope_of(case))


def facts_of(case: Case) -> Facts:
    return gather(effect_of(case), scope_of(case), seen_by_agent(case))


def case_of(shop: Shop, amount_minor: int = 1500, **person: Any) -> Case:
    """A refundable case of a new customer; each is another person, unless what is said of them tells otherwise."""
    return refundable_case(amount_minor, shop=shop, person=factories.make_person(shop, **person))


@pytest.mark.parametrize(
    "spelling",
    [
        "idaberg@gmail.com",
        "Ida.Berg@GMail.com",
        "i.d.a.b.e.r.g@googlemail.com",
        "idaberg+tent@gmail.com",
        "ida.berg+a+b@gmail.com.",
        "ｉｄａｂｅｒｇ＠ｇｍａｉｌ．ｃｏｍ",
        "ida\u200bberg@gmail.com",
        " idaberg@gmail.com",
    ],
)
def test_one_mailbox_is_one_customer_however_it_is_spelled(spelling: str) -> None:
    shop = factories.make_shop()
    assert decide_refund(case_of(shop, email="ida.berg@gmail.com")).decision.rule == AUTOMATIC
    second = decide_refund(case_of(shop, email=spelling))
    assert second.decision.rule == ONE
    assert facts_of(case_of(shop, email=f"x{spelling.strip()}")).exposure_minor["customer"] == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ida.berg@fjell.example", "idaberg@fjell.example"),  # dots count at other hosts
        ("ida@gmail.com", "ida@fjell.example"),
        ("+ida@fjell.example", "+olaf@fjell.example"),
        ("", ""),
    ],
)
def test_two_mailboxes_are_two_customers(one: str, other: str) -> None:
    shop = factories.make_shop()
    decide_refund(case_of(shop, email=one))
    assert decide_refund(case_of(shop, email=other)).decision.rule == AUTOMATIC


def by_phone(first: Order, second: Order) -> None:
    Person.objects.filter(pk__in=[first.person_id, second.person_id]).update(phone="4790000001")


def by_card(first: Order, second: Order) -> None:
    Payment.objects.filter(order__in=[first, second]).update(instrument="visa-same")


def by_address(first: Order, second: Order) -> None:
    with transaction.atomic():
        personal.keep_address(first, HOME)
        personal.keep_address(second, HOME.model_copy(update={"name": "Olaf Ås", "address1": "1, ELM LANE"}))


def by_an_older_order(first: Order, second: Order) -> None:
    """The second's customer once paid with the card of the first's."""
    older = factories.make_order(second.shop, person=second.person)
    by_card(first, older)


@pytest.mark.parametrize("link", [by_phone, by_card, by_address, by_an_older_order])
def test_whoever_hangs_together_shares_the_limits(link: Callable[[Order, Order], None]) -> None:
    shop = factories.make_shop()
    first, second = case_of(shop), case_of(shop)
    link(order_of(first), order_of(second))
    assert decide_refund(first).decision.rule == AUTOMATIC
    assert decide_refund(second).decision.rule == ONE


def test_what_a_linked_customer_got_on_any_order_counts() -> None:
    """They share an address; the money went back for another order, to another card and address."""
    shop = factories.make_shop()
    first, second = case_of(shop), case_of(shop)
    neighbour = factories.make_order(shop, person=order_of(first).person)
    by_address(neighbour, order_of(second))
    decide_refund(first)
    assert facts_of(second).exposure_minor == {"order": 0, "customer": 1500, "instrument": 0, "address": 0}


def test_a_parcel_shop_makes_nobody_one_person_but_its_own_sum_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposure, "MOST_AT_ONE_PLACE", 1)
    shop = factories.make_shop()
    first, second = case_of(shop), case_of(shop)
    by_address(order_of(first), order_of(second))
    decide_refund(first)
    assert facts_of(second).exposure_minor == {"order": 0, "customer": 0, "instrument": 0, "address": 1500}


def test_more_linked_people_than_anybody_can_tell_apart_are_a_persons(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exposure, "MOST_LINKED", 1)
    shop = factories.make_shop()
    first, second = case_of(shop), case_of(shop)
    by_phone(order_of(first), order_of(second))
    made = decide_refund(second)
    assert (made.decision.rule, made.decision.problem) == ("action.resolved", "exposure.too_many_linked")


def test_another_shops_customers_are_others() -> None:
    first, second = (
        case_of(factories.make_shop(), email="a@b.example"),
        case_of(factories.make_shop(), email="a@b.example"),
    )
    by_card(order_of(first), order_of(second))
    decide_refund(first)
    assert set(facts_of(second).exposure_minor.values()) == {0}


@pytest.mark.parametrize(
    ("state", "counts"),
    [
        ("reserved", True),
        ("sending", True),
        ("pending", True),
        ("unknown", True),
        ("succeeded", True),
        ("failed", False),
        ("failed_later", False),
        ("cancelled", False),
    ],
)
def test_what_may_still_be_given_counts_as_given(state: str, counts: bool) -> None:
    shop = factories.make_shop()
    first, second = case_of(shop, phone="1"), case_of(shop, phone="1")
    decide_refund(first)
    ToolCall.objects.update(state=state, first_sent_at=factories.now())
    assert facts_of(second).exposure_minor["customer"] == (1500 if counts else 0)


def test_what_waits_for_a_signature_counts_for_whatever_comes_after_it() -> None:
    shop = factories.make_shop()
    first, second = case_of(shop, 15_000, phone="1"), case_of(shop, 6000, phone="1")
    assert decide_refund(first).decision.rule == ONE
    made = decide_refund(second)
    assert made.decision.rule == LARGE
    assert facts_of(second).base_minor["day"] == 15_000 + 6000 + 6000
    # Of two that wait for each other the earlier one doesn't count the later, or neither could be signed.
    for decision, counted in ((made.decision, 15_000), (Decision.objects.earliest("pk"), 0)):
        case = decision.case
        seen = gather(effect_of(case), scope_of(case), seen_by_agent(case), without_decision=decision.pk)
        assert seen.exposure_minor["customer"] == counted
    ApprovalRequest.objects.update(state="expired", decided_at=factories.now())
    assert facts_of(second).exposure_minor["customer"] == 0


def test_windows_end_and_an_orders_own_sum_does_not() -> None:
    shop = factories.make_shop()
    first, other = case_of(shop, phone="1"), case_of(shop, phone="1")
    decide_refund(first)
    Payment.objects.filter(order=first.order).update(instrument="visa-same")
    sums = {}
    for days in (0, 2, 31):
        at = factories.now() - timedelta(days=days)
        ToolCall.objects.update(created_at=at, first_sent_at=at, state="succeeded")
        effect = replace(effect_of(other), payment_id=None, body={"order": first.order_id})
        found = exposure.linked(effect)
        assert found is not None
        seen = exposure.sums(effect, found, shop.base_currency, planner="rules", convert=exposure.unconverted)
        sums[days] = (
            seen.exposure_minor["order"],
            seen.exposure_minor["customer"],
            seen.base_minor["day"] - 1500,
        )
    assert sums == {0: (1500, 1500, 1500), 2: (1500, 1500, 0), 31: (1500, 0, 0)}


def test_the_budget_counts_what_this_planner_gave_away_by_itself_today() -> None:
    shop = factories.make_shop()
    ran, asked, now = case_of(shop), case_of(shop, 6000), case_of(shop)
    decide_refund(ran)
    decide_refund(asked)
    assert facts_of(now).automatic_day_minor == 1500 + 1500
    assert facts_of(now).base_minor["day"] == 1500 + 6000 + 1500
    effect, found = effect_of(now), exposure.linked(effect_of(now))
    assert found is not None
    other = exposure.sums(effect, found, shop.base_currency, planner="llm", convert=exposure.unconverted)
    assert other.automatic_day_minor == 1500


def at_two_thirds(money: Any, currency: str) -> tuple[int, str]:
    """Every other currency is worth two thirds of its minor units, at a rate of three days ago."""
    if money.currency == currency:
        return money.amount_minor, "ok"
    return -(-money.amount_minor * 2 // 3), "stale"


def sold_in(currency: str, shop: Shop, person: Person) -> Case:
    """A case of an order in a currency that has limits."""
    case = refundable_case(shop=shop, person=person)
    Order.objects.filter(pk=order_of(case).pk).update(currency=currency)
    Payment.objects.filter(order=case.order_id).update(currency=currency)
    factories.make_limits(shop, currency)
    return Case.objects.get(pk=case.pk)


def test_other_currencies_are_converted_up_and_the_worst_rate_is_told() -> None:
    shop = factories.make_shop()
    person = factories.make_person(shop)
    rates.keep([("EUR", "JPY", Decimal(100))], as_of=sources.now().date(), source="bank", by=SYSTEM)
    assert decide_refund(sold_in("JPY", shop, person)).calls
    euro = refundable_case(1000, shop=shop, person=person)
    effect, found = effect_of(euro), exposure.linked(effect_of(euro))
    assert found is not None
    seen = exposure.sums(effect, found, "EUR", planner="rules", convert=at_two_thirds)
    assert (seen.exposure_minor["customer"], seen.rates, seen.base_rates) == (1000, "stale", "stale")
    assert seen.exposure_minor["order"] == 0
    in_yen = exposure.sums(effect, found, "JPY", planner="rules", convert=at_two_thirds)
    assert in_yen.base_minor["customer"] == 1500 + 667
    assert facts_of(euro).rates == "ok"
    # Nobody knows what a pound is worth here, so a person decides.
    assert decide_refund(sold_in("GBP", shop, person)).decision.rule == "refund.rate"


def test_what_was_given_back_by_hand_is_the_orders_money() -> None:
    case = refundable_case()
    Payment.objects.filter(order=case.order).update(captured_minor=9000, elsewhere_minor=700)
    assert facts_of(case).exposure_minor["order"] == 700


def gives_back_by_hand(order: Order, minor: int, ref: str, days: float) -> None:
    """A colleague's refund in a dashboard, so many days ago."""
    payment = order.payments.get()
    book(payment, LedgerEntry.Kind.ELSEWHERE, minor, ref, made_at=factories.now() - timedelta(days=days))
    Payment.objects.filter(pk=payment.pk).update(elsewhere_minor=payment.elsewhere_minor + minor)


@pytest.mark.parametrize(("days", "month", "day"), [(0.5, 700, 700), (2, 700, 0), (31, 0, 0)])
def test_what_was_given_back_by_hand_counts_for_all_whose_it_was(days: float, month: int, day: int) -> None:
    """On another order of the same customer, card and address; of what the agent gave by itself it is no part."""
    case = refundable_case()
    Payment.objects.update(instrument="fp_1")
    Order.objects.update(address_key=uuid4())
    mine = Order.objects.get(pk=order_of(case).pk)
    other = factories.make_order(case.shop, person=mine.person, address_key=mine.address_key)
    other.payments.update(instrument="fp_1", captured_minor=9000)
    gives_back_by_hand(other, 700, "re_hand", days)
    facts = facts_of(case)
    assert facts.exposure_minor["order"] == 0
    assert {facts.exposure_minor[scope] for scope in ("customer", "instrument", "address")} == {month}
    assert facts.base_minor["day"] == day + (facts.automatic_day_minor or 0)


def test_what_came_back_of_it_counts_no_more() -> None:
    case = refundable_case()
    Payment.objects.update(captured_minor=9000)
    gives_back_by_hand(order_of(case), 700, "re_hand", 1)
    gives_back_by_hand(order_of(case), -700, "re_hand/failed", 0)
    assert facts_of(case).exposure_minor["customer"] == 0


def test_an_address_has_one_random_id_that_says_nothing() -> None:
    shop, other = factories.make_shop(), factories.make_shop()
    key = personal.address_key(shop.pk, HOME)
    spelled = HOME.model_copy(
        update={"name": "X", "address1": "ELM  lane", "address2": "no. 1", "zip": "01 50"}
    )
    same = HOME.model_copy(update={"address1": "élm lane, 1", "city": "OSLO"})
    assert personal.address_key(shop.pk, same) == key
    assert personal.address_key(shop.pk, spelled) != key
    assert personal.address_key(shop.pk, HOME.model_copy(update={"zip": "0151"})) != key
    assert personal.address_key(other.pk, HOME) != key
    assert personal.address_key(shop.pk, HOME.model_copy(update={"address1": ""})) is None
    macs = KnownAddress.objects.values_list("mac", flat=True)
    assert len({bytes(mac) for mac in macs}) == 4


def test_an_address_is_found_again_after_the_secret_key_was_changed(settings: Any) -> None:
    shop = factories.make_shop()
    key = personal.address_key(shop.pk, HOME)
    old, settings.SECRET_KEY = settings.SECRET_KEY, "n" * 64
    settings.SECRET_KEY_FALLBACKS = [old]
    assert personal.rewrap() == ShopKey.objects.count() == 1
    settings.SECRET_KEY_FALLBACKS = []
    assert personal.address_key(shop.pk, HOME) == key


def test_erasing_somebody_leaves_their_orders_only_a_random_id() -> None:
    shop = factories.make_shop()
    order = factories.make_order(shop)
    with transaction.atomic():
        personal.keep_address(order, HOME)
    order.refresh_from_db()
    assert order.address_key == personal.address_key(shop.pk, HOME)
    assert order.person is not None
    personal.erase(order.person, by=SYSTEM)
    assert personal.address_of(Order.objects.get(pk=order.pk)) is None


# Forty refunds of 6.00: three fit under 20.00, thirty more under 200.00, and seven are above.
FORTY = Counter({AUTOMATIC: 3, ONE: 30, LARGE: 7})


def forty(shop: Shop) -> list[Case]:
    """Forty cases about three orders of two spellings of one person, all paid with one card."""
    people = [
        factories.make_person(shop, email=email)
        for email in ("ida.berg@gmail.com", "IdaBerg+tent@googlemail.com")
    ]
    cases = [
        refundable_case(14 * 600, shop=shop, quantity=14, person=people[place % 2]) for place in range(3)
    ]
    Payment.objects.update(instrument="visa-same")
    orders = [order_of(case) for case in cases]
    return cases + [
        factories.make_case(order=orders[place % 3], conversation=None, state="closed")
        for place in range(3, 40)
    ]


@pytest.mark.django_db(transaction=True)
def test_forty_small_refunds_land_in_the_tier_of_their_sum_while_eight_workers_race() -> None:
    cases = forty(factories.make_shop())

    def work(mine: list[Case]) -> list[str]:
        return [decide_refund(case).decision.rule for case in mine]

    ended = together(*(partial(work, cases[place::8]) for place in range(8)))
    assert [one for one in ended if isinstance(one, Exception)] == []
    assert Counter(Decision.objects.values_list("rule", flat=True)) == FORTY
    given = ToolCall.objects.aggregate(minor=Sum("value_minor"))["minor"]
    assert given == 1800


@pytest.mark.django_db(transaction=True)
def test_eight_strangers_who_share_an_address_race_for_one_limit() -> None:
    shop = factories.make_shop()
    cases = [case_of(shop, 700) for _ in range(8)]
    with transaction.atomic():
        for case in cases:
            personal.keep_address(order_of(case), HOME)
    ended = together(*(partial(decide_refund, case) for case in cases))
    assert [one for one in ended if isinstance(one, Exception)] == []
    assert Counter(Decision.objects.values_list("rule", flat=True)) == {AUTOMATIC: 2, ONE: 6}
