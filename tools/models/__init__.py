"""Ability, as rows: the order graph as the shop last told it, the money ledger, tool calls, stock and suppliers."""

from tools.models.calls import OPEN_STATES, ToolCall
from tools.models.credit_notes import CreditNote, CreditNoteCounter
from tools.models.invoices import InvoicePayment
from tools.models.money import Dispute, LedgerEntry, Payment, RefundQuote
from tools.models.orders import Order, OrderLine, Return, Shipment, ShipmentLine
from tools.models.stock import FeedRun, StockLevel, StockReading, Supplier, SupplierItem
from tools.models.upstreams import (
    Circuit,
    Drift,
    NewField,
    RateBudget,
    Upstream,
    UpstreamCheck,
    VendorTemplate,
)

__all__ = [
    "OPEN_STATES",
    "Circuit",
    "CreditNote",
    "CreditNoteCounter",
    "Dispute",
    "Drift",
    "FeedRun",
    "InvoicePayment",
    "LedgerEntry",
    "NewField",
    "Order",
    "OrderLine",
    "Payment",
    "RateBudget",
    "RefundQuote",
    "Return",
    "Shipment",
    "ShipmentLine",
    "StockLevel",
    "StockReading",
    "Supplier",
    "SupplierItem",
    "ToolCall",
    "Upstream",
    "UpstreamCheck",
    "VendorTemplate",
]
