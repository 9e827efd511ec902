"""What went wrong with a vendor call, told by what the caller may do now.

    ToolError
    ├── InvalidArgs       never sent, and our own fault: correct the request; sending it again is pointless
    ├── Refused           the vendor said no, nothing happened, and it is final: release and tell a person
    │   ├── NotConfigured never sent: an environment variable is missing, so staff must connect the vendor
    │   └── ReadOnly      never sent: the operation's contract has changed, until staff clear the drift
    ├── Unavailable       never executed: safe to try again later, not before `retry_after` seconds
    │   └── HeldBack      never sent: we spare the vendor ourselves, or a person stopped it: it counts as no attempt
    ├── OutcomeUnknown    sent, answer lost or unreadable: keep the reservation, read the vendor, same key only
    └── ContractDrift     the vendor's words have changed: guess nothing, the operation goes to people

ContractDrift is raised by reads and parsers alone. A write whose answer can't be read may have been executed, so it
is OutcomeUnknown with the finding in `drift`.
"""

from __future__ import annotations

import math
from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Who wishes for longer is asked again after a day: a slip of the vendor's must not silence us for years.
LONGEST_WISH_SECONDS = 86_400.0


class ToolError(Exception):
    """The root of all that a vendor call may raise; `sentence` is for staff, `str()` and the fields for the log.

    `code` is short and stable (a vendor's error code or `http_422`); no field ever holds personal data.
    """

    sentence: ClassVar[Promise | str] = _("Something went wrong at the vendor.")
    default_code: ClassVar[str] = "error"
    # The vendor's own word on sending the same again at once, where it gave one.
    again: bool | None = None

    def __init__(self, detail: str = "", *, vendor: str = "", operation: str = "", code: str = "") -> None:
        self.detail, self.vendor, self.operation = detail, vendor, operation
        self.code = (code or self.default_code)[:64]
        super().__init__(" ".join(filter(None, (vendor, operation, self.code, detail))))


class InvalidArgs(ToolError):
    """Nothing was sent, since the request itself is wrong."""

    sentence = _("The request was not sent, because it is not valid.")
    default_code = "invalid_args"


class Refused(ToolError):
    """The vendor understood and said no; nothing was executed, and asking again changes nothing."""

    sentence = _("The vendor refused the request. Nothing was done.")
    default_code = "refused"


class NotConfigured(Refused):
    """An environment variable that names a shop's vendor account is missing; nothing was sent."""

    sentence = _("This vendor is not connected for the shop: a setting is missing. Nothing was done.")
    default_code = "not_configured"

    def __init__(self, variable: str) -> None:
        self.variable = variable
        super().__init__(f"{variable} is not set")


class ReadOnly(Refused):
    """The vendor's answers to this operation, or to what it rests on, have changed: nothing was sent."""

    sentence = _("This vendor's answers have changed, so nothing is sent until somebody clears the drift.")
    default_code = "read_only"


class Unavailable(ToolError):
    """Nothing was executed; `retry_after` is the vendor's wish in seconds, None where it told none."""

    sentence = _("The vendor can't be reached right now. Nothing was done, and it is tried again later.")
    default_code = "unavailable"

    def __init__(
        self,
        detail: str = "",
        *,
        vendor: str = "",
        operation: str = "",
        code: str = "",
        retry_after: float | None = None,
    ) -> None:
        self.retry_after = _wish(retry_after)
        super().__init__(detail, vendor=vendor, operation=operation, code=code)


def _wish(seconds: float | None) -> float | None:
    if seconds is None or math.isnan(seconds):
        return None
    return min(max(0.0, seconds), LONGEST_WISH_SECONDS)


class HeldBack(Unavailable):
    """Nothing was sent: the shop's share of the vendor's rate is used up, the vendor has stopped answering, or a person
    has stopped what would leave.
    """

    sentence = _(
        "Nothing leaves for this vendor just now. Nothing was done, and it is tried again by itself."
    )
    RATE_BUDGET: ClassVar[str] = "rate_budget"
    CIRCUIT_OPEN: ClassVar[str] = "circuit_open"
    SWITCH: ClassVar[str] = "switch.engaged"
    default_code = RATE_BUDGET


class OutcomeUnknown(ToolError):
    """The request went out and no readable answer came: it may have been executed.

    STORED: the vendor keeps the key's first answer, an error of its own, and only tells it again. Nothing is learnt by
    sending, so from then on only reading decides.
    """

    sentence = _("The vendor's answer was lost, so it is not known yet whether it was done.")
    STORED: ClassVar[str] = "stored_error"
    default_code = "outcome_unknown"

    def __init__(
        self,
        detail: str = "",
        *,
        vendor: str = "",
        operation: str = "",
        code: str = "",
        drift: ContractDrift | None = None,
    ) -> None:
        self.drift = drift
        super().__init__(detail, vendor=vendor, operation=operation, code=code)


class ContractDrift(ToolError):
    """A field is missing, retyped or has an unknown deciding value; `field_path` is dotted (`order.lines.0.id`).

    `finding` is one of tools.models.Drift.Finding, `said` the detail without the path.
    """

    sentence = _("The vendor's answer has changed its form, so it is not used. A person must look.")
    default_code = "contract_drift"

    def __init__(
        self, detail: str = "", *, vendor: str, operation: str, field_path: str, finding: str = "other"
    ) -> None:
        self.field_path, self.finding, self.said = field_path, finding, detail.strip()
        super().__init__(f"{field_path} {detail}".strip(), vendor=vendor, operation=operation)
