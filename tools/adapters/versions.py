"""What it means that a vendor served another version than we asked for."""

from __future__ import annotations

from tools import upstreams
from tools.errors import ContractDrift
from tools.wire import Answer, Call, Kind


def other_version(call: Call, answer: Answer, header: str, asked: str) -> ContractDrift | None:
    """Drift where the answer names another version; nothing where it names none.

    A write was executed all the same: its drift is recorded, so that the next one is stopped, and its answer is read.
    """
    served = answer.headers.get(header, "").strip()
    if served in ("", asked):
        return None
    drift = ContractDrift(
        served[:40], vendor=call.vendor, operation=call.operation, field_path=header, finding="version"
    )
    if call.kind is Kind.READ:
        return drift
    upstreams.record_drift(call.shop, drift, b"")
    return None
