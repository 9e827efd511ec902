"""What is known of a shop's vendors, operation by operation: for the check's output and the admin's page."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from tools.adapters import table
from tools.adapters.sunsets import Sunset, sunset_of
from tools.models import Drift, NewField, Upstream


@dataclass(frozen=True, slots=True)
class Standing:
    """One operation: what its last answers and probe told, and what is open or new about it."""

    vendor: str
    name: str
    writes: bool
    row: Upstream | None
    drift: tuple[Drift, ...] = ()
    new_fields: tuple[NewField, ...] = ()

    @property
    def stopped(self) -> bool:
        """Whether open drift keeps it from writing."""
        return self.writes and bool(self.drift)


@dataclass(frozen=True, slots=True)
class VendorStanding:
    """A vendor with all its operations. `other_drift` belongs to no operation of ours: webhooks, mostly."""

    vendor: str
    operations: tuple[Standing, ...]
    sunsets: tuple[Sunset, ...] = ()
    other_drift: tuple[Drift, ...] = ()
    deprecations: tuple[str, ...] = field(default=())

    @property
    def versions(self) -> list[tuple[str, str]]:
        """Each version that was asked for with the one that answered, once."""
        rows = [one.row for one in self.operations if one.row and one.row.version_asked]
        return sorted({(row.version_asked, row.version_served) for row in rows})

    @property
    def open_drift(self) -> int:
        return len(
            {row.pk for one in self.operations for row in one.drift} | {row.pk for row in self.other_drift}
        )


def standing_of(shop_ids: list[int]) -> dict[int, list[VendorStanding]]:
    """By shop every vendor of the table; a fixed number of queries for any number of shops and operations."""
    rows = {
        (row.shop_id, row.vendor, row.operation): row for row in Upstream.objects.filter(shop_id__in=shop_ids)
    }
    open_rows: dict[tuple[int, str], list[Drift]] = defaultdict(list)
    for drift in (
        Drift.objects.filter(shop_id__in=shop_ids, state=Drift.State.OPEN).defer("sample").order_by("pk")
    ):
        open_rows[drift.shop_id, drift.vendor].append(drift)
    new: dict[tuple[int, str, str], list[NewField]] = defaultdict(list)
    for found in NewField.objects.filter(shop_id__in=shop_ids).order_by("field_path"):
        new[found.shop_id, found.vendor, found.operation].append(found)
    vendors = list(dict.fromkeys(operation.vendor for operation in table.OPERATIONS))
    return {
        shop_id: [_vendor(shop_id, vendor, rows, open_rows[shop_id, vendor], new) for vendor in vendors]
        for shop_id in shop_ids
    }


def _vendor(
    shop_id: int,
    vendor: str,
    rows: dict[tuple[int, str, str], Upstream],
    drift: list[Drift],
    new: dict[tuple[int, str, str], list[NewField]],
) -> VendorStanding:
    operations = []
    for one in table.OPERATIONS:
        if one.vendor != vendor:
            continue
        needs = (one.name, *one.rests_on)
        mine = tuple(row for row in drift if row.operation in needs)
        key = (shop_id, vendor, one.name)
        operations.append(
            Standing(vendor, one.name, one.kind != "read", rows.get(key), mine, tuple(new.get(key, ())))
        )
    known = {one.name for one in operations}
    asked = {one.row.version_asked for one in operations if one.row and one.row.version_asked}
    sunsets = [found for version in sorted(asked) if (found := sunset_of(vendor, version))]
    notices = sorted({one.row.deprecation for one in operations if one.row and one.row.deprecation})
    other = tuple(row for row in drift if row.operation not in known)
    return VendorStanding(vendor, tuple(operations), tuple(sunsets), other, tuple(notices))
