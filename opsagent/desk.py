"""What the desk shows: what runs out first, today's numbers, what the agent did, and whether everything runs.

Reads only. Each function costs a fixed number of queries, whatever waits.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Value
from django.db.models.functions import TruncDay
from django.utils import timezone
from django.utils.translation import gettext as _

from approvals.models import ApprovalRequest, Decision, KillSwitch, Reversal, RiskFlag
from approvals.policy import SENTENCES
from audit.moment import moment
from audit.shop_admin import of_own_shops
from cases.admin.invariants import standing
from cases.models import Case, EventConflict, Handoff, InboundEvent, Message, PaymentTask, Shop
from opsagent import resets
from opsagent.charts import Sparkline, sparkline
from tools import drift as drifts
from tools.models import Drift, ToolCall
from tools.tool_names import tool_name
from tools.vendor_names import vendor_name

FEW, SOME = 8, 6
DAYS = 14
PROMISE = timedelta(seconds=60)
AUTOMATIC = ("allow", "allow_after_undo")
# A sign of life older than this is a worry; the supervisor restarts well before.
SILENT_SECONDS = 30.0


def waiting(user: Any) -> dict[str, int]:
    """How many rows wait for somebody, by model, in one query."""
    rows = {
        "case": _mine(Case, user).exclude(state=Case.State.CLOSED),
        "handoff": _mine(Handoff, user).filter(state=Handoff.State.WAITING),
        "paymenttask": _mine(PaymentTask, user).filter(state=PaymentTask.State.OPEN),
        "approvalrequest": _mine(ApprovalRequest, user).filter(state=ApprovalRequest.State.PENDING),
        "inboundevent": _mine(InboundEvent, user).filter(state=InboundEvent.State.DEAD),
        "eventconflict": _mine(EventConflict, user),
        "drift": _mine(Drift, user).filter(state=Drift.State.OPEN),
        "toolcall": _mine(ToolCall, user).filter(state=ToolCall.State.UNKNOWN),
        "killswitch": _mine(KillSwitch, user).filter(released_at__isnull=True),
        "riskflag": _mine(RiskFlag, user).filter(lowered_at__isnull=True),
    }
    counts = [
        # An ordering would have to stand in each part of the union.
        query.order_by()
        .annotate(what=Value(name))
        .values("what")
        .annotate(n=Count("pk"))
        .values_list("what", "n")
        for name, query in rows.items()
    ]
    return dict(counts[0].union(*counts[1:], all=True))


def shop_names(user: Any) -> str:
    """The shops that this person works for, as the header says it; only their number where there are many."""
    names = list(of_own_shops(Shop.objects.all(), user, "pk").values_list("name", flat=True))
    return ", ".join(names) if len(names) <= 2 else _("%(n)s shops") % {"n": len(names)}


def context(user: Any) -> dict[str, Any]:
    """Everything on the desk, each part only where the person may view its rows."""
    now = moment()
    handoffs, approvals = _handoffs(user), _approvals(user)
    return {
        "now": now,
        "handoffs": handoffs[:FEW],
        "approvals": approvals[:FEW],
        "also": _also(user),
        "kpis": _kpis(user, now) if user.has_perm("cases.view_case") else [],
        "done": _done(user),
        "health": health(),
        "vendors": _vendors(user, now),
        "books": standing(now) if user.has_perm("cases.view_invariantrun") else None,
        "switches": _switches(user),
        "resets": resets.notices(user),
    }


def _mine(model: Any, user: Any) -> QuerySet[Any]:
    return of_own_shops(model.objects.all(), user)


def _handoffs(user: Any) -> list[Handoff]:
    if not user.has_perm("cases.view_handoff"):
        return []
    first = Message.objects.filter(direction=Message.Direction.IN).order_by("-id")
    rows = _mine(Handoff, user).filter(state=Handoff.State.WAITING).order_by("due_at")
    related = rows.select_related("case__person", "case__order", "case__conversation", "shop")
    return list(related.prefetch_related(Prefetch("case__messages", first, to_attr="heard"))[:FEW])


def _approvals(user: Any) -> list[ApprovalRequest]:
    if not user.has_perm("approvals.view_approvalrequest"):
        return []
    rows = _mine(ApprovalRequest, user).filter(state=ApprovalRequest.State.PENDING)
    rows = rows.order_by("-renewals", "expires_at", "pk")
    return list(rows.select_related("case__person", "case__order", "decision", "shop")[:FEW])


@dataclass(frozen=True, slots=True)
class Waiting:
    """A line under "Also waiting": what it is, and the list or row that it leads to."""

    tone: str
    icon: str
    word: str
    title: str
    detail: str
    at: datetime | None
    url_name: str
    url_pk: int


def _also(user: Any) -> list[Waiting]:
    parts: list[tuple[str, Iterable[Waiting]]] = [
        ("tools.view_toolcall", _unknown(user)),
        ("cases.view_paymenttask", _to_pay(user)),
        ("tools.view_drift", _drift(user)),
        ("cases.view_inboundevent", _dead(user)),
        ("cases.view_eventconflict", _conflicts(user)),
        ("cases.view_case", _ended_waits(user)),
    ]
    return [line for right, lines in parts if user.has_perm(right) for line in lines]


def _unknown(user: Any) -> Iterable[Waiting]:
    for call in _mine(ToolCall, user).filter(state=ToolCall.State.UNKNOWN).order_by("first_sent_at")[:SOME]:
        title = _("%(vendor)s did not answer: %(tool)s") % {
            "vendor": vendor_name(call.vendor),
            "tool": tool_name(call.tool),
        }
        detail = _("The amount stays set aside until it is settled.") if call.amount_minor else call.error
        yield Waiting(
            "danger",
            "octagon",
            _("Unknown"),
            title,
            detail,
            call.first_sent_at,
            "admin:tools_toolcall_change",
            call.pk,
        )


def _to_pay(user: Any) -> Iterable[Waiting]:
    rows = _mine(PaymentTask, user).filter(state=PaymentTask.State.OPEN).order_by("due_at")
    for task in rows[:SOME]:
        yield Waiting(
            "danger" if task.due_at < moment() else "attention",
            "clock",
            _("To be paid"),
            _("%(amount)s for %(reference)s") % {"amount": task.money, "reference": task.payee_reference},
            task.gateway,
            task.due_at,
            "admin:cases_paymenttask_change",
            task.pk,
        )


def _drift(user: Any) -> Iterable[Waiting]:
    rows = _mine(Drift, user).filter(state=Drift.State.OPEN).defer("sample").order_by("-last_seen_at")
    for row in rows[:SOME]:
        yield Waiting(
            "danger",
            "barred",
            _("Drift"),
            _("%(vendor)s has changed: %(operation)s")
            % {"vendor": vendor_name(row.vendor), "operation": row.operation.removeprefix(drifts.WEBHOOK)},
            f"{row.get_finding_display()}: {row.field_path}",
            row.last_seen_at,
            "admin:tools_drift_change",
            row.pk,
        )


def _dead(user: Any) -> Iterable[Waiting]:
    for event in _mine(InboundEvent, user).filter(state=InboundEvent.State.DEAD).defer("raw")[:SOME]:
        yield Waiting(
            "danger",
            "barred",
            _("Not read"),
            f"{vendor_name(event.source)} {event.topic}".strip(),
            event.dead_reason,
            event.received_at,
            "admin:cases_inboundevent_change",
            event.pk,
        )


def _conflicts(user: Any) -> Iterable[Waiting]:
    rows = _mine(EventConflict, user).select_related("event").defer("raw", "event__raw")
    for conflict in rows[:SOME]:
        yield Waiting(
            "attention",
            "triangle",
            _("Conflict"),
            _("%(source)s sent the same id with another body")
            % {"source": vendor_name(conflict.event.source)},
            conflict.event.external_id,
            conflict.received_at,
            "admin:cases_eventconflict_change",
            conflict.pk,
        )


def _ended_waits(user: Any) -> Iterable[Waiting]:
    rows = _mine(Case, user).filter(state=Case.State.WAITING, wake_at__lte=moment()).order_by("wake_at")
    for case in rows[:SOME]:
        yield Waiting(
            "info",
            "clock",
            _("Wait ended"),
            case.title,
            case.get_wait_reason_display(),
            case.wake_at,
            "admin:cases_case_change",
            case.pk,
        )


@dataclass(frozen=True, slots=True)
class Kpi:
    """One of today's numbers; `value` is a dash where nothing was there to count."""

    name: str
    detail: str
    value: str
    spark: Sparkline | None


NOTHING = "–"


def _kpis(user: Any, now: datetime) -> list[Kpi]:
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    since = today - timedelta(days=DAYS - 1)
    days = [since.date() + timedelta(days=index) for index in range(DAYS)]
    closed, claimed, judged = _closed(user, since), _claimed(user, since), _judged(user, since)
    today_closed, today_alone = closed.get(days[-1], (0, 0))
    today_claimed, in_time = claimed.get(days[-1], (0, 0))
    automatic, wrong = judged.get(days[-1], (0, 0))
    return [
        Kpi(
            _("Cases handled"),
            _("closed today"),
            str(today_closed),
            sparkline([closed.get(day, (0, 0))[0] for day in days]),
        ),
        Kpi(
            _("Without escalation"),
            _("%(part)s of %(all)s") % {"part": today_alone, "all": today_closed},
            percent(today_alone, today_closed),
            sparkline([_share(closed[day]) for day in days if day in closed]),
        ),
        Kpi(
            _("Reversed by people"),
            _("%(part)s of %(all)s automatic") % {"part": wrong, "all": automatic},
            percent(wrong, automatic),
            sparkline([_share((judged[day][0], judged[day][1])) for day in days if day in judged]),
        ),
        Kpi(
            _("Claimed within 60 s"),
            _("%(part)s of %(all)s hand-offs") % {"part": in_time, "all": today_claimed},
            percent(in_time, today_claimed),
            sparkline([_share(claimed[day]) for day in days if day in claimed]),
        ),
    ]


def percent(part: int, whole: int) -> str:
    """A share with one decimal, or a dash where there is nothing to share."""
    if not whole:
        return NOTHING
    tenths = (2000 * part + whole) // (2 * whole)
    return f"{tenths // 10}.{tenths % 10} %"


def _share(pair: tuple[int, int]) -> float:
    return pair[1] / pair[0] if pair[0] else 0.0


def _closed(user: Any, since: datetime) -> dict[Any, tuple[int, int]]:
    """By day: cases closed, and how many of them no person had to take."""
    handed = Handoff.objects.filter(case=OuterRef("pk"))
    rows = _mine(Case, user).filter(closed_at__gte=since).order_by().annotate(handed=Exists(handed))
    return _by_day(rows, "closed_at", Q(handed=False))


def _claimed(user: Any, since: datetime) -> dict[Any, tuple[int, int]]:
    """By day: hand-offs claimed, and how many of them within a minute of what called for a person."""
    rows = _mine(Handoff, user).filter(claimed_at__gte=since).order_by()
    return _by_day(rows, "claimed_at", Q(claimed_at__lte=F("received_at") + PROMISE))


def _judged(user: Any, since: datetime) -> dict[Any, tuple[int, int]]:
    """By day: automatic decisions of the agent, and how many people marked as wrong since."""
    wrong = Reversal.objects.filter(decision=OuterRef("pk"))
    rows = _mine(Decision, user).filter(at__gte=since, by_kind="agent", outcome__in=AUTOMATIC).order_by()
    return _by_day(rows.annotate(wrong=Exists(wrong)), "at", Q(wrong=True))


def _by_day(rows: QuerySet[Any], moment: str, part: Q) -> dict[Any, tuple[int, int]]:
    days = rows.annotate(day=TruncDay(moment)).values("day")
    counted = days.annotate(whole=Count("pk"), part=Count("pk", filter=part))
    return {row["day"].date(): (row["whole"], row["part"]) for row in counted}


TONES = {
    "allow": ("good", "check"),
    "allow_after_undo": ("info", "clock"),
    "one_approver": ("attention", "person"),
    "two_factor": ("info", "padlock"),
    "human": ("attention", "person"),
    "deny": ("danger", "barred"),
}


def _done(user: Any) -> list[dict[str, Any]]:
    """The agent's latest decisions, each with its verdict in a sentence."""
    if not user.has_perm("approvals.view_decision"):
        return []
    rows = _mine(Decision, user).filter(by_kind="agent").select_related("case__order")[:SOME]
    lines = []
    for row in rows:
        tone, icon = TONES[row.outcome]
        lines.append({"row": row, "tone": tone, "icon": icon, "sentence": SENTENCES.get(row.rule, row.rule)})
    return lines


def _switches(user: Any) -> list[KillSwitch]:
    return list(_mine(KillSwitch, user).filter(released_at__isnull=True).select_related("shop"))


@dataclass(frozen=True, slots=True)
class Vendor:
    """How a vendor answered within the last hour: calls sent, and those that failed or were not answered.

    `late`: what it told by no webhook within the last day, and was found by reading.
    """

    name: str
    sent: int
    bad: int
    late: int = 0


def _vendors(user: Any, now: datetime) -> list[Vendor]:
    if not user.has_perm("tools.view_toolcall"):
        return []
    bad = Q(state__in=[ToolCall.State.FAILED, ToolCall.State.UNKNOWN])
    calls = _mine(ToolCall, user).filter(first_sent_at__gte=now - timedelta(hours=1)).order_by()
    rows = calls.values("vendor").annotate(sent=Count("pk"), bad=Count("pk", filter=bad)).order_by("vendor")
    asked = {row["vendor"]: (row["sent"], row["bad"]) for row in rows}
    late = _found_late(user, now)
    return [Vendor(name, *asked.get(name, (0, 0)), late.get(name, 0)) for name in sorted({*asked, *late})]


def _found_late(user: Any, now: datetime) -> dict[str, int]:
    if not user.has_perm("cases.view_inboundevent"):
        return {}
    day = now - timedelta(days=1)
    rows = _mine(InboundEvent, user).filter(found_late_seconds__isnull=False, received_at__gte=day).order_by()
    return {row["source"]: row["n"] for row in rows.values("source").annotate(n=Count("pk"))}


@dataclass(frozen=True, slots=True)
class Sign:
    """A process group and how long ago it gave a sign of life."""

    name: str
    seconds: float

    @property
    def well(self) -> bool:
        return self.seconds < SILENT_SECONDS


def health(data_dir: Path | None = None) -> list[Sign]:
    """The youngest sign of each process group under the data folder; empty where none has run here."""
    signs: dict[str, float] = {}
    for path in sorted((data_dir or settings.DATA_DIR).glob("run*/**/beat")):
        with suppress(OSError, ValueError):
            age = time.monotonic() - float(path.read_text())
            signs[path.parent.name] = min(age, signs.get(path.parent.name, age))
    return [Sign(name, max(0.0, age)) for name, age in sorted(signs.items()) if age >= -1]
