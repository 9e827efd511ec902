"""The terms of a shop as people write them: what is checked, and how each promise is said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pydantic import ValidationError

from approvals.errors import Invalid
from approvals.models import TermsVersion
from approvals.terms import EU, Terms
from approvals.versions import Kind
from tools.types import Money

MONEY = ("standard_shipping", "return_fee", "photo_above")
LISTS = ("final_sale", "hygiene")
CHOICES = ("refund_on", "return_shipping", "withdrawal_shipping", "outward_shipping")
PAYERS = "return_shipping_in"
DAYS = ("return_days", "damage_days", "wrong_item_days", "missing_days", "goodwill_days")


def _check(wish: Mapping[str, Any]) -> None:
    numbers = {name: wish[name] for name in TermsVersion.NUMBERS}
    try:
        Terms.model_validate(numbers)
    except ValidationError as error:
        raise Invalid(_complaint(error.errors()[0]["loc"])) from error


def _complaint(where: tuple[int | str, ...]) -> str:
    """What is wrong with the promise that stands first among the wrong ones."""
    name = str(where[0])
    words = {
        "withdrawal": _(
            "The right of withdrawal names countries by two letters, and gives 14 days at least in the EU."
        ),
        "final_sale": _("SKUs have letters, digits and . _ / -, with * or ? for what may differ."),
        "hygiene": _("SKUs have letters, digits and . _ / -, with * or ? for what may differ."),
        PAYERS: _("Who pays is customer, label or shop, and countries have two letters: label: US, CA."),
        "return_fee": _("An amount for each currency, and none is below zero."),
        "standard_shipping": _("An amount for each currency, and none is below zero."),
        "photo_above": _("An amount for each currency, and none is below zero."),
    }
    what = str(TermsVersion._meta.get_field(name).verbose_name).capitalize()  # type: ignore[union-attr]  # a column of ours
    return words.get(name) or _("%(what)s: that can't be promised.") % {"what": what}


def _show(row: TermsVersion, name: str) -> str:
    value = getattr(row, name)
    if name in CHOICES:
        return str(getattr(row, f"get_{name}_display")())
    if name in LISTS:
        return ", ".join(value) or _("none")
    if name in MONEY:
        sums = [str(Money(minor, currency)) for currency, minor in sorted(value.items())]
        return ", ".join(sums) or _("not said")
    if name == "withdrawal":
        return "; ".join(withdrawal_lines(value, _days)) or _("none")
    if name == PAYERS:
        return "; ".join(payer_lines(value, lambda payer: str(TermsVersion.Pays(payer).label))) or _(
            "nowhere"
        )
    return _("none") if value is None else _days(value)


def _days(days: int) -> str:
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}


def withdrawal_lines(periods: Mapping[str, int], said: Any = str) -> list[str]:
    """The periods with their countries, the longest first: `14: EU, GB`."""
    found = sorted(_by_value(periods).items(), reverse=True)
    return [f"{said(days)}: {', '.join(_countries(countries))}" for days, countries in found]


def payer_lines(payers: Mapping[str, str], said: Any = str) -> list[str]:
    """Who pays with their countries: `label: CA, US`."""
    found = sorted(_by_value(payers).items())
    return [f"{said(payer)}: {', '.join(_countries(countries))}" for payer, countries in found]


def _by_value(by_country: Mapping[str, Any]) -> dict[Any, set[str]]:
    found: dict[Any, set[str]] = defaultdict(set)
    for country, value in by_country.items():
        found[value].add(country)
    return found


def _countries(found: set[str]) -> list[str]:
    every = set(EU) <= found
    return [*(["EU"] if every else []), *sorted(found - set(EU) if every else found)]


TERMS = Kind(TermsVersion, "terms", _check, _show)
