"""Exceptions to a cap: which hold, which wait for a second person, and what each lifts."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals import exceptions
from approvals.admin.decisions import SHOP
from approvals.admin.versions import money
from approvals.caps import caps_of
from approvals.models import LimitException
from approvals.rights import has_right
from approvals.subjects import Subject, subjects
from audit.moment import moment
from audit.shop_admin import HistoryAdmin
from tools.types import Money

State = tuple[str, str, str]


@admin.register(LimitException)
class LimitExceptionAdmin(HistoryAdmin):
    list_words = gettext_lazy(
        "One cap lifted for one subject until a date. Somebody asks, somebody else approves; flags and the last line"
        " of the limits hold all the same."
    )
    list_display = ("what", "shop", "up_to", "standing", "expires_at", "author", "approved_by")
    list_filter = ("scope", SHOP)
    list_select_related = ("shop", "author", "approved_by")
    page_template = "admin/ops/exception.html"
    change_list_template = "admin/ops/exceptions.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return Named

    @admin.display(description=gettext_lazy("for"), ordering="scope")
    def what(self, row: Any) -> str:
        return format_html("{}<small>{}</small>", row.named.words, row.get_scope_display())

    @admin.display(description=gettext_lazy("up to"), ordering="up_to_minor")
    def up_to(self, row: LimitException) -> str:
        return money(row.up_to_minor, row.currency)

    @admin.display(description=gettext_lazy("state"), ordering="expires_at")
    def standing(self, row: LimitException) -> str:
        tone, _picture, word = state_of(row)
        return format_html('<span class="badge {}">{}</span>', tone, word)

    def page_context(self, request: HttpRequest, row: LimitException) -> dict[str, Any]:
        user: Any = request.user
        caps = caps_of(row.shop_id)
        state = exceptions.state_of(row, moment())
        may_approve, subject = has_right(user, exceptions.APPROVE), subjects([row])[row.pk]
        may_end = may_approve or has_right(user, exceptions.ASK)
        return {
            "title": _("Exception for %(what)s") % {"what": subject.words},
            "row": row,
            "state": state_of(row),
            "cap": Money(caps.amounts()[row.scope], caps.currency),
            "subject": subject,
            "subject_url": _page_of(subject, user),
            "may_approve": state == "waits" and may_approve and row.author_id != user.pk,
            "own": state == "waits" and row.author_id == user.pk,
            "may_decline": state == "waits" and may_end,
            "may_end": state == "holds" and may_end,
        }


def state_of(row: LimitException) -> State:
    """Tone, picture and word."""
    words: dict[str, State] = {
        "waits": ("attention", "clock", _("waits for a second person")),
        "holds": ("good", "check", _("holds")),
        "declined": ("danger", "barred", _("declined")),
        "over": ("", "dotted", _("over")),
    }
    return words[exceptions.state_of(row, moment())]


def _page_of(subject: Subject, user: Any) -> str:
    """Where the reader may look at whom it is for."""
    app, _dot, model = subject.model.partition(".")
    if not model or not user.has_perm(f"{app}.view_{model}"):
        return ""
    return reverse(f"admin:{app}_{model}_change", args=[subject.pk])


class Named(ChangeList):
    """A page of the list with everybody's name, asked for all rows at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)
        names = subjects(rows)
        for row in rows:
            row.named = names[row.pk]
        self.result_list = rows
