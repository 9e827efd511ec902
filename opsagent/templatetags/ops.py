"""The small parts that pages are made of: icons, money, moments, badges and countdowns, all without inline style."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from approvals.admin import half_done as halves
from approvals.admin.effect import wish
from approvals.models import Decision
from audit.moment import moment
from tools import status_words
from tools.models import ToolCall
from tools.tool_names import tool_name
from tools.types import Money
from tools.vendor_names import vendor_name

register = template.Library()
register.filter("vendor_name", vendor_name)
register.filter("tool_name", tool_name)
register.filter("payment_status", status_words.payment_status)
register.filter("shipping_status", status_words.shipping_status)
register.filter("return_status", status_words.return_status)


@register.simple_tag
def icon(name: str) -> SafeString:
    """A picture beside a word, hidden from readers since the word says it all."""
    href = static("opsagent/icons.svg")
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', href, name)


@register.simple_tag
def badge(tone: str, picture: str, word: str) -> SafeString:
    """Icon, word and tint; `tone` is good, attention, danger, info, machine or empty."""
    return format_html('<span class="badge {}">{} {}</span>', tone, icon(picture), capfirst(word))


@register.simple_tag(name="wish")
def wish_tag(decision: Decision) -> str:
    """What a decision is about, in a few words."""
    return capfirst(wish(decision))


@register.simple_tag(name="money")
def money_tag(amount_minor: int, currency: str) -> SafeString:
    """An amount that never breaks across lines, with a true minus sign."""
    return show_money(Money(amount_minor, currency))


@register.filter
def money(amount: Money | None) -> SafeString:
    """A Money as text that never breaks; nothing for None."""
    return show_money(amount) if amount else SafeString("")


def show_money(amount: Money) -> SafeString:
    return format_html('<span class="money">{}</span>', plain_money(amount))


def plain_money(amount: Money) -> str:
    """For titles and buttons: no markup, a true minus sign."""
    return str(amount).replace("-", "\N{MINUS SIGN}")


@register.filter
def clock(at: datetime | None) -> SafeString:
    """The hour today, the weekday this week, else the date; the full moment on hover."""
    if at is None:
        return SafeString("")
    local, now = timezone.localtime(at), timezone.localtime(moment())
    if local.date() == now.date():
        short = formats.date_format(local, "H:i")
    elif abs(now - local) < timedelta(days=6):
        short = formats.date_format(local, "D H:i")
    else:
        short = formats.date_format(local, "j M Y")
    return stamp(at, short)


@register.filter
def ago(at: datetime | None) -> SafeString:
    """How long ago, in one unit; the full moment on hover."""
    if at is None:
        return SafeString("")
    return stamp(at, lasting((moment() - at).total_seconds()))


@register.filter
def second(at: datetime | None) -> SafeString:
    """Hour, minute and second today, for things whose order matters; else as `clock`."""
    if at is None:
        return SafeString("")
    local = timezone.localtime(at)
    if local.date() != timezone.localtime(moment()).date():
        return clock(at)
    return stamp(at, formats.date_format(local, "H:i:s"))


def stamp(at: datetime, short: str) -> SafeString:
    full = formats.date_format(timezone.localtime(at), "j F Y, H:i:s T")
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), full, short)


@register.filter
def lasting(seconds: float) -> str:
    """A length of time in its largest unit: 48 s, 6 min, 3 h, 2 days."""
    whole = max(0, int(seconds))
    if whole < 60:
        return _("%(n)s s") % {"n": whole}
    if whole < 3600:
        return _("%(n)s min") % {"n": whole // 60}
    if whole < 2 * 86400:
        return _("%(n)s h") % {"n": whole // 3600}
    return ngettext("%(n)s day", "%(n)s days", whole // 86400) % {"n": whole // 86400}


@register.filter
def due(at: datetime | None) -> str:
    """How long until a moment, or that it is past."""
    if at is None:
        return ""
    left = (at - moment()).total_seconds()
    return _("in %(length)s") % {"length": lasting(left)} if left >= 0 else _("now")


def minutes(seconds: float) -> str:
    whole = abs(int(seconds))
    if whole >= 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02} h"
    return f"{whole // 60}:{whole % 60:02}"


@register.inclusion_tag("admin/ops/countdown.html")
def countdown(until: datetime, since: datetime, name: object = "") -> dict[str, Any]:
    """A ring that empties from `since` to `until`; late ones say by how much."""
    now = moment()
    left, total = (until - now).total_seconds(), max(1.0, (until - since).total_seconds())
    tone = "late" if left < 0 else "last" if left <= 15 else "soon" if left <= 30 else ""
    return {
        "tone": tone,
        "left": minutes(left),
        "share": f"{max(0.0, min(100.0, 100 * left / total)):.1f}",
        "due": f"{until.timestamp():.1f}",
        "now": f"{now.timestamp():.1f}",
        "total": f"{total:.0f}",
        "name": name,
    }


@register.inclusion_tag("admin/ops/half_done.html")
def half_done(calls: Iterable[ToolCall]) -> dict[str, Any]:
    """The panel of each action among these calls that stopped half-way; nothing where there is none."""
    return {"stopped": halves.half_done(calls)}


@register.filter
def urgency(until: datetime) -> str:
    """The class of a row whose time runs out: late, last or nothing."""
    left = (until - moment()).total_seconds()
    return "late" if left < 0 else "last" if left <= 15 else ""


@register.filter
def grouped(digest: str) -> str:
    """The first 16 hex digits in groups of four: what a person compares."""
    return " ".join(digest[start : start + 4] for start in range(0, 16, 4))
