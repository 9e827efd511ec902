"""A tax as Shopify tells it: its rate is a JSON number, its amount a decimal text.

https://shopify.dev/docs/api/admin-graphql/2026-07/objects/TaxLine
"""

from __future__ import annotations

from decimal import Decimal

from tools.adapters.shopify_call import VENDOR
from tools.errors import ContractDrift
from tools.snapshots import TaxSnapshot

MILLION, PERCENT = 1_000_000, 10_000


def tax(
    title: str, rate: float | None, percentage: float | None, amount_minor: int, *, operation: str, path: str
) -> TaxSnapshot:
    """One tax with its rate in millionths, taken from the share or else from the percentage.

    Raises ContractDrift for a rate that can't be one.
    """
    told, unit = (rate, MILLION) if rate is not None else (percentage, PERCENT)
    # Through the text that was sent, so that 0.07 is seven hundredths and not the nearest binary number.
    ppm = None if told is None else Decimal(repr(told)) * unit
    if ppm is not None and not (ppm.is_finite() and 0 <= ppm <= 100 * MILLION):
        raise ContractDrift(
            "no rate", vendor=VENDOR, operation=operation, field_path=f"{path}.rate", finding="retyped"
        )
    if amount_minor < 0:
        raise ContractDrift("negative", vendor=VENDOR, operation=operation, field_path=path)
    return TaxSnapshot(
        title=title,
        rate_ppm=None if ppm is None else int(ppm.to_integral_value()),
        amount_minor=amount_minor,
    )
