"""What a shop has left to sell."""

from __future__ import annotations

from pydantic import AwareDatetime

from tools.snapshots.base import Snapshot


class StockSnapshot(Snapshot):
    """Pieces that can be sold now; `sku` is empty where a message names the inventory item alone.

    A message is about one `location`; a reading is about all of them, and names it where there is only one.
    """

    inventory_item: str
    sku: str = ""
    location: str = ""
    available: int | None
    at: AwareDatetime
