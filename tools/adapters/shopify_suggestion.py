"""What Shopify itself would give back, asked before a refund is sent: a bound for it, never its amount.

https://shopify.dev/docs/api/admin-graphql/2026-07/objects/SuggestedRefund
"""

from __future__ import annotations

from uuid import UUID

from tools.adapters import shopify_documents as documents
from tools.adapters.accounts import Account
from tools.adapters.asking import ask
from tools.adapters.shopify_call import VENDOR, gid, known, number, read_call, same
from tools.adapters.shopify_money import money
from tools.adapters.shopify_replies import SuggestedTransaction, SuggestionAnswer, SuggestionOfOrder
from tools.adapters.shopify_wishes import RefundRequest, check, duty_input, line_input, shipping
from tools.errors import Refused
from tools.snapshots import SuggestedPart, SuggestedRefund

NOTHING_SUGGESTED = "nothing_suggested"


def suggested_refund(account: Account, wish: RefundRequest, *, correlation_id: UUID) -> SuggestedRefund:
    """What Shopify itself would give back for these lines, duties and shipping, to each captured transaction.

    Parts come for every tender that gives something; which transaction the wish names changes nothing.

    Raises Refused (not_found), and Refused (nothing_suggested) for an order of which nothing can go back.
    https://shopify.dev/docs/api/admin-graphql/2026-07/objects/SuggestedRefund
    """
    variables = suggestion_variables(wish)
    call = read_call(account, "suggestedRefund", documents.SUGGESTED_REFUND, variables, correlation_id)
    return ask(
        call,
        SuggestionAnswer,
        lambda answer: _suggestion(known(answer.data.order, "suggestedRefund"), wish),
    )


def suggestion_variables(wish: RefundRequest) -> dict[str, object]:
    """The variables of OpsSuggestedRefund."""
    check(wish)
    return {
        "id": gid("Order", wish.order_external_id),
        "lines": [line_input(line) for line in wish.lines],
        "duties": [duty_input(duty) for duty in wish.duties],
        "shipping": shipping(wish) if wish.shipping_minor else None,
    }


def _suggestion(order: SuggestionOfOrder, wish: RefundRequest) -> SuggestedRefund:
    same(number(order.id), wish.order_external_id, "suggestedRefund", "data.order.id")
    found, path = order.suggestedRefund, "data.order.suggestedRefund"
    if found is None:
        raise Refused(vendor=VENDOR, operation="suggestedRefund", code=NOTHING_SUGGESTED)
    return SuggestedRefund(
        amount_minor=money(found.amountSet, wish.currency, f"{path}.amountSet", "suggestedRefund"),
        maximum_minor=money(
            found.maximumRefundableSet, wish.currency, f"{path}.maximumRefundableSet", "suggestedRefund"
        ),
        currency=wish.currency,
        is_test=order.test,
        parts=tuple(_suggested(part, wish.currency) for part in found.suggestedTransactions),
    )


def _suggested(part: SuggestedTransaction, currency: str) -> SuggestedPart:
    path, most = "data.order.suggestedRefund.suggestedTransactions", part.maximumRefundableSet
    return SuggestedPart(
        transaction_external_id=number(part.parentTransaction.id) if part.parentTransaction else "",
        gateway=part.gateway or "",
        amount_minor=money(part.amountSet, currency, f"{path}.amountSet", "suggestedRefund"),
        maximum_minor=money(most, currency, f"{path}.maximumRefundableSet", "suggestedRefund")
        if most
        else None,
    )


def refuse_more_than(suggested: SuggestedRefund, wish: RefundRequest) -> None:
    """Raises Refused where Shopify would not give that much back to that transaction, or knows the order otherwise.

    A wish without lines may come back without transactions: the whole order's bound counts then.
    """
    if wish.is_test is not None and wish.is_test != suggested.is_test:
        raise Refused(vendor=VENDOR, operation="suggestedRefund", code="test_mode")
    mine = [part for part in suggested.parts if part.transaction_external_id == wish.transaction_external_id]
    bounds = [part.maximum_minor for part in mine if part.maximum_minor is not None]
    most = min([suggested.maximum_minor, *bounds]) if mine or not suggested.parts else 0
    if wish.amount_minor > most:
        raise Refused(vendor=VENDOR, operation="suggestedRefund", code="more_than_suggested")
