"""One thing that we ask of a vendor, described so that a probe, the contract check and the drift list know it.

Each adapter lists its own in OPERATIONS; tools/adapters/table.py holds them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from tools.adapters.accounts import Account
from tools.adapters.replies import Reply
from tools.wire import Kind


@dataclass(frozen=True)
class Example:
    """A request as our own builder makes it, with made-up ids: what the contract check holds against a contract.

    `path` is the contract's own template (`/v1/charges/{charge}`); for GraphQL `variables` go with the operation's
    document. `form` is Stripe's flat form, `json` a JSON body.
    """

    method: str = "POST"
    path: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    json: object = None
    variables: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Known:
    """External ids of the shop's own newest things, for probes; empty where there is none yet."""

    order: str = ""
    charge: str = ""
    dispute: str = ""
    inventory_item: str = ""
    invoice: str = ""


# Reads once and returns whether there was anything to read; raises one of tools.errors where that fails.
Probe = Callable[[Account, Known, UUID], bool]


@dataclass(frozen=True)
class Operation:
    """`name` is what wire.Call.operation and Drift.operation hold. `reply` is None where an empty body is the answer.

    `probe` makes one read that brings the same kind of object as the operation's own answer: a write is probed by the
    reading of what it makes. `rests_on` names the vendor's readings whose drift stops this write as well.
    """

    vendor: str
    name: str
    kind: Kind
    reply: type[Reply] | None
    examples: Callable[[], tuple[Example, ...]]
    document: str = ""
    probe: Probe | None = None
    rests_on: tuple[str, ...] = ()
