"""A refund's body and its calls: one for each tender, and one that shows in the shop what others have paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tools.base import Step
from tools.refunding.composition import Draft
from tools.refunding.tenders import Tender
from tools.types import Money

Body = dict[str, Any]


def body_of(draft: Draft, found: Sequence[Tender], reason: str) -> Body:
    """What policy judges and a person signs. `payment` and `vendor` are the first tender's.

    A fee that is kept stands in it only where there is one.
    """
    fee = {"return_fee_minor": draft.fee_minor, "return_fee_taxes": list(draft.fee_taxes)}
    return {
        "order": draft.order,
        "lines": list(draft.lines),
        "shipping_minor": draft.shipping_minor,
        "shipping_taxes": list(draft.shipping_taxes),
        "goodwill_percent": draft.goodwill_percent,
        "amount_minor": draft.money.amount_minor,
        "currency": draft.money.currency,
        "tenders": [tender.as_json() for tender in found],
        "payment": found[0].payment,
        "vendor": found[0].vendor,
        "reason": reason,
        **(fee if draft.fee_minor else {}),
    }


def steps_of(body: Mapping[str, Any]) -> tuple[Step, ...]:
    """The calls that move the money, and the one that shows it in the shop."""
    pays = [_pays(body, tender, first=place == 0) for place, tender in enumerate(body["tenders"])]
    shown = _shows(body)
    return (*pays, shown) if shown else tuple(pays)


def tenders_of(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Who pays how much; of a body that was signed before there were several, its one payment."""
    one = {name: body.get(name) for name in ("payment", "vendor", "amount_minor")}
    found: list[Mapping[str, Any]] = body.get("tenders") or [{**one, "gateway": ""}]
    return found


def _pays(body: Mapping[str, Any], tender: Mapping[str, Any], *, first: bool) -> Step:
    """The first call carries pieces and shipping, so that they are counted once, and what is kept of them."""
    kept = {name for name in body if name.startswith("return_fee_")} if not first else set()
    request = {
        **{name: value for name, value in body.items() if name not in kept},
        "lines": body["lines"] if first else [],
        "shipping_minor": body["shipping_minor"] if first else 0,
        "shipping_taxes": body["shipping_taxes"] if first else [],
        "amount_minor": tender["amount_minor"],
        "tenders": [tender],
        "payment": tender["payment"],
        "vendor": tender["vendor"],
    }
    money = Money(tender["amount_minor"], body["currency"])
    return Step("issue_refund", tender["vendor"], request, tender["payment"], money)


def _shows(body: Mapping[str, Any]) -> Step | None:
    """Shopify's own refunds show themselves; what Stripe or a person has paid is recorded at the shop."""
    others = [tender for tender in body["tenders"] if tender["vendor"] != "shopify"]
    if not others:
        return None
    # Where Shopify pays first, its own refund has the pieces already.
    told = body["tenders"][0]["vendor"] == "shopify"
    request = {
        "order": body["order"],
        "lines": [] if told else body["lines"],
        "shipping_minor": 0 if told else body["shipping_minor"],
        "shipping_taxes": [] if told else body["shipping_taxes"],
        "amount_minor": sum(tender["amount_minor"] for tender in others),
        "currency": body["currency"],
        "tenders": others,
    }
    return Step("record_refund", "shopify", request)
