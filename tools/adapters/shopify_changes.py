"""What else we change at an order: tags, its note, and that it is cancelled.

https://shopify.dev/docs/api/admin-graphql/2026-07
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from tools.adapters import shopify_documents as documents
from tools.adapters.accounts import Account
from tools.adapters.asking import ask
from tools.adapters.shopify_call import VENDOR, gid, known, number, read_call, refuse, request, same
from tools.adapters.shopify_outcomes import CancelAnswer, TagsAnswer, UpdateAnswer
from tools.adapters.shopify_replies import CancellationAnswer, CancelledOrder, JobAnswer, NoteAnswer
from tools.errors import OutcomeUnknown, Refused
from tools.snapshots import CancelResult
from tools.wire import Kind

CancelReason = Literal["CUSTOMER", "DECLINED", "FRAUD", "INVENTORY", "OTHER", "STAFF"]


def add_tags(account: Account, order_external_id: str, tags: Sequence[str], *, correlation_id: UUID) -> None:
    """Adds tags to an order; a tag that is there already stays one.

    https://shopify.dev/docs/api/admin-graphql/2026-07/mutations/tagsAdd
    """
    order = gid("Order", order_external_id)
    variables = {"id": order, "tags": list(tags)}
    call = request(account, "tagsAdd", Kind.IDEMPOTENT_WRITE, documents.TAGS_ADD, variables, correlation_id)
    ask(call, TagsAnswer, lambda answer: _tagged(answer, order))


def _tagged(answer: TagsAnswer, order: str) -> None:
    payload = answer.data.tagsAdd
    refuse("tagsAdd", payload.userErrors)
    if payload.node is None or payload.node.id != order:
        raise OutcomeUnknown(vendor=VENDOR, operation="tagsAdd", code="echo_mismatch")


def add_note(account: Account, order_external_id: str, text: str, *, correlation_id: UUID) -> None:
    """Writes a line below an order's note, once: a text that stands there already is left alone.

    Shopify can only replace a note, so what somebody types between our reading and our writing would be lost: the
    two follow each other at once.
    https://shopify.dev/docs/api/admin-graphql/2026-07/mutations/orderUpdate
    """
    order = gid("Order", order_external_id)
    before = read_note(account, order_external_id, correlation_id=correlation_id)
    if text.strip() in before:
        return
    after = f"{before}\n{text}".strip()
    variables = {"input": {"id": order, "note": after}}
    # Setting the same text twice is harmless.
    call = request(
        account, "orderUpdate", Kind.IDEMPOTENT_WRITE, documents.ORDER_UPDATE, variables, correlation_id
    )
    ask(call, UpdateAnswer, lambda answer: _updated(answer, order, after))


def read_note(account: Account, order_external_id: str, *, correlation_id: UUID) -> str:
    """An order's note, which staff and customers write: personal text, to be kept nowhere."""
    order = gid("Order", order_external_id)
    call = read_call(account, "note", documents.NOTE, {"id": order}, correlation_id)
    return ask(call, NoteAnswer, lambda answer: _note(answer, order))


def _note(answer: NoteAnswer, order: str) -> str:
    found = known(answer.data.order, "note")
    same(found.id, order, "note", "data.order.id")
    return _plain(found.note)


def _plain(note: str | None) -> str:
    return (note or "").replace("\r\n", "\n").strip()


def _updated(answer: UpdateAnswer, order: str, note: str) -> None:
    payload = answer.data.orderUpdate
    refuse("orderUpdate", payload.userErrors)
    told = payload.order
    if told is None or told.id != order or _plain(told.note) != _plain(note):
        raise OutcomeUnknown(vendor=VENDOR, operation="orderUpdate", code="echo_mismatch")


def cancel_order(
    account: Account,
    order_external_id: str,
    *,
    reason: CancelReason,
    restock: bool,
    refund: bool,
    note: str,
    correlation_id: UUID,
) -> str:
    """Asks for an order to be cancelled and returns the job that does it; find_cancellation tells how that went.

    `refund` gives all money back to the tenders that took it; `note` is for staff, at most 255 characters. It has no
    idempotency key: a lost answer is OutcomeUnknown, never asked again, and settled by reading.
    https://shopify.dev/docs/api/admin-graphql/2026-07/mutations/orderCancel
    """
    variables = cancel_variables(order_external_id, reason, note, restock=restock, refund=refund)
    call = request(
        account, "orderCancel", Kind.UNSAFE_WRITE, documents.ORDER_CANCEL, variables, correlation_id
    )
    return ask(call, CancelAnswer, _job)


def cancel_variables(
    order_external_id: str, reason: CancelReason, note: str, *, restock: bool, refund: bool
) -> dict[str, object]:
    """The variables of OpsCancel: the customer hears from us, not from Shopify."""
    return {
        "orderId": gid("Order", order_external_id),
        "reason": reason,
        "restock": restock,
        "refundMethod": {"originalPaymentMethodsRefund": refund},
        "staffNote": note[:255],
        "notifyCustomer": False,
    }


def _job(answer: CancelAnswer) -> str:
    payload = answer.data.orderCancel
    if payload.orderCancelUserErrors:
        error = payload.orderCancelUserErrors[0]
        # Shopify doesn't say how far an internal error came.
        if error.code == "INTERNAL_ERROR":
            raise OutcomeUnknown(vendor=VENDOR, operation="orderCancel", code="INTERNAL_ERROR")
        code = error.code or ".".join(error.field or ()) or "user_error"
        raise Refused(vendor=VENDOR, operation="orderCancel", code=code)
    if payload.job is None:
        raise OutcomeUnknown(vendor=VENDOR, operation="orderCancel", code="no_job")
    return number(payload.job.id)


def find_cancellation(
    account: Account, order_external_id: str, job: str, *, correlation_id: UUID
) -> CancelResult | None:
    """How a cancellation went: by the order itself, and by its job where one is known (else an empty text).

    None where the order is not cancelled and no job is known: then nobody can tell whether one is on its way.
    """
    # First the job, then the order: a job that ends in between is seen in the order.
    done = _done(account, job, correlation_id) if job else None
    order = gid("Order", order_external_id)
    call = read_call(account, "cancellation", documents.CANCELLATION, {"id": order}, correlation_id)
    found = ask(call, CancellationAnswer, lambda answer: _cancelled(answer, order))
    if found.cancelledAt is not None:
        return CancelResult(ref=job, status="succeeded", at=found.cancelledAt)
    if done is None:
        return None
    return CancelResult(ref=job, status="failed" if done else "pending")


def _cancelled(answer: CancellationAnswer, order: str) -> CancelledOrder:
    found = known(answer.data.order, "cancellation")
    same(found.id, order, "cancellation", "data.order.id")
    return found


def _done(account: Account, job: str, correlation_id: UUID) -> bool | None:
    """Whether a job has ended; None for one that Shopify has forgotten."""
    call = read_call(account, "job", documents.JOB, {"id": gid("Job", job)}, correlation_id)
    return ask(call, JobAnswer, lambda answer: answer.data.job.done if answer.data.job else None)
