"""Whether the books hold: each check that was made, and what was found, in words for whoever has to look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from audit.moment import moment
from audit.shop_admin import HistoryAdmin
from cases.invariants import INVARIANTS
from cases.invariants.vendors import EQUAL
from cases.models import InvariantRun


@dataclass(frozen=True, slots=True)
class Standing:
    """How the books stand by the last check that ended: `run` is None where none has."""

    tone: str
    icon: str
    words: str
    run: InvariantRun | None = None
    is_old: bool = False


def standing(now: datetime) -> Standing:
    """What the desk says; it never says that all is well on the word of a check that is older than a day."""
    run = InvariantRun.objects.filter(ended_at__isnull=False).order_by("-ended_at").defer("found").first()
    if run is None:
        return Standing("attention", "dotted", _now("Not run yet"))
    tone, icon, words = tone_of(run)
    old = run.is_old(now)
    return Standing(
        "attention" if old and tone == "good" else tone, "clock" if old else icon, words, run, old
    )


def tone_of(run: InvariantRun) -> tuple[str, str, str]:
    """Tone, icon and words for how a check went."""
    if run.failed:
        return "danger", "octagon", _now("Did not end")
    if run.ended_at is None:
        return "info", "clock", _now("Under way")
    if run.broken:
        words = ngettext("%(n)s violation", "%(n)s violations", run.broken) % {"n": run.broken}
        return "danger", "octagon", words
    return "good", "check", _now("The books hold")


@admin.register(InvariantRun)
class InvariantRunAdmin(HistoryAdmin):
    shop_path = ""
    list_words = _(
        "Every night each rule that the books must follow at any moment is asked of all rows: what went back never"
        " exceeds what came in, nothing happens twice or without a decision, nothing is lost, and the log tells of"
        " everything once. manage.py invariants asks at any time."
    )
    list_display = ("asked_at", "by", "standing", "took", "chain")
    page_template = "admin/ops/invariants.html"

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request)
        return rows.defer("found") if request.resolver_match and not request.resolver_match.kwargs else rows

    @admin.display(description=_("asked for by"), ordering="night")
    def by(self, row: InvariantRun) -> str:
        return _now("the night") if row.night else _now("a command")

    @admin.display(description=_("state"), ordering="broken")
    def standing(self, row: InvariantRun) -> SafeString:
        tone, _icon, words = tone_of(row)
        return format_html('<span class="badge {}">{}</span>', tone, words)

    @admin.display(description=_("took"), ordering="milliseconds")
    def took(self, row: InvariantRun) -> str:
        return seconds_of(row)

    @admin.display(description=_("audit chain"), ordering="full")
    def chain(self, row: InvariantRun) -> str:
        return _now("all of it") if row.full else _now("what came since")

    def page_context(self, request: HttpRequest, row: InvariantRun) -> dict[str, Any]:
        tone, icon, words = tone_of(row)
        found = _visible(row, request.user)
        return {
            "title": _now("Check of the books"),
            "run": row,
            "tone": tone,
            "icon": icon,
            "words": words,
            "took": seconds_of(row),
            "by": self.by(row),
            "is_old": row.is_old(moment()),
            "groups": _groups(found),
            "hidden": row.broken - len(found),
        }


def seconds_of(row: InvariantRun) -> str:
    """How long a check took, in seconds."""
    return f"{row.milliseconds // 1000}.{row.milliseconds % 1000 // 100} s" if row.ended_at else ""


def _visible(row: InvariantRun, user: Any) -> list[dict[str, Any]]:
    """What was found in the person's own shops, and what belongs to none."""
    if user.is_superuser:
        return list(row.found)
    mine = {None, *user.shops.values_list("pk", flat=True)}
    return [one for one in row.found if one["shop"] in mine]


def _groups(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows by invariant, each with its sentence and what to do, in the invariants' order."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for one in found:
        rows.setdefault(one["invariant"], []).append(one)
    # An older version's check may name what is no longer asked.
    known = {**INVARIANTS, EQUAL.name: EQUAL}
    return [
        {
            "name": name,
            "sentence": str(known[name].sentence) if name in known else name,
            "todo": str(known[name].todo) if name in known else "",
            "rows": rows[name],
        }
        for name in rows
    ]
