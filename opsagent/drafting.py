"""Versions on their pages: draft the next, publish now or from a moment, bring an old one back.

The GET shows the form, the POST calls one service.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from approvals import versions
from approvals.bounds import UNITS
from approvals.caps import AMOUNTS, CAPS, PLANNERS, RANGES, unit_help, unit_name
from approvals.errors import LeavesNobody, Refusal
from approvals.limits import LIMITS
from approvals.models import LimitVersion, TermsVersion, Version
from approvals.promises import CHOICES, DAYS, LISTS, MONEY, PAYERS, TERMS, payer_lines, withdrawal_lines
from approvals.terms import EU
from approvals.versions import Kind
from audit import actors
from audit.shop_admin import of_own_shops
from tools.types import to_decimal, to_minor

if TYPE_CHECKING:
    from opsagent.admin_site import OpsAdminSite

View = Callable[..., HttpResponse]
V = TypeVar("V", bound=Version)


def reason_field() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )


class AmountField(forms.DecimalField):
    """Major units as people write them, minor units once cleaned; refuses what the currency has no decimals for."""

    def __init__(self, *, currency: str, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_digits=16, **kwargs)
        self.currency = currency

    def clean(self, value: Any) -> int | None:
        amount = super().clean(value)
        if amount is None:
            return None
        try:
            return to_minor(amount, self.currency)
        except ValueError as error:
            raise forms.ValidationError(
                _("%(currency)s doesn't have that many decimals.") % {"currency": self.currency}
            ) from error

    def shown(self, minor: int | None) -> Any:
        """The amount as the form begins with it."""
        return None if minor is None else to_decimal(minor, self.currency)


class VersionForm(forms.Form):
    """The next version of what `row` says, beginning with its numbers."""

    def __init__(self, *args: Any, row: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row = row
        self.build()
        self.fields["reason"] = reason_field()

    def build(self) -> None:
        """Add the fields."""
        raise NotImplementedError

    def numbers(self) -> dict[str, Any]:
        """What was filled in, by column."""
        return {name: self.cleaned_data[name] for name in self.row.NUMBERS}

    def amount(self, name: str, label: Any, minor: int | None, *, required: bool = True) -> None:
        field = AmountField(currency=self.row.currency, label=label, required=required)
        field.initial = field.shown(minor)
        self.fields[name] = field

    def number(self, name: str, label: Any, value: int, least: int, most: int) -> None:
        self.fields[name] = forms.IntegerField(label=label, min_value=least, max_value=most, initial=value)

    def label(self, name: str) -> str:
        words = str(self.row._meta.get_field(name).verbose_name)
        return words[:1].upper() + words[1:]


class LimitsForm(VersionForm):
    """The lines of one currency."""

    def build(self) -> None:
        for name in LimitVersion.NUMBERS:
            value = getattr(self.row, name)
            if name.endswith("_percent"):
                self.number(name, self.label(name), value, 0, 100)
            else:
                self.amount(name, self.label(name), value, required=name != "two_people_above_minor")
            self.fields[name].help_text = self.row._meta.get_field(name).help_text


class CapsForm(VersionForm):
    """Amounts in the base currency, a budget for each planner (empty for none) and a number for each unit."""

    def build(self) -> None:
        for name in AMOUNTS:
            self.amount(name, self.label(name), getattr(self.row, name))
        for planner in PLANNERS:
            what = _("Automatic in 24 hours by planner %(planner)s") % {"planner": planner}
            self.amount(f"budget_{planner}", what, self.row.budgets.get(planner), required=False)
        for unit in UNITS:
            what = unit_name(unit).capitalize()
            self.number(f"size_{unit}", what, self.row.sizes.get(unit, 0), 0, 1_000_000)
            self.fields[f"size_{unit}"].help_text = unit_help(unit)
        for name, (least, most) in RANGES.items():
            self.number(name, self.label(name), getattr(self.row, name), least, most)

    def numbers(self) -> dict[str, Any]:
        given = self.cleaned_data
        budgets = {planner: given[f"budget_{planner}"] for planner in PLANNERS}
        return {
            **{name: given[name] for name in (*AMOUNTS, *RANGES)},
            "budgets": {planner: minor for planner, minor in budgets.items() if minor is not None},
            "sizes": {unit: given[f"size_{unit}"] for unit in UNITS},
        }


class LinesField(forms.CharField):
    """Words, one a line or with commas between; capitals once cleaned."""

    widget = forms.Textarea(attrs={"rows": 3})

    def clean(self, value: Any) -> list[str]:
        return words(str(super().clean(value)))


class ByCountryField(forms.CharField):
    """A value, a colon and countries on each line; the values by country once cleaned."""

    widget = forms.Textarea(attrs={"rows": 3})
    complaint = gettext_lazy(
        "Write days, a colon and countries, each country once: 14: EU, GB. Not: %(line)s."
    )

    def clean(self, value: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for line in str(super().clean(value)).splitlines():
            if line.strip():
                self._add(found, line)
        return found

    def _add(self, found: dict[str, Any], line: str) -> None:
        text, _colon, names = line.partition(":")
        value = self.value_of(text.strip())
        countries = [each for name in words(names) for each in (EU if name == "EU" else (name,))]
        if value is None or not countries or set(countries) & set(found):
            raise forms.ValidationError(str(self.complaint) % {"line": line.strip()[:60]})
        found.update(dict.fromkeys(countries, value))

    def value_of(self, text: str) -> Any:
        """What stands before the colon; None where that is nothing that can be meant."""
        raise NotImplementedError


class PeriodsField(ByCountryField):
    """`14: EU, GB`: days by country."""

    def value_of(self, text: str) -> int | None:
        return int(text) if text.isdecimal() else None


class PayersField(ByCountryField):
    """`label: US, CA`: who pays for sending back, by country."""

    complaint = gettext_lazy(
        "Write customer, label or shop, a colon and countries, each country once: label: US, CA. Not: %(line)s."
    )

    def value_of(self, text: str) -> str | None:
        return text.lower() if text.lower() in TermsVersion.Pays.values else None


def words(text: str) -> list[str]:
    """The words of a text in capitals, each once, in their order."""
    return list(dict.fromkeys(text.upper().replace(",", " ").replace(";", " ").split()))


class TermsForm(VersionForm):
    """What the shop promises; an amount for each currency that it has limits in, empty where nothing is said."""

    def build(self) -> None:
        for name in TermsVersion.NUMBERS:
            if name in MONEY:
                self._amounts(name)
            else:
                self.fields[name] = self._field(name)
                self.fields[name].help_text = self.row._meta.get_field(name).help_text

    def _field(self, name: str) -> forms.Field:
        label, value = self.label(name), getattr(self.row, name)
        if name in CHOICES:
            column = self.row._meta.get_field(name)
            return forms.ChoiceField(
                label=label, choices=column.choices, initial=value, required=not column.blank
            )
        if name in DAYS:
            needed = name != "goodwill_days"
            return forms.IntegerField(
                label=label, min_value=0, max_value=3650, initial=value, required=needed
            )
        if name in LISTS:
            return LinesField(label=label, initial="\n".join(value), required=False)
        if name == PAYERS:
            return PayersField(label=label, initial="\n".join(payer_lines(value)), required=False)
        return PeriodsField(label=label, initial="\n".join(withdrawal_lines(value)), required=False)

    def _amounts(self, name: str) -> None:
        for place, currency in enumerate(self._currencies()):
            label = f"{self.label(name)} ({currency})"
            field = AmountField(currency=currency, label=label, required=False)
            field.initial = field.shown(getattr(self.row, name).get(currency))
            # Said once for all of them.
            field.help_text = "" if place else self.row._meta.get_field(name).help_text
            self.fields[f"{name}_{currency}"] = field

    def _currencies(self) -> list[str]:
        sold = LimitVersion.objects.filter(shop_id=self.row.shop_id).order_by("currency")
        said = {currency for name in MONEY for currency in getattr(self.row, name)}
        return sorted({*sold.values_list("currency", flat=True).distinct(), *said})

    def numbers(self) -> dict[str, Any]:
        given = dict(self.cleaned_data)
        for name in MONEY:
            sums = {currency: given[f"{name}_{currency}"] for currency in self._currencies()}
            given[name] = {currency: minor for currency, minor in sums.items() if minor is not None}
        return {name: given[name] for name in TermsVersion.NUMBERS}


class PublishForm(forms.Form):
    """From when it holds, and the explicit yes where a tier is left with nobody."""

    effective_at = forms.DateTimeField(
        label=gettext_lazy("From"),
        required=False,
        help_text=gettext_lazy("In your time zone; empty: at once."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )


class RestoreForm(forms.Form):
    """Why the old numbers come back."""

    reason = reason_field()


class Pages(Generic[V]):
    """The three pages of one table of versions, under names that begin with draft_, publish_ and restore_."""

    def __init__(self, site: OpsAdminSite, kind: Kind[V], form: type[VersionForm]) -> None:
        self.site, self.kind, self.form = site, kind, form
        self.model_name = kind.model._meta.model_name

    def urls(self) -> list[URLPattern]:
        return [
            path(
                f"approvals/{self.model_name}/<int:pk>/{verb}/",
                self.site.admin_view(view),
                name=f"{verb}_{self.kind.noun}",
            )
            for verb, view in (("draft", self.draft), ("publish", self.publish), ("restore", self.restore))
        ]

    def draft(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The next version, starting from the one that was open on the page."""
        row = self._row(request, pk, self.kind.write)
        form = self.form(request.POST if request.method == "POST" else None, row=row)
        if request.method == "POST" and form.is_valid():
            made = self._try(form, lambda: self._drafted(request, row, form))
            if made:
                messages.success(request, _("Proposed. It holds once somebody else has published it."))
                return self._page(made)
        title = _("Propose the next version")
        return self._form(request, row, form, title, _("Propose it"), _("Keep it as it is"))

    def _drafted(self, request: HttpRequest, row: V, form: VersionForm) -> V:
        reason = form.cleaned_data["reason"]
        by = actors.staff(request.user)  # type: ignore[arg-type]  # signed in
        made: V = versions.draft(self.kind, numbers=form.numbers(), reason=reason, by=by, **row.key())
        return made

    def publish(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks only where something was left to say: a moment that can't be, or a tier with nobody."""
        row = self._row(request, pk, self.kind.publish)
        form = PublishForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            made = self._try(form, lambda: self._published(request, row, form))
            if made:
                messages.success(request, _said(made))
                return self._page(made)
        title = _("Publish version %(n)s") % {"n": row.version}
        return self._form(request, row, form, title, title, _("Don't publish it"))

    def _published(self, request: HttpRequest, row: V, form: PublishForm) -> V:
        try:
            return versions.publish(
                self.kind,
                row.pk,
                effective_at=form.cleaned_data["effective_at"],
                leaves_nobody_ok=request.POST.get("leaves_nobody_ok") == "on",
                by=actors.staff(request.user),  # type: ignore[arg-type]  # signed in
            )
        except LeavesNobody:
            form.fields["leaves_nobody_ok"] = forms.BooleanField(
                label=_("Yes, nobody can decide these then: they run out, and a person gets each case."),
                required=False,
            )
            raise

    def restore(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Propose an old version's numbers again."""
        row = self._row(request, pk, self.kind.write)
        form = RestoreForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            reason, by = form.cleaned_data["reason"], actors.staff(request.user)  # type: ignore[arg-type]  # as above
            made = self._try(form, lambda: versions.restore(self.kind, row.pk, reason=reason, by=by))
            if made:
                messages.success(request, _("Proposed. It holds once somebody else has published it."))
                return self._page(made)
        title = _("Bring version %(n)s back") % {"n": row.version}
        return self._form(request, row, form, title, _("Propose it again"), _("Keep it as it is"))

    def _row(self, request: HttpRequest, pk: int, right: str) -> V:
        if not request.user.has_perm(right):
            raise PermissionDenied
        rows = self.kind.model._default_manager.select_related("shop")
        row: V = get_object_or_404(of_own_shops(rows, request.user), pk=pk)
        return row

    def _try(self, form: forms.Form, act: Callable[[], V]) -> V | None:
        try:
            return act()
        except Refusal as refusal:
            form.add_error(None, refusal.sentence)
            return None

    def _page(self, row: V) -> HttpResponse:
        return HttpResponseRedirect(reverse(f"admin:approvals_{self.model_name}_change", args=[row.pk]))

    def _form(
        self, request: HttpRequest, row: V, form: forms.Form, title: str, yes: str, no: str
    ) -> HttpResponse:
        now = versions.in_force(self.kind.model, **row.key())
        context = {
            **self.site.each_context(request),
            "title": title,
            "form": form,
            "row": row,
            "opts": self.kind.model._meta,
            "back": reverse(f"admin:approvals_{self.model_name}_change", args=[row.pk]),
            "yes": yes,
            "no": no,
            "lines": [] if isinstance(form, VersionForm) else versions.difference(self.kind, now, row),
            "drafts": not isinstance(form, PublishForm),
        }
        return TemplateResponse(request, "admin/ops/draft.html", context)


def _said(row: Version) -> str:
    if row.effective_at and row.published_at and row.effective_at > row.published_at:
        return _("Published. It holds from the moment that you gave.")
    return _("Published. It holds from now on.")


def urls(site: OpsAdminSite) -> list[URLPattern]:
    """The pages of every table of versions."""
    return [
        *Pages(site, LIMITS, LimitsForm).urls(),
        *Pages(site, CAPS, CapsForm).urls(),
        *Pages(site, TERMS, TermsForm).urls(),
    ]
