"""What a sensible shop does about each wish, by the state of the order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from approvals.entitlement import HEARD_FOR
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
    late = [line for line, _n in about.parts if _late(order, line, facts.terms.days(wish), facts)]
    if late:
        note = _("Reported later than the shop's terms allow after delivery.")
        return moves.say("outside_window", "close", note)
    parts = [(line, min(n, line.open_quantity)) for line, n in about.parts if line.open_quantity]
    if _wants_photo(facts, parts, wish):
        note = _("Above the amount from which the shop's terms want a photo, and there is none.")
        return moves.ask("photo", note)
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


def _wants_photo(facts: CaseFacts, parts: Sequence[tuple[LineFact, int]], wish: str) -> bool:
    """Whether the terms want a photo that nobody has sent; of what is missing there is none."""
    above = facts.terms.photo_above_minor
    if above is None or wish == "missing" or any(message.attachments for message in facts.inbound):
        return False
    return sum(line.total_minor * n // line.quantity for line, n in parts) > above


def _late(order: OrderFact, line: LineFact, days: int, facts: CaseFacts) -> bool:
    arrived = parcels.arrived_at(parcels.of_line(order, line))
    return parcels.older_than(arrived, days, _said_at(facts, arrived))


def _said_at(facts: CaseFacts, arrived: datetime | None) -> datetime:
    """When the customer first wrote of late about what had arrived: our questions take no right away."""
    since = max(arrived or facts.now, facts.now - HEARD_FOR)
    return min((message.at for message in facts.inbound if message.at >= since), default=facts.now)


def came_back(facts: CaseFacts, order: OrderFact) -> Proposal | None:
    """The refund of what the shop has in its hands again; None where that is nothing that wasn't refunded."""
    here: Counter[int] = Counter()
    for back in order.returns:
        if back.status in ("open", "closed"):
            for piece in back.pieces:
                here[piece.line_id] += piece.here
    found = [(line, here[line.id] - line.refunded_quantity) for line in order.lines]
    parts = [(line, min(n, line.open_quantity)) for line, n in found if min(n, line.open_quantity) > 0]
    if not parts:
        return None
    whole = _all_back(order, {line.id: n for line, n in parts}, here)
    note = _("The shop has %(count)d line(s) back.") % {"count": len(parts)}
    shipping = whole and order.shipping_minor > 0 and _by_law(facts, order)
    return moves.refund(order, parts, "returned", note, shipping=shipping)


def _all_back(order: OrderFact, now: Mapping[int, int], here: Mapping[int, int]) -> bool:
    """Whether these pieces are the last of an order that came back, be it in one step or in several."""
    return all(
        line.open_quantity == now.get(line.id, 0) and here.get(line.id, 0) >= line.quantity
        for line in order.lines
    )


def _by_law(facts: CaseFacts, order: OrderFact) -> bool:
    """Whether the return was asked for while the law's own right lasted."""
    days, arrived = facts.terms.withdrawal_days, order.delivered_at
    asked = [back.requested_at for back in order.returns if back.pieces]
    return days is not None and bool(asked) and not parcels.older_than(arrived, days, max(asked))


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
        return came_back(facts, order) or moves.say(
            "takes_longer", "wait_return", _("A return is on its way; the refund follows it.")
        )
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
