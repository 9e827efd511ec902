"""Shopify's stand-in where an order has taxes per rate, duties and several tenders: each movement of money once."""

from typing import Any

import pytest

from tests.sandbox.world import LINE_GID, ORDER_GID, Caller, order, refund_input
from tools.sandbox.tenders import spread

MONEY = "{ presentmentMoney { amount currencyCode } }"
TAXES = f"taxLines {{ title rate ratePercentage priceSet {MONEY} }}"
GIFT, CARD = "gid://shopify/OrderTransaction/32", "gid://shopify/OrderTransaction/31"
MWST = {"title": "MwSt", "rate": "0.19", "amount": "3.83"}


def german(**changes: Any) -> dict[str, Any]:
    """Two lamps at 12.00 with 19 % in the price, a duty of 3.01, shipping of 4.90 with 19 % in it."""
    (line,) = order()["lines"]
    line |= {"taxes": [MWST], "duties": [{"id": 61, "amount": "3.01"}]}
    return order(
        currency="EUR",
        lines=[line],
        total="31.91",
        taxes_included=True,
        shipping_taxes=[{"title": "MwSt", "rate": "0.19", "amount": "0.78"}],
        gateway="shopify_payments",
        charge=None,
        **changes,
    )


def mixed(**changes: Any) -> dict[str, Any]:
    """28.90 in all: 8.90 by gift card and 20.00 by card."""
    parts = [
        {"gateway": "shopify_payments", "transaction_id": 31, "amount": "20.00"},
        {"gateway": "gift_card", "transaction_id": 32, "amount": "8.90"},
    ]
    return order(gateway="shopify_payments", charge=None, tenders=parts, **changes)


def asked(caller: Caller, **arguments: str) -> dict[str, Any]:
    told = ", ".join(f"{name}: {value}" for name, value in arguments.items())
    found = caller.order(
        f"""suggestedRefund({told}) {{ amountSet {MONEY} maximumRefundableSet {MONEY} totalDutiesSet {MONEY}
        totalTaxSet {MONEY} shipping {{ amountSet {MONEY} taxSet {MONEY} }} refundDuties {{ amountSet {MONEY} }}
        suggestedTransactions {{ gateway amountSet {MONEY} maximumRefundableSet {MONEY}
          parentTransaction {{ id }} }} }}"""
    )
    return dict(found["suggestedRefund"])


def amount(bag: dict[str, Any]) -> str:
    return str(bag["presentmentMoney"]["amount"])


def paid(gateway: str, parent: str | None, value: str) -> list[dict[str, Any]]:
    told = {"orderId": ORDER_GID, "amount": value, "gateway": gateway, "kind": "REFUND"}
    return [{**told, "parentId": parent} if parent else told]


def test_lines_and_shipping_tell_their_taxes_by_rate(caller: Caller) -> None:
    caller.control("orders", german())
    got = caller.order(
        f"taxesIncluded lineItems(first: 5) {{ nodes {{ {TAXES} duties {{ id price {MONEY} }} }} }} "
        f"shippingLine {{ discountedPriceSet {MONEY} {TAXES} }} {TAXES}"
    )
    (line,) = got["lineItems"]["nodes"]
    assert got["taxesIncluded"] is True
    assert [(tax["title"], tax["rate"], tax["ratePercentage"]) for tax in line["taxLines"]] == [
        ("MwSt", 0.19, 19.0)
    ]
    assert [(duty["id"], amount(duty["price"])) for duty in line["duties"]] == [
        ("gid://shopify/Duty/61", "3.01")
    ]
    assert amount(got["shippingLine"]["taxLines"][0]["priceSet"]) == "0.78"
    assert [amount(tax["priceSet"]) for tax in got["taxLines"]] == ["4.61"]  # one per rate


def test_a_suggestion_tells_the_tax_and_the_duty_of_what_goes_back(caller: Caller) -> None:
    caller.control("orders", german())
    lines = f'[{{lineItemId: "{LINE_GID}", quantity: 1}}]'
    duties = '[{dutyId: "gid://shopify/Duty/61", refundType: PROPORTIONAL}]'
    got = asked(caller, refundLineItems=lines, refundDuties=duties, shippingAmount='"4.90"')
    assert (amount(got["amountSet"]), amount(got["totalDutiesSet"])) == ("18.4", "1.5")
    assert (amount(got["totalTaxSet"]), amount(got["shipping"]["taxSet"])) == ("2.69", "0.78")


@pytest.mark.parametrize(("included", "amounts"), [(True, ["13.5", "13.51"]), (False, ["15.71", "15.74"])])
def test_the_tax_of_a_duty_goes_back_with_it(caller: Caller, included: bool, amounts: list[str]) -> None:
    body = german()
    tax = {"title": "MwSt", "rate": "0.2", "amount": "0.61"}
    body["lines"][0]["duties"] = [{"id": 61, "amount": "3.01", "taxes": [tax]}]
    caller.control("orders", {**body, "taxes_included": included, "total": "40.00"})
    found = []
    for _ in range(2):
        got = asked(
            caller,
            refundLineItems=f'[{{lineItemId: "{LINE_GID}", quantity: 1}}]',
            refundDuties='[{dutyId: "gid://shopify/Duty/61", refundType: PROPORTIONAL}]',
        )
        found.append(amount(got["amountSet"]))
        dues = [{"dutyId": "gid://shopify/Duty/61", "refundType": "PROPORTIONAL"}]
        paid_back = paid("shopify_payments", CARD, found[-1])
        made = caller.shopify_refund(f"k{len(found)}", transactions=paid_back, refundDuties=dues)
        assert made["userErrors"] == []
    assert found == amounts


def test_tax_on_top_is_suggested_on_top(caller: Caller) -> None:
    (line,) = order()["lines"]
    line |= {"taxes": [{"title": "State", "rate": "0.1", "amount": "2.40"}]}
    taxes = [{"title": "State", "rate": "0.1", "amount": "0.49"}]
    caller.control("orders", order(lines=[line], shipping_taxes=taxes, taxes_included=False, total="31.79"))
    got = asked(caller, suggestFullRefund="true")
    assert (amount(got["amountSet"]), amount(got["shipping"]["amountSet"])) == ("31.79", "4.9")
    made = caller.shopify_refund(
        "k1",
        "5.39",
        refundLineItems=[],
        shipping={"amount": "4.90"},
        transactions=paid("stripe", CARD, "5.39"),
    )
    assert made["userErrors"] == []
    got = caller.order(
        f"refunds {{ refundShippingLines(first: 2) {{ nodes {{ subtotalAmountSet {MONEY} taxAmountSet {MONEY} }} }} }}"
    )
    (back,) = got["refunds"][0]["refundShippingLines"]["nodes"]
    assert (amount(back["subtotalAmountSet"]), amount(back["taxAmountSet"])) == ("4.9", "0.49")


def duty(kind: str = "FULL", name: int = 61) -> list[dict[str, str]]:
    return [{"dutyId": f"gid://shopify/Duty/{name}", "refundType": kind}]


def test_shares_of_a_duty_add_up_to_it(caller: Caller) -> None:
    caller.control("orders", german())
    for key, value in (("k1", "13.50"), ("k2", "13.51")):
        made = caller.shopify_refund(
            key, value, refundDuties=duty("PROPORTIONAL"), transactions=paid("shopify_payments", CARD, value)
        )
        assert made["userErrors"] == []
    got = caller.order(f"refunds {{ duties {{ amountSet {MONEY} originalDuty {{ id }} }} }}")
    assert [amount(one["duties"][0]["amountSet"]) for one in got["refunds"]] == ["1.5", "1.51"]


@pytest.mark.parametrize("wish", [duty(name=62), duty("PROPORTIONAL") * 2, duty() * 2])
def test_a_duty_goes_back_once_and_only_if_it_was_paid(caller: Caller, wish: list[Any]) -> None:
    caller.control("orders", german())
    made = caller.shopify_refund(
        "k1", refundDuties=wish, transactions=paid("shopify_payments", CARD, "12.00")
    )
    assert made["userErrors"][0]["field"][0] == "refundDuties"
    assert caller.refunded() == 0


def test_a_duty_that_went_back_whole_is_gone(caller: Caller) -> None:
    caller.control("orders", german())
    wish: dict[str, Any] = {"refundLineItems": [], "refundDuties": duty()}
    one = caller.shopify_refund("k1", **wish, transactions=paid("shopify_payments", CARD, "3.01"))
    two = caller.shopify_refund("k2", **wish, transactions=paid("shopify_payments", CARD, "3.01"))
    assert (one["userErrors"], two["userErrors"][0]["field"][0]) == ([], "refundDuties")
    assert caller.refunded() == 301


def test_each_tender_of_an_order_is_a_transaction(caller: Caller) -> None:
    caller.control("orders", mixed())
    got = caller.order(
        f"paymentGatewayNames transactions {{ id gateway amountSet {MONEY} manualPaymentGateway }}"
    )
    assert got["paymentGatewayNames"] == ["shopify_payments", "gift_card"]
    assert [(one["id"], amount(one["amountSet"])) for one in got["transactions"]] == [
        (CARD, "20.0"),
        (GIFT, "8.9"),
    ]


def test_tenders_that_do_not_pay_the_total_are_no_order(caller: Caller) -> None:
    answer = caller.client.post("/_control/orders", json=mixed(total="28.91"))
    assert (answer.status_code, "total" in answer.json()["error"]) == (400, True)


def test_a_suggestion_splits_in_proportion_to_what_each_tender_has_left(caller: Caller) -> None:
    caller.control("orders", mixed())
    got = asked(caller, refundLineItems=f'[{{lineItemId: "{LINE_GID}", quantity: 1}}]')[
        "suggestedTransactions"
    ]
    assert [
        (one["gateway"], amount(one["amountSet"]), amount(one["maximumRefundableSet"])) for one in got
    ] == [("shopify_payments", "8.3", "20.0"), ("gift_card", "3.7", "8.9")]


@pytest.mark.parametrize(
    ("value", "left", "parts"),
    [
        (1200, {"a": 2000, "b": 890}, {"a": 830, "b": 370}),
        (1, {"a": 1, "b": 1, "c": 1}, {"a": 1}),
        (2, {"a": 1, "b": 1, "c": 1}, {"a": 1, "b": 1}),
        (5, {"a": 5, "b": 0}, {"a": 5}),
        (6, {"a": 5, "b": 0}, {}),  # more than there is
        (0, {"a": 5}, {}),
    ],
)
def test_a_split_adds_up_and_takes_nobody_more_than_they_have(
    value: int, left: dict[str, int], parts: dict[str, int]
) -> None:
    assert spread(value, left) == parts


def test_a_tender_never_gives_back_more_than_it_took(caller: Caller) -> None:
    caller.control("orders", mixed())
    no = caller.shopify_refund("k1", transactions=paid("gift_card", GIFT, "8.91"))
    assert no["userErrors"][0]["field"] == ["transactions", "0", "amount"]
    twice = paid("gift_card", GIFT, "8.00") + paid("gift_card", GIFT, "0.91")
    assert caller.shopify_refund("k2", transactions=twice)["userErrors"][0]["field"][1] == "1"
    assert caller.shopify_refund("k3", transactions=paid("gift_card", GIFT, "8.90"))["userErrors"] == []
    assert caller.shopify_refund("k4", transactions=paid("gift_card", GIFT, "0.01"))["userErrors"] != []
    assert [row["amount_minor"] for row in caller.ledger()["refunds"]] == [890]


def test_a_cancelled_order_gives_each_tender_its_own_back(caller: Caller) -> None:
    caller.control("shops", {"slug": "north", "cancel_seconds": 0.001})
    caller.control("orders", mixed())
    caller.shopify(
        f'mutation {{ orderCancel(orderId: "{ORDER_GID}", reason: CUSTOMER, restock: false, '
        "refundMethod: {originalPaymentMethodsRefund: true}) { job { id } orderCancelUserErrors { message } } }"
    )
    caller.wait(1)
    got = caller.order(
        f"displayFinancialStatus refunds {{ transactions(first: 5) {{ nodes {{ gateway amountSet {MONEY} }} }} }}"
    )
    assert got["displayFinancialStatus"] == "REFUNDED"
    nodes = got["refunds"][0]["transactions"]["nodes"]
    assert [(one["gateway"], amount(one["amountSet"])) for one in nodes] == [
        ("shopify_payments", "20.0"),
        ("gift_card", "8.9"),
    ]
    assert caller.refunded() == 2890


MOVED = f"refunds {{ id transactions(first: 5) {{ nodes {{ gateway status manualPaymentGateway amountSet {MONEY} parentTransaction {{ id }} }} }} }}"  # noqa: E501


@pytest.mark.parametrize("gateway", ["cash_on_delivery", "bank_deposit", "manual"])
def test_a_manual_gateway_shows_a_refund_and_moves_no_money(caller: Caller, gateway: str) -> None:
    caller.control("orders", order(gateway=gateway, charge=None))
    made = caller.shopify_refund("k1", transactions=paid(gateway, CARD, "12.00"))
    assert made["refund"]["totalRefundedSet"]["shopMoney"]["amount"] == "12.0"
    got = caller.order(f"displayFinancialStatus {MOVED}")
    (move,) = got["refunds"][0]["transactions"]["nodes"]
    assert (got["displayFinancialStatus"], move["status"]) == ("PARTIALLY_REFUNDED", "SUCCESS")
    assert (move["manualPaymentGateway"], move["parentTransaction"]["id"]) == (True, CARD)
    assert caller.ledger()["refunds"] == []


def test_what_stripe_paid_is_written_down_and_moves_nothing_again(caller: Caller) -> None:
    caller.refund("s1", 1200)
    made = caller.shopify_refund("k1", transactions=paid("manual", None, "12.00"))
    assert made["userErrors"] == []
    (move,) = caller.order(MOVED)["refunds"][0]["transactions"]["nodes"]
    assert (move["manualPaymentGateway"], move["parentTransaction"]) == (True, None)
    assert [(row["vendor"], row["amount_minor"]) for row in caller.ledger()["refunds"]] == [("stripe", 1200)]


def test_naming_the_transaction_of_a_gateway_makes_it_pay(caller: Caller) -> None:
    """What a record of Stripe's refund must never do: it would be paid twice, and the ledger shows it."""
    caller.refund("s1", 1200)
    caller.shopify_refund("k1", transactions=paid("stripe", CARD, "12.00"))
    assert caller.refunded() == 2400


def test_no_more_is_written_down_than_was_paid(caller: Caller) -> None:
    made = caller.shopify_refund("k1", transactions=paid("manual", None, "28.91"))
    assert "net payment" in made["userErrors"][0]["message"]


def test_a_gift_card_beside_stripe_leaves_the_charge_its_own_part(caller: Caller) -> None:
    charge = order()["charge"]
    parts = [
        {"gateway": "stripe", "transaction_id": 31, "amount": "20.00", "charge": charge},
        {"gateway": "gift_card", "transaction_id": 32, "amount": "8.90"},
    ]
    caller.control("orders", order(tenders=parts))
    assert caller.stripe("GET", "charges/ch_1").json()["amount"] == 2000
    assert caller.refund("s1", 2001).status_code == 400
    assert caller.refund("s2", 2000).status_code == 200
    assert caller.shopify_refund("k1", transactions=paid("gift_card", GIFT, "8.90"))["userErrors"] == []
    assert caller.refunded() == 2890


@pytest.mark.parametrize(
    ("ends", "status", "left"), [("succeeded", "SUCCESS", 1690), ("failed", "FAILURE", 2890)]
)
def test_a_refund_settles_when_its_time_has_come(caller: Caller, ends: str, status: str, left: int) -> None:
    caller.control("shops", {"slug": "north", "refund_seconds": 60, "refund_ends": ends})
    made = caller.shopify_refund("k1")
    assert made["refund"]["totalRefundedSet"]["shopMoney"]["amount"] == "0.0"
    assert caller.order(MOVED)["refunds"][0]["transactions"]["nodes"][0]["status"] == "PENDING"
    caller.wait(61)
    (refund,) = caller.order(MOVED)["refunds"]
    assert refund["transactions"]["nodes"][0]["status"] == status
    assert amount(asked(caller, refundShipping="true")["maximumRefundableSet"]) == str(left / 100)
    assert caller.refunded() == 2890 - left


def test_a_record_never_waits(caller: Caller) -> None:
    caller.control("shops", {"slug": "north", "refund_seconds": 60})
    caller.shopify_refund("k1", transactions=paid("manual", None, "12.00"))
    assert caller.order(MOVED)["refunds"][0]["transactions"]["nodes"][0]["status"] == "SUCCESS"


def test_a_refund_that_failed_gives_its_pieces_free_again(caller: Caller) -> None:
    caller.fault("shopify", "pending", "refundCreate")
    name = caller.shopify_refund("k1", "24.00", refundLineItems=refund_input("1")["refundLineItems"] * 2)[
        "refund"
    ]["id"]
    caller.control(f"refunds/north/{name.rpartition('/')[2]}", {"status": "failed"})
    got = caller.order(
        "displayFinancialStatus lineItems(first: 1) { nodes { refundableQuantity } } refunds { id }"
    )
    assert (got["displayFinancialStatus"], len(got["refunds"])) == ("PAID", 1)
    assert got["lineItems"]["nodes"][0]["refundableQuantity"] == 2
    assert caller.shopify_refund("k2", "24.00")["userErrors"] == []
    assert caller.refunded() == 2400


def test_a_refund_by_hand_goes_to_the_tender_that_it_names(caller: Caller) -> None:
    caller.control("orders", mixed())
    caller.control("orders/north/5001001/refunds", {"id": "900", "amount": "3.90", "transaction_id": 32})
    got = asked(caller, refundShipping="true")["suggestedTransactions"]
    assert [amount(one["maximumRefundableSet"]) for one in got] == ["20.0", "5.0"]
    answer = caller.client.post(
        "/_control/orders/north/5001001/refunds", json={"id": "901", "amount": "1.00", "transaction_id": 33}
    )
    assert answer.status_code == 400
