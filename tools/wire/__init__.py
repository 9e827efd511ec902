"""The one way out to vendors: deadlines, retries, logs, and the mapping of all that can fail onto tools.errors."""

from tools.wire.call import Answer, Call, Kind, Reconcile
from tools.wire.client import Pace, close, forbid_inside_transaction, pace, transport_override
from tools.wire.errors import (
    Health,
    error_of_exception,
    error_of_status,
    lost,
    not_json,
    seconds_of,
    should_retry,
)
from tools.wire.sending import LONGEST_SLEEP_SECONDS, OPEN, Gate, News, send

__all__ = [
    "LONGEST_SLEEP_SECONDS",
    "OPEN",
    "Answer",
    "Call",
    "Gate",
    "Health",
    "Kind",
    "News",
    "Pace",
    "Reconcile",
    "close",
    "error_of_exception",
    "error_of_status",
    "forbid_inside_transaction",
    "lost",
    "not_json",
    "pace",
    "seconds_of",
    "send",
    "should_retry",
    "transport_override",
]
