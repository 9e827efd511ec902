"""Authority, as rows: decisions with verdicts, limits and terms as versions, risk flags, switches, approvals."""

from approvals.models.authority import KillSwitch, LimitVersion, TermsVersion
from approvals.models.decisions import ApprovalRequest, Decision, Reversal
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

__all__ = [
    "ApprovalRequest",
    "Challenge",
    "CodeAttempt",
    "Decision",
    "FactorReset",
    "KillSwitch",
    "LimitVersion",
    "Passkey",
    "Purpose",
    "ResetNews",
    "ResetNotice",
    "Reversal",
    "RiskFlag",
    "TermsVersion",
]
