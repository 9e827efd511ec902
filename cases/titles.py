"""What a case is about, in a few words made of codes: no personal text, so that lists and logs may show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases.models import Case
from tools.models import Order

# By the reason, template or question of the last action.
WORDS: dict[str, Promise] = {
    "damaged": _("Damaged item"),
    "missing": _("Missing item"),
    "wrong_item": _("Wrong item"),
    "lost": _("Lost parcel"),
    "returned": _("Refund of a return"),
    "goodwill": _("Goodwill"),
    "order_not_shipped_yet": _("Where is my order"),
    "order_in_transit": _("Where is my order"),
    "order_out_for_delivery": _("Where is my order"),
    "order_delivered": _("Where is my order"),
    "takes_longer": _("Where is my order"),
    "still_on_the_way": _("Claim before delivery"),
    "outside_window": _("Claim after the deadline"),
    "outside_return_window": _("Return after the deadline"),
    "already_refunded": _("Asks about a refund"),
    "return_instructions": _("Return"),
    "final_sale": _("Return of a final sale"),
    "in_stock_now": _("Question about stock"),
    "back_in_stock_on": _("Question about stock"),
    "delay_apology": _("Paid, not shipped in time"),
    "cannot_discuss_order": _("Asks about somebody's order"),
    "which_item": _("Claim, item not named"),
    "photo": _("Claim without a photo"),
    "order_number": _("Order not named"),
    "fraud": _("Fraud-suspect"),
    "chargeback_claim": _("Fraud-suspect"),
    "unrecognised_payment": _("Payment not recognised"),
    "stolen_card": _("Stolen card"),
    "dispute": _("Dispute"),
    "legal": _("Legal threat"),
    "distress": _("Customer in distress"),
    "anger": _("Angry customer"),
    "cannot_do": _("Wish beyond the agent's tools"),
    "unclear": _("Wish not understood"),
    "customer_asks": _("Asks for a person"),
    "nothing_to_do": _("Thanks"),
    "answered": _("Answered"),
}


def title_of(case: Case, action: Mapping[str, Any]) -> str:
    """The title after an action; the old one where the action says nothing of the subject."""
    code = action.get("template") or action.get("question") or action.get("reason") or ""
    words = WORDS.get(str(code))
    return _with_order(str(words), case.order) if words else case.title


def opening_title(subject: str, order: Order | None) -> str:
    """The title before anybody has read the case."""
    label = str(Case.Subject(subject).label)
    return _with_order(label[:1].upper() + label[1:], order)


def _with_order(words: str, order: Order | None) -> str:
    return f"{words}, {order.name}" if order else words
