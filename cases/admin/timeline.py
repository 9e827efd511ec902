"""A case from event to effect, in order: what came in, what was judged, who signed, what was sent and became of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from approvals.admin.effect import wish
from approvals.models import ApprovalRequest, Decision, RiskFlag
from approvals.policy import SENTENCES
from audit.models import Entry
from cases.models import Case, Handoff, InboundEvent, Message
from tools.models import ToolCall
from tools.reasons import sentence
from tools.tool_names import tool_name
from tools.vendor_names import vendor_name

VERDICTS = {
    "allow": ("good", "check"),
    "allow_after_undo": ("good", "check"),
    "one_approver": ("attention", "person"),
    "two_factor": ("info", "padlock"),
    "human": ("attention", "person"),
    "deny": ("danger", "barred"),
}
SIGNED = {
    "approved": ("good", "check"),
    "rejected": ("danger", "barred"),
    "expired": ("attention", "clock"),
    "voided": ("", "dotted"),
}
CALLS = {
    "succeeded": ("good", "check"),
    "failed": ("danger", "octagon"),
    "failed_later": ("danger", "octagon"),
    "unknown": ("attention", "triangle"),
    "cancelled": ("", "undo"),
}
# Domain rows tell these better than their entries do.
TOLD = frozenset(
    {
        "approval.approved", "approval.expired", "approval.rejected", "approval.requested", "approval.voided",
        "call.cancelled", "call.failed", "call.reserved", "call.sending", "call.succeeded", "decision.made",
        "event.received", "handoff.claimed", "handoff.opened", "handoff.resolved", "message.received", "note.added",
        "risk.lowered", "risk.raised",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    """One pin on the line. `order` puts things of one moment into the order in which they follow."""

    at: datetime
    order: int
    tone: str
    icon: str
    title: str
    sentence: str | Promise = ""
    url: str = ""
    link: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """The rows of one case, each kind read once."""

    case: Case
    events: list[InboundEvent]
    messages: list[Message]
    decisions: list[Decision]
    approvals: list[ApprovalRequest]
    calls: list[ToolCall]
    handoffs: list[Handoff]
    flags: list[RiskFlag]
    entries: list[Entry]


def read(case: Case, user: Any) -> Story:
    """All that belongs to the case, in a fixed number of queries; audit entries for those who may read them."""
    entries = Entry.objects.filter(stream=f"case/{case.pk}").order_by("seq")
    return Story(
        case,
        list(case.events.defer("raw").order_by("id")),
        list(case.messages.select_related("template", "event").defer("event__raw").order_by("id")),
        list(case.decisions.select_related("limits").order_by("id")),
        list(case.approvals.select_related("decided_by").order_by("id")),
        list(case.calls.order_by("id")),
        list(case.handoffs.select_related("claimed_by").order_by("id")),
        list(RiskFlag.objects.filter(case=case).select_related("lowered_by").order_by("id")),
        list(entries) if user.has_perm("audit.view_entry") else [],
    )


def items(story: Story) -> list[Item]:
    """Everything that happened, oldest first."""
    parts: Iterable[Iterator[Item]] = (
        _events(story),
        _messages(story),
        _flags(story),
        _decisions(story),
        _approvals(story),
        _handoffs(story),
        _calls(story),
        _entries(story),
    )
    return sorted((item for part in parts for item in part), key=lambda item: (item.at, item.order))


def _events(story: Story) -> Iterator[Item]:
    for event in story.events:
        url = reverse("admin:cases_inboundevent_change", args=[event.pk])
        title = _("%(source)s: %(topic)s") % {
            "source": vendor_name(event.source),
            "topic": event.topic or _("event"),
        }
        again = _("Delivered again %(n)s times, which changed nothing.") % {"n": event.duplicates}
        yield Item(event.received_at, 0, "", "inbox", title, again if event.duplicates else "", url, _("Raw"))


def _messages(story: Story) -> Iterator[Item]:
    titles = {
        Message.Direction.IN: (_("Message received"), "", "mail"),
        Message.Direction.OUT: (_("Message to the customer"), "info", "mail"),
        Message.Direction.NOTE: (_("Internal note"), "", "list"),
        Message.Direction.MACHINE: (_("The planner wrote"), "machine", "robot"),
    }
    for message in story.messages:
        title, tone, icon = titles[Message.Direction(message.direction)]
        yield Item(message.at, 1, tone, icon, title, _about(message), f"#message-{message.pk}", _("Read"))


def _about(message: Message) -> str:
    if message.template is not None:
        return f"“{message.template.key}”, {message.get_state_display()}."
    if message.direction == Message.Direction.IN:
        flags = ", ".join(message.labels.get("flags", []))
        return _("Triage: %(flags)s.") % {"flags": flags} if flags else _("Triage found no risk.")
    return f"{message.author}." if message.author else ""


def _flags(story: Story) -> Iterator[Item]:
    for flag in story.flags:
        title = _("Flag raised: %(kind)s") % {"kind": flag.get_kind_display()}
        url = reverse("admin:approvals_riskflag_change", args=[flag.pk])
        yield Item(flag.raised_at, 2, "danger", "triangle", title, flag.source, url, _("Flag"))
        if flag.lowered_at:
            yield Item(
                flag.lowered_at, 2, "", "check", _("Flag lowered"), f"{flag.lowered_by}: {flag.lower_reason}"
            )


def _decisions(story: Story) -> Iterator[Item]:
    for row in story.decisions:
        tone, icon = VERDICTS[row.outcome]
        title = _("Verdict on %(wish)s: %(verdict)s") % {
            "wish": wish(row),
            "verdict": row.get_outcome_display(),
        }
        url = reverse("admin:approvals_decision_change", args=[row.pk])
        why = f"{SENTENCES.get(row.rule, '')} {row.entitlement}".strip()
        yield Item(row.at, 3, tone, icon, title, why, url, _("Why"), row.rule)


def _approvals(story: Story) -> Iterator[Item]:
    for row in story.approvals:
        url = reverse("admin:approvals_approvalrequest_change", args=[row.pk])
        title = _("Approval requested: %(amount)s") % {"amount": row.money}
        yield Item(row.requested_at, 4, "info", "clock", title, row.get_tier_display(), url, _("Review"))
        if row.decided_at:
            tone, icon = SIGNED[row.state]
            who = str(row.decided_by.get_full_name() or row.decided_by) if row.decided_by else ""
            said = ": ".join(part for part in (who, row.reason) if part)
            yield Item(
                row.decided_at,
                5,
                tone,
                icon,
                _("Request %(state)s") % {"state": row.get_state_display()},
                said,
            )


def _handoffs(story: Story) -> Iterator[Item]:
    for row in story.handoffs:
        took = (row.opened_at - row.received_at).total_seconds()
        title = _("Handed to a person: %(reason)s") % {"reason": row.get_reason_display()}
        after = _("%(seconds)s s after the call for one.") % {"seconds": f"{max(0.0, took):.1f}"}
        detail = f"{after} {sentence(row.detail)}".strip()
        yield Item(row.opened_at, 4, "attention", "person", title, detail, rule=row.detail)
        if row.claimed_at and row.claimed_by:
            seconds = int((row.claimed_at - row.received_at).total_seconds())
            who = row.claimed_by.get_full_name() or row.claimed_by.get_username()
            title = _("Claimed by %(who)s") % {"who": who}
            yield Item(row.claimed_at, 4, "good", "check", title, _("after %(n)s s") % {"n": seconds})
        if row.resolved_at:
            yield Item(row.resolved_at, 4, "good", "check", _("Hand-off resolved"))


def _calls(story: Story) -> Iterator[Item]:
    for call in story.calls:
        url = reverse("admin:tools_toolcall_change", args=[call.pk])
        what = tool_name(call.tool)
        name = f"{what}, {call.money}" if call.money else what
        title = _("Effect stored with its key: %(name)s") % {"name": name}
        yield Item(
            call.created_at, 6, "info", "money" if call.money else "mail", title, call.vendor, url, _("Call")
        )
        ended = call.ended_at or (call.first_sent_at if call.state == ToolCall.State.UNKNOWN else None)
        if ended:
            tone, icon = CALLS.get(call.state, ("", "dotted"))
            title = _("Effect %(state)s: %(name)s") % {"state": call.get_state_display(), "name": name}
            yield Item(ended, 7, tone, icon, title, call.vendor_ref or call.error, url, _("Call"))


def _entries(story: Story) -> Iterator[Item]:
    for entry in story.entries:
        if entry.action in TOLD:
            continue
        url = reverse("admin:audit_entry_change", args=[entry.pk])
        yield Item(entry.at, 8, "", "dotted", entry.sentence, entry.action, url, _("Entry"))
