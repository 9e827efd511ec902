"""The story, as rows: shops, staff, events, conversations, cases, hand-offs and the planner's configuration."""

from cases.models.cancelling import Cancellation
from cases.models.cases import Case, Handoff
from cases.models.conversations import Conversation, Message, Person, Template
from cases.models.events import Cursor, EventConflict, InboundEvent, RefusedRequests
from cases.models.fraud import FraudEntry
from cases.models.invariants import InvariantRun
from cases.models.legal import LegalEntity
from cases.models.paying import PaymentTask
from cases.models.personal import KnownAddress, PersonalText, PersonKey, ShopKey
from cases.models.planning import PlannerConfig
from cases.models.shops import Connection, Shop, User
from cases.models.signing_in import SignInTry

__all__ = [
    "Cancellation",
    "Case",
    "Connection",
    "Conversation",
    "Cursor",
    "EventConflict",
    "FraudEntry",
    "Handoff",
    "InboundEvent",
    "InvariantRun",
    "KnownAddress",
    "LegalEntity",
    "Message",
    "PaymentTask",
    "Person",
    "PersonKey",
    "PersonalText",
    "PlannerConfig",
    "RefusedRequests",
    "Shop",
    "ShopKey",
    "SignInTry",
    "Template",
    "User",
]
