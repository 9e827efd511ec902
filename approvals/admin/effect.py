"""An effect and its verdict as people read them: order lines with amounts, rules with values, facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals.admin.words import saw
from approvals.models import Decision
from approvals.policy import SENTENCES
from approvals.rates import Used
from tools.base import BY_HAND
from tools.catalog import cancel_order
from tools.models import Order, OrderLine, Payment
from tools.refunding.steps import tenders_of
from tools.tool_names import tool_name
from tools.types import Money
from tools.vendor_names import vendor_name


def wish(decision: Decision) -> str:
    """What was asked for, in a few words."""
    effect = decision.effect
    if decision.tool == cancel_order.NAME and "amount_minor" in effect:
        amount = Money(effect["amount_minor"], effect["currency"])
        return _("cancel the order and refund %(amount)s") % {"amount": amount}
    if "amount_minor" in effect:
        return _("refund %(amount)s") % {"amount": Money(effect["amount_minor"], effect["currency"])}
    if effect.get("template"):
        return _("message “%(template)s”") % {"template": effect["template"]}
    return tool_name(decision.tool)


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the order in the effect; `refund` is what goes back for it, `notes` what is in that or comes on top.

    Taxes are parts of the amount, duties come on top of it and are in `refund` too.
    """

    title: str
    sku: str
    quantity: int
    paid: Money
    refund: Money
    notes: tuple[str, ...] = ()


def parts(decision: Decision, order: Order | None) -> list[Part]:
    """Every line of the order with what the effect gives back for it, shipping last; empty for other effects."""
    effect = decision.effect
    if order is None or "lines" not in effect:
        return []
    wishes = {wish["line"]: wish for wish in effect["lines"]}
    result = [_part(line, wishes.get(line.pk), order.currency) for line in order.lines.all()]
    if order.shipping_minor or effect["shipping_minor"]:
        paid, back = (
            Money(minor, order.currency) for minor in (order.shipping_minor, effect["shipping_minor"])
        )
        taxes = tuple(_taxes(effect.get("shipping_taxes", []), order.currency))
        result.append(Part(_("Shipping"), "", 1, paid, back, taxes))
    fee = effect.get("return_fee_minor", 0)
    if fee:
        taxes, none = tuple(_taxes(effect["return_fee_taxes"], order.currency)), Money(0, order.currency)
        label = _("Kept for the return label")
        result.append(Part(label, "", 1, none, Money(-fee, order.currency), taxes))
    return result


def _part(line: OrderLine, wish: Mapping[str, Any] | None, currency: str) -> Part:
    wished: Mapping[str, Any] = wish or {}
    quantity, amount = wished.get("quantity", 0), wished.get("amount_minor", 0)
    duties, notes = wished.get("duties_minor", 0), list(_taxes(wished.get("taxes", []), currency))
    if duties:
        notes.append(_("with duties of %(amount)s") % {"amount": Money(duties, currency)})
        notes += _taxes(wished.get("duty_taxes", []), currency)
    title = line.title
    if wish and quantity == 0:
        title = _("%(title)s, part of the price") % {"title": line.title}
    elif wish and wish.get("restock"):
        title = _("%(title)s, put back on sale") % {"title": line.title}
    paid, back = Money(line.total_minor + line.duties_minor, currency), Money(amount + duties, currency)
    return Part(title, line.sku, quantity, paid, back, tuple(notes))


def _taxes(taxes: Iterable[Mapping[str, Any]], currency: str) -> Iterable[str]:
    for tax in taxes:
        if tax["amount_minor"]:
            yield _("includes %(amount)s %(tax)s") % {
                "amount": Money(tax["amount_minor"], currency),
                "tax": _tax_name(tax),
            }


def _tax_name(tax: Mapping[str, Any]) -> str:
    """The tax and its rate: `MwSt 19 %`, `VAT 8.875 %`."""
    if tax["rate_ppm"] is None:
        return str(tax["title"])
    percent = number_format(Decimal(tax["rate_ppm"]).scaleb(-4).normalize(), use_l10n=True)
    return f"{tax['title']} {percent} %"


def payers(decision: Decision, order: Order | None) -> list[str]:
    """What happens to the order and its money, a sentence for each step, in the order in which it happens."""
    if order is None or "lines" not in decision.effect:
        return []
    first = [cancels(order)] if decision.tool == cancel_order.NAME else []
    return first + payers_of(decision.effect, order)


def cancels(order: Order) -> str:
    """What the first step of cancelling does."""
    return _("The shop cancels order %(order)s, and nothing of it goes out.") % {"order": order.name}


def payers_of(effect: Mapping[str, Any], order: Order) -> list[str]:
    """Who gives the money of an effect's body back to what, a sentence for each tender; expects payments prefetched."""
    gateways = {payment.pk: payment.gateway for payment in order.payments.all()}
    return [
        _payer(tender, gateways.get(tender["payment"], tender["gateway"]), order)
        for tender in tenders_of(effect)
    ]


def _payer(tender: Mapping[str, Any], gateway: str, order: Order) -> str:
    amount = Money(tender["amount_minor"], order.currency)
    words = {"amount": amount, "gateway": gateway, "order": order.name}
    if tender["vendor"] == BY_HAND:
        return (
            _(
                "A person pays %(amount)s by hand, since order %(order)s was paid by %(gateway)s, and ticks it."
            )
            % words
        )
    words["vendor"] = vendor_name(tender["vendor"])
    return (
        _("%(vendor)s sends %(amount)s back to the payment (%(gateway)s) that paid order %(order)s.") % words
    )


def shown_in_shop(decision: Decision) -> bool:
    """Whether the shop's order is made to show what others than the shop have paid back."""
    return any(tender["vendor"] != "shopify" for tender in decision.effect.get("tenders", []))


DOCUMENTS: dict[str, Promise] = {
    "ours": gettext_lazy("A credit note is issued."),
    "stripe": gettext_lazy("Stripe issues the credit note of its own invoice."),
    "external": gettext_lazy("Another system has to issue the credit note."),
    "none": gettext_lazy("No credit note is issued."),
}


def document(decision: Decision) -> str:
    """Who issues the refund's document, as it is signed; empty for what was proposed before that was a part of it."""
    return str(DOCUMENTS.get(decision.effect.get("credit_note", ""), ""))


def restocked(decision: Decision) -> int:
    """How many pieces the effect puts back on sale."""
    return sum(line["quantity"] for line in decision.effect.get("lines", []) if line.get("restock"))


@dataclass(frozen=True, slots=True)
class Asked:
    """One rule that policy asked: the values it saw, its line, and whether it decided."""

    rule: str
    sentence: str | Promise
    saw: str
    decided: bool


def asked(decision: Decision) -> list[Asked]:
    """The rules in the order they were asked; the last one asked is the one that decided."""
    return [
        Asked(
            seen["rule"],
            SENTENCES.get(seen["rule"], ""),
            values_text({"currency": decision.effect.get("currency", ""), **seen.get("values", {})}),
            seen["rule"] == decision.rule,
        )
        for seen in decision.values
    ]


def values_text(values: Mapping[str, Any]) -> str:
    """What a rule saw, on one line: amounts as money, lists joined, empty ones as "none"."""
    currency = values.get("currency", "")
    texts = []
    for name, value in values.items():
        if name == "currency":
            continue
        texts.append(f"{saw(name)}: {_text(name, value, currency)}")
    return ", ".join(texts)


def _text(name: str, value: Any, currency: str) -> str:
    if name.endswith("_minor") and isinstance(value, int) and currency:
        return str(Money(value, currency))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return " ".join(map(str, value)) or _("none")
    return str(value) if value not in ("", None) else _("none")


@dataclass(frozen=True, slots=True)
class Fact:
    """Something the server knows, where from, and how old it is."""

    name: str
    value: str
    source: str
    at: Any


def facts(order: Order | None) -> list[Fact]:
    """What money depends on, as our mirror of the shop knows it. Expects payments and shipments prefetched."""
    if order is None:
        return []
    payments = list(order.payments.all())
    return [
        *[_paid(payment, order) for payment in payments],
        *[_gone(payment, order) for payment in payments],
        _parcels(order),
        Fact(_("Fraud check"), order.get_risk_level_display(), "Shopify", order.read_at),
    ]


def converted(decision: Decision) -> list[Fact]:
    """The exchange rates that the verdict's sums were made with, as they were then."""
    rules = {each["rule"]: each["values"] for each in decision.values}
    return [
        Fact(
            _("Exchange rate"),
            _("%(rate)s %(quote)s for 1 %(base)s, of %(day)s")
            % {
                "rate": f"{used.rate:f}",
                "quote": used.quote,
                "base": used.base,
                "day": date_format(used.as_of),
            },
            used.source,
            used.ended,
        )
        for used in map(Used.read, rules.get("refund.rate", {}).get("converted", []))
    ]


def _paid(payment: Payment, order: Order) -> Fact:
    amount = Money(payment.captured_minor, payment.currency)
    text = _("%(amount)s by %(gateway)s") % {"amount": amount, "gateway": payment.gateway}
    return Fact(_("Paid"), text, payment.vendor.capitalize(), order.vendor_updated_at)


def _gone(payment: Payment, order: Order) -> Fact:
    minor = payment.reserved_minor + payment.refunded_minor + payment.elsewhere_minor
    text = _("%(gone)s, %(left)s can still go back") % {
        "gone": Money(minor, payment.currency),
        "left": payment.refundable,
    }
    return Fact(_("Refunded or set aside"), text, _("own ledger"), None)


def _parcels(order: Order) -> Fact:
    parcels = list(order.shipments.all())
    words = [f"{parcel.get_status_display()} {parcel.all_numbers}".strip() for parcel in parcels]
    moments = [parcel.delivered_at or parcel.moved_at or parcel.shipped_at for parcel in parcels]
    return Fact(_("Parcels"), ", ".join(words) or _("none"), _("carrier"), max(moments, default=None))
