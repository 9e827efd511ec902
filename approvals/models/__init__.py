"""Authority, as rows: decisions with verdicts, limits and terms as versions, risk flags, switches, approvals."""

from approvals.models.authority import CodeAttempt, KillSwitch, LimitVersion, TermsVersion
from approvals.models.decisions import ApprovalRequest, Decision, Reversal
from approvals.models.risk import RiskFlag

__all__ = [
    "ApprovalRequest",
    "CodeAttempt",
    "Decision",
    "KillSwitch",
    "LimitVersion",
    "Reversal",
    "RiskFlag",
    "TermsVersion",
]
