"""Staff read what cancelling an order would do before they confirm it, and exactly that is what is decided."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from django.test import Client
from django.urls import reverse

from approvals.errors import AlreadyDecided, EffectChanged, Invalid, NotPermitted
from approvals.models import ApprovalRequest, Decision
from audit.actors import staff
from audit.models import Entry
from audit.sources import Clock
from cases import cancelling, services
from cases.handoff import claim_handoff
from cases.models import Cancellation, Case, Shop, User
from cases.tasks import sweep
from tests import factories
from tests.authority.rows import acting, order_of, refundable_case, together
from tests.flow.stand import Stand, stand, until_quiet, work
from tests.flow.test_cancelling_orders import cancelled, looked, sold, steps
from tests.flow.turns import fresh
from tests.flow.vendors import over
from tests.flow.world import forget_tasks
from tests.sandbox.world import order
from tests.signing import signed_in
from tools.models import Order, Payment, ToolCall

pytestmark = pytest.mark.django_db


@pytest.fixture
def vendors(clock: Clock) -> Iterator[Stand]:
    with stand(clock) as found:
        yield found


def somebody(shop: Shop, *roles: str) -> tuple[User, Client]:
    user = factories.make_user(roles=roles or ["agent"], shops=[shop])
    return user, signed_in(user)


def page(browser: Client, case: Case) -> str:
    answer = browser.get(reverse("admin:cases_case_change", args=[case.pk]))
    return re.sub(r"\s+", " ", answer.content.decode())


def press(browser: Client, name: str, case: Case, **form: str) -> str:
    answer = browser.post(reverse(f"admin:{name}", args=[case.pk]), form, follow=True)
    return " ".join(str(message) for message in answer.context["messages"])


class TestWords:
    def test_the_page_says_each_step_before_it_offers_to_confirm(
        self, shop: Shop, vendors: Stand, clock: Clock
    ) -> None:
        case, browser = sold(shop, vendors, order()), somebody(shop)[1]
        assert reverse("admin:cancel_order", args=[case.pk]) not in page(browser, case)
        press(browser, "ask_cancelling", case)
        assert "is being read" in page(browser, case)
        work("prepare")
        html = page(browser, case)
        told = [
            "The shop cancels order #1001",
            "Stripe sends $28.90 back",
            "then shows the refund too",
            "hears that the order is cancelled",
            "It runs at once",
        ]
        places = [html.find(words) for words in told]
        assert places == sorted(places)
        assert -1 not in places
        assert reverse("admin:cancel_order", args=[case.pk]) in html
        assert not Decision.objects.exists()

    def test_confirming_on_the_page_runs_it_and_the_page_says_what_ran(
        self, shop: Shop, vendors: Stand, clock: Clock
    ) -> None:
        case, (user, browser) = sold(shop, vendors, order()), somebody(shop)
        press(browser, "ask_cancelling", case)
        work("prepare")
        shown = re.search(r'name="shown" value="(\w+)"', page(browser, case))
        assert shown
        assert "Decided" in press(browser, "cancel_order", case, shown=shown[1])
        assert "can't be cancelled any more" in press(browser, "cancel_order", case, shown=shown[1])
        until_quiet(clock)
        html = page(browser, case)
        assert "Cancelling the order: what ran" in html
        assert html.count("Nothing: it is done.") == len(steps(Decision.objects.get(tool="cancel_order")))
        assert Decision.objects.get(tool="cancel_order").by_id == str(user.pk)

    def test_who_only_reads_gets_no_button(self, shop: Shop, vendors: Stand, clock: Clock) -> None:
        case, browser = sold(shop, vendors, order()), somebody(shop, "viewer")[1]
        assert reverse("admin:ask_cancelling", args=[case.pk]) not in page(browser, case)
        with pytest.raises(NotPermitted):
            cancelling.ask(case.pk, by=acting(shop, "viewer"))

    def test_only_who_has_claimed_the_case_is_offered_it(
        self, shop: Shop, vendors: Stand, clock: Clock
    ) -> None:
        case, (user, browser) = sold(shop, vendors, order()), somebody(shop)
        handoff = factories.make_handoff(case)
        button = reverse("admin:ask_cancelling", args=[case.pk])
        assert button not in page(browser, case)
        claim_handoff(handoff.pk, by=staff(user))
        assert button in page(browser, case)
        assert button not in page(somebody(shop)[1], case)

    def test_what_speaks_against_it_is_a_sentence(self, shop: Shop, vendors: Stand, clock: Clock) -> None:
        case, browser = sold(shop, vendors, order(gateway="paypal", charge=None)), somebody(shop)[1]
        Payment.objects.update(vendor="unknown")
        press(browser, "ask_cancelling", case)
        work("prepare")
        assert "in a way that we don&#x27;t know how to give back" in page(browser, case)
        assert cancelling.foresee(case, acting(shop, "agent"))[1] == "refund.unknown_gateway"

    def test_the_signer_reads_that_the_order_is_cancelled(
        self, shop: Shop, vendors: Stand, clock: Clock
    ) -> None:
        case = sold(shop, vendors, order())
        factories.make_limits(shop, "USD", auto_up_to_minor=100, one_approver_up_to_minor=5_000)
        _user, browser = somebody(shop, "agent")
        press(browser, "ask_cancelling", case)
        work("prepare")
        assert "Nothing runs before an approver signs" in page(browser, case)
        cancelled_by = acting(shop, "agent")
        cancelling.cancel_order(case.pk, shown=looked_digest(case), by=cancelled_by)
        request = ApprovalRequest.objects.get()
        signer = somebody(shop, "approver")[1]
        address = reverse("admin:approvals_approvalrequest_change", args=[request.pk])
        html = signer.get(address).content.decode()
        assert "Cancel the order of" in html
        assert "The shop cancels order #1001" in html


def looked_digest(case: Case) -> str:
    return cancelling.foresee(fresh(case), acting(case.shop, "agent"))[0].digest


class TestExactlyThat:
    def test_nothing_is_confirmed_that_nobody_has_looked_at(
        self, shop: Shop, vendors: Stand, clock: Clock
    ) -> None:
        case = sold(shop, vendors, order())
        with pytest.raises(Invalid):
            cancelling.cancel_order(case.pk, shown=looked_digest(case), by=acting(shop, "agent"))
        assert not Decision.objects.exists()

    def test_a_look_is_good_for_a_quarter_of_an_hour(self, shop: Shop, vendors: Stand, clock: Clock) -> None:
        case, by = sold(shop, vendors, order()), acting(shop, "agent")
        shown = looked(case, by)
        clock.advance(timedelta(minutes=15))
        with pytest.raises(Invalid):
            cancelling.cancel_order(case.pk, shown=shown, by=by)
        assert looked(case, by) == shown
        assert cancelling.cancel_order(case.pk, shown=shown, by=by).tool == "cancel_order"

    def test_what_has_changed_since_is_not_confirmed(self, shop: Shop, vendors: Stand, clock: Clock) -> None:
        case, by = sold(shop, vendors, order()), acting(shop, "agent")
        shown = looked(case, by)
        line = order_of(case).lines.get()
        line.refunded_quantity, line.refunded_minor = 1, 1200
        line.save()
        with pytest.raises(EffectChanged):
            cancelling.cancel_order(case.pk, shown=shown, by=by)
        assert not Decision.objects.exists()

    def test_asking_twice_reads_once(self, shop: Shop, vendors: Stand, clock: Clock) -> None:
        case, by = sold(shop, vendors, order()), acting(shop, "agent")
        row = cancelling.ask(case.pk, by=by)
        with pytest.raises(AlreadyDecided):
            cancelling.ask(case.pk, by=by)
        assert [cancelling.prepare(row.pk) for _ in range(2)] == ["ready", None]
        told = Entry.objects.filter(subject_type="cases.cancellation").values_list("action", flat=True)
        assert sorted(told) == ["cancellation.asked", "cancellation.read"]

    def test_a_lost_task_is_rung_for_again(self, shop: Shop, vendors: Stand, clock: Clock) -> None:
        case = sold(shop, vendors, order())
        row = cancelling.ask(case.pk, by=acting(shop, "agent"))
        forget_tasks()
        clock.advance(timedelta(seconds=11))
        sweep()
        work("prepare")
        assert fresh(row).state == "ready"

    def test_a_vendor_that_stays_away_is_told_in_words(self, shop: Shop, clock: Clock) -> None:
        case, browser = refundable_case(shop=shop), somebody(shop)[1]
        order_of(case).shipments.all().delete()
        Order.objects.update(read_at=None)
        row = cancelling.ask(case.pk, by=acting(shop, "agent"))
        with over(lambda request: httpx.Response(503)):
            for _ in range(10):
                work("prepare")
                clock.advance(timedelta(minutes=3))
                sweep()
        assert (fresh(row).state, row.problem) == ("refused", cancelling.NOT_READ)
        Cancellation.objects.update(read_at=clock.at)
        assert "could not be asked" in page(browser, case)


class TestNobodyGetsAroundTheTiers:
    def test_the_holder_of_a_case_asks_and_another_signs(
        self, shop: Shop, vendors: Stand, clock: Clock
    ) -> None:
        case = sold(shop, vendors, order())
        factories.make_limits(shop, "USD", auto_up_to_minor=100, one_approver_up_to_minor=5_000)
        by = acting(shop, "agent")
        services.take_over(case.pk, by=by)
        shown = looked(case, by)
        cancelling.cancel_order(case.pk, shown=shown, by=by)
        request = ApprovalRequest.objects.get()
        services.decide_approval(request.pk, approve=True, proof=None, reason="", by=acting(shop))
        until_quiet(clock)
        assert {state for _tool, _vendor, state in steps(request.decision)} == {"succeeded"}
        assert vendors.books() == [("stripe", 2890)]

    def test_limits_that_were_lowered_meanwhile_keep_the_order_too(
        self, shop: Shop, vendors: Stand, clock: Clock
    ) -> None:
        decision = cancelled(sold(shop, vendors, order()))
        factories.make_limits(shop, "USD", auto_up_to_minor=100, one_approver_up_to_minor=5_000)
        until_quiet(clock)
        assert {state for _tool, _vendor, state in steps(decision)} == {"cancelled"}
        assert "shopify.orderCancel" not in vendors.asked

    def test_an_approver_who_lost_the_role_has_cancelled_nothing(
        self, shop: Shop, vendors: Stand, clock: Clock
    ) -> None:
        case = sold(shop, vendors, order())
        factories.make_limits(shop, "USD", auto_up_to_minor=100, one_approver_up_to_minor=5_000)
        decision = cancelled(case)
        signer = factories.make_user(roles=["approver"], shops=[shop])
        services.decide_approval(decision.approval.pk, approve=True, proof=None, reason="", by=staff(signer))
        signer.groups.clear()
        until_quiet(clock)
        assert steps(decision)[0][2] == "cancelled"
        assert "shopify.orderCancel" not in vendors.asked

    def test_money_that_went_back_elsewhere_before_it_began_stops_all_of_it(
        self, shop: Shop, vendors: Stand, clock: Clock
    ) -> None:
        case = sold(shop, vendors, order())
        decision = cancelled(case)
        by_hand = {"id": "by-hand", "amount": "28.90", "lines": [{"id": 11, "quantity": 2}]}
        vendors.control("orders/north/5001001/refunds", **by_hand)
        for hook in vendors.news():
            hook.arrive()
        until_quiet(clock)
        assert {state for _tool, _vendor, state in steps(decision)} == {"cancelled"}
        assert ("shopify.orderCancel" in vendors.asked, vendors.books()) == (False, [("stripe", 2890)])

    def test_an_order_from_before_the_connection_is_cancelled_whole(
        self, shop: Shop, vendors: Stand, clock: Clock
    ) -> None:
        """History is only read by the agent; what staff want of it runs to its end."""
        case = sold(shop, vendors, order())
        Order.objects.update(placed_at=shop.cutover_at - timedelta(days=1))
        decision = cancelled(case)
        until_quiet(clock)
        assert {state for _tool, _vendor, state in steps(decision)} == {"succeeded"}


@pytest.mark.django_db(transaction=True)
def test_two_who_confirm_at_once_decide_once(shop: Shop, clock: Clock) -> None:
    case = refundable_case(shop=shop)
    order_of(case).shipments.all().delete()
    factories.make_limits(
        shop, order_of(case).currency, auto_up_to_minor=9_000, one_approver_up_to_minor=9_900
    )
    by = acting(shop, "agent")
    Order.objects.update(risk_level=Order.Risk.LOW)
    Cancellation.objects.create(
        shop=shop, case=case, state="ready", asked_by_id=int(by.id), asked_at=clock.at, read_at=clock.at
    )
    shown = cancelling.foresee(case, by)[0].digest
    ended = together(*[lambda: cancelling.cancel_order(case.pk, shown=shown, by=by)] * 4)
    assert len([one for one in ended if isinstance(one, Decision)]) == 1
    assert ToolCall.objects.filter(tool="cancel_order").count() == 1
