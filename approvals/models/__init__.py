"""Authority, as rows: decisions with verdicts, limits and terms as versions, risk flags, switches, approvals."""

from approvals.models.authority import KillSwitch, LimitVersion
from approvals.models.caps import CapsVersion
from approvals.models.decisions import ApprovalRequest, Decision, Reversal
from approvals.models.duty import Absence, Delegation, DutyHours
from approvals.models.exceptions import LimitException
from approvals.models.rates import ExchangeRate, RateReading
from approvals.models.risk import RiskFlag
from approvals.models.second_factor import (
    Challenge,
    CodeAttempt,
    FactorReset,
    Passkey,
    Purpose,
    ResetNews,
    ResetNotice,
)
from approvals.models.signing import Recusal, Signature
from approvals.models.terms import TermsVersion
from approvals.models.versions import Version

__all__ = [
    "Absence",
    "ApprovalRequest",
    "CapsVersion",
    "Challenge",
    "CodeAttempt",
    "Decision",
    "Delegation",
    "DutyHours",
    "ExchangeRate",
    "FactorReset",
    "KillSwitch",
    "LimitException",
    "LimitVersion",
    "Passkey",
    "Purpose",
    "RateReading",
    "Recusal",
    "ResetNews",
    "ResetNotice",
    "Reversal",
    "RiskFlag",
    "Signature",
    "TermsVersion",
    "Version",
]
