"""A shop, an order and the calls that the tests make of the stand-ins."""

import json
from typing import Any

import httpx

KEYS = {
    "slug": "north",
    "shopify_token": "shpat_north",
    "stripe_key": "sk_test_north",
    "klaviyo_key": "pk_north",
    "whatsapp_token": "EAA_north",
    "phone_number_id": "1065",
    "currency": "USD",
}
ORDER_GID = "gid://shopify/Order/5001001"
SALE_GID = "gid://shopify/OrderTransaction/31"
LINE_GID = "gid://shopify/LineItem/11"
REFUND = """
mutation Refund($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) {
    refund { id totalRefundedSet { shopMoney { amount currencyCode } } }
    order { displayFinancialStatus }
    userErrors { field message }
  }
}
"""


def order(**changes: Any) -> dict[str, Any]:
    """Two lamps at 12.00 and shipping of 4.90, paid by card through Stripe."""
    return {
        "shop": "north",
        "id": 5001001,
        "name": "#1001",
        "currency": "USD",
        "created_at": "2026-11-01T10:00:00Z",
        "customer": {
            "id": 7,
            "email": "ada@example.com",
            "first_name": "Ada",
            "last_name": "Lund",
            "phone": "+15005550006",
            "locale": "en",
        },
        "shipping_address": {"country_code": "US", "city": "Boston", "zip": "02108", "address1": "1 Elm St"},
        "lines": [
            {
                "id": 11,
                "variant_id": 21,
                "sku": "LAMP",
                "title": "Lamp",
                "quantity": 2,
                "unit_price": "12.00",
                "tax": "0.00",
                "discount": "0.00",
            }
        ],
        "shipping": "4.90",
        "total": "28.90",
        "gateway": "stripe",
        "transaction_id": 31,
        "charge": {
            "id": "ch_1",
            "payment_intent": "pi_1",
            "brand": "visa",
            "last4": "4242",
            "fingerprint": "fp",
            "risk_level": "normal",
        },
        "risk": "LOW",
        "tags": [],
        **changes,
    }


class Caller:
    """Speaks to the stand-ins as any client would: bytes over a socket."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.faulted = False

    def control(self, path: str, body: dict[str, Any] | None = None) -> None:
        answer = self.client.post(f"/_control/{path}", json=body or {})
        assert answer.status_code == 200, answer.text

    def fault(self, vendor: str, kind: str, operation: str = "*", **settings: Any) -> None:
        self.faulted = True
        self.control("faults", {"vendor": vendor, "operation": operation, "kind": kind, **settings})

    def listen(self, vendor: str, url: str, **wish: Any) -> None:
        self.control("webhooks", {"shop": "north", "vendor": vendor, "url": url, "secret": "hush", **wish})

    def deliveries(self) -> list[dict[str, Any]]:
        return list(self.client.get("/_control/deliveries").json()["deliveries"])

    def wait(self, seconds: float) -> None:
        """Moves the sandbox's clock on."""
        self.control("clock", {"advance": seconds})

    def ledger(self) -> dict[str, Any]:
        return dict(self.client.get("/_control/ledger").json())

    def refunded(self) -> int:
        return sum(row["amount_minor"] for row in self.ledger()["refunds"])

    def stripe(self, method: str, path: str, key: str | None = None, **sent: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {KEYS['stripe_key']}", "Stripe-Version": "2026-10-28.endive"}
        if key:
            headers["Idempotency-Key"] = key
        return self.client.request(method, f"/north/stripe/v1/{path}", headers=headers, **sent)

    def refund(
        self,
        key: str | None = None,
        amount: int | None = 500,
        extra: dict[str, str] | None = None,
        **form: str,
    ) -> httpx.Response:
        data = {"charge": "ch_1", **(extra or {}), **form}
        if amount is not None:
            data["amount"] = str(amount)
        return self.stripe("POST", "refunds", key, data=data)

    def shopify(
        self, document: str, version: str = "2026-07", token: str = KEYS["shopify_token"], **variables: Any
    ) -> httpx.Response:
        return self.client.post(
            f"/north/shopify/admin/api/{version}/graphql.json",
            json={"query": document, "variables": variables},
            headers={"X-Shopify-Access-Token": token},
        )

    def shopify_refund(self, key: str, amount: str = "12.00", **wish: Any) -> dict[str, Any]:
        answer = self.shopify(REFUND, input=refund_input(amount, **wish), key=key)
        return dict(answer.json()["data"]["refundCreate"])

    def order(self, fields: str) -> dict[str, Any]:
        answer = self.shopify(f'{{ order(id: "{ORDER_GID}") {{ {fields} }} }}').json()
        assert "errors" not in answer, json.dumps(answer["errors"])
        return dict(answer["data"]["order"])

    def klaviyo(self, unique_id: str | None, headers: dict[str, str] | None = None) -> httpx.Response:
        attributes = {
            "properties": {"order": "#1001"},
            "unique_id": unique_id,
            "metric": {"data": {"type": "metric", "attributes": {"name": "refund_done"}}},
            "profile": {"data": {"type": "profile", "attributes": {"email": "ada@example.com"}}},
        }
        usual = {"Authorization": "Klaviyo-API-Key pk_north", "revision": "2026-07-15"}
        body = {"data": {"type": "event", "attributes": attributes}}
        return self.client.post(
            "/north/klaviyo/api/events/", json=body, headers=usual if headers is None else headers
        )

    def whatsapp(
        self, token: str = KEYS["whatsapp_token"], phone: str = "1065", **changes: Any
    ) -> httpx.Response:
        body = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": "+15005550006",
            "type": "template",
            "template": {"name": "refund_done", "language": {"policy": "deterministic", "code": "en"}},
            "biz_opaque_callback_data": "call-1",
            **changes,
        }
        headers = {"Authorization": f"Bearer {token}"}
        return self.client.post(f"/north/whatsapp/v23.0/{phone}/messages", json=body, headers=headers)


def refund_input(amount: str, **wish: Any) -> dict[str, Any]:
    """A RefundInput for one lamp; `amount` is what goes back on the sale."""
    transaction = {"orderId": ORDER_GID, "parentId": SALE_GID, "amount": amount, "gateway": "stripe"}
    return {
        "orderId": ORDER_GID,
        "refundLineItems": [{"lineItemId": LINE_GID, "quantity": 1, "restockType": "NO_RESTOCK"}],
        "transactions": [{**transaction, "kind": "REFUND"}],
        **wish,
    }
