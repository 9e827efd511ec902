"""Rows for tests: each function makes one consistent row, with sensible defaults for all that isn't said.

A row that needs others makes them, in the same shop. `at` is when the row says that it happened.
"""

from tests.factories.authority import (
    asked,
    make_approval,
    make_call,
    make_decision,
    make_payment_task,
    make_switch,
    refund_effect,
    refund_wish,
)
from tests.factories.cases import (
    make_case,
    make_connection,
    make_cursor,
    make_dead_event,
    make_drift,
    make_event,
    make_flag,
    make_handoff,
    make_message,
    make_template,
    planner_config,
)
from tests.factories.orders import make_order, make_payment, make_shipment
from tests.factories.shops import (
    HASH,
    PASSWORD,
    make_caps,
    make_entity,
    make_limits,
    make_person,
    make_shop,
    make_terms,
    make_user,
    now,
    publish_limits,
)

__all__ = [
    "HASH",
    "PASSWORD",
    "asked",
    "make_approval",
    "make_call",
    "make_caps",
    "make_case",
    "make_connection",
    "make_cursor",
    "make_dead_event",
    "make_decision",
    "make_drift",
    "make_entity",
    "make_event",
    "make_flag",
    "make_handoff",
    "make_limits",
    "make_message",
    "make_order",
    "make_payment",
    "make_payment_task",
    "make_person",
    "make_shipment",
    "make_shop",
    "make_switch",
    "make_template",
    "make_terms",
    "make_user",
    "now",
    "planner_config",
    "publish_limits",
    "refund_effect",
    "refund_wish",
]
