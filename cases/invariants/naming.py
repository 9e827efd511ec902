"""Where a stranger finds a row that a violation names: its model, its id, and its page in the admin if it has one."""

from __future__ import annotations

from django.apps import apps
from django.urls import NoReverseMatch, reverse

from audit.models import Entry

# The words by which queries name rows, and the model of each.
MODELS = {
    "absence": "approvals.absence",
    "approval": "approvals.approvalrequest",
    "call": "tools.toolcall",
    "cancellation": "cases.cancellation",
    "caps": "approvals.capsversion",
    "case": "cases.case",
    "credit note": "tools.creditnote",
    "decision": "approvals.decision",
    "delegation": "approvals.delegation",
    "drift": "tools.drift",
    "event": "cases.inboundevent",
    "exception": "approvals.limitexception",
    "feed run": "tools.feedrun",
    "fraud list entry": "cases.fraudentry",
    "hand-off": "cases.handoff",
    "kill switch": "approvals.killswitch",
    "legal entity": "cases.legalentity",
    "limits": "approvals.limitversion",
    "message": "cases.message",
    "order": "tools.order",
    "order line": "tools.orderline",
    "payment": "tools.payment",
    "payment task": "cases.paymenttask",
    "recusal": "approvals.recusal",
    "reset of a second factor": "approvals.factorreset",
    "reversal": "approvals.reversal",
    "risk flag": "approvals.riskflag",
    "signature": "approvals.signature",
    "stock reading": "tools.stockreading",
    "terms": "approvals.termsversion",
}


def name_of(row: str) -> dict[str, str]:
    """`model`, `id` and `link` (a path, empty where the admin has no page) of a row as a violation names it.

    A place in the log is its entry where that is there, else the head of its stream. A vendor's refund is the calls
    that claim it, by the vendor's own id.
    """
    word, _space, pk = row.rpartition(" ")
    if word in MODELS:
        return _named(MODELS[word], pk)
    if word == "refund":
        return {"model": "tools.toolcall", "id": f"vendor_ref={pk}", "link": ""}
    stream, _hash, seq = row.partition(" #")
    entry = Entry.objects.filter(stream=stream, seq=int(seq)).first() if seq.isdigit() else None
    if entry is None:
        return {"model": "audit.streamhead", "id": stream, "link": ""}
    return _named("audit.entry", str(entry.pk))


def _named(label: str, pk: str) -> dict[str, str]:
    app, model = apps.get_model(label)._meta.label_lower.split(".")
    try:
        link = reverse(f"admin:{app}_{model}_change", args=[pk])
    except NoReverseMatch:
        link = ""
    return {"model": label, "id": pk, "link": link}
