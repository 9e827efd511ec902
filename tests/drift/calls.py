"""A call to send: to a vendor that has a rate budget, for an operation that no adapter knows."""

from __future__ import annotations

from typing import Any

from tests.adapters import faking
from tools.wire import Call, Kind


def call(kind: Kind = Kind.READ, **changes: Any) -> Call:
    return faking.call(kind, **{"vendor": "stripe", **changes})
