"""Read the shop's own stock and what suppliers say."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from tools.base import Arguments, Effect, Kind, Leaves, Scope, Tool
from tools.models import StockLevel, SupplierItem


class LookupStock(Arguments):
    """Read how many pieces of these SKUs the shop has, what suppliers have, and when more is due."""

    skus: list[str] = Field(min_length=1, max_length=20)


class Stock(BaseModel):
    """One SKU; None means that nobody told us."""

    model_config = ConfigDict(frozen=True)

    sku: str
    available: int | None
    supplier_available: int | None
    restock_on: date | None


def resolve(arguments: LookupStock, scope: Scope) -> Effect:
    """SKUs of the case's shop only; an unknown one answers with None everywhere."""
    return Effect("lookup_stock", Kind.READ, {"shop": scope.shop_id, "skus": sorted(arguments.skus)})


def read(arguments: LookupStock, scope: Scope) -> list[Stock]:
    """Two queries, whatever the number of SKUs."""
    own = dict(
        StockLevel.objects.filter(shop_id=scope.shop_id, sku__in=arguments.skus).values_list(
            "sku", "available"
        )
    )
    items = {
        item.sku: item for item in SupplierItem.objects.filter(shop_id=scope.shop_id, sku__in=arguments.skus)
    }
    return [_stock(sku, own.get(sku), items.get(sku)) for sku in sorted(set(arguments.skus))]


def _stock(sku: str, own: int | None, item: SupplierItem | None) -> Stock:
    return Stock(
        sku=sku,
        available=own,
        supplier_available=item.available if item else None,
        restock_on=item.restock_on if item else None,
    )


TOOL = Tool("lookup_stock", Kind.READ, LookupStock, resolve, leaves=Leaves.NOTHING)
