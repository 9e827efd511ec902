"""The stories that a case can have, before anything is broken in it, and what is known to be hard in some of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from opsagent.demo.dues import Pays

STRIPE, SHOPIFY, CASH = "stripe", "shopify_payments", "cash_on_delivery"
# Money that came in a way that nobody here knows how to give back.
UNKNOWN = "afterpay"


@dataclass(frozen=True)
class Scenario:
    """Who pays, how much, who decides, and what the vendor makes of it.

    `refund` is what the vendor says of a new refund: done, pending (and then done), failing (pending and then failed)
    or taken_back (done and then failed). `staff` is what colleagues do with a request: approve or reject it, undo what
    waits, or nothing; `ticks` what they do with a payment task: tick it and then tick it again, drop it, or nothing.
    A `colleague` has the case instead of the agent: to cancel the order, or to answer a day late. `meanwhile` happens
    while a refund waits. `documents` is who issues credit notes; "no seller" is ours of a seller who can't stand on
    one yet. With `asks` the agent wants to know more first; with `denied` nothing may be paid at all. With
    `first_reading` the vendors are read for what was lost, and never were before.
    """

    name: str
    gateway: str = STRIPE
    pays: Pays = "usual"
    size: str = "small"
    quantity: int = 1
    lines: int = 1
    orders: int = 1
    duty: bool = False
    reason: str = "damaged"
    goodwill: int = 0
    wishes: int = 1
    channel: str = "email"
    undo_seconds: int = 0
    staff: str = "approve"
    ticks: Literal["twice", "drop", "never"] = "twice"
    colleague: Literal["", "cancels", "answers late"] = ""
    meanwhile: Literal["", "refund by hand", "line by hand", "part by hand", "dispute"] = ""
    documents: Literal["none", "ours", "no seller"] = "none"
    refund: str = "done"
    planner: str = "scripted"
    asks: bool = False
    denied: bool = False
    first_reading: bool = False
    weight: int = 1


SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario("automatic", weight=4),
        Scenario("automatic by Shopify", gateway=SHOPIFY, weight=3),
        Scenario("approved", size="mid", weight=3),
        Scenario("approved by Shopify", gateway=SHOPIFY, size="mid", weight=2),
        Scenario("large", size="large", weight=2),
        Scenario("rejected", size="mid", staff="reject"),
        Scenario("expired", size="mid", staff="nothing"),
        Scenario("undo window", undo_seconds=600, weight=2),
        Scenario("pending", refund="pending", weight=2),
        Scenario("failing", refund="failing"),
        Scenario("taken back", refund="taken_back"),
        Scenario("two equal refunds", quantity=2, wishes=2, weight=2),
        Scenario("by the rules", planner="rules"),
        Scenario("asked back", asks=True),
        Scenario("undone", undo_seconds=600, staff="undo"),
        # several tenders, and those that no machine pays back
        Scenario("gift card beside Stripe", pays="gift_card", quantity=2, weight=2),
        Scenario("gift card beside a card", gateway=SHOPIFY, pays="gift_card", weight=2),
        Scenario(
            "gift card used up before it is signed",
            pays="gift_card",
            size="mid",
            lines=2,
            meanwhile="part by hand",
        ),
        Scenario("paid by hand", gateway=CASH, weight=2),
        Scenario("paid by hand, and never ticked", gateway=CASH, ticks="never", staff="nothing"),
        Scenario("paid by hand, and dropped", gateway=CASH, ticks="drop"),
        Scenario("unknown gateway", gateway=UNKNOWN, denied=True),
        # what a refund is made of
        Scenario("goodwill", goodwill=15),
        Scenario("with a duty", gateway=SHOPIFY, duty=True),
        Scenario("returned and restocked", gateway=SHOPIFY, reason="returned"),
        Scenario("two equal refunds by Shopify", gateway=SHOPIFY, quantity=2, wishes=2),
        # its document
        Scenario("with our document", documents="ours", weight=2),
        Scenario("with a document that nobody can issue", documents="no seller"),
        # people, and what else happens
        Scenario("by WhatsApp", channel="whatsapp"),
        Scenario("answered late on WhatsApp", channel="whatsapp", colleague="answers late", denied=True),
        Scenario("cancelled", colleague="cancels", documents="ours", weight=2),
        Scenario("cancelled, and the refund fails", colleague="cancels", documents="ours", refund="failing"),
        Scenario("refunded by hand meanwhile", undo_seconds=600, meanwhile="refund by hand"),
        Scenario("line refunded by hand meanwhile", undo_seconds=600, lines=2, meanwhile="line by hand"),
        Scenario("disputed meanwhile", undo_seconds=600, meanwhile="dispute"),
        Scenario("two orders of one customer", orders=2),
        Scenario("vendors read for the first time", first_reading=True),
    )
}


@dataclass(frozen=True)
class Lesson:
    """A story with failures that have to meet in it, which chance brings together too seldom.

    A strike is told as it is made of: the point, the kind, and at which visit where that isn't the first.
    """

    scenario: str
    strikes: tuple[tuple[str, str] | tuple[str, str, int], ...]


NUMBERED = "commit:tools.credit_notes.issuing.issue[issue_credit_note]"
SENT = "call:stripe.refunds.create"
PLANNED, EXECUTED, STORED = (
    "call:shopify.order",
    "task:execute[issue_refund]",
    "commit:cases.intake.receiving.receive",
)
QUOTED = "call:shopify.suggestedRefund"
CANCELLED, AWAY = "call:shopify.orderCancel", "connection refused"
SETTLED, APPROVED, SIGNED = "task:settle[issue_refund]", "act:approve", "commit:approvals.signing.approve"
LESSONS = (
    # what was sent, and what became of it
    Lesson("automatic", ((SENT, "request lost"),)),
    Lesson("automatic", ((SENT, "request lost"), (SETTLED, "21 hours pass"))),
    Lesson("automatic", ((SENT, "answer lost"),)),
    Lesson("automatic", ((SENT, "killed after"),)),
    Lesson("automatic", ((SENT, "request overtaken"),)),
    Lesson("automatic", ((SENT, "two workers"),)),
    Lesson("automatic", ((SENT, "undone"),)),
    Lesson("automatic", ((SENT, "500 after the work"), (SETTLED, "undone"))),
    Lesson("automatic by Shopify", (("call:shopify.refundCreate", "answer lost"),)),
    Lesson("gift card beside Stripe", (("call:shopify.refundCreate", "connection refused"),)),
    Lesson("with our document", ((NUMBERED, "killed after"),)),
    # what has changed by the time of sending
    Lesson("undo window", ((EXECUTED, "limits lowered"),)),
    Lesson("automatic", ((EXECUTED, "switch engaged"),)),
    Lesson("automatic", ((EXECUTED, "refund by hand"),)),
    Lesson("automatic", ((EXECUTED, "dispute"),)),
    # what can't be read when it is wanted, long after it was read last or for long
    Lesson("cancelled", (("task:prepare", "minutes pass"), (PLANNED, AWAY, 2))),
    Lesson(
        "cancelled",
        ((CANCELLED, "answer lost"), ("task:settle[cancel_order]", "21 hours pass"), (PLANNED, AWAY, 2)),
    ),
    Lesson("undo window", ((PLANNED, AWAY, 2),)),
    Lesson("automatic", (("call:shopify.refundCreate", "answer lost"), ("call:shopify.refunds", AWAY))),
    # the door
    Lesson("automatic", ((STORED, "commit refused"),)),
    Lesson("automatic", (("hook:stripe.refund.created", "webhook forged"),)),
    # people, and two at once
    Lesson("approved", ((APPROVED, "signed by the wrong one"),)),
    Lesson("large", ((APPROVED, "21 hours pass"),)),
    Lesson("approved", ((SIGNED, "rejected at the same time"),)),
    Lesson("approved", ((SIGNED, "signed at the same time"),)),
    Lesson("paid by hand", (("commit:cases.paying._end", "ticked at the same time"),)),
    Lesson("automatic", ((PLANNED, "two workers"),)),
    Lesson("gift card beside Stripe", ((QUOTED, "two workers"),)),
    Lesson(
        "two orders of one customer", (("commit:cases.planning._apply", "another task at the same time"),)
    ),
)
