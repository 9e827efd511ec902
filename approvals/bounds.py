"""What a verdict is about: the facts, and the numbers that they are held to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

# What small sums add up in, and with the day what a cap may hold.
SCOPES = ("order", "customer", "instrument", "address")
CAPS = (*SCOPES, "day")
UNITS = (
    "messages_case_day",
    "messages_customer_day",
    "messages_shop_hour",
    "orders_held_day",
    "items_set_day",
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the server knows about an action. Amounts are minor units of the action's currency.

    `amount_minor` is the value that leaves the shop. `exposure_minor` is what the same order, customer, payment method
    and address got or may still get besides this action, by the name of the scope. In `base_currency`, this action
    included: `base_minor` by the name of the cap, and `automatic_day_minor`, what the same kind of planner gives away
    by itself in a day; what could not be found is missing there. `sizes` counts by unit, this action included. `rates`
    and `base_rates` are "ok" where every rate that the sums needed was there and fresh, and `converted` says each of
    them with its day and source. `confidence_percent` is the planner's own. `by_kind` is the actor's kind. `connected`
    is False for what is older than the shop's connection. `drifting` names the vendors' changed operations that the
    action can't be sent without. `problem` is why the action could not be resolved, as a code. `entitled_by` is the
    rule of the shop's terms that grants it, `refusal` the code of why none does; `looked_at` is False where it rests
    on a photo that nobody has looked at.
    """

    kind: str
    by_kind: str
    amount_minor: int = 0
    currency: str = ""
    exposure_minor: Mapping[str, int] = field(default_factory=dict)
    base_currency: str = ""
    base_minor: Mapping[str, int] = field(default_factory=dict)
    automatic_day_minor: int | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    rates: str = "ok"
    base_rates: str = "ok"
    converted: tuple[str, ...] = ()
    confidence_percent: int | None = None
    flags: tuple[str, ...] = ()
    risk_level: str = "unknown"
    switches: tuple[str, ...] = ()
    human_only: bool = False
    connected: bool = True
    entitled_by: str = ""
    refusal: str = ""
    looked_at: bool = True
    goodwill_percent: int = 0
    reachable: bool = True
    template_tells_order: bool = False
    sender_is_contact: bool = False
    refused_before: bool = False
    edited: bool = False
    drifting: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits in force for the action's currency, in its minor units; caps and budget in the shop's base currency.

    Above `two_factor_up_to_minor` nobody approves here, and above `two_people_above_minor` two people do; None where
    there is no such line. Below `unsure_below_percent` of the planner's confidence nothing runs by itself. `sizes`
    says how much there may be of what moves no money, by unit.
    """

    auto_up_to_minor: int
    one_approver_up_to_minor: int
    goodwill_percent: int
    two_factor_up_to_minor: int | None = None
    two_people_above_minor: int | None = None
    unsure_below_percent: int = 0
    caps: Mapping[str, int] = field(default_factory=dict)
    budget_minor: int | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)

    def stricter(self, other: Limits) -> Limits:
        """Of each number the one that lets less run by itself."""
        return Limits(
            min(self.auto_up_to_minor, other.auto_up_to_minor),
            min(self.one_approver_up_to_minor, other.one_approver_up_to_minor),
            min(self.goodwill_percent, other.goodwill_percent),
            _lower(self.two_factor_up_to_minor, other.two_factor_up_to_minor),
            _lower(self.two_people_above_minor, other.two_people_above_minor),
            max(self.unsure_below_percent, other.unsure_below_percent),
            _lowest(self.caps, other.caps),
            _lower(self.budget_minor, other.budget_minor),
            _lowest(self.sizes, other.sizes),
        )

    def as_json(self) -> dict[str, Any]:
        """Every number by its name; `Limits(**numbers)` reads them again."""
        return asdict(self)


def _lower(one: int | None, other: int | None) -> int | None:
    return min((line for line in (one, other) if line is not None), default=None)


def _lowest(some: Mapping[str, int], others: Mapping[str, int]) -> dict[str, int]:
    return {name: min(table[name] for table in (some, others) if name in table) for name in {*some, *others}}
