"""The planner that needs no key: deterministic rules over text, order state and history."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.utils.translation import gettext as _

from cases.planner import answers, moves, parcels
from cases.planner.facts import CaseFacts, OrderFact
from cases.planner.parcels import Place
from cases.planner.protocol import Proposal
from cases.planner.reading import NUMBER, Reading, answering, pending, read, read_all, words_of
from cases.triage.judge import Labels, judge

log = logging.getLogger(__name__)

FLAGS = ("fraud", "dispute", "legal", "distress", "anger")
REPEATABLE = ("order_not_shipped_yet", "order_in_transit", "order_out_for_delivery", "takes_longer")
NEEDS_ORDER = (
    *("where", "not_here", "damaged", "missing", "wrong_item", "return", "refund_status", "refund_wish"),
    *("cancel", "change", "parcel"),
)

Step = Callable[[CaseFacts], Proposal | None]


class RulesPlanner:
    """Judges what the customer wrote, where the goods are and what was done before; never a marker in the text."""

    kind = "rules"
    version = "1"
    model = ""
    prompt_hash = ""

    def propose(self, facts: CaseFacts) -> Proposal:
        """One next action; whatever can't be understood goes to a person."""
        try:
            return _checked(facts, _first(facts))
        except Exception:
            log.exception("The rules planner failed on case %d", facts.case_id)
            return moves.person("unclear", _("The rules planner failed on this case."), 0.0)


def _first(facts: CaseFacts) -> Proposal:
    for step in (_alarm, _opened_by_machine, _silence, _wish):
        proposal = step(facts)
        if proposal is not None:
            return proposal
    return moves.person("unclear", _("The message does not say what is wanted."), 0.3)


def _checked(facts: CaseFacts, proposal: Proposal) -> Proposal:
    """No action that was denied before, and no template over and over."""
    if any(denied.tool == proposal.tool for denied in facts.denied) and proposal.tool != "escalate":
        return moves.person("cannot_do", _("What would be next was denied or rejected in this case."))
    if proposal.tool == "request_information":
        return _asked_before(facts, proposal)
    if proposal.tool == "send_message":
        template = str(proposal.arguments["template"])
        if answers.sent(facts, template) >= (2 if template in REPEATABLE else 1):
            return moves.person("customer_asks", _("The customer got this answer before and writes again."))
    return proposal


def _asked_before(facts: CaseFacts, proposal: Proposal) -> Proposal:
    if proposal.arguments["question"] in facts.questions_asked:
        return moves.person("unclear", _("The question was asked before, and the answer did not help."))
    return proposal


def _alarm(facts: CaseFacts) -> Proposal | None:
    """Risk flags that are up, and what the unanswered messages betray."""
    labels = judge(words_of(pending(facts.messages)))
    raised = {*facts.flags, *labels.flags}
    reason = next((flag for flag in FLAGS if flag in raised), None)
    order = facts.order
    if order is not None and order.risk_level == "high" and reason in (None, "anger", "distress", "legal"):
        reason = "fraud"
    if reason is None:
        return None
    if reason == "fraud" and order is not None and "fraud" not in facts.flags and "fraud" in labels.flags:
        return moves.fraud(
            order, _fraud_reason(labels), _("The message speaks of a payment that is not theirs.")
        )
    return moves.person(reason, _("A risk flag or the customer's words call for a person: %s.") % reason)


def _fraud_reason(labels: Labels) -> str:
    return "stolen_card" if "fraud.stolen" in labels.hits else "unrecognised_payment"


def _opened_by_machine(facts: CaseFacts) -> Proposal | None:
    """Cases that no customer opened, as long as none has written."""
    if facts.inbound or facts.subject == "message":
        return None
    if facts.subject == "dispute":
        return moves.person("dispute", _("A disputed payment needs evidence before its deadline."))
    if facts.subject == "risk":
        return moves.person("fraud", _("The order was rated as fraud-suspect."))
    if facts.subject == "twin_order":
        return moves.person("cannot_do", _("The same order twice: one of them would have to be cancelled."))
    if facts.subject == "unfulfilled":
        return _unfulfilled(facts)
    return _stuck(facts)


def _unfulfilled(facts: CaseFacts) -> Proposal:
    if facts.order is not None and parcels.live(facts.order):
        return moves.close("nothing_to_do", _("It has been shipped since."))
    if answers.sent(facts, "delay_apology"):
        return moves.person("cannot_do", _("Still not shipped after the apology."))
    return moves.say("delay_apology", "wait_parcel", _("Paid and not shipped within the promise."))


def _stuck(facts: CaseFacts) -> Proposal:
    place = parcels.place(parcels.live(facts.order), facts.now) if facts.order is not None else Place.STUCK
    if place is Place.DELIVERED:
        return moves.close("nothing_to_do", _("It has been delivered since."))
    return moves.person("cannot_do", _("The parcel does not move: ask the carrier."))


def _silence(facts: CaseFacts) -> Proposal | None:
    """The case was woken and the customer has said nothing new."""
    if pending(facts.messages):
        return None
    last = next((m.template_key for m in reversed(facts.messages) if m.direction == "out"), None)
    if last == "takes_longer" and facts.order is not None and facts.order.returns:
        return _waited_for_return(facts)
    if last in ("still_on_the_way", "delay_apology", "takes_longer") and facts.order is not None:
        return _waited_for_parcel(facts, facts.order)
    if last == "return_instructions":
        return _waited_for_return(facts)
    return moves.close("answered", _("Everything the customer wrote is answered."))


def _waited_for_parcel(facts: CaseFacts, order: OrderFact) -> Proposal:
    place = parcels.place(parcels.live(order), facts.now)
    if place is Place.DELIVERED:
        return moves.close("answered", _("The parcel that the case waited for has arrived."))
    if place in (Place.FAILED, Place.STUCK) or answers.sent(facts, "takes_longer"):
        return moves.person("cannot_do", _("The case waited for a parcel that does not arrive."))
    return moves.say("takes_longer", "wait_parcel", _("The parcel is still on its way."))


def _waited_for_return(facts: CaseFacts) -> Proposal:
    if facts.order is None or not facts.order.returns:
        return moves.close("nothing_to_do", _("Nothing was sent back."))
    checks = _("A return has been reported: somebody checks the goods.")
    return answers.came_back(facts, facts.order) or moves.person("cannot_do", checks)


def _wish(facts: CaseFacts) -> Proposal | None:
    reading = read(facts)
    if reading is None:
        return None
    if answering(facts) and not _clear(reading):
        # An answer to our question: the wish stands in what was written before.
        return _with_order(facts, read_all(facts), answer=reading)
    if reading.wants("person"):
        return moves.person("customer_asks", _("The customer asks for a person."))
    if _only_thanks(facts, reading):
        return moves.close("nothing_to_do", _("Praise or thanks that need no answer."))
    if reading.wants("stock") and not any(reading.wants(wish) for wish in (*answers.CLAIMS, "return")):
        return answers.stock(facts, reading)
    if any(wish in reading.wishes for wish in NEEDS_ORDER):
        return _with_order(facts, reading)
    if reading.wants("product"):
        return moves.person(
            "unclear", _("A question that neither catalogue nor order data answers."), moves.FAIR
        )
    return None


def _clear(reading: Reading) -> bool:
    return any(reading.wants(wish) for wish in (*answers.CLAIMS, "cancel", "change", "stock", "person"))


def _only_thanks(facts: CaseFacts, reading: Reading) -> bool:
    wants = {wish for wish in NEEDS_ORDER if reading.wants(wish)}
    return reading.wants("thanks") and not wants and not reading.asks


def _with_order(facts: CaseFacts, reading: Reading, answer: Reading | None = None) -> Proposal | None:
    """Wishes about an order: whose it is comes first."""
    order = facts.order
    if order is None:
        return _no_order(facts, reading)
    if not facts.sender_is_contact:
        note = _("The sender is not the order's contact: no order data leaves.")
        return moves.say("cannot_discuss_order", "wait_customer", note)
    if order.cancelled:
        return answers.refund_status(facts, order, reading) or moves.person(
            "unclear", _("The order is cancelled, and the customer writes about it.")
        )
    return _about_order(facts, order, reading, answer or reading)


def _no_order(facts: CaseFacts, reading: Reading) -> Proposal:
    if NUMBER.search(reading.raw) and "order_number" in facts.questions_asked:
        return moves.say(
            "cannot_discuss_order", "wait_customer", _("The order named is not one of this sender's.")
        )
    return moves.ask("order_number", _("No order of this sender is known."))


def _about_order(facts: CaseFacts, order: OrderFact, reading: Reading, latest: Reading) -> Proposal | None:
    if latest.wants("cancel") or latest.wants("change"):
        changed = _change(facts, order, latest)
        if changed is not None:
            return changed
    if reading.wants("refund_status") or reading.wishes.get("refund_wish"):
        status = answers.refund_status(facts, order, reading)
        if status is not None:
            return status
    wish = _claim(order, reading)
    if wish == "whole_parcel":
        return answers.where(facts, order, reading)
    # "It isn't what I thought, how do I return it?" wants no money before the thing is back.
    doubtful = wish == "wrong_item" and reading.wants("return") and reading.wishes[wish] < moves.SURE
    if wish is not None and not doubtful:
        return answers.claim(facts, order, wish, latest)
    if reading.wants("return") or reading.wants("cancel"):
        return answers.send_back(facts, order, reading)
    return _rest(facts, order, reading)


def _change(facts: CaseFacts, order: OrderFact, reading: Reading) -> Proposal | None:
    """Changes to an order need a person until it has arrived; then it is a return or something else."""
    if parcels.place(parcels.live(order), facts.now) is Place.DELIVERED:
        return None
    stronger = max((reading.wishes.get(wish, 0.0) for wish in (*answers.CLAIMS, "return")), default=0.0)
    if max(reading.wishes.get("cancel", 0.0), reading.wishes.get("change", 0.0)) < stronger:
        return None
    return moves.person("cannot_do", _("No tool changes or cancels an order: a person does before it ships."))


def _claim(order: OrderFact, reading: Reading) -> str | None:
    """The strongest claim; `whole_parcel` where all of it is said not to have come."""
    best = max(answers.CLAIMS, key=lambda wish: reading.wishes.get(wish, 0.0))
    if best == "missing" and reading.wants("not_here"):
        if reading.wants("said_delivered") or len(order.lines) == 1:
            return "whole_parcel"
        if reading.wishes["not_here"] > reading.wishes.get("missing", 0.0):
            return "whole_parcel"
    return best if reading.wants(best) else None


def _rest(facts: CaseFacts, order: OrderFact, reading: Reading) -> Proposal | None:
    arrived = parcels.place(parcels.live(order), facts.now) is Place.DELIVERED
    if not arrived and (reading.wants("not_here") or reading.wishes.get("refund_wish")):
        place = parcels.place(parcels.live(order), facts.now)
        return answers.on_its_way(place, claimed=bool(reading.wishes.get("refund_wish")))
    if reading.wants("refund_status"):
        return moves.person("unclear", _("Asks for a refund that nobody knows of."))
    if reading.wants("where") or reading.wants("not_here") or reading.wants("said_delivered"):
        return answers.where(facts, order, reading)
    if reading.wishes.get("parcel") and not arrived:
        return answers.where(facts, order, reading)
    if reading.wants("thanks") and not reading.asks:
        return moves.close("nothing_to_do", _("Thanks that need no answer."), moves.FAIR)
    return None
