"""What a tool does, in the words of whoever reads a list or a page: all begin small, since some stand in a sentence."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

NAMES: dict[str, Promise] = {
    "acknowledge": _("say that a person reads it"),
    "adjust_refund": _("give another amount back"),
    "cancel_order": _("cancel the order at the shop"),
    "close_case": _("close the case"),
    "escalate": _("give the case to a person"),
    "issue_credit_note": _("issue the credit note"),
    "issue_refund": _("give the money back"),
    "lookup_customer": _("look up the customer"),
    "lookup_order": _("look up the order"),
    "lookup_stock": _("look up the stock"),
    "mark_fraud": _("mark it as fraud-suspect"),
    "record_refund": _("show the refund in the shop's order"),
    "remind": _("remind the customer"),
    "reply": _("send a person's words"),
    "request_information": _("ask the customer"),
    "send_message": _("tell the customer"),
    "tell_delay": _("say that it takes longer"),
    "tell_on_its_way": _("say that the money is on its way"),
}


def tool_name(code: str) -> str:
    """`give the money back` for `issue_refund`; a tool that is gone keeps its code."""
    return str(NAMES.get(code, code))
