"""The buttons about fraud: a flag raised or lowered by a person, an entry of the list ended.

Each row is what a button is made of: model, rights, what pressing does, and what is said after it.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from approvals import services as approvals
from audit.actors import Actor
from cases.fraud import listed, suspecting

Row = tuple[str, tuple[str, ...], Callable[[int, QueryDict, Actor], object], Promise]

MARKED = gettext_lazy("Marked. Nothing automatic touches it, and a person is called.")

RISK: dict[str, Row] = {
    "lower_flag": (
        "approvals.riskflag",
        ("approvals.lower_riskflag",),
        lambda pk, form, by: approvals.lower_flag(pk, reason=form.get("reason", ""), by=by),
        gettext_lazy("Lowered. The reason is kept with the flag."),
    ),
    "mark_case": (
        "cases.case",
        (suspecting.MARK,),
        lambda pk, form, by: suspecting.mark_case(pk, reason=form.get("reason", ""), by=by),
        MARKED,
    ),
    "mark_order": (
        "tools.order",
        (suspecting.MARK,),
        lambda pk, form, by: suspecting.mark_order(pk, reason=form.get("reason", ""), by=by),
        MARKED,
    ),
    "end_fraud_entry": (
        "cases.fraudentry",
        (listed.END,),
        lambda pk, form, by: listed.end(pk, reason=form.get("reason", ""), by=by),
        gettext_lazy("Taken off the list. Flags that are up stay until a person lowers each."),
    ),
}
