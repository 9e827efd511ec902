"""What every tool is made of. A tool declares its effect and never knows whether it needs approval.

    planner ──arguments──▶ resolve() ──Effect──▶ policy judges ──Steps──▶ ToolCall ──▶ send() ──Outcome
                           ids to facts           from outside            committed     one vendor call

`resolve` turns ids of the case's own things into the exact effect: payee, currency and amount come from the
server's facts, never from the planner.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from tools.models import ToolCall
from tools.types import Money
from tools.wire import Reconcile

# The vendor of a step that moves no money by itself: a person pays, and ticks it.
BY_HAND = "manual"
# The vendor of a step that we do ourselves: it writes to our own database and asks nobody.
BY_US = "ours"


class Kind(StrEnum):
    """What a tool does to the world; policy reads it, the planner never sets it."""

    READ = "read"
    MONEY = "money"
    MESSAGE = "message"
    PERSON = "person"
    FRAUD = "fraud"
    CLOSE = "close"
    DOCUMENT = "document"


class Leaves(StrEnum):
    """What of value leaves the shop by a tool; all of it counts in the same tiers and caps."""

    NOTHING = "nothing"
    REFUND = "refund"
    STORE_CREDIT = "store_credit"
    GIFT_CARD = "gift_card"
    REPLACEMENT = "replacement"
    WAIVED_SHIPPING = "waived_shipping"


class Arguments(BaseModel):
    """What a planner may say to a tool. The class docstring is the description that it sees."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose things an action may name: one case's. Ids are our own rows' ids.

    `env_prefix` is the shop's, under which its vendor accounts stand in the environment. `decided_at` is when the
    action was judged, where its effect is resolved once more after that. `return_fee_minor` is what the shop keeps of
    what goes back for a return, which its terms say and nobody who asks.
    """

    shop_id: int
    case_id: int
    order_id: int | None
    correlation_id: UUID
    channel: str = "email"
    env_prefix: str = ""
    decided_at: datetime | None = None
    return_fee_minor: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One call of an effect, in order. `request` is what will be sent, as ids, codes and minor units.

    `template` names the message of a messaging step; the message itself is written where people's texts live. `value`
    is what leaves the shop where that is no money, or more than the money.
    """

    tool: str
    vendor: str
    request: Mapping[str, Any]
    payment_id: int | None = None
    money: Money | None = None
    template: str = ""
    value: Money | None = None

    @property
    def worth(self) -> Money | None:
        """The value that leaves by this step, or None."""
        return self.value or self.money


@dataclass(frozen=True, slots=True)
class Effect:
    """Exactly what would happen: what policy judges, a person signs and the executor sends.

    `value` is what leaves the shop where that is no money, or more than the money: goods at their sales price, credit,
    a fee that is not asked for.
    """

    tool: str
    kind: Kind
    body: Mapping[str, Any]
    steps: tuple[Step, ...] = ()
    money: Money | None = None
    payment_id: int | None = None
    template: str = ""
    value: Money | None = None

    @property
    def worth(self) -> Money | None:
        """The value that leaves the shop, or None: what tiers and caps count."""
        return self.value or self.money

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON of the tool and its body; an approval signs this."""
        return digest({"tool": self.tool, **self.body})


@dataclass(frozen=True, slots=True)
class Outcome:
    """A vendor's own word about a call: done, or on its way. Anything else is a ToolError.

    Only a reading may find that it `failed` after all, which sending tells as Refused.
    """

    ref: str
    pending: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Tool:
    """One entry of the registry. `send` and `find` are None for tools that call no vendor.

    `find` reads at the vendor what became of a call whose answer was lost: an Outcome, or None where the vendor
    has no trace of it. Not `for_planner` are tools that only triage and the server itself use. `sends_by` names the
    vendors that `send` calls; `unsafe` those of them that know no idempotency key, with who settles a call there whose
    answer was lost: it is never sent again. `quote` asks a vendor, outside any transaction, for what `resolve` will
    need, and keeps it. `leaves` says what of value its effects take out of the shop.
    """

    name: str
    kind: Kind
    arguments: type[Arguments]
    resolve: Callable[[Any, Scope], Effect]
    send: Callable[[ToolCall], Outcome] | None = None
    find: Callable[[ToolCall], Outcome | None] | None = None
    for_planner: bool = True
    sends_by: tuple[str, ...] = ()
    quote: Callable[[Any, Scope], None] | None = None
    unsafe: Mapping[str, Reconcile] = field(default_factory=dict)
    leaves: Leaves = field(kw_only=True)


def canonical(value: Mapping[str, Any]) -> str:
    """JSON with sorted keys and no spaces: equal effects give equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON, as hex."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()
