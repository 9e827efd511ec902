"""Refunds that another vendor or a person has paid, written down in the shop's order so that it shows them too.

Shopify moves money where a transaction has a parent that a gateway took. One under a manual gateway, without a parent
or with one that a manual gateway took, is only written down: manualPaymentGateway in its answer says that it was.
https://shopify.dev/docs/api/admin-graphql/2026-07/input-objects/OrderTransactionInput
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from tools.adapters import shopify_documents as documents
from tools.adapters.accounts import Account
from tools.adapters.asking import ask
from tools.adapters.shopify_call import VENDOR, gid, request
from tools.adapters.shopify_gateways import WRITTEN_DOWN, is_manual
from tools.adapters.shopify_money_graph import RefundReply, Transaction
from tools.adapters.shopify_outcomes import RefundAnswer
from tools.adapters.shopify_paging import read_refunds
from tools.adapters.shopify_refunds import echoed, found_result, made_refund, with_key
from tools.adapters.shopify_wishes import RecordedRefund, refund_input
from tools.errors import InvalidArgs, OutcomeUnknown, Refused
from tools.snapshots import RefundResult
from tools.wire import Kind

MOVED_MONEY = "moved_money"


def record_refund(account: Account, wish: RecordedRefund, *, key: UUID, correlation_id: UUID) -> RefundResult:
    """Writes a refund down under an idempotency key, which its note carries too; no gateway moves money for it.

    Raises InvalidArgs for a transaction of a gateway that nobody knows as manual, and OutcomeUnknown (moved_money)
    where the answer doesn't prove that nothing was moved: a person must see then whether it was paid twice.
    """
    call = request(
        account,
        "refundCreate",
        Kind.IDEMPOTENT_WRITE,
        documents.REFUND_CREATE,
        record_variables(wish, key),
        correlation_id,
    )
    return ask(call, RefundAnswer, lambda answer: _written(answer, wish))


def record_variables(wish: RecordedRefund, key: UUID) -> dict[str, object]:
    """The variables of OpsRefund for a refund that is only written down."""
    manual = wish.by_hand or is_manual(wish.gateway)
    if wish.transaction_external_id and not manual:
        raise InvalidArgs("only a manual gateway is named", vendor=VENDOR, operation="refundCreate")
    transaction: dict[str, object] = {"gateway": wish.gateway if manual else WRITTEN_DOWN}
    if wish.transaction_external_id:
        transaction["parentId"] = gid("OrderTransaction", wish.transaction_external_id)
    return {"input": refund_input(wish, key, transaction), "key": str(key)}


def _written(answer: RefundAnswer, wish: RecordedRefund) -> RefundResult:
    made = made_refund(answer)
    _nothing_moved(made.transactions.nodes)
    result = echoed(made, wish)
    if result is None:
        raise OutcomeUnknown(vendor=VENDOR, operation="refundCreate", code="echo_mismatch")
    if result.status == "failed":
        raise Refused(vendor=VENDOR, operation="refundCreate", code="transaction_failed")
    return result


def _nothing_moved(transactions: Iterable[Transaction]) -> None:
    if any(moved.kind != "REFUND" or not moved.manualPaymentGateway for moved in transactions):
        raise OutcomeUnknown(vendor=VENDOR, operation="refundCreate", code=MOVED_MONEY)


def find_recorded_refund(
    account: Account, order_external_id: str, *, key: UUID, correlation_id: UUID
) -> RefundResult | None:
    """The refund that was written down under our key; None where there is none, OutcomeUnknown where money moved."""

    def written(refunds: tuple[RefundReply, ...]) -> RefundResult | None:
        made = with_key(refunds, key)
        if made is None:
            return None
        _nothing_moved(made.transactions.nodes)
        return found_result(made)

    return read_refunds(account, gid("Order", order_external_id), written, correlation_id=correlation_id)
