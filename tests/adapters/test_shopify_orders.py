"""What Shopify's order graph tells in our words, in one reading or in pages, and which changes of it stop us."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.adapters import shopify_answers as told
from tests.adapters.faking import CORRELATION, NORTH, Vendor
from tools import pacing, wire
from tools.adapters import shopify
from tools.adapters import shopify_documents as documents
from tools.errors import ContractDrift, Refused, Unavailable
from tools.models import Drift
from tools.snapshots import OrderSnapshot, PastOrderSnapshot


def shop(order: Any, **more: Any) -> Vendor:
    return told.shop(OpsOrder={"order": order}, **more)


def read(vendor: Vendor) -> OrderSnapshot:
    # These answers don't tell how little of the asked price was used, as Shopify's do.
    pacing.learn(NORTH.slug, "shopify", 4000, 200, 4000)
    with wire.transport_override(vendor.transport):
        return shopify.read_order(NORTH, "1001", correlation_id=CORRELATION)


def seen(**changes: Any) -> OrderSnapshot:
    return read(shop(told.order(**changes)))


def test_a_line_tells_what_was_paid_its_tax_discount_and_duty() -> None:
    (line,) = seen().lines
    assert (line.total_minor, line.discount_minor, line.tax_minor, line.duty_minor) == (2152, 400, 152, 300)
    assert seen().duties_minor == 300


def test_tax_that_is_in_the_price_is_not_added_again() -> None:
    assert seen(taxesIncluded=True).lines[0].total_minor == 2000


def test_a_line_tells_what_has_not_left_and_what_was_taken_off() -> None:
    lines = told.page(told.line(quantity=3, currentQuantity=2, unfulfilledQuantity=1))
    (line,) = seen(lineItems=lines).lines
    assert (line.unfulfilled, line.removed) == (1, 1)


def test_an_order_knows_where_its_goods_are_kept_if_it_is_one_place() -> None:
    assert seen().location == "71"
    assert seen(fulfillmentOrders=told.kept_at(71, 71)).location == "71"


@pytest.mark.parametrize(
    "places",
    [
        told.kept_at(71, 72),
        told.kept_at(),
        told.page({"assignedLocation": {"location": None}}),
        told.page(*told.kept_at(71)["nodes"], more=True),
    ],
)
def test_goods_in_several_places_are_put_back_by_a_person(places: dict[str, Any]) -> None:
    assert seen(fulfillmentOrders=places).location == ""


def test_every_tracking_number_of_a_parcel_is_told() -> None:
    (parcel,) = seen(fulfillments=[told.parcel()]).shipments
    assert (parcel.carrier, parcel.tracking_numbers) == ("DHL", ("JD01", "JD02"))
    assert [(piece.line_external_id, piece.quantity) for piece in parcel.lines] == [("11", 2)]


@pytest.mark.parametrize(
    ("levels", "risk"),
    [
        (("PENDING",), "pending"),
        (("LOW", "PENDING"), "pending"),
        (("LOW", "HIGH", "PENDING"), "high"),
        (("NONE",), None),
        ((), None),
    ],
)
def test_the_worst_opinion_counts_and_pending_is_worse_than_low(levels: tuple[str, ...], risk: Any) -> None:
    assert seen(risk={"assessments": [{"riskLevel": level} for level in levels]}).risk_level == risk


def test_a_customer_comes_with_their_other_orders() -> None:
    customer = seen().customer
    assert customer is not None
    assert (customer.orders_count, [past.external_id for past in customer.history]) == (3, ["998", "997"])
    assert customer.history[1] == PastOrderSnapshot(
        external_id="997",
        name="#997",
        placed_at=datetime(2026, 10, 1, 10, tzinfo=UTC),
        cancelled=False,
        total_minor=1000,
        currency="USD",
    )


def test_disputes_and_test_mode_are_told() -> None:
    found = seen(
        disputes=[{"id": told.gid("OrderDisputeSummary", 66), "status": "NEEDS_RESPONSE"}], test=True
    )
    assert ([(one.external_id, one.status) for one in found.disputes], found.is_test) == (
        [("66", "needs_response")],
        True,
    )


LANE = {"name": "Ida Berg", "address1": "Elm Lane 1", "zip": "0150", "city": "Oslo", "countryCodeV2": "NO"}


def test_a_bill_goes_to_the_billing_address() -> None:
    home, firm = told.address(**LANE), told.address(**LANE, company="Berg AS")
    found = seen(shippingAddress=home, billingAddress=firm).bill_to
    assert found is not None
    assert (found.company, found.address1, found.country) == ("Berg AS", "Elm Lane 1", "NO")


@pytest.mark.parametrize("nothing", [None, told.address(countryCodeV2="NO")])
def test_a_bill_goes_where_the_order_ships_to_if_no_other_address_is_told(nothing: Any) -> None:
    found = seen(shippingAddress=told.address(**LANE), billingAddress=nothing).bill_to
    assert found is not None
    assert found.name == "Ida Berg"
    assert seen(shippingAddress=nothing, billingAddress=nothing).bill_to is None


def changed(path: str, value: Any) -> dict[str, Any]:
    """An order with one field replaced, found by its dotted path."""
    order = told.order(fulfillments=[told.parcel()], refunds=[told.refund()])
    *way, last = path.split(".")
    place: Any = order
    for step in way:
        place = place[int(step) if step.isdecimal() else step]
    place[last] = value
    return order


@pytest.mark.parametrize(
    ("path", "value", "finding"),
    [
        ("updatedAt", None, "null"),
        ("updatedAt", 1793700000, "retyped"),
        ("test", "false", "retyped"),
        ("lineItems.nodes.0.quantity", "2", "retyped"),
        ("lineItems.nodes.0.duties", None, "null"),
        ("risk.assessments.0.riskLevel", "EXTREME", "unknown_value"),
        ("transactions.0.kind", "GIFT", "unknown_value"),
        ("transactions.0.status", "REVERSED", "unknown_value"),
        ("fulfillments.0.displayStatus", "TELEPORTED", "unknown_value"),
        ("refunds.0.transactions.nodes.0.status", "HELD", "unknown_value"),
        ("fulfillmentOrders.nodes.0.assignedLocation", None, "null"),
    ],
)
def test_a_changed_field_is_named_kept_as_drift_and_not_used(path: str, value: Any, finding: str) -> None:
    with pytest.raises(ContractDrift) as caught:
        read(shop(changed(path, value)))
    assert (caught.value.field_path, caught.value.finding) == (f"data.order.{path}", finding)
    assert Drift.objects.get().field_path.startswith("data.order.")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("totalPriceSet", told.bag("29.42", "EUR")),
        ("totalPriceSet", told.bag("29.421")),
        ("lineItems.nodes.0.originalTotalSet", told.bag("NaN")),
        ("transactions.0.amountSet", told.bag("26.42", "EUR")),
    ],
)
def test_money_that_can_not_be_meant_is_drift(path: str, value: Any) -> None:
    with pytest.raises(ContractDrift):
        read(shop(changed(path, value)))
    assert Drift.objects.filter(operation="order").exists()


def test_an_answer_about_another_order_is_not_believed() -> None:
    with pytest.raises(ContractDrift):
        read(shop(told.order(id=told.gid("Order", 1002))))


def test_a_new_field_is_no_drift() -> None:
    assert seen(giftNote="a field of next year").external_id == "1001"


def test_most_orders_take_one_query() -> None:
    vendor = shop(told.order(refunds=[told.refund()], fulfillments=[told.parcel()]))
    read(vendor)
    assert told.asked(vendor) == ["OpsOrder"]


def lines_answer(*lines: dict[str, Any], end: str | None = None) -> dict[str, Any]:
    connection = told.page(*lines, more=end is not None, end=end)
    return {"order": {"id": told.gid("Order", 1001), "lineItems": connection}}


def test_a_long_order_is_read_to_its_last_line() -> None:
    pages = [
        lines_answer(*(told.line(name) for name in range(1, 9)), end="p1"),
        lines_answer(*(told.line(name) for name in range(9, 17)), end="p2"),
        lines_answer(told.line(17)),
    ]
    vendor = shop(told.order(lineItems=told.page(told.line(1), more=True)), OpsLines=pages)
    assert [line.external_id for line in read(vendor).lines] == [str(name) for name in range(1, 18)]
    assert [vendor.json(place)["variables"]["after"] for place in (1, 2, 3)] == [None, "p1", "p2"]


def test_a_line_with_many_taxes_is_read_again_with_all_of_them() -> None:
    taxes = [told.tax("0.10", 0.01) for _ in range(7)]
    short, whole = told.line(taxLines=taxes[: documents.TAXES]), told.line(taxLines=taxes)
    vendor = shop(told.order(lineItems=told.page(short)), OpsLines=[lines_answer(whole)])
    assert read(vendor).lines[0].tax_minor == 70


def test_many_parcels_and_refunds_are_read_whole() -> None:
    parcels, refunds = [told.parcel(name) for name in range(3)], [told.refund(name) for name in range(3)]
    vendor = shop(
        told.order(fulfillments=parcels[: documents.PARCELS], refunds=refunds[: documents.REFUNDS]),
        OpsParcels={"order": {"id": told.gid("Order", 1001), "fulfillments": parcels}},
        OpsRefunds={"order": {"id": told.gid("Order", 1001), "refunds": refunds}},
    )
    found = read(vendor)
    assert (len(found.shipments), len(found.refunds), len(vendor.asked)) == (3, 3, 3)


ORDER = {"id": told.gid("Order", 1001)}


def sent_back(*pieces: dict[str, Any], **changes: Any) -> dict[str, Any]:
    back = {"id": told.gid("Return", 5), "status": "OPEN", "createdAt": "2026-11-04T10:00:00Z"}
    return {**back, "returnLineItems": told.page(*pieces), **changes}


def piece(**changes: Any) -> dict[str, Any]:
    item = {"lineItem": {"id": told.gid("LineItem", 11)}}
    return {"quantity": 2, "processedQuantity": 1, "fulfillmentLineItem": item, **changes}


def returns_of(back: dict[str, Any]) -> Any:
    few = {name: back[name] for name in ("id", "status", "createdAt")}
    whole = {"order": {**ORDER, "returns": told.page(back)}}
    return read(shop(told.order(returns=told.page(few)), OpsReturns=whole)).returns


def test_a_return_is_read_with_what_it_holds() -> None:
    (back,) = returns_of(sent_back(piece()))
    assert back.lines is not None
    (line,) = back.lines
    assert (back.status, line.line_external_id, line.quantity, line.processed) == ("open", "11", 2, 1)


@pytest.mark.parametrize(
    "back",
    [
        # What is of no order line, and what isn't told whole, may be anything.
        sent_back(piece(), piece(fulfillmentLineItem=None)),
        sent_back(returnLineItems=told.page(piece(), more=True)),
    ],
)
def test_a_return_that_is_not_told_whole_names_no_lines(back: dict[str, Any]) -> None:
    assert [one.lines for one in returns_of(back)] == [None]


def test_an_order_without_returns_is_asked_once() -> None:
    vendor = shop(told.order())
    assert (read(vendor).returns, len(vendor.asked)) == ((), 1)


MORE = told.page(more=True)


@pytest.mark.parametrize(
    ("changes", "more"),
    [
        ({"returns": MORE}, {}),
        ({"transactions": [told.moved(name) for name in range(documents.TRANSACTIONS)]}, {}),
        (
            {"fulfillments": [told.parcel(fulfillmentLineItems=MORE)]},
            {"OpsParcels": {"order": {**ORDER, "fulfillments": [told.parcel(fulfillmentLineItems=MORE)]}}},
        ),
        (
            {"refunds": [told.refund(refundLineItems=MORE)]},
            {"OpsRefunds": {"order": {**ORDER, "refunds": [told.refund(refundLineItems=MORE)]}}},
        ),
        (
            {"lineItems": MORE},
            {"OpsLines": lines_answer(told.line(taxLines=[told.tax("0.01")] * 12))},
        ),
        ({"lineItems": MORE}, {"OpsLines": lines_answer(told.line(), end="for ever")}),
        (
            {"returns": told.page({"id": "5", "status": "OPEN", "createdAt": "2026-11-04T10:00:00Z"})},
            {"OpsReturns": {"order": {**ORDER, "returns": MORE}}},
        ),
    ],
)
def test_part_of_an_order_is_never_taken_for_all_of_it(
    changes: dict[str, Any], more: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.adapters.shopify_paging.MOST_PAGES", 3)
    with pytest.raises(Refused) as caught:
        read(shop(told.order(**changes), **more))
    assert caught.value.code == "order_too_long"


def test_a_page_without_its_end_is_drift() -> None:
    bad = lines_answer(told.line(), end="")
    with pytest.raises(ContractDrift) as caught:
        read(shop(told.order(lineItems=MORE), OpsLines=bad))
    assert caught.value.field_path.endswith("endCursor")


def test_an_order_that_the_shop_does_not_know_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        read(shop(None))
    assert caught.value.code == "not_found"


def test_nothing_of_a_buyer_is_in_what_went_wrong() -> None:
    with pytest.raises(ContractDrift) as caught:
        read(shop(told.order(email=["ada@example.com"])))
    assert "ada" not in str(caught.value) + Drift.objects.get().sample


def test_a_body_that_is_no_json_is_no_order() -> None:
    with pytest.raises(Unavailable):
        read(Vendor(httpx.Response(200, content=b"<html>")))
