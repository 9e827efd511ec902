"""Why a call did not do what it was made for, in a sentence for whoever has its case: by the code that it ended with.

A code that isn't here is the vendor's own word; `otherwise` says where to look it up.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

FAILURES: dict[str, Promise] = {
    "moved_money": _(
        "The shop moved money where it was only to write a refund down. Look at the order there before anything else."
    ),
    "approver.lost_role": _("Who signed it no longer has the right to. Somebody else decides anew."),
    "case.taken_over": _("A colleague has taken the case over, so nothing was sent."),
    "circuit_open": _("The vendor does not answer and is given a rest. It is tried again by itself."),
    "contract_drift": _("The vendor's answer has another form than it had. Look at what has changed."),
    "crashed": _(
        "The program stumbled while it was sending, so nobody knows whether it was done. Look at the vendor's pages."
    ),
    "credit_note.does_not_add_up": _(
        "The document would not add up to the refund, so it was not issued. Issue it in your accounts, and tell whoever"
        " runs the system."
    ),
    "credit_note.no_seller": _(
        "The seller's address, country or tax id is missing. Fill in the legal entity, then issue the document here."
    ),
    "credit_note.nothing_given_back": _(
        "None of this refund has gone back, so there is nothing to document. Look at the refund first."
    ),
    "credit_note.partly_by_stripe": _(
        "Stripe has credited a part of this refund on its own invoice. Issue the document of the rest in your accounts."
    ),
    "echo_mismatch": _(
        "The vendor answered with another amount, payment or order than was asked for. Look there what really moved."
    ),
    "error": _("Something went wrong at the vendor. Look at the vendor's own pages."),
    "facts.not_read": _("The order could not be read at the shop for too long, so nothing was sent."),
    "failed_at_vendor": _("The vendor tried and failed: nothing has arrived. Agree on another way."),
    "failed_later": _("The vendor took it back after it was done: nothing has arrived."),
    "graphql_error": _("The shop refused the request as such. Tell whoever runs the system."),
    "idempotency": _("The shop still works on the same request. It is read again until that is known."),
    "INTERNAL_ERROR": _(
        "The shop had a fault of its own, so nobody knows whether it was done. It is read again."
    ),
    "more_than_suggested": _(
        "The shop would give less back than was decided. See in the shop what was refunded already."
    ),
    "news": _("Something new has come in a case that a colleague has. Read it, then go on."),
    "no_job": _(
        "The shop took the cancellation and named no job for it. Look whether the order is cancelled."
    ),
    "no_refund": _("The shop took the refund and named none. Look whether the order shows it."),
    "not_configured": _("The vendor isn't connected: a setting is missing. Tell whoever runs the system."),
    "not_found": _("The shop doesn't know this order any more. Look whether it was deleted."),
    "not_reached": _("The shop's mail server can't be reached. It is tried again by itself."),
    "not_sent": _("The mail server took none of the message. Write to the customer another way."),
    "nothing_suggested": _(
        "The shop sees nothing that it could give back for this. See what was refunded already."
    ),
    "order_too_long": _("The order has more parts than can be read. Do it at the shop by hand."),
    "outcome_unknown": _("The answer was lost, so nobody knows yet whether it was done. It is read again."),
    "rate_budget": _("The vendor has been asked often enough for now. It is tried again by itself."),
    "rate_limited": _("The vendor wants a pause. It is tried again by itself."),
    "read_only": _("The vendor's answers have changed, so nothing is sent until somebody clears the drift."),
    "refund_failed": _("Stripe could not pay it to the card. Agree with the customer on another way."),
    "refund_not_found": _(
        "Stripe's credit note is there and its refund is not. Look at the invoice at Stripe."
    ),
    "refused": _("The vendor said no. Look at its own pages why."),
    "step_before_failed": _("A step before it did not happen, so it had no turn."),
    "stored_error": _("Stripe only repeats an old fault of its own. It is read until that is known."),
    "switch.engaged": _("A colleague has stopped this kind of action, so nothing was sent."),
    "test_mode": _("The order is a test and the payment is not, or the other way round. Nothing was sent."),
    "too_many": _("The vendor's list is longer than can be read. Look at its own pages."),
    "too_many_locations": _("The item is kept in more places than can be read. Look at the shop."),
    "too_many_types": _(
        "More kinds of event were asked for than Stripe takes. Tell whoever runs the system."
    ),
    "tool.sends_nothing": _("This action has nothing to send. Tell whoever runs the system."),
    "transaction_failed": _("The shop could not pay it back. Agree with the customer on another way."),
    "unavailable": _("The vendor can't be reached. It is tried again by itself."),
    "undone": _("A colleague took it back before it was sent."),
    "unreadable": _("The vendor's answer could not be read, so nobody knows yet whether it was done."),
    "woken.customer": _(
        "The customer has not answered in time, and a colleague has this case. Go on with it."
    ),
    "woken.effect": _("What was under way has not ended in time, and a colleague has this case. Look why."),
    "woken.parcel": _("The parcel has not come in time, and a colleague has this case. Look where it is."),
    "woken.return": _("The return has not come in time, and a colleague has this case. Look where it is."),
    "woken.snooze": _("A colleague had set this aside until now. Go on with it."),
}
OTHERWISE = _("The vendor's own word for it is above. Look at its pages what it means.")
