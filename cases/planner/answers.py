"""What a sensible shop does about each wish, by the state of the order."""

from __future__ import annotations

from django.utils.translation import gettext as _

from cases.planner import moves, parcels
from cases.planner.facts import CaseFacts, LineFact, OrderFact, StockFact
from cases.planner.items import Claimed, claimed, named
from cases.planner.parcels import Place
from cases.planner.protocol import Proposal
from cases.planner.reading import Reading, answering, read_all

CLAIMS = ("damaged", "wrong_item", "missing")


def where(facts: CaseFacts, order: OrderFact, reading: Reading) -> Proposal:
    """The parcel's state, as a template."""
    place = parcels.place(parcels.live(order), facts.now)
    if place is Place.DELIVERED:
        if any(reading.wants(wish) for wish in ("not_here", "where", "said_delivered")):
            return not_here(facts)
        return moves.say("order_delivered", "close", _("The carrier says delivered."), moves.FAIR)
    return on_its_way(place)


def on_its_way(place: Place, *, claimed: bool = False) -> Proposal:
    """Goods that haven't arrived; `claimed`: the customer took them for missing or broken."""
    if place is Place.NOT_SHIPPED:
        return moves.say("order_not_shipped_yet", "close", _("Not shipped yet."))
    if place is Place.FAILED:
        return moves.person("cannot_do", _("The carrier could not deliver; somebody has to arrange it anew."))
    if place is Place.STUCK:
        return moves.person("cannot_do", _("The parcel has not moved for ten days: ask the carrier."))
    if claimed:
        note = _("The parcel is still on its way, so nothing is missing or broken yet.")
        return moves.say("still_on_the_way", "wait_parcel", note)
    if place is Place.OUT_FOR_DELIVERY:
        return moves.say("order_out_for_delivery", "close", _("Out for delivery."))
    return moves.say("order_in_transit", "close", _("In transit and moving."))


def not_here(facts: CaseFacts) -> Proposal:
    """Delivered by the carrier's word, not by the customer's: first they look around, then a person does."""
    if sent(facts, "order_delivered"):
        return moves.person(
            "cannot_do", _("Said to be delivered, and the customer has looked and not found it.")
        )
    note = _("Delivered by the carrier's word: the customer looks around and answers.")
    return moves.say("order_delivered", "wait_customer", note)


def claim(facts: CaseFacts, order: OrderFact, wish: str, reading: Reading) -> Proposal:
    """Damaged, wrong or missing goods."""
    about = _about(facts, order, wish, reading)
    place = _place(facts, order, about)
    if place is not Place.DELIVERED:
        return on_its_way(place, claimed=True)
    if about.named and not any(line.open_quantity for line in about.named):
        return refunded_already()
    if about.parts is None:
        return _which(facts)
    days = facts.terms.missing_days if wish == "missing" else facts.terms.damage_days
    late = [line for line, _n in about.parts if _late(order, line, days, facts)]
    if late:
        note = _("Reported later than the shop's terms allow after delivery.")
        return moves.say("outside_window", "close", note)
    parts = [(line, min(n, line.open_quantity)) for line, n in about.parts if line.open_quantity]
    note = _("Delivered and within the terms: %(count)d line(s) claimed as %(wish)s.") % {
        "count": len(parts),
        "wish": wish,
    }
    return moves.refund(order, parts, wish, note)


def _about(facts: CaseFacts, order: OrderFact, wish: str, reading: Reading) -> Claimed:
    """After a question, the claim stands in the earlier messages and the item in the answer."""
    if answering(facts):
        return claimed(read_all(facts), wish, order.lines, later=reading)
    return claimed(reading, wish, order.lines)


def _place(facts: CaseFacts, order: OrderFact, about: Claimed) -> Place:
    if not about.named:
        return parcels.place(parcels.live(order), facts.now)
    places = [parcels.place(parcels.of_line(order, line), facts.now) for line in about.named]
    return next((place for place in places if place is not Place.DELIVERED), Place.DELIVERED)


def _late(order: OrderFact, line: LineFact, days: int, facts: CaseFacts) -> bool:
    return parcels.older_than(parcels.arrived_at(parcels.of_line(order, line)), days, facts.now)


def _which(facts: CaseFacts) -> Proposal:
    if "which_item" in facts.questions_asked:
        return moves.person("unclear", _("Asked which item it is about, and the answer does not say."))
    return moves.ask("which_item", _("The message does not say which item, or how many pieces."))


def refunded_already() -> Proposal:
    """The money is on its way or there."""
    return moves.say("already_refunded", "close", _("These pieces are refunded already."))


def refund_status(facts: CaseFacts, order: OrderFact, reading: Reading) -> Proposal | None:
    """Where is my money? None where no refund is known and something else may be meant."""
    if order.refunds or (order.lines and not any(line.open_quantity for line in order.lines)):
        about = claimed(reading, "refund_status", order.lines)
        if not about.named or any(line.refunded_quantity or line.refunded_minor for line in about.named):
            return refunded_already()
    if order.returns:
        return moves.say("takes_longer", "wait_return", _("A return is on its way; the refund follows it."))
    return None


def send_back(facts: CaseFacts, order: OrderFact, reading: Reading) -> Proposal:
    """A return, or a cancellation that comes too late to be one."""
    place = parcels.place(parcels.live(order), facts.now)
    if place is Place.NOT_SHIPPED:
        return moves.person(
            "cannot_do", _("Not wanted any more and not shipped yet: somebody has to stop it.")
        )
    about = claimed(reading, "return", order.lines)
    lines = about.named or order.lines
    if all(line.final_sale for line in lines):
        return moves.say("final_sale", "close", _("Sold as final sale."))
    if not any(line.open_quantity for line in lines):
        return refunded_already()
    if all(_late(order, line, facts.terms.return_days, facts) for line in lines):
        note = _("Delivered longer ago than the return period.")
        return moves.say("outside_return_window", "close", note)
    return moves.say("return_instructions", "wait_return", _("Within the return period."))


def stock(facts: CaseFacts, reading: Reading) -> Proposal:
    """Is it in stock, or when will it be?"""
    item = item_in_question(facts, reading)
    if item is None:
        return moves.person("unclear", _("A stock question, and no data of ours names the item."), moves.FAIR)
    if item.available is not None and item.available > 0:
        return moves.say("in_stock_now", "close", _("%(sku)s is in stock.") % {"sku": item.sku}, sku=item.sku)
    if item.restock_on is not None and item.restock_on >= facts.now.date():
        note = _("The supplier expects %(sku)s on %(date)s.") % {"sku": item.sku, "date": item.restock_on}
        return moves.say("back_in_stock_on", "close", note, sku=item.sku)
    if item.available is None and item.supplier_available:
        return moves.say(
            "in_stock_now", "close", _("The supplier has %(sku)s.") % {"sku": item.sku}, moves.FAIR
        )
    note = _("Neither shop nor supplier knows when %(sku)s comes back.") % {"sku": item.sku}
    return moves.person("cannot_do", note)


def item_in_question(facts: CaseFacts, reading: Reading | None = None) -> StockFact | None:
    """The one item of `facts.stock` that the customer asks about; None where none or several are named."""
    reading = reading or read_all(facts)
    titles = [(item.title, item.sku) for item in facts.stock]
    found = named(reading.text.raw, titles, reading.code)
    return facts.stock[found[0]] if len(found) == 1 else None


def sent(facts: CaseFacts, template: str) -> int:
    """How often this case has sent a template."""
    return sum(message.direction == "out" and message.template_key == template for message in facts.messages)
