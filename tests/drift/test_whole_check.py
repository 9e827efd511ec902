"""check_upstreams where the shop has had one of everything: each operation that can be asked is asked, and answers."""

from __future__ import annotations

from datetime import timedelta

from cases.models import Shop
from tests import factories as f
from tests.drift.test_checking import check, control, results
from tests.sandbox.world import Caller, order
from tools.models import Dispute, Drift, InvoicePayment, NewField, Payment, StockLevel

__all__ = ["control"]

# Two have no reading of their own, and mail goes out by Klaviyo here.
UNASKED = {
    ("email", "message"): "not_configured",
    ("shopify", "job"): "no_probe",
    ("slack", "webhook"): "no_probe",
}


def happened(control: Caller) -> None:
    """A parcel, a return, a refund by hand, disputes, a warning, a credit note, stock and a template."""
    parcel = {"id": 41, "status": "delivered", "created_at": "2026-11-02T10:00:00Z", "line_ids": [11]}
    control.control("orders/north/5001001/fulfilments", parcel)
    back = {"id": 5, "status": "requested", "lines": [{"id": 11, "quantity": 1}]}
    control.control("orders/north/5001001/returns", back)
    control.control("orders/north/5001001/refunds", {"id": "re_1", "amount": "1.00", "lines": []})
    control.control("invoices", {"shop": "north", "id": "in_1", "charge": "ch_1"})
    # Before the charge is disputed: after that Stripe gives nothing back.
    note = {"invoice": "in_1", "amount": "100", "refund_amount": "100"}
    assert control.stripe("POST", "credit_notes", "n1", data=note).status_code == 200
    facts = {"amount": "5.00", "reason": "fraudulent", "status": "needs_response"}
    # Newer than the charge itself: only what is recent is listed by the check.
    dispute = {"shop": "north", "created_at": f.now().isoformat(), **facts}
    control.control("disputes", {**dispute, "id": "dp_1", "charge": "ch_1"})
    paid_at_the_shop = order(id=5001002, name="#1002", gateway="shopify_payments", charge=None)
    control.control("orders", {**paid_at_the_shop, "created_at": "2026-10-30T10:00:00Z"})
    due = (f.now() + timedelta(days=9)).isoformat()
    control.control("disputes", {**dispute, "id": "66", "order_id": 5001002, "evidence_due_by": due})
    control.control("fraud_warnings", {"shop": "north", "id": "issfr_1", "charge": "ch_1"})
    control.control("stock", {"shop": "north", "sku": "LAMP", "available": 3})
    control.control("templates", {"shop": "north", "name": "opsagent_message", "language": "en"})


def known(shop: Shop) -> None:
    """Our rows of what has happened."""
    by_stripe, long_ago = Payment.objects.get(), f.now() - timedelta(days=9)
    other = f.make_order(shop, external_id="5001002", placed_at=long_ago, vendor="shopify")
    for payment, name in ((by_stripe, "dp_1"), (other.payments.get(), "66")):
        Dispute.objects.create(
            shop=shop,
            payment=payment,
            external_id=name,
            status="needs_response",
            amount_minor=500,
            currency="USD",
        )
    StockLevel.objects.create(shop=shop, sku="LAMP", inventory_item="21", available=3, at=f.now())
    InvoicePayment.objects.create(shop=shop, invoice="in_1", charge="ch_1")


def test_each_operation_is_read_where_there_is_something_to_read(control: Caller, shop: Shop) -> None:
    happened(control)
    known(shop)
    code, said, report = check()
    others = {name: one["result"] for name, one in results(report).items() if one["result"] != "ok"}
    assert (others, code, report["ok"]) == (UNASKED, 0, True), said
    assert not NewField.objects.exists()
    assert not Drift.objects.exists()
