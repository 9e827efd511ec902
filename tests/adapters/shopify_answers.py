"""Answers of Shopify's Admin API in the vendor's own shapes, whole, and a wire that gives them by operation."""

import json
import re
from typing import Any

import httpx

from tests.adapters.faking import Vendor

OPERATION = re.compile(r"(?:query|mutation) (\w+)")


def bag(amount: str, currency: str = "USD") -> dict[str, Any]:
    return {"presentmentMoney": {"amount": amount, "currencyCode": currency}}


def gid(kind: str, name: object) -> str:
    return f"gid://shopify/{kind}/{name}"


def page(*nodes: Any, more: bool = False, end: str | None = None) -> dict[str, Any]:
    return {"pageInfo": {"hasNextPage": more, "endCursor": end}, "nodes": list(nodes)}


def tax(
    amount: str, rate: float | None = None, percentage: float | None = None, **changes: Any
) -> dict[str, Any]:
    return {
        "title": "State tax",
        "rate": rate,
        "ratePercentage": percentage,
        "priceSet": bag(amount),
        **changes,
    }


def duty(number: int, amount: str, *taxes: dict[str, object]) -> dict[str, object]:
    return {"id": gid("Duty", number), "price": bag(amount), "taxLines": list(taxes)}


def address(**changes: object) -> dict[str, object]:
    """An address of which nothing is told but what is given."""
    names = (
        "name",
        "company",
        "address1",
        "address2",
        "zip",
        "city",
        "province",
        "provinceCode",
        "countryCodeV2",
    )
    return {**dict.fromkeys(names), **changes}


def line(name: int = 11, **changes: Any) -> dict[str, Any]:
    """Two lamps at 12.00, 4.00 off, with 1.52 tax and 3.00 duty."""
    return {
        "id": gid("LineItem", name),
        "sku": "LAMP",
        "title": "Lamp",
        "quantity": 2,
        "currentQuantity": 2,
        "unfulfilledQuantity": 0,
        "originalTotalSet": bag("24.00"),
        "discountAllocations": [{"allocatedAmountSet": bag("4.00")}],
        "duties": [duty(61, "3.00")],
        "taxLines": [tax("1.02", 0.051), tax("0.50", 0.025, title="County tax")],
        **changes,
    }


def moved(name: int = 31, **changes: Any) -> dict[str, Any]:
    """A sale of 26.42 by Shopify Payments."""
    return {
        "id": gid("OrderTransaction", name),
        "kind": "SALE",
        "status": "SUCCESS",
        "test": False,
        "gateway": "shopify_payments",
        "amountSet": bag("26.42"),
        "parentTransaction": None,
        "paymentId": "#1001.1",
        "receiptJson": "{}",
        "manualPaymentGateway": False,
        **changes,
    }


def back(amount: str = "12.00", **changes: Any) -> dict[str, Any]:
    """The movement of a refund, against the sale."""
    taken = {"id": gid("OrderTransaction", 31)}
    return moved(77, **{"kind": "REFUND", "amountSet": bag(amount), "parentTransaction": taken, **changes})


def refund(name: int = 880, **changes: Any) -> dict[str, Any]:
    return {
        "id": gid("Refund", name),
        "processedAt": "2026-11-03T10:00:00Z",
        "note": "agreed on the phone",
        "order": {"id": gid("Order", 1001), "test": False},
        "duties": [],
        "refundLineItems": page({"quantity": 1, "lineItem": {"id": gid("LineItem", 11)}}),
        "refundShippingLines": page(),
        "transactions": page(back()),
        **changes,
    }


def parcel(name: int = 900, **changes: Any) -> dict[str, Any]:
    return {
        "id": gid("Fulfillment", name),
        "displayStatus": "IN_TRANSIT",
        "createdAt": "2026-11-02T10:00:00Z",
        "updatedAt": "2026-11-02T12:00:00Z",
        "deliveredAt": None,
        "trackingInfo": [{"company": "DHL", "number": "JD01"}, {"company": "DHL", "number": "JD02"}],
        "fulfillmentLineItems": page({"quantity": 2, "lineItem": {"id": gid("LineItem", 11)}}),
        **changes,
    }


def kept_at(*locations: int) -> dict[str, Any]:
    places = [{"assignedLocation": {"location": {"id": gid("Location", place)}}} for place in locations]
    return page(*places)


def order(**changes: Any) -> dict[str, Any]:
    customer = {
        "id": gid("Customer", 7),
        "firstName": "Ada",
        "lastName": "Lund",
        "locale": "en",
        "numberOfOrders": "3",
        "defaultEmailAddress": {"emailAddress": "ada@example.com"},
        "defaultPhoneNumber": None,
        "orders": page(past(1001), past(998, cancelledAt="2026-10-02T10:00:00Z"), past(997)),
    }
    return {
        "id": gid("Order", 1001),
        "name": "#1001",
        "createdAt": "2026-11-01T10:00:00Z",
        "updatedAt": "2026-11-02T12:00:00Z",
        "cancelledAt": None,
        "test": False,
        "tags": ["vip"],
        "taxesIncluded": False,
        "presentmentCurrencyCode": "USD",
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "FULFILLED",
        "paymentGatewayNames": ["shopify_payments"],
        "totalPriceSet": bag("29.42"),
        "shippingLine": {"discountedPriceSet": bag("4.90"), "taxLines": []},
        "currentTotalDutiesSet": bag("3.00"),
        "email": None,
        "phone": None,
        "customerLocale": "de-DE",
        "customer": customer,
        "shippingAddress": address(countryCodeV2="US"),
        "billingAddress": None,
        "lineItems": page(line()),
        "transactions": [moved()],
        "refunds": [],
        "fulfillments": [],
        "fulfillmentOrders": kept_at(71),
        "returns": page(),
        "risk": {"assessments": [{"riskLevel": "LOW"}]},
        "disputes": [],
        **changes,
    }


def past(name: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": gid("Order", name),
        "name": f"#{name}",
        "createdAt": "2026-10-01T10:00:00Z",
        "cancelledAt": None,
        "totalPriceSet": bag("10.00"),
        **changes,
    }


def suggestion(maximum: str = "26.42", parent: int = 31, **changes: Any) -> dict[str, Any]:
    part = {
        "gateway": "shopify_payments",
        "amountSet": bag("12.00"),
        "maximumRefundableSet": bag(maximum),
        "parentTransaction": {"id": gid("OrderTransaction", parent)},
    }
    found = {"amountSet": bag("12.00"), "maximumRefundableSet": bag(maximum), "suggestedTransactions": [part]}
    return {"id": gid("Order", 1001), "test": False, "suggestedRefund": {**found, **changes}}


def made(amount: str = "12.00", *moves: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The payload of a refundCreate."""
    refunded = {
        "id": gid("Refund", 880),
        "note": None,
        "order": {"id": gid("Order", 1001), "test": False},
        "transactions": {"nodes": list(moves) or [back(amount)]},
        **changes,
    }
    return {"refundCreate": {"refund": refunded, "userErrors": []}}


def answer(data: Any, **headers: str) -> httpx.Response:
    return httpx.Response(200, json={"data": data}, headers=headers)


def shop(**data: Any) -> Vendor:
    """A shop that answers by the name of the document (OpsOrder …) with its `data`, a list giving them in turn."""

    def by_name(request: httpx.Request) -> httpx.Response:
        found = OPERATION.search(json.loads(request.content)["query"])
        told = data[found[1] if found else ""]
        return answer(told.pop(0) if isinstance(told, list) else told)

    return Vendor(by_name)


def asked(vendor: Vendor) -> list[str]:
    """The names of the documents that were sent, in order."""
    names = (OPERATION.search(json.loads(request.content)["query"]) for request in vendor.asked)
    return [name[1] for name in names if name]
