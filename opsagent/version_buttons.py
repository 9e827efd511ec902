"""The buttons that end what somebody proposed about authority: a version that never held, an exception.

Each row is what a button is made of: model, rights, what pressing does, and what is said after it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext_lazy

from approvals import exceptions, versions
from approvals.caps import CAPS
from approvals.limits import LIMITS
from approvals.promises import TERMS
from approvals.versions import Kind
from audit.actors import Actor
from opsagent.risk_buttons import Row

EXCEPTION = "approvals.limitexception"


def _withdraw(kind: Kind[Any], pk: int, form: QueryDict, by: Actor) -> object:
    return versions.withdraw(kind, pk, reason=form.get("reason", ""), by=by)


def _ends(kind: Kind[Any]) -> Row:
    said = gettext_lazy("It will never hold. Its reason and yours are kept with it.")
    return kind.model._meta.label_lower, (kind.write, kind.publish), partial(_withdraw, kind), said


VERSIONS: dict[str, Row] = {
    "withdraw_limits": _ends(LIMITS),
    "withdraw_caps": _ends(CAPS),
    "withdraw_terms": _ends(TERMS),
    "approve_exception": (
        EXCEPTION,
        (exceptions.APPROVE,),
        lambda pk, form, by: exceptions.approve(pk, by=by),
        gettext_lazy("Approved. The cap is lifted until the date."),
    ),
    "decline_exception": (
        EXCEPTION,
        (exceptions.APPROVE, exceptions.ASK),
        lambda pk, form, by: exceptions.decline(pk, by=by),
        gettext_lazy("It will never hold. The shop's own cap stays as it is."),
    ),
    "end_exception": (
        EXCEPTION,
        (exceptions.APPROVE, exceptions.ASK),
        lambda pk, form, by: exceptions.end(pk, by=by),
        gettext_lazy("Ended. The shop's own cap holds again."),
    ),
}
