"""Answer, webhooks and readings about one refund come in any order and any number of times: it counts once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from cases import refunds
from cases.following import after_outcome
from cases.models import Case, Handoff
from tests import factories
from tests.flow.turns import told
from tests.tools import telling
from tests.tools.telling import NOON
from tools import execution, orders
from tools.base import Outcome
from tools.models import LedgerEntry, Order, OrderLine, Payment, ToolCall
from tools.orders import RefundRecord
from tools.outcomes import Ended, after_answer
from tools.snapshots import ChargeSnapshot, OrderSnapshot, RefundSnapshot, RefundStatus

AMOUNT = 1000
Event = Callable[[], None]


class Story:
    """One refund of ours at one vendor, and everybody who tells of it."""

    def __init__(self, vendor: str, *, lost: bool = False, begins: RefundStatus = "succeeded") -> None:
        self.vendor, self.lost, self.begins = vendor, lost, begins
        self.shop = factories.make_shop()
        self.shops_own = vendor == "shopify"
        self.paid = telling.payment(
            vendor=vendor,
            gateway="shopify_payments" if self.shops_own else "stripe",
            external_id="31" if self.shops_own else "ch_1",
        )
        person = factories.make_person(self.shop)
        change = orders.record_order(self.shop.pk, telling.order(payments=(self.paid,)), str(person.pk))
        self.order: Order = change.order
        case = factories.make_case(
            order=self.order, state=Case.State.WAITING, wait_reason=Case.Wait.EFFECT,
            wake_at=factories.now() + timedelta(hours=24),
        )  # fmt: skip
        self.decision = factories.make_decision(case, amount_minor=AMOUNT)
        self.call = factories.make_call(
            self.decision, amount_minor=AMOUNT, state="sending", vendor=vendor, fence=1, attempts=1
        )

    # those who tell

    def answer(self) -> None:
        """What the call itself hears, if anything."""
        ended = Ended("unknown", error="lost") if self.lost else self._ended(self.begins, "")
        execution.record(self.call, ended, after_outcome)

    def settling(self) -> None:
        """The vendor is read for the call's key."""
        row = ToolCall.objects.get(pk=self.call.pk)
        if row.state in ("unknown", "pending"):
            execution.record(row, self._ended("succeeded", "reading"), after_outcome)

    @transaction.atomic
    def made(self) -> None:
        """refund.created, or refunds/create."""
        self._follow(orders.record_refund(self.shop.pk, self._refund(self.begins)))

    @transaction.atomic
    def updated(self) -> None:
        """refund.updated, once it is done."""
        self._follow(orders.record_refund(self.shop.pk, self._refund("succeeded")))

    @transaction.atomic
    def charge(self) -> None:
        """charge.refunded: the sum of the charge, and no refund of its own."""
        seen = telling_charge(refunded_minor=AMOUNT)
        orders.record_charge(self.shop.pk, seen)

    @transaction.atomic
    def order_news(self) -> None:
        """orders/updated: what the order says of itself."""
        self._order(complete=False, financial_status="partially_refunded", payments=())

    @transaction.atomic
    def reading(self) -> None:
        """The order read whole, its refunds with it."""
        seen = (self._refund("succeeded"),) if self.shops_own else ()
        self._order(refunds=seen, financial_status="partially_refunded")

    # how they tell it

    def _ended(self, status: str, settled_by: str) -> Ended:
        return after_answer(Outcome(self._ref, pending=status == "pending"), settled_by)

    @property
    def _ref(self) -> str:
        return "880" if self.shops_own else "re_1"

    def _refund(self, status: RefundStatus) -> RefundSnapshot:
        part = telling.part(
            ref="77" if self.shops_own else "re_1",
            gateway=self.paid.gateway,
            payment_external_id=self.paid.external_id,
            status=status,
        )
        return telling.refund(
            part,
            vendor=self.vendor,
            external_id=self._ref,
            call_key=str(self.call.idempotency_key),
            order_external_id="5001001" if self.shops_own else "",
            **({} if self.shops_own else {"lines": ()}),
        )

    def _order(self, **changes: Any) -> None:
        seen: OrderSnapshot = telling.order(
            **{"payments": (self.paid,), "updated_at": NOON + timedelta(minutes=5), **changes}
        )
        for record in orders.record_order(self.shop.pk, seen).refunds:
            self._follow(record)

    def hear(self, seen: RefundSnapshot) -> None:
        """A webhook about this refund."""
        with transaction.atomic():
            self._follow(orders.record_refund(self.shop.pk, seen))

    def _follow(self, record: RefundRecord | None) -> None:
        assert record is not None
        refunds.follow(
            record, shop=self.shop, correlation_id=self.call.correlation_id, made_at=factories.now()
        )

    # what must be true in the end

    def check(self) -> None:
        """However it went: done once, booked once, told once, and nobody was called."""
        self.settling()
        call = ToolCall.objects.get(pk=self.call.pk)
        payment, line = Payment.objects.get(order=self.order), OrderLine.objects.get(order=self.order)
        assert call.state == "succeeded"
        assert (payment.reserved_minor, payment.refunded_minor, payment.elsewhere_minor) == (0, AMOUNT, 0)
        assert (line.refunded_quantity, line.refunded_minor) == (1, AMOUNT)
        assert sorted(call.ledger.values_list("kind", flat=True)) == ["refunded", "reserved"]
        assert told(call).count("call.succeeded") == 1
        assert not Handoff.objects.exists()
        assert not LedgerEntry.objects.filter(kind="elsewhere").exclude(amount_minor=0).exists()


def telling_charge(**changes: Any) -> ChargeSnapshot:
    facts: dict[str, Any] = {
        "external_id": "ch_1", "amount_minor": 3490, "captured_minor": 3490, "refunded_minor": 0,
        "currency": "EUR", "disputed": False, "paid": True, "instrument": "fp_1",
    }  # fmt: skip
    return ChargeSnapshot(**{**facts, **changes})


STRIPE = ("answer", "made", "updated", "charge", "order_news", "reading", "settling", "made", "updated")
SHOPIFY = ("answer", "made", "order_news", "reading", "settling", "made", "reading")
BEGINS = st.sampled_from(["succeeded", "pending"])
FAST = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def play(story: Story, events: tuple[str, ...] | list[str]) -> None:
    for name in events:
        getattr(story, name)()
    story.check()


class AnyOrder(TestCase):
    """Nothing but `answer` happens once: the rest is doubled, shuffled and left out."""

    @FAST
    @given(st.permutations(STRIPE), st.booleans(), BEGINS)
    def test_of_what_stripe_and_the_shop_tell_of_a_refund_by_stripe(
        self, events: list[str], lost: bool, begins: RefundStatus
    ) -> None:
        play(Story("stripe", lost=lost, begins=begins), events)

    @FAST
    @given(st.permutations(SHOPIFY), st.booleans(), BEGINS)
    def test_of_what_the_shop_tells_of_its_own_refund(
        self, events: list[str], lost: bool, begins: RefundStatus
    ) -> None:
        play(Story("shopify", lost=lost, begins=begins), events)

    @FAST
    @given(st.permutations(["answer", "record", "news", "reading", "news", "charge"]))
    def test_of_the_record_that_the_shop_keeps_of_a_refund_by_stripe(self, events: list[str]) -> None:
        """The shop shows as a refund what Stripe has paid: no second refund, whoever tells of it first."""
        story = Story("stripe")
        shown = Shown(story)
        for name in events:
            (getattr(shown, name) if hasattr(shown, name) else getattr(story, name))()
        story.check()


class Shown:
    """The step after the refund: the shop's order shows it, and the shop tells of that as of any refund."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.step = factories.make_call(
            story.decision, position=1, tool="record_refund", vendor="shopify", state="sending", fence=1,
            attempts=1, payment=None, amount_minor=0, currency="",
        )  # fmt: skip

    def record(self) -> None:
        execution.record(self.step, after_answer(Outcome("902")), after_outcome)

    @transaction.atomic
    def news(self) -> None:
        """refunds/create of what was written down, under a manual gateway."""
        self.story._follow(orders.record_refund(self.story.shop.pk, self._seen()))

    @transaction.atomic
    def reading(self) -> None:
        self.story._order(refunds=(self._seen(),))

    def _seen(self) -> RefundSnapshot:
        moved = telling.part(ref="901", gateway="manual", payment_external_id="")
        return telling.refund(moved, external_id="902", call_key=str(self.step.idempotency_key))


@pytest.mark.django_db
@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("vendor", ["stripe", "shopify"])
def test_a_second_refund_under_our_key_is_never_taken_for_the_first(vendor: str, place: int) -> None:
    """Whatever came before: more money moved than we know of, so a person looks."""
    story = Story(vendor)
    for name in ("answer", "made", "reading")[: place + 1]:
        getattr(story, name)()
    seen = story._refund("succeeded")
    parts = tuple(part.model_copy(update={"ref": "other"}) for part in seen.parts)
    story.hear(seen.model_copy(update={"external_id": "other", "parts": parts}))
    payment = Payment.objects.get(order=story.order)
    assert (payment.refunded_minor, payment.elsewhere_minor) == (AMOUNT, AMOUNT)
    assert Handoff.objects.get().reason == "failed"


@pytest.mark.django_db
@pytest.mark.parametrize("first", [0, 1])
def test_two_equal_refunds_of_one_order_are_each_ones_own(first: int) -> None:
    """Same payment, same amount, same line: only the keys tell them apart."""
    one = Story("stripe")
    other = Story.__new__(Story)
    other.__dict__ = {**one.__dict__}
    other.decision = factories.make_decision(one.decision.case, amount_minor=AMOUNT)
    other.call = factories.make_call(
        other.decision, amount_minor=AMOUNT, state="sending", vendor="stripe", fence=1, attempts=1
    )
    pair = [one, other][:: -1 if first else 1]
    refs = {one.call.pk: "re_1", other.call.pk: "re_2"}
    for story in (*pair, *reversed(pair)):
        seen = story._refund("succeeded")
        ref = refs[story.call.pk]
        parts = tuple(part.model_copy(update={"ref": ref}) for part in seen.parts)
        story.hear(seen.model_copy(update={"external_id": ref, "parts": parts}))
    for story in pair:
        execution.record(story.call, after_answer(Outcome(refs[story.call.pk])), after_outcome)
    payment = Payment.objects.get(order=one.order)
    assert (payment.reserved_minor, payment.refunded_minor, payment.elsewhere_minor) == (0, 2 * AMOUNT, 0)
    assert OrderLine.objects.get(order=one.order).refunded_quantity == 2
    assert set(ToolCall.objects.values_list("state", "vendor_ref")) == {
        ("succeeded", "re_1"),
        ("succeeded", "re_2"),
    }
    assert not Handoff.objects.exists()
