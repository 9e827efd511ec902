"""What the vendors' answers tell of the vendors: drift, new fields, versions and deprecations.

Runs outside transactions, beside the calls: each function writes on its own.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db import connection

from audit import sources
from tools import shops
from tools.drift import open_drift, record_drift, refuse_while_drifting
from tools.errors import ContractDrift
from tools.models import Drift, Upstream
from tools.new_fields import count_new_fields
from tools.wire import Answer, Call

__all__ = [
    "count_new_fields",
    "note_answer",
    "note_version",
    "open_drift",
    "record_drift",
    "refuse_while_drifting",
]

log = structlog.get_logger(__name__)

# What vendors say in when a version or a field is going away.
# https://shopify.dev/docs/api/usage/versioning, RFC 9745 (Deprecation), RFC 8594 (Sunset), RFC 9111 (Warning)
DEPRECATION = (
    "X-Shopify-API-Deprecated-Reason",
    "Deprecation",
    "Sunset",
    "Warning",
    "X-Ad-Api-Version-Warning",
)
WRITE_EVERY_SECONDS = 3600.0
IN_ADDRESS = re.compile(r"/(?:admin/api/)?(v?\d{1,4}[.-]\d{1,2})/")
LONGEST_VERSION, LONGEST_NOTICE = 40, 300

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Note:
    """What one answer tells of its vendor; empty texts where it tells nothing."""

    asked: str
    served: str
    deprecation: str


def _in_address(call: Call) -> str:
    found = IN_ADDRESS.search(call.url)
    return found.group(1) if found else ""


def _in_header(name: str) -> Callable[[Call], str]:
    def read(call: Call) -> str:
        return next((value for key, value in call.headers.items() if key.lower() == name.lower()), "")

    return read


# Where each vendor's version stands: in what is asked, and the header of what is answered.
VERSIONS: dict[str, tuple[Callable[[Call], str], str]] = {
    "shopify": (_in_address, "X-Shopify-API-Version"),
    "stripe": (_in_header("Stripe-Version"), "Stripe-Version"),
    "klaviyo": (_in_header("revision"), "revision"),
    "whatsapp": (_in_address, "facebook-api-version"),
}


def _asked(call: Call) -> str:
    return VERSIONS[call.vendor][0](call)[:LONGEST_VERSION] if call.vendor in VERSIONS else ""


def _served(call: Call, answer: Answer) -> str:
    found = answer.headers.get(VERSIONS[call.vendor][1], "") if call.vendor in VERSIONS else ""
    return str(found)[:LONGEST_VERSION]


@dataclass
class _Kept:
    """What this process has written lately, so that a steady vendor costs one statement an hour."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    notes: dict[Key, tuple[Note, float]] = field(default_factory=dict)


_kept = _Kept()


def forget() -> None:
    """Makes this process know nothing, as after its start."""
    with _kept.lock:
        _kept.notes.clear()


def note_answer(call: Call, answer: Answer) -> None:
    """Keeps which version served the operation, and the vendor's deprecation notice if there is one.

    Written once an hour, or at once where something changed. Raises nothing, since the answer itself was good.
    """
    try:
        note = note_of(call, answer)
        if _is_news((call.shop, call.vendor, call.operation), note):
            _write(call, note)
    except Exception:
        log.exception(
            "upstream.not_noted",
            vendor=call.vendor,
            operation=call.operation,
            correlation_id=str(call.correlation_id),
        )


def note_version(call: Call, drift: ContractDrift) -> None:
    """Keeps which version answered where that is the drift: such an answer is refused before anybody notes it."""
    if drift.finding != Drift.Finding.VERSION:
        return
    try:
        served = " ".join(drift.said.split())[:LONGEST_VERSION]
        now = sources.now()
        place = {"shop_id": shops.id_of(call.shop), "vendor": call.vendor, "operation": call.operation}
        Upstream.objects.bulk_create([Upstream(**place, seen_at=now)], ignore_conflicts=True)
        Upstream.objects.filter(**place).update(
            version_asked=_asked(call), version_served=served, seen_at=now
        )
        with _kept.lock:
            _kept.notes.pop((call.shop, call.vendor, call.operation), None)
    except Exception:
        log.exception(
            "upstream.version_not_noted",
            vendor=call.vendor,
            operation=call.operation,
            correlation_id=str(call.correlation_id),
        )


def note_of(call: Call, answer: Answer) -> Note:
    """The version that was asked for, the one that answered, and the vendor's notice as it came."""
    notices = [f"{name}: {answer.headers[name]}" for name in DEPRECATION if answer.headers.get(name)]
    return Note(_asked(call), _served(call, answer), "; ".join(notices)[:LONGEST_NOTICE])


def _is_news(key: Key, note: Note) -> bool:
    with _kept.lock:
        before, at = _kept.notes.get(key, (None, 0.0))
        if before == note and time.monotonic() - at < WRITE_EVERY_SECONDS:
            return False
        _kept.notes[key] = (note, time.monotonic())
        return True


def _write(call: Call, note: Note) -> None:
    table, now = Upstream._meta.db_table, sources.now()
    statement = (
        f"INSERT INTO {table} (shop_id, vendor, operation, version_asked, version_served, deprecation,"  # noqa: S608
        " deprecated_since, seen_at, probe) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, '')"
        " ON CONFLICT (shop_id, vendor, operation) DO UPDATE SET version_asked = excluded.version_asked,"
        " version_served = excluded.version_served, deprecation = excluded.deprecation,"
        " deprecated_since = CASE WHEN excluded.deprecation = '' THEN NULL"
        f" ELSE coalesce({table}.deprecated_since, excluded.deprecated_since) END,"
        f" seen_at = greatest({table}.seen_at, excluded.seen_at)"
    )
    values: list[str | int | datetime | None] = [
        shops.id_of(call.shop),
        call.vendor,
        call.operation,
        note.asked,
        note.served,
        note.deprecation,
        now if note.deprecation else None,
        now,
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
