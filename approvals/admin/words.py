"""Codes of decisions as their readers call them: what a rule looked at, and what a refund is for."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# By the name of a value in a verdict, without the `_minor` of an amount.
SAW: dict[str, Promise] = {
    "above": _("above"),
    "address": _("to this address before"),
    "amount": _("amount"),
    "at_least": _("at least"),
    "at_most": _("at most"),
    "base_currency": _("the shop's currency"),
    "base_rates": _("exchange rates into it"),
    "by": _("by"),
    "confidence_percent": _("confidence in percent"),
    "connected": _("vendor connected"),
    "converted": _("converted by"),
    "count": _("count"),
    "currency": _("currency"),
    "customer": _("to this customer before"),
    "day": _("in the shop today"),
    "drifting": _("operations that a vendor has changed"),
    "edited": _("edited by a person"),
    "entitled_by": _("granted by"),
    "error": _("error"),
    "flags": _("flags"),
    "human_only": _("taken over by a person"),
    "instrument": _("to this payment method before"),
    "kind": _("kind"),
    "looked_at": _("photo looked at"),
    "order": _("on this order before"),
    "percent": _("percent"),
    "problem": _("problem"),
    "rates": _("exchange rates"),
    "reachable": _("customer can be reached"),
    "refusal": _("why not granted"),
    "refused_before": _("refused before"),
    "risk": _("risk"),
    "sender_is_contact": _("the sender is the order's contact"),
    "sum": _("sum"),
    "switches": _("kill switches"),
    "tells_order": _("tells of the order"),
    "together": _("together"),
    "up_to": _("up to"),
}

REASONS: dict[str, Promise] = {
    "damaged": _("damaged"),
    "goodwill": _("goodwill"),
    "lost": _("lost on the way"),
    "missing": _("missing"),
    "returned": _("returned"),
    "wrong_item": _("wrong item"),
}


def saw(name: str) -> str:
    """`amount` for `amount_minor`; a value that nobody has named yet keeps its own name."""
    plain = name.removesuffix("_minor")
    return str(SAW.get(plain, plain.replace("_", " ")))


def reason(code: str) -> str:
    """What a refund was for; empty for none."""
    return str(REASONS.get(code, code.replace("_", " ")))
