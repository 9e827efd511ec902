"""Looks on while a case is played: what may not happen even for a moment, whatever is put right later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import Sum

from approvals.models import ApprovalRequest, Decision, KillSwitch, LimitVersion
from approvals.services import RIGHT, has_right
from cases.models import PaymentTask
from tools.base import BY_HAND
from tools.models import Payment, ToolCall
from tools.sandbox.exchange import Request

if TYPE_CHECKING:
    from opsagent.simulation.engine import Play

Finding = tuple[str, str]
State = ToolCall.State
# Vendors promise to know a key for a day.
KEY_IS_GOOD_FOR = timedelta(hours=20)
MOVES_MONEY = ("refunds.create", "credit_notes.create", "refundCreate")
NEEDS_SIGNATURE = (Decision.Outcome.ONE_APPROVER, Decision.Outcome.TWO_FACTOR)
SAYS_REFUNDED = ("refund_done", "order_cancelled")
# Of what a reading of the vendor found first, the late webhook adds nothing but its id.
STORED = """
    SELECT EXISTS (
        SELECT FROM cases_inboundevent WHERE digest = %s OR found_late_seconds IS NOT NULL AND external_id = %s
    )
"""
# WhatsApp takes a person's own words for as long after the customer's last.
WINDOW = timedelta(hours=24)


class Watch:
    """Collects what was broken; `sent` counts the requests for money that it saw."""

    def __init__(self, play: Play) -> None:
        self.play = play
        self.findings: list[Finding] = []
        self.sent = 0
        self._bodies: dict[str, bytes] = {}
        self._looked_at: set[tuple[str, int]] = set()

    def found(self, invariant: str, row: str) -> None:
        """Something is wrong."""
        if (invariant, row) not in self.findings:
            self.findings.append((invariant, row))

    def sending(self, vendor: str, operation: str, asked: Request) -> None:
        """A request is about to leave."""
        if connection.in_atomic_block:
            self.found("no call is made inside a transaction", f"{vendor} {operation}")
            return
        if operation in MOVES_MONEY:
            self._money(vendor, asked)
        elif asked.method == "POST" and vendor in ("klaviyo", "whatsapp"):
            self._message(asked)

    def _money(self, vendor: str, asked: Request) -> None:
        self.sent += 1
        text = asked.headers.get("idempotency-key", "") + asked.body.decode()
        call = next((one for one in self._calls() if str(one.idempotency_key) in text), None)
        if call is None:
            self.found("money leaves only under the key of a stored call", f"{vendor} {text[:80]}")
            return
        name = f"call {call.pk}"
        key = str(call.idempotency_key)
        again = (key, self.play.turn) in self._looked_at
        if call.state not in (State.SENDING, State.UNKNOWN) and not again:
            self.found("money leaves only while its call is being sent", f"{name} is {call.state}")
        if call.first_sent_at is None or self.play.clock.at - call.first_sent_at > KEY_IS_GOOD_FOR:
            self.found("nothing is sent after twenty hours", name)
        if self._bodies.setdefault(key, asked.body) != asked.body:
            self.found("a retry sends the same bytes", name)
        if call.position and not self._before_is_done(call):
            self.found("a step starts when the one before has succeeded", name)
        # What happens while it is on its way is nobody's fault.
        self._looked_at.add((key, self.play.turn))
        if call.amount_minor and not again:
            self._allowed(call, name)

    def _calls(self) -> list[ToolCall]:
        return list(
            self.play.calls().select_related(
                "decision", "payment", "message__template", "message__conversation"
            )
        )

    def _before_is_done(self, call: ToolCall) -> bool:
        earlier = ToolCall.objects.filter(decision_id=call.decision_id, position__lt=call.position)
        return not earlier.exclude(state=State.SUCCEEDED).exists()

    def _allowed(self, call: ToolCall, name: str) -> None:
        if KillSwitch.objects.filter(released_at__isnull=True).exists():
            self.found("nothing is sent while it is stopped", name)
        outcome = call.decision.outcome
        if self.play.limits_changed and outcome != Decision.Outcome.TWO_FACTOR:
            self.found("nothing is sent beyond the limits in force", f"{name} {outcome}")
        if outcome in NEEDS_SIGNATURE:
            self._signed(call, name)
        elif self._automatic_so_far() > self._automatic_up_to():
            self.found("what is given without a signature stays within its limit in all", name)
        if call.payment is not None and _overdrawn(call.payment):
            self.found("nothing is sent beyond what the payment can give", name)

    def _signed(self, call: ToolCall, name: str) -> None:
        request = (
            ApprovalRequest.objects.filter(decision_id=call.decision_id).select_related("decided_by").first()
        )
        if request is None or request.state != ApprovalRequest.State.APPROVED:
            self.found("nothing is sent that nobody signed", name)
        elif request.decided_at is None or request.decided_at > request.expires_at:
            self.found("no request is signed after its time", name)
        elif request.effect_hash != call.decision.effect_hash:
            self.found("what is sent is what was signed", name)
        elif not has_right(request.decided_by, RIGHT[ApprovalRequest.Tier(request.tier)]):
            self.found("who signs has the right to", name)

    def _automatic_so_far(self) -> int:
        live = self.play.calls().exclude(state__in=(State.FAILED, State.CANCELLED, State.FAILED_LATER))
        alone = live.exclude(decision__outcome__in=NEEDS_SIGNATURE)
        return int(alone.aggregate(n=Sum("amount_minor", default=0))["n"])

    def _automatic_up_to(self) -> int:
        published = LimitVersion.objects.filter(currency="USD", published_at__isnull=False)
        return published.order_by("-version")[0].auto_up_to_minor

    def refuses(self, forged: Callable[[], int]) -> None:
        """A delivery that its vendor never signed is turned away."""
        status = forged()
        if status == 200:
            self.found("a forged delivery is refused", str(status))

    def _message(self, asked: Request) -> None:
        """Nobody hears "refunded" before all of it is done, and nobody's free words leave a day too late."""
        call = next((one for one in self._calls() if str(one.idempotency_key) in asked.body.decode()), None)
        if call is None or call.message is None:
            return
        name = f"call {call.pk}"
        template = call.message.template.key if call.message.template else ""
        if template in SAYS_REFUNDED:
            undone = [one for one in self._paying(call) if not self._is_done(one)]
            if undone:
                self.found("refunded is said after it is done", f"{name}: {len(undone)} not done")
        if json.loads(asked.body).get("type") == "text":
            heard = call.message.conversation.last_inbound_at if call.message.conversation else None
            if heard is None or self.play.clock.at - heard > WINDOW:
                self.found("free words leave within a day of the customer's", name)

    def _paying(self, call: ToolCall) -> list[ToolCall]:
        return [one for one in self._calls() if one.decision_id == call.decision_id and one.amount_minor]

    def _is_done(self, call: ToolCall) -> bool:
        """By the vendor's own books, or by the tick of whoever paid by hand."""
        if call.vendor == BY_HAND:
            return PaymentTask.objects.filter(call=call, state=PaymentTask.State.PAID).exists()
        return any(
            row["status"] == "succeeded" and str(row["idempotency_key"]) == str(call.idempotency_key)
            for row in self.play.refunds()
        )

    def taken(self, path: str, body: bytes) -> None:
        """A delivery was answered with 2xx, so it must be ours by now."""
        with connection.cursor() as cursor:
            cursor.execute(STORED, [hashlib.sha256(body).hexdigest(), str(json.loads(body).get("id"))])
            stored = cursor.fetchone()[0]
        if not stored:
            self.found("what is answered with 2xx is stored", path)


def _overdrawn(payment: Payment) -> bool:
    ours = payment.reserved_minor + payment.refunded_minor
    return ours + payment.elsewhere_minor + payment.disputed_minor > payment.captured_minor
