"""Differences from a contract that we chose, each with its reason: the check doesn't tell of them.

The key is (vendor, what the difference is called, whose it is): for a reply the model's field, for a request the
operation and the parameter. A test fails where an entry excuses nothing.
"""

from __future__ import annotations

ALWAYS_SENT = "Meta's contract requires no field of any answer, and without this one the answer says nothing"
IN_ITS_REFERENCE = "documented in the reference of the endpoint, and missing in the contract, which is older"

NULL_WITH_ERRORS = (
    "a mutation is null only beside `errors`, which are judged before; a null alone must stop us"
)

ACCEPTED: dict[tuple[str, str, str], str] = {
    ("shopify", "null", "RefundData.refundCreate"): NULL_WITH_ERRORS,
    ("shopify", "null", "CancelData.orderCancel"): NULL_WITH_ERRORS,
    ("shopify", "null", "TagsData.tagsAdd"): NULL_WITH_ERRORS,
    ("shopify", "null", "UpdateData.orderUpdate"): NULL_WITH_ERRORS,
    ("shopify", "null", "Piece.quantity"): (
        "with a parcel of which the count is not told nobody can reckon what has arrived"
    ),
    ("shopify", "values", "Quantity.name"): "the document itself asks for these names, and for no other",
    ("stripe", "values", "RefundObject.status"): (
        "Stripe's types call the status text; https://docs.stripe.com/api/refunds/object lists its values, and another "
        "one must stop us, since it says whether money moved"
    ),
    ("stripe", "optional", "EvidenceDetails.due_by"): (
        "Stripe writes null where there is no deadline; one that is left out altogether must be noticed"
    ),
    ("stripe", "gone", "RefundObject.livemode"): (
        "Stripe's refunds don't tell their mode; what stands in for Stripe may, and must then be the key's"
    ),
    ("klaviyo", "optional", "_Profile.id"): "JSON:API requires an id of every resource that exists",
    ("klaviyo", "null", "_Profile.id"): "JSON:API requires an id of every resource that exists",
    ("whatsapp", "unknown", "messages.send biz_opaque_callback_data"): IN_ITS_REFERENCE,
    ("whatsapp", "unknown", "messages.send recipient"): IN_ITS_REFERENCE,
    (
        "whatsapp",
        "missing",
        "messages.send to",
    ): "a business-scoped user id goes as `recipient`, in its stead",
    ("whatsapp", "optional", "_SendReply.messages"): ALWAYS_SENT,
    ("whatsapp", "optional", "_Sent.id"): ALWAYS_SENT,
    ("whatsapp", "unknown", "message_templates.list fields"): IN_ITS_REFERENCE,
    ("whatsapp", "unknown", "message_templates.list limit"): IN_ITS_REFERENCE,
    ("whatsapp", "unknown", "message_templates.list after"): IN_ITS_REFERENCE,
    ("whatsapp", "optional", "_TemplatesReply.data"): ALWAYS_SENT,
    ("whatsapp", "optional", "_Template.name"): ALWAYS_SENT,
    ("whatsapp", "optional", "_Template.language"): ALWAYS_SENT,
    ("whatsapp", "optional", "_Template.status"): ALWAYS_SENT,
    ("whatsapp", "gone", "_Paging.next"): IN_ITS_REFERENCE,
}
