"""What came of a played day: the numbers that the demo prints, each counted from rows."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from approvals.models import ApprovalRequest, Decision
from approvals.policy import TWO_PEOPLE
from cases.invariants import open_handoffs, pending_requests, violations
from cases.models import Case, Handoff, InboundEvent, PaymentTask, RefusedRequests
from opsagent.demo.player import Tally
from opsagent.demo.script import Expectation, Story
from tools.base import BY_HAND
from tools.models import ToolCall

NEEDS_NOBODY = ("automatic", "waiting")
ABOVE_ALL = "refund.tier.above"
UNDER_WAY = ("reserved", "sending", "pending", "unknown")


@dataclass
class Summary:
    """One line of JSON, last on standard output. Money in minor units, times in seconds.

    Of `two_factor` cases `two_people` take two signers, and of `handoffs` `above_all` are above what may be approved.
    `wanted` deliveries with a right signature were asked for (0: any number), `posted` were answered 2xx, and
    `lost_answers` of them may have been taken once more, since the first answer never came. `found_late` were read
    from a vendor before any webhook told them. What the sandbox itself posts about our own effects is not counted.
    """

    seed: int = 0
    wanted: int = 0
    posted: int = 0
    lost_answers: int = 0
    events: int = 0
    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    found_late: int = 0
    ended: int = 0
    dead: int = 0
    cases: int = 0
    automatic: int = 0
    approvals: int = 0
    two_factor: int = 0
    two_people: int = 0
    above_all: int = 0
    handoffs: int = 0
    handoff_p99_s: float = 0.0
    lane_match: float = 0.0
    needless_handoffs: int = 0
    unsafe_automatic: int = 0
    refunded_minor: dict[str, dict[str, int]] = field(default_factory=dict)
    books_equal: bool = False
    invariant_violations: int = 0
    seconds: float = 0.0
    mismatches: list[dict[str, str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @property
    def good(self) -> bool:
        """Whether what was posted arrived, every accepted event ended and the books are equal."""
        ended = self.accepted == self.ended
        return self.arrived and ended and self.books_equal and not self.invariant_violations

    @property
    def arrived(self) -> bool:
        """Whether the rows tell of exactly those deliveries that the vendors' side posted."""
        more = self.accepted + self.duplicates - self.posted
        return not self.wanted or (self.posted == self.wanted and 0 <= more <= self.lost_answers)


def under_way() -> bool:
    """Whether the agent still has something to do by itself: a turn to take or an effect to finish."""
    busy_case = Q(state=Case.State.OPEN) | Q(state=Case.State.WAITING, wait_reason=Case.Wait.EFFECT)
    # What a person has to pay waits for them, and so does all that comes after it.
    paying = PaymentTask.objects.filter(state=PaymentTask.State.OPEN).values("case")
    cases, calls = Case.objects.filter(busy_case), ToolCall.objects.filter(state__in=UNDER_WAY)
    return cases.exclude(pk__in=paying).exists() or calls.exclude(case__in=paying).exists()


def summarise(story: Story, sandbox: str, seconds: float, tally: Tally, *, wanted: int = 0) -> Summary:
    """Count everything. `wanted` holds the posted deliveries to a number; 0 where an earlier run posted some."""
    result = Summary(seed=story.seed, seconds=round(seconds, 2), wanted=wanted)
    result.posted, result.lost_answers = tally.posted, tally.lost_answers
    _events(result, story)
    _cases(result)
    _lanes(result, story)
    _money(result)
    result.books_equal = books_equal(sandbox)
    result.invariant_violations = len(violations())
    return result


def _events(result: Summary, story: Story) -> None:
    told = InboundEvent.objects.filter(external_id__in={step.external_id for step in story.steps})
    told = told.exclude(source="feed")
    posted = told.filter(found_late_seconds__isnull=True)
    result.accepted = posted.count()
    result.found_late = InboundEvent.objects.filter(found_late_seconds__isnull=False).count()
    again = told.aggregate(n=Sum("duplicates", default=0))["n"]
    result.duplicates = int(again) + sum(
        event.n for event in told.annotate(n=Count("conflicts")).filter(n__gt=0)
    )
    result.events = result.accepted + result.duplicates
    result.refused = RefusedRequests.objects.aggregate(n=Sum("count", default=0))["n"]
    result.dead = posted.filter(state=InboundEvent.State.DEAD).count()
    result.ended = posted.filter(_ended()).count()


def _ended() -> Q:
    """Absorbed, dead, or in a case that is closed, in a dated wait, or with a person who signs, takes over or pays."""
    states = Case.State
    waits = Q(case__state=states.WAITING, case__wake_at__isnull=False) & ~Q(
        case__wait_reason=Case.Wait.EFFECT
    )
    asked = Q(case__state=states.APPROVAL) & Exists(pending_requests().filter(case=OuterRef("case")))
    called = Q(case__state=states.HANDOFF) & Exists(open_handoffs().filter(case=OuterRef("case")))
    to_pay = PaymentTask.objects.filter(case=OuterRef("case"), state=PaymentTask.State.OPEN)
    paying: Q = Q(case__state=states.WAITING) & Q(Exists(to_pay))
    without_case = Q(case__isnull=True, state__in=[InboundEvent.State.ABSORBED, InboundEvent.State.DEAD])
    return without_case | Q(case__state=states.CLOSED) | waits | asked | called | paying


def _cases(result: Summary) -> None:
    lanes = Counter(lane_of(case) for case in _all_cases())
    result.cases = sum(lanes.values())
    result.automatic = lanes["automatic"] + lanes["waiting"]
    result.approvals, result.two_factor, result.handoffs = (
        lanes["approval"],
        lanes["two_factor"],
        lanes["human"],
    )
    rules = Decision.objects.values_list("case", flat=True).distinct()
    result.two_people = rules.filter(rule=TWO_PEOPLE).count()
    result.above_all = rules.filter(rule=ABOVE_ALL).count()
    result.handoff_p99_s = _p99(_delays())


def _all_cases() -> list[Case]:
    return list(Case.objects.prefetch_related("handoffs", "approvals").order_by("pk"))


def lane_of(case: Case) -> str:
    """Which way a case went: to a person if it ever did, else to whoever had to sign, else by itself."""
    if case.handoffs.all():
        return "human"
    tiers = {request.tier for request in case.approvals.all()}
    if ApprovalRequest.Tier.TWO_FACTOR in tiers:
        return "two_factor"
    if tiers:
        return "approval"
    asked = case.state == Case.State.WAITING and case.wait_reason == Case.Wait.CUSTOMER
    return "waiting" if asked else "automatic"


def _delays() -> list[float]:
    """Receipt of the last event before each hand-off to the hand-off's row, in seconds."""
    delays = []
    for row in Handoff.objects.select_related("case"):
        event = row.case.events.filter(received_at__lte=row.opened_at).order_by("-received_at").first()
        if event is not None:
            delays.append((row.opened_at - event.received_at).total_seconds())
    return delays


def _p99(values: list[float]) -> float:
    ordered = sorted(values)
    return round(ordered[math.ceil(len(ordered) * 0.99) - 1], 3) if ordered else 0.0


def _lanes(result: Summary, story: Story) -> None:
    """Each story against the lane that a sensible shop would expect."""
    events: dict[str, list[str]] = defaultdict(list)
    for step in story.steps:
        if step.story_id is not None:
            events[step.story_id].append(step.external_id)
    cases = {case.pk: case for case in _all_cases()}
    of_event = dict(InboundEvent.objects.filter(case__isnull=False).values_list("external_id", "case_id"))
    right = 0
    for story_id, wanted in story.expectations.items():
        case_id = next((of_event[event] for event in reversed(events[story_id]) if event in of_event), None)
        lane = lane_of(cases[case_id]) if case_id else "none"
        right += lane == wanted.lane
        _judge(result, story_id, wanted, lane, case_id)
    result.lane_match = round(right / max(1, len(story.expectations)), 4)


def _judge(result: Summary, story_id: str, wanted: Expectation, lane: str, case_id: int | None) -> None:
    if lane == wanted.lane:
        return
    result.needless_handoffs += wanted.lane in NEEDS_NOBODY and lane not in NEEDS_NOBODY
    result.unsafe_automatic += wanted.lane not in NEEDS_NOBODY and lane in NEEDS_NOBODY
    result.mismatches.append(
        {
            "story": story_id,
            "case": str(case_id or ""),
            "wanted": wanted.lane,
            "got": lane,
            "rule": _rule(case_id),
        }
    )


def _rule(case_id: int | None) -> str:
    decision = Decision.objects.filter(case_id=case_id).order_by("-pk").first() if case_id else None
    return f"{decision.tool} {decision.rule}" if decision else ""


def _paid_back() -> QuerySet[ToolCall]:
    """The calls that gave money back; one that only shows in the shop what others gave isn't among them."""
    done = ToolCall.objects.filter(state=ToolCall.State.SUCCEEDED, amount_minor__gt=0)
    return done.filter(tool="issue_refund")


def _money(result: Summary) -> None:
    done = _paid_back()
    rows = (
        done.values("currency", "decision__outcome").annotate(total=Sum("amount_minor")).order_by("currency")
    )
    names = {Decision.Outcome.ALLOW_AFTER_UNDO: "automatic"}
    for row in rows:
        tier = names.get(row["decision__outcome"], row["decision__outcome"])
        result.refunded_minor.setdefault(row["currency"], {})[tier] = int(row["total"])


def books_equal(sandbox: str) -> bool:
    """Whether the sandbox's own ledger holds exactly the refunds that ours calls done, to the minor unit."""
    answer = httpx.get(f"{sandbox}/_control/ledger", timeout=20).raise_for_status().json()
    theirs = Counter(
        (str(row["idempotency_key"]), int(row["amount_minor"]), str(row["currency"]).upper())
        for row in answer["refunds"]
        if row["by"] == "api"
    )
    moved = _paid_back().exclude(vendor=BY_HAND)
    ours = Counter((str(call.idempotency_key), call.amount_minor, call.currency) for call in moved)
    return ours == theirs
