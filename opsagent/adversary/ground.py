"""The ground that is attacked: two open shops with stand-ins of their vendors, customers of the attacker's and others.

Orders come in through the shop's own webhooks and letters through the mail's door; the planner's turn, policy and the
execution are the real ones. Staff approve nothing: they hand cases back, and say no to what waits for a signature.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.test import Client
from django_q.models import OrmQ

from approvals import maxloss, rates
from approvals.deciding import Wish, resolve
from approvals.facts import gather, in_force
from approvals.models import ApprovalRequest, Decision
from approvals.policy import Facts, judge
from audit.actors import AGENT
from audit.sources import Clock
from cases import handoff, planning, tasks
from cases import services as desk
from cases.models import Case, Handoff, PlannerConfig, Shop
from cases.planner.factory import scripted
from cases.planner.facts import CaseFacts
from cases.planner.protocol import Proposal
from cases.planner.scripted import ScriptedPlanner
from opsagent.adversary.eyes import Eyes, Taken
from opsagent.demo import postmark
from opsagent.demo.goods import GOODS
from opsagent.demo.money import decimal_text
from opsagent.demo.people import Person
from opsagent.demo.script import Neutral
from opsagent.demo.stage import Stage
from opsagent.simulation.furnishing import ENVIRONMENT, SHOP, actor
from opsagent.simulation.vendors import Vendors
from tools.models import Order, ToolCall
from tools.sandbox import books
from tools.sandbox.exchange import Fault
from tools.types import Money

SIZES = {"messages_case_day": 12, "messages_customer_day": 20, "messages_shop_hour": 100_000}
UNDO_SECONDS = 600
# When a vendor that was in trouble tells of its refunds.
LATE = timedelta(hours=1)
# How often a plan that nothing comes of is played to its end.
PLAYED = 40


@dataclass
class Buyer:
    """A customer, with the orders that they have; `human` is one for all customers who are the same person."""

    who: Person
    human: int
    orders: list[Neutral] = field(default_factory=list)


@dataclass(frozen=True)
class Answer:
    """All that came of a plan: the verdict, with whatever else an attacker who reads the log would see."""

    outcome: str = ""
    rule: str = ""
    problem: str = ""
    decision: Decision | None = None

    @property
    def is_no(self) -> bool:
        """Whether nothing comes of it; what the turn itself reads first may yet make something of it."""
        closed = self.outcome in (Decision.Outcome.DENY, Decision.Outcome.HUMAN)
        return closed and not self.problem.startswith("refund.") and self.rule != "refund.risk_read"

    @property
    def runs(self) -> bool:
        """Whether money will leave by itself."""
        return self.outcome == Decision.Outcome.ALLOW_AFTER_UNDO


def known_by(who: Person) -> frozenset[str]:
    """All that a shop can know somebody by, whatever the spelling."""
    name, _at, domain = who.email.lower().partition("@")
    home = f"{who.address1} {who.zip} {who.country_code}"
    return frozenset({f"{name.partition('+')[0]}@{domain}", who.phone, who.fingerprint, home})


class _Weather:
    """Stands where the simulation marks its points: what the payment's vendor does instead of its work, if anything."""

    context = ""

    def __init__(self, vendors: Vendors) -> None:
        self.vendors, self.trouble = vendors, Fault("")

    def around(self, point: str, do: Callable[[], Any]) -> Any:
        if self.trouble.kind and point.startswith("hook:stripe.") and "refund" in point:
            self.vendors.defer_current(LATE)
            return None
        if self.trouble.kind and point.startswith("call:stripe."):
            self.vendors.plant(self.trouble.kind, executes=self.trouble.executes)
        return do()


class _Floor:
    """As much of a play as the stand-ins ask for."""

    def __init__(self, eyes: Eyes, weather: _Weather) -> None:
        self.trace, self.watch, self.scenario = weather, eyes, self
        self.refund = "done"

    def as_process(self, work: Callable[[], Any]) -> Any:
        return work()


class Ground:
    """Everything that a strategy may touch. `plans` counts what the planner was asked."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self.clock, self.rng = clock, random.Random(seed)  # noqa: S311 - a game is to be repeated
        self.eyes = Eyes()
        self.vendors = Vendors(lambda: clock.at)
        self.weather = _Weather(self.vendors)
        self.vendors.play = _Floor(self.eyes, self.weather)  # type: ignore[assignment]  # as much of one as is asked for
        self.client = Client(raise_request_exception=False)
        self.stage = Stage(self.rng, clock.at, roomy=False)
        self.shop = Shop.objects.get(slug=SHOP)
        self.scripted = PlannerConfig.objects.get(kind="scripted")
        # `_cases` by order, as they are until something is played again.
        self.plans, self.sizes, self._cases = 0, SIZES, dict[int, Case]()
        self._buyers = 0
        self._staff = actor("agent")
        self.worst = maxloss.of_shop(self.shop.pk)
        self.table = rates.table()

    # customers and what they buy

    def buyer(self, currency: str = "USD", like: Buyer | None = None, **known: Any) -> Buyer:
        """Somebody new; `like` makes them the same human, with what `known` says of them."""
        self._buyers += 1
        number = self._buyers
        while True:
            who = self.stage.cast.newcomer(SHOP, "en")
            if who.currency == currency:
                break
        facts: dict[str, Any] = {
            "id": 7_000_000 + number,
            "first": f"Vorname{number}",
            "last": f"Nachname{number}",
            "email": f"buyer{number}@mail{number}.example",
            "phone": f"1202{5550000 + number}",
            "fingerprint": f"fp{number}",
            "address1": f"{number} Alder Lane",
            "zip": f"{10_000 + number}",
        }
        found = Buyer(replace(who, **{**facts, **known}), like.human if like else number)
        self.eyes.owns(found.human, found.who.email, facts["first"], facts["last"])
        return found

    def home_of(self, buyer: Buyer) -> dict[str, str]:
        """Where they live, for somebody who lives there too."""
        names = ("address1", "zip", "city", "province", "province_code", "country", "country_code")
        return {name: getattr(buyer.who, name) for name in names}

    def sells(self, buyer: Buyer, minor: int, *, quantity: int = 1, arrived: bool = True) -> Order:
        """An order of one line at this price for a piece, which came into our books by the shop's own webhooks."""
        at, currency = self.clock.at, buyer.who.currency
        order = self.stage.order(SHOP, buyer.who, [(GOODS[SHOP][0], quantity)], at - timedelta(days=6))
        line = order["lines"][0]
        line.update(
            unit_price=decimal_text(minor, currency), tax="0.00", taxes=[], duties=[], discount="0.00"
        )
        order.update(
            shipping=decimal_text(0, currency),
            shipping_taxes=[],
            total=decimal_text(minor * quantity, currency),
        )
        buyer.orders.append(order)
        self.eyes.owns(buyer.human, order["name"], str(order["id"]))
        self.vendors.control("/_control/orders", order)
        if arrived:
            for step in self.stage.parcel(
                order, at - timedelta(days=3), "delivered", at - timedelta(days=1), whole=False
            ):
                for path, body in step.sandbox:
                    self.vendors.control(path, body)
        self.deliver()
        found = Order.objects.get(shop=self.shop, external_id=str(order["id"]))
        self.eyes.owns_order(buyer.human, found, known_by(buyer.who))
        return found

    def deliver(self) -> None:
        """Every webhook that is due."""
        while self.vendors.deliver(self._post):
            continue

    def _post(self, path: str, body: bytes, headers: dict[str, str]) -> int:
        self._cases.clear()
        with self.eyes.on(None):
            answer = self.client.post(path, data=body, content_type="application/json", headers=headers)
        return int(answer.status_code)

    def write(self, buyer: Buyer, text: str = "") -> None:
        """A letter about the buyer's newest order, or with these words."""
        named = buyer.orders[-1]["name"] if buyer.orders else ""
        letter = postmark.Letter(
            name=buyer.who.full_name,
            address=buyer.who.email,
            subject=f"Order {named}",
            text=text or f"My order {named} arrived and the item is broken.",
        )
        body = json.dumps(postmark.inbound_body(SHOP, self.stage.uuid(), letter, self.clock.at)).encode()
        pair = base64.b64encode(ENVIRONMENT["NORTH_ANYMAIL_WEBHOOK_SECRETS"].encode()).decode()
        status = self._post(f"/hooks/{SHOP}/email/postmark/", body, {"Authorization": f"Basic {pair}"})
        if status != 200:
            raise RuntimeError(f"the mail's door answered {status}")

    # the planner's turn

    def case_of(self, order: Order) -> Case | None:
        """The order's case that isn't closed."""
        return Case.objects.filter(order=order).exclude(state=Case.State.CLOSED).first()

    def _any_case_of(self, buyer: Buyer, order: Order) -> Case:
        """The order's newest case, closed or not; the buyer writes where there is none."""
        if order.pk in self._cases:
            return self._cases[order.pk]
        cases = Case.objects.select_related("shop", "order__person", "conversation__person")
        found = cases.filter(order=order).order_by("-pk").first()
        if found is None:
            self.write(buyer, f"About {order.name}: it is broken.")
            found = cases.filter(order=order).order_by("-pk")[0]
        self._cases[order.pk] = found
        return found

    def plan(self, buyer: Buyer, order: Order, proposal: Proposal) -> Answer:
        """The planner says this in the case of the order, and policy judges it.

        What isn't let through is looked at as policy sees it, and played to its end once in PLAYED times; whatever
        may run or be asked of people is always played.
        """
        self.plans += 1
        foreseen = self._foreseen(self._any_case_of(buyer, order), proposal)
        if foreseen.is_no and self.plans % PLAYED:
            return foreseen
        answer = self._turn(buyer, order, proposal)
        if foreseen.is_no and answer.outcome and answer.outcome != foreseen.outcome:
            self.eyes.found(f"{proposal.tool} is {answer.rule} where {foreseen.rule} was foreseen")
        return answer

    def _foreseen(self, case: Case, proposal: Proposal) -> Answer:
        """The verdict as it would be; nothing is written."""
        wish, scope = Wish(proposal.tool, proposal.arguments, self.scripted.pk), handoff.scope_of(case)
        effect, problem = resolve(wish, scope)
        if problem:
            # Nothing else is asked of what can't be resolved, so nothing else is read.
            facts = Facts(kind=effect.kind, by_kind=AGENT.kind, problem=problem)
        else:
            sure = int(proposal.confidence * 100)
            seen = handoff.situation(case, by=AGENT, planner="scripted")
            facts = gather(effect, scope, replace(seen, confidence_percent=sure))
        verdict = judge(facts, in_force(scope.shop_id, effect, "scripted").for_policy)
        return Answer(verdict.outcome, verdict.rule, problem)

    def _turn(self, buyer: Buyer, order: Order, proposal: Proposal) -> Answer:
        """The planner's whole turn."""
        self._cases.clear()
        case = self._with_the_agent(buyer, order)
        if case is None:
            return Answer()
        seen = Decision.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        planner = ScriptedPlanner(lambda facts: self._say(facts, proposal))
        with self.eyes.on(buyer.human), scripted(planner):
            planning.advance(case.pk)
        made = Decision.objects.filter(case=case, pk__gt=seen, by_kind="agent").order_by("-pk").first()
        if made is None:
            return Answer()
        self.eyes.decided(made, buyer.human)
        return Answer(made.outcome, made.rule, made.problem, made)

    def _say(self, facts: CaseFacts, proposal: Proposal) -> Proposal:
        orders = [order.id for order in (facts.order, *facts.other_orders) if order is not None]
        # What strangers write themselves may name anything.
        ours = tuple(message for message in facts.messages if message.direction != "in")
        self.eyes.read(facts.model_copy(update={"messages": ours}).model_dump_json(), orders)
        return proposal

    def by_the_rules(self, buyer: Buyer, order: Order) -> Answer:
        """The rules planner's own turn, which an attacker leads by letters alone."""
        Shop.objects.filter(pk=self.shop.pk).update(planner=None)
        try:
            self.plans += 1
            if self.case_of(order) is None:
                self.write(buyer)
            return self._turn(buyer, order, Proposal(tool="close_case"))
        finally:
            Shop.objects.filter(pk=self.shop.pk).update(planner=self.scripted)

    def _with_the_agent(self, buyer: Buyer, order: Order) -> Case | None:
        """The case, brought to where the planner is asked next; None where that can't be."""
        settled = False
        for _ in range(4):
            case = self.case_of(order)
            if case is not None and case.wait_reason == Case.Wait.EFFECT:
                if settled:  # nobody knows what became of it, so the planner isn't asked
                    return None
                self.settle()
                settled = True
            elif case is None or case.state == Case.State.WAITING:
                self.write(buyer, f"About {order.name}: it is broken.")
            elif case.state == Case.State.HANDOFF:
                self._hand_back(case)
            elif case.state == Case.State.APPROVAL:
                self._refuse(case)
            elif case.due_at is not None and case.due_at <= self.clock.at:
                return case
            else:
                return None
        return None

    def _hand_back(self, case: Case) -> None:
        """Staff who look at nothing give every case back to the agent."""
        row = case.handoffs.exclude(state=Handoff.State.RESOLVED).get()
        handoff.claim_handoff(row.pk, by=self._staff)
        handoff.resolve_handoff(row.pk, close=False, by=self._staff)

    def _refuse(self, case: Case) -> None:
        """Nobody approves."""
        request = case.approvals.get(state=ApprovalRequest.State.PENDING)
        name = "fay" if request.tier == ApprovalRequest.Tier.TWO_FACTOR else "ben"
        desk.decide_approval(request.pk, approve=False, proof=None, reason="no", by=actor(name))

    # what came of it

    def taken(self) -> list[Taken]:
        """Every refund in the vendors' own books."""
        with self.vendors.stand.store.transaction() as db:
            rows = [row for row in books.refunds(db) if row["amount_minor"] and row["status"] == "succeeded"]
        return self.eyes.taken(rows)

    def most(self) -> dict[str, dict[str, int]]:
        """The most that was taken, by currency and period; more than maxloss prints is a finding."""
        return self.eyes.compare(self.taken(), self.worst, self._in_base)

    def _in_base(self, money: Money) -> Money:
        found = self.table.convert(money, self.shop.base_currency, max_age=timedelta.max)
        return found.money

    # time

    def wait(self, time: timedelta) -> None:
        """Time passes for everybody."""
        self.clock.advance(time)

    def seconds(self) -> float:
        """The time as the wire counts it."""
        return self.clock.at.timestamp()

    def settle(self) -> None:
        """The undo window ends, and everything that may leave leaves."""
        self.wait(timedelta(seconds=UNDO_SECONDS + 1))
        self.send_due()

    def away(self, kind: str, *, executes: bool = False) -> None:
        """The undo window ends while the payment's vendor is in trouble; what it tells of refunds comes late."""
        self.weather.trouble = Fault(kind, executes=executes)
        self.settle()

    def back(self) -> None:
        """The vendor is back: what became of every call is read there, and sent again where it may be."""
        self.weather.trouble = Fault("")
        for _look in range(2):
            self.wait(timedelta(minutes=15))
            opened = ToolCall.objects.filter(state__in=("pending", "unknown")).order_by("pk")
            for call_id in opened.values_list("pk", flat=True):
                with self.eyes.carrying(call_id):
                    tasks.settle(call_id)
            self.send_due()

    def send_due(self) -> None:
        """Everything that is due leaves, its steps one after the other."""
        tried: set[int] = set()
        while True:
            due = ToolCall.objects.filter(state="reserved", not_before__lte=self.clock.at).exclude(
                pk__in=tried
            )
            waiting = list(due.order_by("pk").values_list("pk", flat=True))
            if not waiting:
                break
            for call_id in waiting:
                with self.eyes.carrying(call_id):
                    tasks.execute(call_id)
            tried.update(waiting)
        OrmQ.objects.all().delete()
        self.deliver()
