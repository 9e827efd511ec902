"""Drift as rows: opened once per field, counted, asked for before every write, cleared by staff.

answer or event ─▶ opened() ─▶ Drift, open ─▶ refuse_while_drifting(): nothing is written for the shop
                                    └─▶ a probe passes, a person clears it ─▶ Drift, cleared
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from audit import sources
from audit.actors import Actor, vendor
from audit.services import record
from tools import shops
from tools.errors import ContractDrift, ReadOnly
from tools.models import Drift
from tools.redacting import place, redacted, value_at, words_of
from tools.wire import Call, Kind

log = structlog.get_logger(__name__)

WEBHOOK = "webhook:"
PASSED = "ok"
OPERATION_LENGTH = Drift._meta.get_field("operation").max_length or 96
VENDOR_LENGTH = Drift._meta.get_field("vendor").max_length or 16

# What a step of an effect may write at its vendor: a tool and vendor that aren't here can't be judged, so a test holds
# it against every tool. Which of Stripe's two a refund takes is settled only when it is sent.
NEEDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("cancel_order", "shopify"): ("orderCancel",),
    ("issue_refund", "stripe"): ("refunds.create", "credit_notes.create"),
    ("issue_refund", "shopify"): ("refundCreate",),
    ("record_refund", "shopify"): ("refundCreate",),
    ("send_message", "klaviyo"): ("events.create",),
    ("send_message", "email"): ("message",),
    ("send_message", "whatsapp"): ("messages.send",),
}

# Codes of a call that was stopped for drift: by policy or the re-check, by the adapter, or by the reading of facts.
READ_ONLY, FACTS_DRIFTED = "upstream.read_only", "facts.drifted"
STOPS = frozenset({READ_ONLY, FACTS_DRIFTED, ReadOnly.default_code})
FACTS = ("shopify", ("order",))


def record_drift(shop_slug: str, drift: ContractDrift, body: bytes, *, correlation_id: UUID) -> None:
    """Opens a drift, or counts one that is open already; `body` is kept redacted.

    Raises nothing: the drift itself is on its way to the caller, and a row that can't be written must not hide it.
    """
    try:
        shop_id = shops.id_of(shop_slug)
        with transaction.atomic():
            opened(shop_id, drift, body, by=vendor(drift.vendor))
    except Exception:
        log.exception(
            "drift.not_recorded",
            shop=shop_slug,
            vendor=drift.vendor,
            operation=drift.operation,
            field=place(drift.field_path),
            correlation_id=str(correlation_id),
        )


def opened(
    shop_id: int, drift: ContractDrift, body: bytes, *, by: Actor, operation: str = ""
) -> tuple[Drift, bool]:
    """The open row of this field, locked until the caller's transaction ends, and whether it was opened just now.

    One INSERT … ON CONFLICT, so that any number of callers at once make one row and count themselves.
    """
    row_id, new = _upsert(shop_id, drift, body, (operation or drift.operation)[:OPERATION_LENGTH])
    row = Drift.objects.select_related("shop").get(pk=row_id)
    if new:
        tell("drift.found", row, by=by, finding=row.finding)
    return row, new


def _upsert(shop_id: int, drift: ContractDrift, body: bytes, operation: str) -> tuple[int, bool]:
    finding = drift.finding if drift.finding in Drift.Finding.values else Drift.Finding.OTHER
    table = Drift._meta.db_table
    statement = (
        f"INSERT INTO {table} (shop_id, vendor, operation, field_path, finding, detail, sample, state, count,"  # noqa: S608
        " first_seen_at, last_seen_at, probe) VALUES (%s, %s, %s, %s, %s, %s, %s, 'open', 1, %s, %s, '')"
        " ON CONFLICT (shop_id, vendor, operation, field_path) WHERE state = 'open' DO UPDATE SET"
        f" count = {table}.count + 1, last_seen_at = greatest({table}.last_seen_at, excluded.last_seen_at),"
        " finding = excluded.finding, detail = excluded.detail,"
        f" sample = CASE WHEN excluded.sample IN ('', '(empty)') THEN {table}.sample ELSE excluded.sample END"
        " RETURNING id, (xmax = 0)"
    )
    now = sources.now()
    values: list[str | int | datetime] = [
        shop_id,
        drift.vendor[:VENDOR_LENGTH],
        operation,
        place(drift.field_path),
        finding,
        _detail(drift, body),
        redacted(body, drift.field_path, finding),
        now,
        now,
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row_id, new = cursor.fetchone()
    return int(row_id), bool(new)


def _detail(drift: ContractDrift, body: bytes) -> str:
    """The parser's own code for what is wrong, with the unknown value where it is a code."""
    words = [words_of(drift.said, drift.finding)]
    if drift.finding == Drift.Finding.UNKNOWN_VALUE:
        words.append(value_at(body, drift.field_path))
    return " ".join(filter(None, words))[:200]


def refuse_while_drifting(call: Call) -> None:
    """Raises ReadOnly for a write whose operation, or what it rests on, has open drift in the shop."""
    if call.kind is Kind.READ:
        return
    rows = _open(call.vendor, needed(call.vendor, call.operation)).filter(shop__slug=call.shop)
    found = rows.values_list("operation", "field_path").first()
    if found is not None:
        raise ReadOnly(" ".join(found), vendor=call.vendor, operation=call.operation)


def open_drift(shop_id: int, vendor: str, operation: str) -> bool:
    """Whether the operation, or a reading that it rests on, has open drift in the shop."""
    return _open(vendor, needed(vendor, operation)).filter(shop_id=shop_id).exists()


def drifting(shop_id: int, steps: Iterable[tuple[str, str]]) -> list[Drift]:
    """The open drift that keeps any of these (tool, vendor) steps from being sent, oldest first; one query at most."""
    which = Q(pk__in=[])
    for tool, name in sorted(set(steps)):
        for operation in NEEDS.get((tool, name), ()):
            which |= Q(vendor=name, operation__in=needed(name, operation))
    # Where none of them has an operation Django knows that without the database.
    return list(Drift.objects.filter(which, shop_id=shop_id, state=Drift.State.OPEN).order_by("pk"))


def needed(vendor: str, operation: str) -> tuple[str, ...]:
    """The operation and the readings that it rests on."""
    # The adapters' own calls end here, so the table of them all is looked up late.
    from tools.adapters.table import named

    known = named(vendor, operation)
    return (operation, *(known.rests_on if known else ()))


def _open(vendor: str, operations: Sequence[str]) -> QuerySet[Drift]:
    return Drift.objects.filter(vendor=vendor, operation__in=operations, state=Drift.State.OPEN)


def behind(shop_id: int, tool: str, vendor: str, code: str) -> Drift | None:
    """The open drift for which a call was stopped or refused with this code; None where it was something else."""
    if code not in STOPS:
        return None
    rows = drifting(shop_id, [(tool, vendor)])
    if rows:
        return rows[-1]
    # Money is sent on facts read anew; it is their reading then that has changed.
    return _open(*FACTS).filter(shop_id=shop_id).last()


def row_of(shop_id: int, drift: ContractDrift) -> Drift | None:
    """The open row of a drift that was just recorded."""
    rows = Drift.objects.filter(shop_id=shop_id, state=Drift.State.OPEN, field_path=place(drift.field_path))
    return rows.filter(vendor=drift.vendor, operation=drift.operation).first()


def waits_for_probe(row: Drift) -> bool:
    """Whether somebody asked for a probe that has not answered yet."""
    asked, probed = row.probe_asked_at, row.probed_at
    return row.state == Drift.State.OPEN and asked is not None and (probed is None or probed < asked)


def may_be_cleared(row: Drift) -> bool:
    """Whether a probe has passed since the drift was last seen."""
    passed = row.probe == PASSED and row.probed_at is not None and row.probed_at > row.last_seen_at
    return row.state == Drift.State.OPEN and passed


def name_of(row: Drift) -> str:
    """A drift in one line of codes: vendor, operation and field."""
    return f"{row.vendor} {row.operation} {row.field_path}"


def tell(
    action: str, row: Drift, *, by: Actor, correlation_id: UUID | None = None, **data: str | int
) -> None:
    """One entry in the shop's stream."""
    record(
        action,
        by=by,
        stream=f"shop/{row.shop.slug}",
        subject=row,
        shop_id=row.shop_id,
        correlation_id=correlation_id or sources.random_id(),
        data={"vendor": row.vendor, "operation": row.operation, "field": row.field_path, **data},
    )
