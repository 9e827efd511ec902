"""One read per operation against a shop's real vendors: whether each still says what we understand.

table of operations ─▶ probe (a read through the adapter) ─▶ Found ─▶ Upstream.probe, for pages and the nightly check
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import zip_longest
from typing import Any
from uuid import UUID

import structlog
from django.db import connection
from django.db.models import QuerySet

from audit import sources
from tools.adapters import table
from tools.adapters.accounts import Account
from tools.adapters.operation import Known, Operation, Probe
from tools.drift import PASSED
from tools.errors import ContractDrift, NotConfigured, OutcomeUnknown, Refused, ToolError, Unavailable
from tools.models import Dispute, InvoicePayment, Order, Payment, StockLevel, Upstream
from tools.redacting import place, words_of

log = structlog.get_logger(__name__)

OK, NOTHING, DRIFT = PASSED, "nothing_to_read", "drift"
UNAVAILABLE, REFUSED, NOT_CONFIGURED, NO_PROBE, CRASHED = (
    "unavailable", "refused", "not_configured", "no_probe", "crashed",
)  # fmt: skip
# What a person must look at; the others are as they should be, or can't be asked.
BAD = frozenset({DRIFT, UNAVAILABLE, REFUSED, CRASHED})
ASKED = BAD | {OK, NOTHING}
# How vendors refuse to read what they don't know; it may have been deleted there, or was made up here.
UNKNOWN_THERE = frozenset({"not_found", "resource_missing"})
# So many of the newest things are asked for before a probe ends with nothing to read.
NEWEST = 3


@dataclass(frozen=True, slots=True)
class Found:
    """What one probe brought. `field_path`, `finding` and `detail` are set for drift, `code` where a vendor said no.

    `at` is before the first byte was sent, so that drift seen meanwhile counts as later.
    """

    vendor: str
    operation: str
    result: str
    at: datetime
    field_path: str = ""
    finding: str = ""
    detail: str = ""
    code: str = ""
    variable: str = ""

    @property
    def bad(self) -> bool:
        return self.result in BAD


def known_things(shop_id: int, vendor: str) -> tuple[Known, ...]:
    """The external ids, at this vendor, of the shop's newest things, of its second newest and so on; at least one."""
    orders = Order.objects.filter(shop_id=shop_id).order_by("-placed_at")
    charges = Payment.objects.filter(shop_id=shop_id, vendor=vendor).order_by("-pk")
    disputes = Dispute.objects.filter(shop_id=shop_id, payment__vendor=vendor).order_by("-pk")
    stock = StockLevel.objects.filter(shop_id=shop_id).exclude(inventory_item="").order_by("-at")
    paid = InvoicePayment.objects.filter(shop_id=shop_id).order_by("-pk")
    columns = (
        _newest(orders.values_list("external_id", flat=True)),
        _newest(charges.values_list("external_id", flat=True)),
        _newest(disputes.values_list("external_id", flat=True)),
        _newest(stock.values_list("inventory_item", flat=True)),
        _newest(paid.values_list("invoice", flat=True)),
    )
    return tuple(Known(*row) for row in zip_longest(*columns, fillvalue="")) or (Known(),)


def _newest(values: QuerySet[Any, Any]) -> list[str]:
    return list(values[:NEWEST])


def probe_all(shop: Any) -> Iterator[Found]:
    """Probes every operation of the table in turn, so that a caller can tell how far it is.

    Operations that are probed by the same reading share one: it costs the vendor's budget once.
    """
    account = Account.of(shop)
    read: dict[Probe, Found] = {}
    known = {vendor: known_things(shop.pk, vendor) for vendor in {one.vendor for one in table.OPERATIONS}}
    for operation in table.OPERATIONS:
        same = read.get(operation.probe) if operation.probe else None
        if same is not None:
            found = replace(same, operation=operation.name)
        else:
            found = probe(operation, account, known[operation.vendor])
        if operation.probe is not None:
            read[operation.probe] = found
        keep(shop.pk, found)
        yield found


def probe(
    operation: Operation, account: Account, known: Sequence[Known], correlation_id: UUID | None = None
) -> Found:
    """Reads once and tells what came; raises nothing, since one vendor must not hide the others.

    Of `known` things the first that the vendor knows too is read; there is nothing to read where it knows none.
    """
    began, name = sources.now(), (operation.vendor, operation.name)
    correlation_id = correlation_id or sources.random_id()
    if operation.probe is None:
        return Found(*name, NO_PROBE, began)
    try:
        brought = _first_known(operation.probe, account, known, correlation_id)
    except ToolError as error:
        return _failed(name, error, began)
    except Exception as problem:
        log.exception(
            "probe.crashed",
            vendor=operation.vendor,
            operation=operation.name,
            shop=account.slug,
            correlation_id=str(correlation_id),
        )
        return Found(*name, CRASHED, began, code=type(problem).__name__[:64])
    return Found(*name, OK if brought else NOTHING, began)


def _first_known(probe: Probe, account: Account, known: Sequence[Known], correlation_id: UUID) -> bool:
    for things in known:
        try:
            return probe(account, things, correlation_id)
        except Refused as refusal:
            if refusal.code not in UNKNOWN_THERE:
                raise
    return False


def _failed(name: tuple[str, str], error: ToolError, began: datetime) -> Found:
    drift = error.drift if isinstance(error, OutcomeUnknown) else error
    if isinstance(drift, ContractDrift):
        detail = words_of(drift.said, drift.finding)
        return Found(*name, DRIFT, began, place(drift.field_path), drift.finding, detail)
    if isinstance(error, NotConfigured):
        return Found(*name, NOT_CONFIGURED, began, code=error.code, variable=error.variable)
    result = REFUSED if isinstance(error, Refused) else UNAVAILABLE
    if not isinstance(error, Refused | Unavailable):
        result = CRASHED
    return Found(*name, result, began, code=error.code)


def keep(shop_id: int, found: Found) -> None:
    """Writes what a probe found to its operation's row; an older probe never overwrites a newer one."""
    upstream = Upstream._meta.db_table
    statement = (
        f"INSERT INTO {upstream} (shop_id, vendor, operation, version_asked, version_served, deprecation, seen_at,"  # noqa: S608
        " probed_at, probe) VALUES (%s, %s, %s, '', '', '', %s, %s, %s)"
        " ON CONFLICT (shop_id, vendor, operation) DO UPDATE SET probed_at = excluded.probed_at, probe = excluded.probe"
        f" WHERE {upstream}.probed_at IS NULL OR {upstream}.probed_at <= excluded.probed_at"
    )
    word = found.result if found.result != DRIFT else f"{DRIFT} {found.field_path}"
    with connection.cursor() as cursor:
        cursor.execute(statement, [shop_id, found.vendor, found.operation, found.at, found.at, word[:64]])
