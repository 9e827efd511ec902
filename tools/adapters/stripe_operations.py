"""All that we ask of Stripe, with an example and a probe each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from audit import sources
from tools.adapters import stripe, stripe_disputes, stripe_events, stripe_invoices
from tools.adapters.accounts import Account
from tools.adapters.operation import Example, Known, Operation
from tools.adapters.stripe_lists import made_since
from tools.adapters.stripe_objects import ChargeObject, DisputeObject, PaymentIntentObject, RefundObject
from tools.adapters.stripe_wire import PAGE, VENDOR, Value, form
from tools.wire import Kind

KEY = UUID("00000000-0000-4000-8000-000000000001")
MADE = datetime(2026, 11, 1, tzinfo=UTC)
# Stripe keeps events for 30 days.
LOOKS_BACK = timedelta(days=29)
TOPICS = ("refund.created", "charge.dispute.created")


def _written(path: str, fields: dict[str, Value]) -> tuple[Example, ...]:
    return (Example("POST", path, form=form(fields)),)


def _listed(path: str, *queries: dict[str, Value]) -> tuple[Example, ...]:
    return tuple(Example("GET", path, query=form({**query, "limit": PAGE})) for query in queries)


def _refund() -> tuple[Example, ...]:
    fields = stripe.refund_fields("ch_1", 1200, "USD", key=KEY, case_id="5", correlation_id=KEY)
    return _written("/v1/refunds", fields)


def _note() -> tuple[Example, ...]:
    fields = stripe_invoices.note_fields(
        "in_1", 1200, "USD", key=KEY, case_id="5", reason="product_unsatisfactory", correlation_id=KEY
    )
    return _written("/v1/credit_notes", fields)


def _refunds() -> tuple[Example, ...]:
    further = {**made_since(MADE), "starting_after": "re_1"}
    return _listed("/v1/refunds", {"charge": "ch_1"}, further)


def _events() -> tuple[Example, ...]:
    queries = (stripe_events.event_query(types, MADE) for types in (TOPICS, TOPICS[:1]))
    return _listed("/v1/events", *queries)


def _recently() -> datetime:
    return sources.now() - LOOKS_BACK


def _probe_refunds(account: Account, known: Known, correlation_id: UUID) -> bool:
    if known.charge:
        return bool(stripe.list_refunds(account, known.charge, correlation_id=correlation_id))
    recent = stripe.list_recent_refunds(account, since=_recently(), correlation_id=correlation_id)
    return bool(recent.items)


def _probe_charge(account: Account, known: Known, correlation_id: UUID) -> bool:
    if known.charge:
        stripe.read_charge(account, known.charge, correlation_id=correlation_id)
    return bool(known.charge)


def _probe_intent(account: Account, known: Known, correlation_id: UUID) -> bool:
    if not known.charge:
        return False
    charge = stripe.read_charge(account, known.charge, correlation_id=correlation_id)
    if charge.payment_intent:
        stripe.read_payment_intent(account, charge.payment_intent, correlation_id=correlation_id)
    return bool(charge.payment_intent)


def _probe_dispute(account: Account, known: Known, correlation_id: UUID) -> bool:
    if known.dispute:
        stripe_disputes.read_dispute(account, known.dispute, correlation_id=correlation_id)
    return bool(known.dispute)


def _probe_disputes(account: Account, known: Known, correlation_id: UUID) -> bool:
    page = stripe_disputes.list_disputes(account, since=_recently(), correlation_id=correlation_id)
    return bool(page.items)


def _probe_warnings(account: Account, known: Known, correlation_id: UUID) -> bool:
    page = stripe_disputes.list_fraud_warnings(account, since=_recently(), correlation_id=correlation_id)
    return bool(page.items)


def _probe_notes(account: Account, known: Known, correlation_id: UUID) -> bool:
    if not known.invoice:
        return False
    query: dict[str, Value] = {"invoice": known.invoice}
    return bool(stripe_invoices.NOTES.page(account, query, correlation_id=correlation_id).items)


def _probe_invoice(account: Account, known: Known, correlation_id: UUID) -> bool:
    if known.invoice:
        stripe_invoices.read_invoice(account, known.invoice, correlation_id=correlation_id)
    return bool(known.invoice)


def _probe_events(account: Account, known: Known, correlation_id: UUID) -> bool:
    page = stripe_events.list_events(account, types=TOPICS, since=_recently(), correlation_id=correlation_id)
    return bool(page.events)


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        VENDOR,
        "refunds.create",
        Kind.IDEMPOTENT_WRITE,
        RefundObject,
        _refund,
        probe=_probe_refunds,
        rests_on=("refunds.list", "charges.retrieve"),
    ),
    Operation(VENDOR, "refunds.list", Kind.READ, stripe.RefundList, _refunds, probe=_probe_refunds),
    Operation(
        VENDOR,
        "charges.retrieve",
        Kind.READ,
        ChargeObject,
        lambda: (Example("GET", "/v1/charges/{charge}"),),
        probe=_probe_charge,
    ),
    Operation(
        VENDOR,
        "payment_intents.retrieve",
        Kind.READ,
        PaymentIntentObject,
        lambda: (Example("GET", "/v1/payment_intents/{intent}"),),
        probe=_probe_intent,
    ),
    Operation(
        VENDOR,
        "credit_notes.create",
        Kind.IDEMPOTENT_WRITE,
        stripe_invoices.CreditNoteObject,
        _note,
        probe=_probe_notes,
        rests_on=("credit_notes.list", "refunds.list", "charges.retrieve"),
    ),
    Operation(
        VENDOR,
        "credit_notes.list",
        Kind.READ,
        stripe_invoices.CreditNoteList,
        lambda: _listed("/v1/credit_notes", {"invoice": "in_1"}),
        probe=_probe_notes,
    ),
    Operation(
        VENDOR,
        "invoices.retrieve",
        Kind.READ,
        stripe_invoices.InvoiceObject,
        lambda: (Example("GET", "/v1/invoices/{invoice}"),),
        probe=_probe_invoice,
    ),
    Operation(
        VENDOR,
        "disputes.retrieve",
        Kind.READ,
        DisputeObject,
        lambda: (Example("GET", "/v1/disputes/{dispute}"),),
        probe=_probe_dispute,
    ),
    Operation(
        VENDOR,
        "disputes.list",
        Kind.READ,
        stripe_disputes.DisputeList,
        lambda: _listed("/v1/disputes", made_since(MADE), {"charge": "ch_1"}),
        probe=_probe_disputes,
    ),
    Operation(
        VENDOR,
        "early_fraud_warnings.list",
        Kind.READ,
        stripe_disputes.WarningList,
        lambda: _listed("/v1/radar/early_fraud_warnings", made_since(MADE)),
        probe=_probe_warnings,
    ),
    Operation(VENDOR, "events.list", Kind.READ, stripe_events.EventList, _events, probe=_probe_events),
)
