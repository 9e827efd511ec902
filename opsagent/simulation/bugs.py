"""Bugs to plant, one at a time, in a copy of the code: the simulator is only worth something if it finds each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    """One place: the file, the text that stands there once, and what it becomes."""

    path: str
    old: str
    new: str


@dataclass(frozen=True)
class Bug:
    """A mistake that somebody could make, as edits that each must apply."""

    name: str
    edits: tuple[Edit, ...]


EXECUTION, SETTLING, OUTCOMES = "tools/execution.py", "tools/settling.py", "tools/outcomes.py"
LEDGER, PAYMENTS, MONEY = "tools/ledger.py", "tools/payments.py", "tools/models/money.py"
RECHECK, SIGNING, DECIDING = "approvals/recheck.py", "approvals/signing.py", "approvals/deciding.py"
STANDING = "approvals/standing.py"
RIGHTS = "approvals/rights.py"
RECEIVING, WEBHOOKS = "cases/intake/receiving.py", "cases/webhooks.py"
VOIDING, AGAIN = "tools/voiding.py", "approvals/again.py"
PLANNING, FOLLOWING, REFUNDS = "cases/planning.py", "cases/following.py", "cases/refunds.py"

NO_REFUSAL = Edit(
    "tools/wire/client.py",
    '            raise RuntimeError("a network call inside a database transaction")',
    "            return",
)
RESENDS = "    ended = attempt(call)\n    if ended.state not in"
SENDS = "    ended = attempt(claim.call)\n    if ended.held:"
OVERDRAWN = "    return ours + row.elsewhere_minor + row.disputed_minor > row.captured_minor"
REFUNDABLE = "self.captured_minor - ours - self.elsewhere_minor - self.disputed_minor"
HANDED_OVER = "    if record.exceeded:\n        execution.cancel_unsent"
UNNAMED_SINCE = '    return UNNAMED if unnamed_minor(order.pk, after_entry=after_entry) else ""'
SAME_TODAY = '    return problem or ("" if effect.digest == decision.effect_hash else CHANGED)'
RELEASED = "    _book(call, LedgerEntry.Kind.RELEASED)"
CALL_TOLD = '    _tell("call.retrying" if ended.state == State.RESERVED else f"call.{ended.state}", call)'

BUGS: tuple[Bug, ...] = (
    # keys and tries
    Bug(
        "a second sending has a new key",
        (
            Edit(
                SETTLING,
                RESENDS,
                "    call.idempotency_key = sources.random_id()\n"
                '    call.save(update_fields=["idempotency_key"])\n' + RESENDS,
            ),
        ),
    ),
    Bug(
        "every try has a new key",
        (
            Edit(
                EXECUTION,
                SENDS,
                "    claim.call.idempotency_key = sources.random_id()\n" + SENDS,
            ),
        ),
    ),
    Bug(
        "the key is made of payment and amount",
        (
            Edit(
                DECIDING,
                "            idempotency_key=sources.random_id(),",
                "            idempotency_key=uuid.uuid5(uuid.NAMESPACE_OID, str(step.money or step)),",
            ),
        ),
    ),
    Bug(
        "a key is trusted for ever",
        (Edit(EXECUTION, "call.first_sent_at < SAME_KEY_FOR", "call.first_sent_at < SAME_KEY_FOR * 99"),),
    ),
    # transactions
    Bug(
        "the call is made inside a transaction",
        (
            NO_REFUSAL,
            Edit(
                EXECUTION,
                SENDS,
                "    with transaction.atomic():\n        ended = attempt(claim.call)\n    if ended.held:",
            ),
        ),
    ),
    Bug(
        "the call is made before the commit",
        (
            NO_REFUSAL,
            Edit(
                EXECUTION,
                "        return Claim(call, first), None",
                "        attempt(call)\n        return Claim(call, first), None",
            ),
        ),
    ),
    Bug(
        "2xx although nothing was stored",
        (
            Edit(
                RECEIVING,
                "        if undone(problem):\n            raise\n",
                '        if undone(problem):\n            return Received(0, "accepted")\n',
            ),
        ),
    ),
    # outcomes
    Bug(
        "what is unknown releases its money",
        (
            Edit(
                EXECUTION,
                "    elif ended.state == State.FAILED:\n        ledger",
                "    elif ended.state in (State.FAILED, State.UNKNOWN):\n        ledger",
            ),
        ),
    ),
    Bug(
        "a lost answer is a no",
        (
            Edit(
                OUTCOMES,
                "        return Ended(State.UNKNOWN, error=error.code)",
                "        return Ended(State.FAILED, error=error.code)",
            ),
        ),
    ),
    Bug(
        "a lost answer is a yes",
        (
            Edit(
                OUTCOMES,
                "        return Ended(State.UNKNOWN, error=error.code)",
                "        return Ended(State.SUCCEEDED, error=error.code)",
            ),
        ),
    ),
    Bug(
        "pending counts as done",
        (Edit(OUTCOMES, "State.PENDING if outcome.pending else State.SUCCEEDED", "State.SUCCEEDED"),),
    ),
    Bug("what is said no to counts as done", (Edit(OUTCOMES, "    if outcome.failed:", "    if False:"),)),
    Bug(
        "a refund that failed later is ignored",
        (Edit(REFUNDS, 'record.status == "failed" and _take_back(ours)', "False"),),
    ),
    Bug(
        "a crash counts as a no",
        (
            Edit(
                EXECUTION,
                '        return Ended(State.UNKNOWN, error="crashed")',
                '        return Ended(State.FAILED, error="crashed")',
            ),
            Edit(
                "tools/wire/errors.py",
                "    return OutcomeUnknown(vendor=call.vendor, operation=call.operation, code=code)",
                "    raise RuntimeError(code)",
            ),
        ),
    ),
    Bug(
        "nobody looks for dead senders",
        (Edit("cases/tasks.py", "    return len(execution.expire_leases())", "    return 0"),),
    ),
    # books
    Bug(
        "the ledger settles nothing",
        (
            Edit(
                LEDGER,
                'refunded_minor=F("refunded_minor") + call.amount_minor,',
                'refunded_minor=F("refunded_minor"),',
            ),
        ),
    ),
    Bug(
        "the ledger books twice",
        (
            Edit(
                LEDGER,
                "    _book(call, LedgerEntry.Kind.REFUNDED)\n",
                "    _book(call, LedgerEntry.Kind.REFUNDED)\n    _book(call, LedgerEntry.Kind.REFUNDED)\n",
            ),
        ),
    ),
    Bug(
        "a release gives back no pieces",
        (Edit(LEDGER, "    _move_lines(body, -1)\n    _book(call, LedgerEntry.Kind.RELEASED)", RELEASED),),
    ),
    Bug(
        "our own refund is booked as somebody else's",
        (Edit(PAYMENTS, "    ours = _our_call(order, seen) or", "    ours = None and"),),
    ),
    Bug(
        "a webhook is matched by its amount",
        (
            Edit(
                PAYMENTS,
                "    known = ToolCall.objects.filter(wanted, payment__order=order).first()",
                "    wanted |= Q(amount_minor__in=[part.amount_minor for part in seen.parts])\n"
                "    known = ToolCall.objects.filter(wanted, payment__order=order).first()",
            ),
        ),
    ),
    Bug(
        "refunds elsewhere are ignored",
        (
            Edit(MONEY, REFUNDABLE, "self.captured_minor - ours - self.disputed_minor"),
            Edit(RECHECK, OVERDRAWN, "    return ours + row.disputed_minor > row.captured_minor"),
            Edit(REFUNDS, HANDED_OVER, "    if False:\n        execution.cancel_unsent"),
            Edit(VOIDING, UNNAMED_SINCE, '    return ""'),
            Edit("approvals/entitling.py", "    if unnamed:", "    if False:"),
        ),
    ),
    Bug(
        "a line that others refunded is refunded again",
        (
            Edit(VOIDING, "        return GONE\n    return UNNAMED", '        return ""\n    return UNNAMED'),
            Edit(AGAIN, SAME_TODAY, '    return ""'),
            # Both together are beyond what goes out by itself.
            Edit(RECHECK, "    if asks_more(decision, verdict):", "    if False:"),
        ),
    ),
    Bug(
        "disputes are ignored",
        (
            Edit(MONEY, REFUNDABLE, "self.captured_minor - ours - self.elsewhere_minor"),
            Edit(RECHECK, OVERDRAWN, "    return ours + row.elsewhere_minor > row.captured_minor"),
            Edit(RECHECK, '    if flag:\n        return f"risk', '    if False:\n        return f"risk'),
            Edit(
                "approvals/facts.py",
                "flags=tuple(sorted(flags_up(scope.case_id, order))),",
                'flags=tuple(sorted(flags_up(scope.case_id, order) - {"dispute"})),',
            ),
        ),
    ),
    # order of things
    Bug(
        "the message doesn't wait for the money",
        (
            Edit(
                EXECUTION, "    return not earlier.exclude(state=State.SUCCEEDED).exists()", "    return True"
            ),
        ),
    ),
    Bug(
        "before sending nothing is asked",
        (
            Edit(
                EXECUTION,
                "        stop = before_send(call)\n        if stop:\n            _cancel",
                '        stop = ""\n        if stop:\n            _cancel',
            ),
        ),
    ),
    Bug(
        "a switch stops only what is decided later",
        (
            Edit(RECHECK, "    if switches_on(call.shop_id, keys):", "    if False:"),
            Edit("tools/pacing.py", "        self.still(call)\n", ""),
            Edit(
                "approvals/today.py",
                "    facts = gather(effect, scope_of(decision), situation, without_decision=decision.pk)\n"
                "    return policy.judge(facts, limits)",
                "    facts = gather(effect, scope_of(decision), situation, without_decision=decision.pk)\n"
                "    return policy.judge(replace(facts, switches=()), limits)",
            ),
        ),
    ),
    Bug(
        "limits are not looked at again",
        (
            Edit(
                RECHECK,
                "    if asks_more(decision, verdict):",
                "    if False:",
            ),
        ),
    ),
    Bug(
        "undo stops what is being sent",
        (
            Edit(
                EXECUTION,
                "        if call.state != State.RESERVED or call.first_sent_at is not None:\n            return False",
                "        if call.state not in (State.RESERVED, State.SENDING):\n            return False",
            ),
        ),
    ),
    Bug(
        "what was sent before can be undone",
        (
            Edit(
                EXECUTION,
                "        if call.state != State.RESERVED or call.first_sent_at is not None:\n            return False",
                "        if call.state not in (State.RESERVED, State.UNKNOWN):\n            return False",
            ),
        ),
    ),
    # workers
    Bug(
        "whoever was overtaken writes all the same",
        (
            Edit(
                EXECUTION,
                "            Q(pk=call.pk, fence=call.fence, state__in=[State.SENDING, State.UNKNOWN, State.PENDING]),",
                "            Q(pk=call.pk),",
            ),
        ),
    ),
    Bug(
        "a claimed call can be claimed",
        (
            Edit(
                EXECUTION,
                "        call = locked(Q(pk=call_id, state=State.RESERVED, not_before",
                "        call = locked(Q(pk=call_id, state__in=[State.RESERVED, State.SENDING], not_before",
            ),
        ),
    ),
    Bug(
        "two workers plan one case",
        (
            Edit(
                PLANNING,
                "        case = rows.filter(free, pk=case_id, state=State.OPEN,",
                "        case = rows.filter(pk=case_id, state=State.OPEN,",
            ),
            Edit(
                PLANNING,
                "    return rows.filter(pk=turn.case.pk, fence=turn.fence, state=State.OPEN).first()",
                "    return rows.filter(pk=turn.case.pk).first()",
            ),
            Edit(PLANNING, "        if case.dirty != turn.seen:", "        if False:"),
        ),
    ),
    # people
    Bug(
        "a signature needs no right",
        (
            Edit(RIGHTS, "    if user is None or right not in rights_of(user):", "    if user is None:"),
            Edit(
                STANDING,
                "    own = [Standing(user)] if right in rights_of(user) else []",
                "    own = [Standing(user)]",
            ),
        ),
    ),
    Bug(
        "a request can be signed after its time",
        (
            Edit(
                SIGNING,
                "    if request.expires_at <= sources.now():\n        raise",
                "    if False:\n        raise",
            ),
        ),
    ),
    Bug(
        "limits count each refund alone",
        (
            Edit(
                "approvals/facts.py",
                '        "exposure_minor": sums.exposure_minor,\n',
                '        "exposure_minor": {},\n',
            ),
        ),
    ),
    # intake
    Bug(
        "no signature is checked",
        (
            Edit(
                "tools/adapters/stripe_webhooks.py",
                "    return matches(given, [signed(secret, content).hex().encode() for secret in secrets])",
                "    return True",
            ),
        ),
    ),
    # memory
    Bug("a change of state is not told", (Edit(EXECUTION, CALL_TOLD, "    pass"),)),
    Bug("a change of state is told twice", (Edit(EXECUTION, CALL_TOLD, CALL_TOLD + "\n" + CALL_TOLD),)),
)
