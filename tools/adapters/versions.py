"""What it means that a vendor served another version than we asked for."""

from __future__ import annotations

import structlog

from tools import upstreams
from tools.errors import ContractDrift
from tools.wire import Answer, Call, Kind

log = structlog.get_logger(__name__)

LONGEST = 40


def other_version(call: Call, answer: Answer, header: str, asked: str) -> ContractDrift | None:
    """Drift where the answer names another version; nothing where it has no such header.

    A write was executed all the same: its drift is recorded, so that the next one is stopped, and its answer is read.
    """
    told = answer.headers.get(header)
    if told is None or told.strip() == asked:
        return None
    served = told.strip()[:LONGEST]
    log.warning(
        "other_version",
        vendor=call.vendor,
        operation=call.operation,
        served=served,
        asked=asked,
        correlation_id=str(call.correlation_id),
    )
    drift = ContractDrift(
        served, vendor=call.vendor, operation=call.operation, field_path=header, finding="version"
    )
    if call.kind is Kind.READ:
        return drift
    upstreams.record_drift(call.shop, drift, b"", correlation_id=call.correlation_id)
    return None
