"""What staff read of a rule that grants a refund, or of why none does: a sentence with the values it saw."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TypeAlias

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tools.types import Money

Value: TypeAlias = str | int

GRANTS: dict[str, Promise] = {
    "terms.damaged": _(
        "Claimed as damaged. It arrived on %(arrived)s, the first word after that came on %(heard)s, and the last of"
        " %(days)s days is %(until)s."
    ),
    "terms.wrong_item": _(
        "Claimed as the wrong item. It arrived on %(arrived)s, the first word after that came on %(heard)s, and the"
        " last of %(days)s days is %(until)s."
    ),
    "terms.missing": _(
        "Claimed as missing. The rest arrived on %(arrived)s, the first word after that came on %(heard)s, and the last"
        " of %(days)s days is %(until)s."
    ),
    "terms.withdrawal": _(
        "Withdrawn from within %(days)s days (%(country)s): the last parcel arrived on %(arrived)s, and the last day is"
        " %(until)s."
    ),
    "terms.returned": _(
        "Sent back, and asked for within %(days)s days: it arrived on %(arrived)s, and the last day is %(until)s."
    ),
    "terms.goodwill": _(
        "Goodwill of %(percent)s %%. It arrived on %(arrived)s, the first word after that came on %(heard)s, and the"
        " last of %(days)s days is %(until)s."
    ),
    "terms.cancelled": _("Cancelled before anything was sent, so the shop owes all of it."),
}
REFUSALS: dict[str, Promise] = {
    "terms.none": _("The shop has no terms in force."),
    "claim.reason": _("No rule of the shop's terms is about this reason."),
    "claim.lost": _("Whether a parcel is lost, the carrier says: a person asks them."),
    "claim.empty": _("No line is claimed."),
    "parcel.none": _("No parcel holds what is claimed."),
    "parcel.not_delivered": _("What hasn't arrived is neither damaged nor wrong nor missing."),
    "parcel.no_time": _("Nobody knows when the parcel arrived."),
    "window.over": _(
        "The first word after it arrived on %(arrived)s came on %(heard)s, after %(until)s, the last of %(days)s days."
    ),
    "window.return": _(
        "Asked for after %(until)s, the last of %(days)s days after it arrived on %(arrived)s."
    ),
    "goodwill.none": _("The shop's terms give no goodwill."),
    "photo.missing": _("Above %(above_minor)s the shop wants a photo, and there is none."),
    "return.none": _("The shop knows of no return that holds all of what is claimed."),
    "return.not_sent": _("The goods have not been sent back."),
    "return.in_transit": _("The return is on its way, not received."),
    "return.not_inspected": _("The return is received, and nobody has inspected it."),
    "return.fee": _("More would be kept of the refund for the label than the terms say: %(kept_minor)s."),
    "goods.hygiene": _("Sealed for hygiene: a person looks whether it was opened."),
    "goods.final_sale": _("Sold as final sale, and no right of withdrawal holds."),
    "goods.no_sku": _("Without a SKU nobody knows whether the goods may come back."),
    "shipping.part": _("Shipping goes back with the whole order only."),
    "shipping.kept": _("The shop's terms keep the shipping of what is sent back by choice."),
    "shipping.owed": _("A withdrawal from the whole order gives the standard shipping back too."),
    "shipping.dearer": _(
        "A dearer delivery than the standard one was chosen: a person gives back %(standard_minor)s of it."
    ),
    "shipping.no_rate": _("The shop's terms don't say what the standard delivery costs in %(currency)s."),
    "order.has_left": _("Part of the order has left."),
    "refund.unnamed_elsewhere": _(
        "%(unnamed_minor)s went back by hand, and nobody knows for which goods: these may be the very ones."
    ),
}
# Who paid for sending it back, said after the rule.
PAID_BY: dict[str, Promise] = {
    "shop": _("The shop pays for sending it back."),
    "customer": _("The customer pays the carrier for sending it back, so nothing is kept of the refund."),
    "label": _("It came by the shop's label, for which %(fee_minor)s is kept of the refund."),
}
BY_OLDER = _(
    "By terms v%(terms)s, which held when the order was placed and give the customer more than those of today."
)
SENTENCES = {**GRANTS, **REFUSALS}
DATES = ("arrived", "heard", "until")


def say(name: str, values: Mapping[str, Value]) -> str:
    """The sentence of a rule or a refusal with its values, for staff; empty for a name that nobody knows."""
    if name not in SENTENCES:
        return ""
    sentences = [SENTENCES[name]]
    paid_by = str(values.get("return_shipping", ""))
    if name in GRANTS and paid_by in PAID_BY and ("fee_minor" in values or paid_by != "label"):
        sentences.append(PAID_BY[paid_by])
    if name in GRANTS and values.get("terms_of") == "order":
        sentences.append(BY_OLDER)
    # Decisions of before this was kept say so.
    unkept = {"heard": _("a day that was not kept")}
    said = {**unkept, **{key: _said(key, value, values) for key, value in values.items()}}
    return " ".join(str(sentence) % said for sentence in sentences)


def _said(key: str, value: Value, values: Mapping[str, Value]) -> str:
    if key.endswith("_minor"):
        return str(Money(int(value), str(values["currency"])))
    return date_format(date.fromisoformat(str(value))) if key in DATES else str(value)
