"""Answer, webhooks at the real door, readings and a worker's death about one refund, in any order: it counts once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from audit import sources
from audit.sources import Clock
from cases.models import Case, Handoff, InboundEvent
from cases.planning import read_order
from cases.tasks import execute, settle, sweep
from tests.authority.rows import order_of
from tests.flow.stand import Hook, Killed, Stand, killed, lost, stand, until_quiet
from tests.flow.test_equal_refunds import SENDS, delivered, one_lamp
from tests.flow.turns import told
from tests.flow.world import forget_tasks, north
from tests.reconciling.turns import read_all
from tools.models import OrderLine, Payment, ToolCall

# Who tells of it besides the answer; a webhook that the vendor has not sent tells nothing.
TELLERS = (
    "refund.created", "refund.updated", "charge.refunded", "refunds/create", "orders/updated", "reading",
    "settling", "reconciler", "sweep", "refund.updated", "refunds/create",
)  # fmt: skip


class Story:
    """One refund by one vendor, and everybody who tells of it, before its answer has come or after that."""

    def __init__(self, clock: Clock, vendors: Stand, vendor: str) -> None:
        self.clock, self.vendors, self.vendor = clock, vendors, vendor
        self.case: Case = delivered(north(), vendors, vendor)
        one_lamp(self.case, clock)
        forget_tasks()
        self.call = ToolCall.objects.get(case=self.case, tool="issue_refund")
        self.sent: dict[str, Hook] = {}
        self.pending = False

    def play(self, tellers: list[str], answer: int, end: str) -> None:
        """The call's answer comes after so many of them, is lost, or finds its worker dead."""

        def meanwhile() -> None:
            for teller in tellers[:answer]:
                self.tell(teller)
            {"answered": lambda: None, "lost": lost, "killed": killed}[end]()

        if self.pending:
            self.vendors.control("faults", vendor="stripe", operation="refunds.create", kind="pending")
        self.vendors.after[SENDS[self.vendor]] = meanwhile
        try:
            execute(self.call.pk)
        except Killed:
            self.clock.advance(timedelta(minutes=2))
        for teller in tellers[answer:]:
            self.tell(teller)
        if self.pending:
            (made,) = self.vendors.ledger()["refunds"]
            self.vendors.control(f"refunds/north/{made['id']}", status="succeeded")
        until_quiet(self.clock)
        for hook in (*self.vendors.news(), *self.sent.values()):
            hook.arrive()
        until_quiet(self.clock)

    def tell(self, teller: str) -> None:
        for hook in self.vendors.news():
            self.sent[hook.topic] = hook
        others: dict[str, Callable[[], object]] = {
            "reading": self._read,
            "settling": lambda: settle(self.call.pk),
            "reconciler": lambda: read_all(self.clock),
            "sweep": sweep,
        }
        if teller in others:
            others[teller]()
        elif teller in self.sent:
            self.sent[teller].arrive()

    def _read(self) -> None:
        case = Case.objects.select_related("shop", "order", "conversation").get(pk=self.case.pk)
        read_order(case, timedelta(0))

    def check(self) -> None:
        """Paid once at the vendor, booked once, told once, and nobody was called."""
        call = ToolCall.objects.get(pk=self.call.pk)
        assert self.vendors.books() == [(self.vendor, 1200)]
        assert call.state == "succeeded"
        payment = Payment.objects.get(order=order_of(self.case))
        assert (payment.reserved_minor, payment.refunded_minor, payment.elsewhere_minor) == (0, 1200, 0)
        line = OrderLine.objects.get(order=order_of(self.case))
        assert (line.refunded_quantity, line.refunded_minor) == (1, 1200)
        assert sorted(call.ledger.values_list("kind", flat=True)) == ["refunded", "reserved"]
        assert told(call).count("call.succeeded") == 1
        assert self.vendors.told().count("refund_done") == 1
        assert not Handoff.objects.filter(case=self.case).exists()
        assert not InboundEvent.objects.filter(state=InboundEvent.State.DEAD).exists()


def merge(vendor: str, tellers: list[str], answer: int, end: str, *, pending: bool) -> None:
    with sources.frozen(sources.now()) as clock, stand(clock) as vendors:
        story = Story(clock, vendors, vendor)
        story.pending = pending and vendor == "stripe"
        story.play(tellers, answer, end)
        story.check()


def any_order(examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    usual = settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    events = given(
        st.permutations(TELLERS),
        st.integers(0, len(TELLERS)),
        st.sampled_from(["answered", "lost", "killed"]),
        st.booleans(),
    )
    return lambda test: usual(events(test))


class AnyOrder(TestCase):
    @any_order(6)
    def test_of_what_is_told_of_a_refund_by_stripe(
        self, tellers: list[str], answer: int, end: str, pending: bool
    ) -> None:
        merge("stripe", tellers, answer, end, pending=pending)

    @any_order(4)
    def test_of_what_is_told_of_a_refund_by_the_shop(
        self, tellers: list[str], answer: int, end: str, pending: bool
    ) -> None:
        merge("shopify", tellers, answer, end, pending=pending)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
class EveryOrder(TestCase):
    @any_order(250)
    def test_of_what_is_told_of_a_refund_by_stripe(
        self, tellers: list[str], answer: int, end: str, pending: bool
    ) -> None:
        merge("stripe", tellers, answer, end, pending=pending)

    @any_order(250)
    def test_of_what_is_told_of_a_refund_by_the_shop(
        self, tellers: list[str], answer: int, end: str, pending: bool
    ) -> None:
        merge("shopify", tellers, answer, end, pending=pending)
