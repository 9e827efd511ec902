"""What any vendor said, in our words: ids as strings, money as minor units, times aware, nothing optional by accident.

Adapters and webhook parsers make these; tools.orders records them. Frozen, strict, no unknown fields.
"""

from __future__ import annotations

from tools.snapshots.base import Snapshot
from tools.snapshots.messages import (
    MessageSnapshot,
    MessageStatusSnapshot,
    SendResult,
    TemplateSnapshot,
)
from tools.snapshots.money import (
    CaptureSnapshot,
    ChargeSnapshot,
    DisputeSnapshot,
    DisputeSummary,
    DutySnapshot,
    FraudWarningSnapshot,
    InvoicePaymentSnapshot,
    InvoiceSnapshot,
    PaidBackBy,
    PaymentIntentSnapshot,
    PaymentSnapshot,
    RefundLineSnapshot,
    RefundPartSnapshot,
    RefundResult,
    RefundSnapshot,
    RefundStatus,
    SuggestedPart,
    SuggestedRefund,
    TaxSnapshot,
)
from tools.snapshots.orders import (
    AddressSnapshot,
    CancelResult,
    ChangedOrder,
    ChangedOrders,
    CustomerSnapshot,
    LineSnapshot,
    OrderSnapshot,
    ParcelStatus,
    PastOrderSnapshot,
    ReturnSnapshot,
    Risk,
    RiskSnapshot,
    ShipmentLineSnapshot,
    ShipmentSnapshot,
)
from tools.snapshots.stock import StockSnapshot

__all__ = [
    "AddressSnapshot",
    "CancelResult",
    "CaptureSnapshot",
    "ChangedOrder",
    "ChangedOrders",
    "ChargeSnapshot",
    "CustomerSnapshot",
    "DisputeSnapshot",
    "DisputeSummary",
    "DutySnapshot",
    "FraudWarningSnapshot",
    "InvoicePaymentSnapshot",
    "InvoiceSnapshot",
    "LineSnapshot",
    "MessageSnapshot",
    "MessageStatusSnapshot",
    "OrderSnapshot",
    "PaidBackBy",
    "ParcelStatus",
    "PastOrderSnapshot",
    "PaymentIntentSnapshot",
    "PaymentSnapshot",
    "RefundLineSnapshot",
    "RefundPartSnapshot",
    "RefundResult",
    "RefundSnapshot",
    "RefundStatus",
    "ReturnSnapshot",
    "Risk",
    "RiskSnapshot",
    "SendResult",
    "ShipmentLineSnapshot",
    "ShipmentSnapshot",
    "Snapshot",
    "StockSnapshot",
    "SuggestedPart",
    "SuggestedRefund",
    "TaxSnapshot",
    "TemplateSnapshot",
]
