"""More bugs to plant: in what a refund is made of, its tenders, its document, and what people do about it."""

from __future__ import annotations

from opsagent.simulation.bugs import AGAIN, EXECUTION, LEDGER, SAME_TODAY, SIGNING, Bug, Edit

PAYING, CHANNELS = "cases/paying.py", "tools/catalog/channels.py"
REFUND, CANCEL = "tools/catalog/issue_refund.py", "tools/catalog/cancel_order.py"
COMPOSITION, TENDERS = "tools/refunding/composition.py", "tools/refunding/tenders.py"
STEPS, WISHES = "tools/refunding/steps.py", "tools/refunding/wishes.py"
ISSUING = "tools/credit_notes/issuing.py"
DOCUMENT_STEP = "*((issues,) if issues else ()),"
ITS_TURN = "position__lt=call.position)\n    return not earlier.exclude(state=State.SUCCEEDED).exists()"

STORY_BUGS: tuple[Bug, ...] = (
    # locks and walls
    Bug(
        "money is set aside without a lock",
        (
            Edit(
                "approvals/exposure.py",
                "    if effect.worth is None:\n        return\n    try:",
                "    if effect:\n        return\n    try:",
            ),
            Edit(LEDGER, "    if order_id is not None:", "    if False:"),
            Edit(
                LEDGER,
                '    Order.objects.select_for_update(no_key=True).get(pk=body["order"])\n    return body',
                "    return body",
            ),
            Edit(
                LEDGER,
                "    payment = Payment.objects.select_for_update().get(pk=call.payment_id)\n    if payment",
                "    payment = Payment.objects.get(pk=call.payment_id)\n    if payment",
            ),
        ),
    ),
    Bug(
        "a request is decided without its lock",
        (
            Edit(
                SIGNING,
                "    lock_order(order_id)\n"
                '    apps.get_model("cases", "Case")._default_manager.select_for_update().get(pk=case_id)\n',
                "",
            ),
            Edit(
                SIGNING,
                'select_for_update(of=("self",), no_key=True).select_related(\n        "decision__limits"',
                'select_related(\n        "decision__limits"',
            ),
        ),
    ),
    Bug(
        "a decision may refund a payment twice: the unique constraint is missing",
        (
            Edit(
                "tools/migrations/0016_refunds_by_line_tax_and_tender.py",
                'fields=("decision", "payment"),\n                name="decision_refunds_a_payment_once"',
                'fields=("decision", "payment", "position"),\n                name="decision_refunds_a_payment_once"',
            ),
        ),
    ),
    Bug(
        "two calls may have one key: the unique constraint is missing",
        (
            Edit(
                "tools/migrations/0001_initial.py",
                '("idempotency_key", models.UUIDField(unique=True,',
                '("idempotency_key", models.UUIDField(',
            ),
        ),
    ),
    Bug(
        "what was signed isn't compared with what is sent",
        (
            Edit(SIGNING, "    if problem or effect.digest != request.effect_hash:", "    if problem:"),
            Edit(AGAIN, SAME_TODAY, '    return ""'),
        ),
    ),
    Bug(
        "a refund of the same amount counts as the same refund",
        (
            Edit(
                EXECUTION,
                "    send = TOOLS[call.tool].send\n",
                "    same = ToolCall.objects.filter(\n"
                "        payment=call.payment_id, amount_minor=call.amount_minor, state=State.SUCCEEDED\n"
                "    ).first()\n"
                "    if same is not None and call.amount_minor:\n"
                "        return Ended(State.SUCCEEDED)\n"
                "    send = TOOLS[call.tool].send\n",
            ),
        ),
    ),
    # tenders
    Bug(
        "the message waits for the first tender alone",
        (Edit(EXECUTION, ITS_TURN, ITS_TURN.replace("=call.position", "=min(call.position, 1)")),),
    ),
    Bug("every tender gives back the pieces", (Edit(STEPS, "first=place == 0", "first=True"),)),
    Bug(
        "an unknown gateway is paid by hand",
        (
            Edit(
                TENDERS,
                '        return BY_HAND\n    raise InvalidArgs(code="refund.unknown_gateway")',
                "        return BY_HAND\n    return BY_HAND",
            ),
        ),
    ),
    Bug(
        "a payment task counts before it is ticked",
        (
            Edit(
                REFUND,
                '        return Outcome("", pending=True)\n    body',
                '        return Outcome("")\n    body',
            ),
        ),
    ),
    Bug(
        "a payment task is ticked twice",
        (
            Edit(PAYING, "filter(pk=task_id, state=State.OPEN).update", "filter(pk=task_id).update"),
            Edit(PAYING, "        if ended is None or not changed:", "        if not changed:"),
        ),
    ),
    Bug(
        "a dropped payment counts as paid",
        (Edit(PAYING, "            succeeded=state == State.PAID,", "            succeeded=True,"),),
    ),
    # what a refund is made of
    Bug(
        "duties stay where they are",
        (
            Edit(
                COMPOSITION,
                "line.share_minor(quantity), line.duties_share_minor(quantity)",
                "line.share_minor(quantity), 0",
            ),
        ),
    ),
    Bug(
        "goodwill gives back the whole price",
        (
            Edit(
                COMPOSITION,
                "min(amount * goodwill_percent // 100, line.left_minor)",
                "min(amount, line.left_minor)",
            ),
        ),
    ),
    Bug(
        "goods are not restocked",
        (
            Edit(WISHES, 'part.get("restock", "NO_RESTOCK")', '"NO_RESTOCK"'),
            Edit(WISHES, 'part.get("location", "")', '""'),
        ),
    ),
    # documents
    Bug(
        "a refund has two documents",
        (Edit(REFUND, DOCUMENT_STEP, DOCUMENT_STEP.replace("(issues,)", "(issues, issues)")),),
    ),
    Bug(
        "a document's number is given away before it is written",
        (
            Edit(
                ISSUING,
                "        sequence = _next_number(entity.pk)\n        known",
                "        sequence = _next_number(entity.pk)\n    with transaction.atomic():\n        known",
            ),
        ),
    ),
    Bug(
        "the document of a cancellation doesn't wait for the money",
        (
            Edit(ISSUING, "given_by(json.loads(call.request), set(paid))", "json.loads(call.request)"),
            Edit(CANCEL, "        *steps_of(body),\n", ""),
            Edit(
                CANCEL, f"        {DOCUMENT_STEP}\n", f"        {DOCUMENT_STEP}\n        *steps_of(body),\n"
            ),
        ),
    ),
    # cancelling, and words
    Bug("a cancellation gives the money back as well", (Edit(CANCEL, "refund=False,", "refund=True,"),)),
    Bug("a cancellation restocks as well", (Edit(CANCEL, "restock=False,", "restock=True,"),)),
    Bug(
        "a person's words leave by WhatsApp at any time",
        (
            Edit(
                CHANNELS,
                "    if words.template == OWN_WORDS and window_is_open(words.last_inbound_at):",
                "    if words.template == OWN_WORDS:",
            ),
        ),
    ),
)
