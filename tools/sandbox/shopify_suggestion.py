"""suggestedRefund: what Shopify itself would give back, and to which tenders.

https://shopify.dev/docs/api/admin-graphql/2026-07/objects/SuggestedRefund
"""

from tools.sandbox.exchange import Doc
from tools.sandbox.shopify_orders import original_duty, refund_line
from tools.sandbox.shopify_refunds import duties_of, lines_of, moves_to, shipping_of, whole
from tools.sandbox.shopify_view import OrderView


def suggest(view: OrderView, wish: Doc) -> Doc:
    """A proposal for the chosen lines, duties and shipping, never above what is left; raises RefusedError."""
    full = bool(wish.get("suggestFullRefund"))
    rest = whole(view, restock="NO_RESTOCK") if full else None
    lines = rest.lines if rest else lines_of(view, wish.get("refundLineItems") or [])
    duties = rest.duties if rest else duties_of(view, wish.get("refundDuties") or [], lines)
    asked = {"fullRefund": full or wish.get("refundShipping"), "amount": wish.get("shippingAmount")}
    if wish.get("shippingAmount") is not None:
        asked["fullRefund"] = False
    shipping = shipping_of(view, asked)
    shipping_tax = view.shipping_tax_of(shipping, view.shipping_refunded)
    prices = [view.line_refund(line["id"], line["quantity"], line["before"]) for line in lines]
    subtotal, tax = sum(price for price, _ in prices), sum(tax for _, tax in prices)
    maximum, owed = view.captured - view.refunded, sum(duty["minor"] for duty in duties)
    duty_tax = sum(view.duty_tax_of(str(duty["id"]), duty["minor"]) for duty in duties)
    all_tax = tax + shipping_tax + duty_tax
    on_top = 0 if view.taxes_included else all_tax
    amount = min(maximum, subtotal + shipping + owed + on_top)
    return {
        "amountSet": view.bag(amount),
        "subtotalSet": view.bag(subtotal),
        "discountedSubtotalSet": view.bag(subtotal),
        "totalTaxSet": view.bag(all_tax),
        "maximumRefundableSet": view.bag(maximum),
        "shipping": {
            "amountSet": view.bag(shipping),
            "maximumRefundableSet": view.bag(view.shipping - view.shipping_refunded),
            "taxSet": view.bag(shipping_tax),
        },
        "totalDutiesSet": view.bag(owed),
        "refundDuties": [
            {"amountSet": view.bag(duty["minor"]), "originalDuty": original_duty(view, duty["id"])}
            for duty in duties
        ],
        "refundLineItems": [refund_line(view, line) for line in lines],
        "suggestedTransactions": _transactions(view, amount),
    }


def _transactions(view: OrderView, amount: int) -> list[Doc]:
    """To each tender in proportion to what it can still give back; manual gateways are named like any other."""
    left, sales = view.left(), {tender.name: view.sale(tender) for tender in view.tenders}
    return [
        {
            "amountSet": view.bag(move["minor"]),
            "gateway": move["gateway"],
            "kind": "SUGGESTED_REFUND",
            "maximumRefundableSet": view.bag(left[move["parent"]]),
            "parentTransaction": sales[move["parent"]],
        }
        for move in moves_to(view, min(amount, sum(left.values())))
    ]
