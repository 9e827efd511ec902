"""Why something was not sent, paid or delivered, in a sentence that says to staff what to do next."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tools.failures import FAILURES, OTHERWISE

# By the codes of the adapters for WhatsApp and e-mail, of payments by hand, and of what tools refuse (InvalidArgs).
REASONS: dict[str, Promise] = {
    "account_blocked": _(
        "WhatsApp has blocked the shop's account. Look into WhatsApp Manager; write by e-mail."
    ),
    "account_unpaid": _(
        "WhatsApp waits for the shop's payment. Settle it in WhatsApp Manager, then reply again."
    ),
    "held_back_by_whatsapp": _("WhatsApp held the message back. Reply again tomorrow, or write by e-mail."),
    "needs_phone_number": _(
        "WhatsApp wants a phone number for this message, and the customer hides theirs. Write by e-mail."
    ),
    "not_delivered": _("WhatsApp could not deliver the message. Reply again, or write by e-mail."),
    "not_on_whatsapp": _("WhatsApp doesn't reach this customer. Write by e-mail or call."),
    "number_not_registered": _(
        "The shop's own number isn't registered at WhatsApp. Register it, then reply again."
    ),
    "template_does_not_fit": _(
        "The template opsagent_message has other parameters at WhatsApp than ours: it takes exactly one text."
    ),
    "template_not_approved": _(
        "The template opsagent_message isn't approved at WhatsApp in the customer's language. Have it approved in"
        " WhatsApp Manager, or write by e-mail."
    ),
    "text_too_long": _("The text is too long for WhatsApp. Send it in parts."),
    "token_invalid": _(
        "WhatsApp no longer takes the shop's access token. Put a new one into the environment."
    ),
    "window_closed": _(
        "The customer wrote more than 24 hours ago, so WhatsApp takes no free text. Reply again: it goes as the"
        " approved template."
    ),
    "payment.dropped": _(
        "A colleague said that the payment by hand will not be made. Agree with the customer."
    ),
    "payment.overdue": _("A payment by hand is late. Pay it and tick it, or say why it isn't paid."),
    "address": _("The address can't be written to as it stands. Correct it at the shop, then reply again."),
    "cancel.not_read": _(
        "The shop or Stripe could not be asked about the order just now. Look again in a while, or cancel it there."
    ),
    "effect.changed": _(
        "The order changed after this was decided: it would be another refund today, so it was not sent. Decide anew."
    ),
    "email_url": _("The shop's mail server can't be used: correct EMAIL_URL in the environment."),
    "amount_not_expressible": _(
        "Stripe can't take this amount in its currency. Refund it in Stripe's dashboard."
    ),
    "invalid_args": _(
        "The request was not sent, because something in it isn't valid. Do it at the vendor by hand."
    ),
    "key_too_long": _(
        "The request was not sent: its key is too long for the vendor. Tell whoever runs the system."
    ),
    "line.not_of_order": _(
        "The planner named goods that aren't part of this order. Choose what to refund yourself."
    ),
    "no_budget": _("Nobody has said how often this vendor may be asked. Tell whoever runs the system."),
    "no_key": _("The request was not sent, since it had no key of its own. Tell whoever runs the system."),
    "no_shop": _("The request names a shop that isn't connected. Tell whoever runs the system."),
    "order.cancelled_already": _("The order is cancelled already. See what has gone back, then answer."),
    "order.has_left": _("Part of the order has left already, so it can't be cancelled. Agree on a return."),
    "order.not_of_case": _(
        "The planner named an order that isn't this case's. Decide for the right order yourself."
    ),
    "other_mode": _(
        "This payment is of Stripe's test mode and our key is not, or the other way round. Check the shop's key."
    ),
    "refund.more_than_bought": _(
        "The planner wants to refund more pieces than are left of a line. See what has gone back already."
    ),
    "refund.more_than_refundable": _(
        "The payments can't give that much back any more. See what was refunded elsewhere or is disputed."
    ),
    "refund.not_done": _("The customer was to hear of a refund, but none is done. Check the refund first."),
    "refund.not_on_its_way": _("The customer was to hear that a refund is on its way, but none is."),
    "refund.not_quoted": _(
        "The order was paid in several ways and the shop gave no split that still fits. Refund it at the shop."
    ),
    "refund.not_split": _(
        "The shop says that none of this order's payments can give it back. Pay it another way."
    ),
    "refund.done_elsewhere": _(
        "Somebody refunded these goods by hand, or took them off the order, before ours was sent: ours was not."
        " See what went back, then answer."
    ),
    "refund.unnamed_elsewhere": _(
        "Somebody refunded money of this order by hand without saying for which goods. These may be the very ones, so"
        " ours was not sent. See what that was for, then decide."
    ),
    "refund.nothing_left": _("Nothing is left to refund of what was asked for."),
    "refund.several_tenders": _(
        "The order was paid in several ways, so another amount can't be split here. Reject this, and refund it at the"
        " shop."
    ),
    "refund.unknown_gateway": _(
        "The order was paid in a way that we don't know how to give back. Refund it where it was paid."
    ),
    "refund.unproven_charge": _(
        "Stripe did not confirm that it holds this payment for the shop, in this currency and size. Look it up in"
        " Stripe's dashboard before anything is paid."
    ),
    "sku.unknown": _("The planner named an item that the shop doesn't know. Answer the customer yourself."),
    "tool.arguments": _(
        "The planner's action was incomplete or had parts that don't exist. Decide yourself."
    ),
    "tool.only_a_step": _("The planner asked for a step that only ever follows a refund. Decide yourself."),
    "tool.unknown": _("The planner named an action that doesn't exist. Decide yourself."),
    "recipient_refused": _("The customer's mail server refuses this address. Ask for another one, or call."),
    "server_can_not": _("The shop's mail server can't do what is needed (TLS, signing in, or odd letters)."),
    "sign_in_refused": _(
        "The shop's mail server refuses our password. Correct EMAIL_URL in the environment."
    ),
}


def sentence(code: str) -> str:
    """The sentence for a code, empty where there is none."""
    return str(REASONS.get(code) or FAILURES.get(code) or "")


def failure(code: str) -> str:
    """Why a call ended with this code, in words for every code; empty for none."""
    return sentence(code) or str(OTHERWISE) if code else ""
