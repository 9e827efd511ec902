"""Stripe events in their envelope: https://docs.stripe.com/api/events/object."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from opsagent.demo.dues import charged
from opsagent.demo.money import minor
from opsagent.demo.script import Neutral

API_VERSION = "2025-09-30.clover"


def event_body(event_id: str, topic: str, thing: dict[str, Any], at: datetime) -> Neutral:
    """The envelope around one object."""
    return {
        "id": event_id,
        "object": "event",
        "api_version": API_VERSION,
        "created": int(at.timestamp()),
        "data": {"object": thing},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": topic,
    }


def charge(order: Neutral, refunded: int = 0) -> Neutral:
    """The charge of an order, amounts in minor units."""
    amount, card = minor(charged(order), order["currency"]), order["charge"]
    return {
        "id": card["id"],
        "object": "charge",
        "amount": amount,
        "amount_captured": amount,
        "amount_refunded": refunded,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": "txn_" + card["id"][3:],
        "billing_details": _billing(order),
        "captured": True,
        "created": int(datetime.fromisoformat(order["created_at"]).timestamp()),
        "currency": order["currency"].lower(),
        "customer": None,
        "description": f"{order['name']}",
        "disputed": False,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": {"order_id": str(order["id"]), "order_name": order["name"]},
        "outcome": _outcome(card["risk_level"]),
        "paid": True,
        "payment_intent": card["payment_intent"],
        "payment_method": "pm_" + card["id"][3:],
        "payment_method_details": {"card": _card(order), "type": "card"},
        "receipt_email": None,
        "receipt_number": None,
        "refunded": refunded == amount,
        "review": None,
        "statement_descriptor": None,
        "status": "succeeded",
        "transfer_group": None,
    }


def _billing(order: Neutral) -> Neutral:
    return {
        "address": {"country": order["shipping_address"]["country_code"], "postal_code": None},
        "email": order["customer"]["email"],
        "name": f"{order['customer']['first_name']} {order['customer']['last_name']}",
        "phone": None,
    }


def _outcome(risk_level: str) -> Neutral:
    return {
        "network_status": "approved_by_network",
        "reason": None,
        "risk_level": risk_level,
        "seller_message": "Payment complete.",
        "type": "authorized",
    }


def _card(order: Neutral) -> Neutral:
    card = order["charge"]
    return {
        "brand": card["brand"],
        "country": order["shipping_address"]["country_code"],
        "exp_month": 8,
        "exp_year": 2030,
        "fingerprint": card["fingerprint"],
        "funding": "credit",
        "last4": card["last4"],
        "network": card["brand"],
    }


def dispute(order: Neutral, dispute: Neutral, at: datetime, due: datetime) -> Neutral:
    """A dispute as charge.dispute.created carries it."""
    return {
        "id": dispute["id"],
        "object": "dispute",
        "amount": minor(dispute["amount"], order["currency"]),
        "balance_transactions": [],
        "charge": order["charge"]["id"],
        "created": int(at.timestamp()),
        "currency": order["currency"].lower(),
        "evidence": {"customer_email_address": None, "receipt": None, "shipping_tracking_number": None},
        "evidence_details": {
            "due_by": int(due.timestamp()),
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": order["charge"]["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": order["charge"]["brand"],
                "case_type": "chargeback",
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": dispute["reason"],
        "status": dispute["status"],
    }


def early_warning(order: Neutral, warning_id: str, at: datetime) -> Neutral:
    """An early fraud warning, sent when the issuer says that the card was not used by its owner."""
    return {
        "id": warning_id,
        "object": "radar.early_fraud_warning",
        "actionable": True,
        "charge": order["charge"]["id"],
        "created": int(at.timestamp()),
        "fraud_type": "made_with_stolen_card",
        "livemode": False,
        "payment_intent": order["charge"]["payment_intent"],
    }
