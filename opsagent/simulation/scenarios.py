"""The stories that a case can have, before anything is broken in it."""

from __future__ import annotations

from dataclasses import dataclass

STRIPE, SHOPIFY = "stripe", "shopify_payments"


@dataclass(frozen=True)
class Scenario:
    """Who pays, how much, who decides, and what the vendor makes of it.

    `refund` is what the vendor says of a new refund: done, pending (and then done), failing (pending and then failed)
    or taken_back (done and then failed). `staff` is what colleagues do: approve or reject a request, undo what waits,
    or nothing. With `asks` the agent wants to know more first.
    """

    name: str
    gateway: str = STRIPE
    size: str = "small"
    quantity: int = 1
    wishes: int = 1
    undo_seconds: int = 0
    staff: str = "approve"
    refund: str = "done"
    planner: str = "scripted"
    asks: bool = False
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
    )
}
