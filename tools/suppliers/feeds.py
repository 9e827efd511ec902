"""Imports a supplier's feed: one CSV file with a header, in one transaction."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass
from datetime import date

from django.db import transaction

from audit import sources
from tools.errors import InvalidArgs
from tools.models import FeedRun, Supplier, SupplierItem

LARGEST = 32 * 1024 * 1024
MOST_PIECES = 2_000_000_000


@dataclass(frozen=True)
class _Row:
    sku: str
    title: str
    available: int
    restock_on: date | None


def import_csv(shop_id: int, supplier_name: str, data: bytes) -> FeedRun:
    """Takes every good row of `sku,available,restock_date,price` and counts the others; a later row of a SKU wins.

    `restock_date` is ISO 8601 or empty, `title` may come along, `price` is not read yet. Raises InvalidArgs, and
    changes nothing, where the file is no UTF-8 CSV with these columns or is larger than 32 MiB.
    """
    lines = _lines(data)
    parsed = [_row(line) for line in lines]
    good = {row.sku: row for row in parsed if row is not None}
    taken = sum(row is not None for row in parsed)
    with transaction.atomic():
        supplier, _ = Supplier.objects.get_or_create(shop_id=shop_id, name=supplier_name)
        now = sources.now()
        SupplierItem.objects.bulk_create(
            [
                SupplierItem(
                    shop_id=shop_id,
                    supplier=supplier,
                    sku=row.sku,
                    title=row.title,
                    available=row.available,
                    restock_on=row.restock_on,
                    at=now,
                )
                for row in good.values()
            ],
            batch_size=1000,
            update_conflicts=True,
            unique_fields=["supplier", "sku"],
            update_fields=["title", "available", "restock_on", "at"],
        )
        return FeedRun.objects.create(
            shop_id=shop_id,
            supplier=supplier,
            digest=hashlib.sha256(data).hexdigest(),
            rows=len(lines),
            taken=taken,
            refused=len(lines) - taken,
            at=now,
        )


def _lines(data: bytes) -> list[dict[str | None, str | list[str] | None]]:
    if len(data) > LARGEST:
        raise InvalidArgs(vendor="supplier", operation="import", code="too_large")
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        names = {name.strip().lower() for name in reader.fieldnames or ()}
        if not {"sku", "available"} <= names:
            raise InvalidArgs(vendor="supplier", operation="import", code="columns_missing")
        reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
        return list(reader)
    except (UnicodeDecodeError, csv.Error):
        raise InvalidArgs(vendor="supplier", operation="import", code="not_csv") from None


def _row(line: dict[str | None, str | list[str] | None]) -> _Row | None:
    """A row, or None where it is no good: a column too many or too few, no SKU, no count, no date."""
    cells = {name: value.strip() for name, value in line.items() if name and isinstance(value, str)}
    if None in line or None in line.values():
        return None
    sku, count, back = cells["sku"], cells["available"], cells.get("restock_date", "")
    if not 0 < len(sku) <= 64 or not (count.isascii() and count.isdecimal()) or int(count) > MOST_PIECES:
        return None
    try:
        restock_on = date.fromisoformat(back) if back else None
    except ValueError:
        return None
    return _Row(sku, cells.get("title", "")[:255], int(count), restock_on)
