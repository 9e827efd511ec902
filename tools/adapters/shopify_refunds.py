"""Money back through Shopify: the refund under its key, and finding it again.

https://shopify.dev/docs/api/admin-graphql/2026-07/mutations/refundCreate
"""

from __future__ import annotations

from uuid import UUID

from tools.adapters import shopify_documents as documents
from tools.adapters.accounts import Account
from tools.adapters.asking import ask
from tools.adapters.shopify_call import VENDOR, gid, number, refuse, request
from tools.adapters.shopify_money import refund_result
from tools.adapters.shopify_money_graph import RefundReply
from tools.adapters.shopify_outcomes import MadeRefund, RefundAnswer
from tools.adapters.shopify_paging import read_refunds
from tools.adapters.shopify_wishes import RefundRequest, Wish, refund_input
from tools.errors import ContractDrift, OutcomeUnknown, Refused
from tools.snapshots import RefundResult
from tools.wire import Kind


def refund(account: Account, wish: RefundRequest, *, key: UUID, correlation_id: UUID) -> RefundResult:
    """Gives money back under an idempotency key, which the refund's note carries too, so that it is found again.

    Raises OutcomeUnknown where the answer doesn't name the order, amount, currency and mode that were asked for:
    something was executed then, and a person must see what.
    """
    call = request(
        account,
        "refundCreate",
        Kind.IDEMPOTENT_WRITE,
        documents.REFUND_CREATE,
        refund_variables(wish, key),
        correlation_id,
    )
    return ask(call, RefundAnswer, lambda answer: _made(answer, wish))


def refund_variables(wish: RefundRequest, key: UUID) -> dict[str, object]:
    """The variables of OpsRefund; raises InvalidArgs for an amount, quantity, duty or location that can't be meant."""
    parent = gid("OrderTransaction", wish.transaction_external_id)
    return {
        "input": refund_input(wish, key, {"parentId": parent, "gateway": wish.gateway}),
        "key": str(key),
    }


def _made(answer: RefundAnswer, wish: RefundRequest) -> RefundResult:
    made = made_refund(answer)
    result = echoed(made, wish)
    # A manual gateway has moved nothing, whatever its status says.
    if result is None or any(moved.manualPaymentGateway for moved in made.transactions.nodes):
        raise OutcomeUnknown(vendor=VENDOR, operation="refundCreate", code="echo_mismatch")
    if result.status == "failed":
        raise Refused(vendor=VENDOR, operation="refundCreate", code="transaction_failed")
    return result


def made_refund(answer: RefundAnswer) -> MadeRefund:
    """The refund of an answer; raises Refused for user errors, and OutcomeUnknown where there is none."""
    payload = answer.data.refundCreate
    refuse("refundCreate", payload.userErrors)
    if payload.refund is None:
        raise OutcomeUnknown(vendor=VENDOR, operation="refundCreate", code="no_refund")
    return payload.refund


def echoed(made: MadeRefund, wish: Wish) -> RefundResult | None:
    """What was made, if the answer speaks of this order, amount, currency, transaction and mode; None otherwise."""
    result = refund_result(made.id, made.transactions.nodes, "refundCreate")
    if result is None:
        return None
    modes = {moved.test for moved in made.transactions.nodes} | {made.order.test}
    if wish.is_test is not None:
        modes.add(wish.is_test)
    parents = {
        number(moved.parentTransaction.id) for moved in made.transactions.nodes if moved.parentTransaction
    }
    told = (number(made.order.id), result.amount_minor, result.currency)
    asked = (wish.order_external_id, wish.amount_minor, wish.currency)
    known = told == asked and len(modes) == 1 and parents <= {wish.transaction_external_id}
    return result if known else None


def find_refund(
    account: Account, order_external_id: str, *, key: UUID, correlation_id: UUID
) -> RefundResult | None:
    """The refund of this order that carries our key, to settle an unknown outcome; None where there is none."""
    return read_refunds(
        account,
        gid("Order", order_external_id),
        lambda refunds: _result(with_key(refunds, key)),
        correlation_id=correlation_id,
    )


def with_key(refunds: tuple[RefundReply, ...], key: UUID) -> RefundReply | None:
    """The refund whose note carries a key."""
    return next((one for one in refunds if str(key) in (one.note or "")), None)


def _result(made: RefundReply | None) -> RefundResult | None:
    return found_result(made) if made else None


def found_result(made: RefundReply) -> RefundResult:
    """How far a refund is that was read; raises ContractDrift for one that names no movement."""
    result = refund_result(made.id, made.transactions.nodes, "refunds")
    if result is None:
        path = "data.order.refunds.transactions"
        raise ContractDrift("no money moved", vendor=VENDOR, operation="refunds", field_path=path)
    return result
