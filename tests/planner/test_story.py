"""The rules planner against a made-up day: letters that it has never seen, by writers who don't know it.

The full path from webhook to lane is measured by the demo; here only the planner is, on facts as the shop would have
them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from cases.planner.facts import (
    CaseFacts,
    LineFact,
    MessageFact,
    OrderFact,
    PaymentFact,
    RefundFact,
    ReturnFact,
    ShipmentFact,
    ShopFact,
    StockFact,
)
from cases.planner.protocol import Proposal
from cases.planner.rules import RulesPlanner
from opsagent.demo.goods import GOODS, SOLD_OUT
from opsagent.demo.script import Expectation, Step, Story
from opsagent.demo.story import story
from tests.planner.cast import sent
from tools.types import to_minor

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
AUTOMATIC = {"JPY": 3000}
Neutral = dict[str, Any]


class Day:
    """The shop's knowledge at the end of a day, from what was put into the sandbox."""

    def __init__(self, told: Story) -> None:
        self.story = told
        self.orders = {(order["shop"], order["name"]): order for order in told.orders}
        self.done: dict[tuple[str, str, str], list[Neutral]] = defaultdict(list)
        self.letters: dict[str, list[Step]] = defaultdict(list)
        for step in told.steps:
            for path, body in step.sandbox:
                if path.count("/") == 5:
                    _, _, _, shop, order_id, what = path.split("/")
                    self.done[shop, order_id, what].append(body)
            if step.kind == "message" and step.story_id and step.signed:
                self.letters[step.story_id].append(step)

    def facts(self, story_id: str, expected: Expectation) -> CaseFacts:
        order = self.orders.get((expected.shop, expected.order_name or ""))
        letters = [letter(step) for step in self.letters[story_id]]
        messages: list[MessageFact] = []
        for at, (_sender, message) in enumerate(letters):
            if at:
                messages.append(sent("order_in_transit", id=90 + at))
            messages.append(message)
        return CaseFacts(
            case_id=1,
            shop=ShopFact(slug=expected.shop, languages=("en",), base_currency="USD", time_zone="UTC"),
            subject="message",
            language=order["customer"]["locale"] if order else "en",
            now=START,
            messages=tuple(messages),
            order=self.order_fact(order) if order else None,
            sender_is_contact=bool(order) and letters[0][0] in contacts(order),
            stock=stock(expected.shop),
        )

    def order_fact(self, order: Neutral) -> OrderFact:
        shop, number, currency = order["shop"], str(order["id"]), order["currency"]
        refunds, returns = self.done[shop, number, "refunds"], self.done[shop, number, "returns"]
        parcels = {row["id"]: row for row in self.done[shop, number, "fulfilments"]}
        back = {line["id"]: line["quantity"] for refund in refunds for line in refund["lines"]}
        return OrderFact(
            id=order["id"],
            name=order["name"],
            currency=currency,
            total_minor=to_minor(order["total"], currency),
            placed_at=datetime.fromisoformat(order["created_at"]),
            risk_level=order["risk"].lower(),
            lines=tuple(line_fact(line, currency, back.get(line["id"], 0)) for line in order["lines"]),
            shipments=tuple(parcel_fact(row) for row in parcels.values()),
            payments=(
                PaymentFact(id=1, vendor="stripe", refundable_minor=to_minor(order["total"], currency)),
            ),
            refunds=tuple(
                RefundFact(
                    amount_minor=to_minor(row["amount"], currency),
                    at=START,
                    state="succeeded",
                    by="elsewhere",
                )
                for row in refunds
            ),
            returns=tuple(
                ReturnFact(id=row["id"], status=row["status"], requested_at=START) for row in returns
            ),
        )


def line_fact(line: Neutral, currency: str, refunded: int) -> LineFact:
    total = to_minor(line["unit_price"], currency) * line["quantity"] + to_minor(line["tax"], currency)
    return LineFact(
        id=line["id"],
        sku=line["sku"],
        title=line["title"],
        quantity=line["quantity"],
        refunded_quantity=refunded,
        total_minor=total,
    )


def parcel_fact(row: Neutral) -> ShipmentFact:
    sent = datetime.fromisoformat(row["created_at"])
    done = datetime.fromisoformat(row["delivered_at"]) if row.get("delivered_at") else None
    return ShipmentFact(
        id=row["id"],
        status=row["status"],
        shipped_at=sent,
        delivered_at=done,
        moved_at=done or sent + timedelta(hours=5),
        line_ids=tuple(row["line_ids"]),
    )


def contacts(order: Neutral | None) -> set[str]:
    customer = order["customer"] if order else {}
    return {str(customer.get("email")).lower(), str(customer.get("phone") or "").lstrip("+")}


def letter(step: Step) -> tuple[str, MessageFact]:
    """Sender and message of a delivery."""
    body = json.loads(step.body)
    if step.source == "email":
        sender, text, subject = body["FromFull"]["Email"], body["TextBody"], body["Subject"]
        photos = len(body.get("Attachments", []))
    else:
        chat = body["entry"][0]["changes"][0]["value"]["messages"][0]
        sender, text, subject, photos = chat.get("from", ""), chat["text"]["body"], "", 0
    fields = {"text": text, "subject": subject, "attachments": photos, "at": step.simulated_at}
    return str(sender).lower(), MessageFact(id=1, direction="in", **fields)


def stock(shop: str) -> tuple[StockFact, ...]:
    """What the supplier's feed says: titles in the shop's own language alone."""
    language = "ja" if shop == "sakura" else "en"
    return tuple(
        StockFact(
            sku=item.sku,
            title=item.name(language).title,
            available=0 if item.sku in SOLD_OUT[shop] else 5,
            restock_on=date(2026, 12, 20) if item.sku in SOLD_OUT[shop] else None,
        )
        for item in GOODS[shop]
    )


def lane(proposal: Proposal, order: OrderFact | None) -> str:
    if proposal.tool in ("escalate", "mark_fraud"):
        return "human"
    if proposal.tool == "request_information" or proposal.arguments.get("then") == "wait_customer":
        return "waiting"
    if proposal.tool == "issue_refund" and order is not None:
        automatic = AUTOMATIC.get(order.currency, 2000)
        amount = worth(proposal, order)
        return (
            "automatic" if amount <= automatic else "approval" if amount <= automatic * 10 else "two_factor"
        )
    return "automatic"


def worth(proposal: Proposal, order: OrderFact) -> int:
    lines = {line.id: line for line in order.lines}
    parts: Any = proposal.arguments["lines"]
    return sum(lines[p["line_id"]].total_minor * p["quantity"] // lines[p["line_id"]].quantity for p in parts)


def missed(seed: int, events: int) -> tuple[list[str], list[str], int]:
    """Stories that took another lane, those sent to a person without need, and how many there were."""
    day = Day(story(seed, events, START))
    wrong, needless, count = [], [], 0
    for story_id, expected in day.story.expectations.items():
        if story_id not in day.letters:
            continue
        count += 1
        facts = day.facts(story_id, expected)
        proposal = RulesPlanner().propose(facts)
        got = lane(proposal, facts.order)
        if got != expected.lane:
            said = facts.inbound[-1].text
            wrong.append(f"{story_id}: {got}, not {expected.lane}: {proposal.note} {said!r}")
        if got == "human" != expected.lane:
            needless.append(story_id)
    return wrong, needless, count


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_day_takes_the_lanes_that_a_sensible_shop_expects(seed: int) -> None:
    wrong, needless, count = missed(seed, 200)
    assert len(wrong) <= 0.04 * count, "\n".join(wrong)
    assert len(needless) <= 0.03 * count, needless


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(100, 110))
def test_long_days_take_the_lanes_that_a_sensible_shop_expects(seed: int) -> None:
    wrong, needless, count = missed(seed, 1500)
    assert len(wrong) <= 0.03 * count, "\n".join(wrong)
    assert len(needless) <= 0.03 * count, needless


@pytest.mark.parametrize("seed", [1, 2])
def test_pieces_that_broke_are_refunded_and_no_more(seed: int) -> None:
    day = Day(story(seed, 1500, START))
    partial = [story_id for story_id in day.letters if story_id.startswith("some_broken")]
    assert partial
    for story_id in partial:
        expected = day.story.expectations[story_id]
        proposal: Any = RulesPlanner().propose(day.facts(story_id, expected))
        broken = int(expected.why.split()[0])
        assert [part["quantity"] for part in proposal.arguments["lines"]] == [broken], story_id
