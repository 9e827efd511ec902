"""Why something was not sent, paid or delivered, in a sentence that says to staff what to do next."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# By the codes of the adapters for WhatsApp and e-mail, and of payments by hand.
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
    "email_url": _("The shop's mail server can't be used: correct EMAIL_URL in the environment."),
    "recipient_refused": _("The customer's mail server refuses this address. Ask for another one, or call."),
    "server_can_not": _("The shop's mail server can't do what is needed (TLS, signing in, or odd letters)."),
    "sign_in_refused": _(
        "The shop's mail server refuses our password. Correct EMAIL_URL in the environment."
    ),
}


def sentence(code: str) -> str:
    """The sentence for a code, empty where there is none."""
    return str(REASONS.get(code, ""))
