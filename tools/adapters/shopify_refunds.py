"""Money back through Shopify: the refund under its key, and finding it again.

https://shopify.dev/docs/api/admin-graphql/2026-07/mutations/refundCreate
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from tools.adapters import shopify_documents as documents
from tools.adapters.accounts import Account
from tools.adapters.asking import ask
from tools.adapters.shopify_call import VENDOR, gid, number, refuse, request
from tools.adapters.shopify_money import refund_result
from tools.adapters.shopify_money_graph import RefundReply
from tools.adapters.shopify_outcomes import MadeRefund, RefundAnswer
from tools.adapters.shopify_paging import read_refunds
from tools.errors import ContractDrift, InvalidArgs, OutcomeUnknown, Refused
from tools.snapshots import RefundResult
from tools.types import to_decimal
from tools.wire import Kind

Restock = Literal["NO_RESTOCK", "CANCEL", "RETURN"]


@dataclass(frozen=True)
class RefundedLine:
    """Pieces that go back: CANCEL for ones that never left, RETURN for ones that came back, both to `location`."""

    external_id: str
    quantity: int
    restock: Restock = "NO_RESTOCK"
    location: str = ""


@dataclass(frozen=True)
class RefundRequest:
    """What to give back: `amount_minor` in all to one captured transaction, for these lines and shipping.

    Amounts are minor units of `currency`, which is the currency that the customer paid in; `note` is for staff and
    holds no personal data. `is_test` is what the order was known as; None where it never was read.
    """

    order_external_id: str
    transaction_external_id: str
    gateway: str
    amount_minor: int
    currency: str
    lines: tuple[RefundedLine, ...] = ()
    shipping_minor: int = 0
    note: str = ""
    is_test: bool | None = None


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
    """The variables of OpsRefund; raises InvalidArgs for an amount, quantity or location that can't be meant."""
    check(wish)
    order = gid("Order", wish.order_external_id)
    content: dict[str, object] = {
        "orderId": order,
        "currency": wish.currency,
        "note": f"{wish.note} [{key}]".strip(),
        "notify": False,
        "refundLineItems": [line_input(line) for line in wish.lines],
        "transactions": [
            {
                "orderId": order,
                "parentId": gid("OrderTransaction", wish.transaction_external_id),
                "amount": decimal(wish.amount_minor, wish.currency),
                "gateway": wish.gateway,
                "kind": "REFUND",
            }
        ],
    }
    if wish.shipping_minor:
        content["shipping"] = {"amount": decimal(wish.shipping_minor, wish.currency)}
    return {"input": content, "key": str(key)}


def check(wish: RefundRequest) -> None:
    """Raises InvalidArgs for an amount, quantity or location that can't be meant."""
    wrong = wish.amount_minor <= 0 or wish.shipping_minor < 0
    if wrong or any(line.quantity <= 0 for line in wish.lines):
        raise InvalidArgs("an amount or quantity is not positive", vendor=VENDOR, operation="refundCreate")
    if any((line.restock == "NO_RESTOCK") != (not line.location) for line in wish.lines):
        raise InvalidArgs("restocking names its location", vendor=VENDOR, operation="refundCreate")


def line_input(line: RefundedLine) -> dict[str, object]:
    """A RefundLineItemInput."""
    content: dict[str, object] = {
        "lineItemId": gid("LineItem", line.external_id),
        "quantity": line.quantity,
        "restockType": line.restock,
    }
    return {**content, "locationId": gid("Location", line.location)} if line.location else content


def decimal(amount_minor: int, currency: str) -> str:
    """The amount as Shopify writes it."""
    return str(to_decimal(amount_minor, currency))


def _made(answer: RefundAnswer, wish: RefundRequest) -> RefundResult:
    payload = answer.data.refundCreate
    refuse("refundCreate", payload.userErrors)
    if payload.refund is None:
        raise OutcomeUnknown(vendor=VENDOR, operation="refundCreate", code="no_refund")
    made = payload.refund
    result = refund_result(made.id, made.transactions.nodes, "refundCreate")
    if result is None or not _echoes(made, result, wish):
        raise OutcomeUnknown(vendor=VENDOR, operation="refundCreate", code="echo_mismatch")
    if result.status == "failed":
        raise Refused(vendor=VENDOR, operation="refundCreate", code="transaction_failed")
    return result


def _echoes(made: MadeRefund, result: RefundResult, wish: RefundRequest) -> bool:
    """Whether the answer speaks of this order, amount, currency, transaction and mode."""
    modes = {moved.test for moved in made.transactions.nodes} | {made.order.test}
    if wish.is_test is not None:
        modes.add(wish.is_test)
    parents = {
        number(moved.parentTransaction.id) for moved in made.transactions.nodes if moved.parentTransaction
    }
    told = (number(made.order.id), result.amount_minor, result.currency)
    asked = (wish.order_external_id, wish.amount_minor, wish.currency)
    return told == asked and len(modes) == 1 and parents <= {wish.transaction_external_id}


def find_refund(
    account: Account, order_external_id: str, *, key: UUID, correlation_id: UUID
) -> RefundResult | None:
    """The refund of this order that carries our key, to settle an unknown outcome; None where there is none."""
    return read_refunds(
        account,
        gid("Order", order_external_id),
        lambda made: _with_key(made, key),
        correlation_id=correlation_id,
    )


def _with_key(refunds: tuple[RefundReply, ...], key: UUID) -> RefundResult | None:
    made = next((one for one in refunds if str(key) in (one.note or "")), None)
    if made is None:
        return None
    result = refund_result(made.id, made.transactions.nodes, "refunds")
    if result is None:
        path = "data.order.refunds.transactions"
        raise ContractDrift("no money moved", vendor=VENDOR, operation="refunds", field_path=path)
    return result
