"""What the check of a contract tells, for people and machines."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """`breaks`: a request is refused or an answer can't be read; `changes`: look at it; `deprecated`: still works."""

    BREAKS = "breaks"
    CHANGES = "changes"
    DEPRECATED = "deprecated"


class NotAContract(Exception):
    """The given text isn't a contract of the kind that was asked for; the message says why, for staff."""


@dataclass(frozen=True)
class Difference:
    """One thing in which a contract and we differ; `rule` and `owner` are what tools.contracts.accepted names."""

    where: str
    what: str
    severity: Severity = Severity.BREAKS
    rule: str = ""
    owner: str = ""


@dataclass(frozen=True)
class Finding:
    """A difference, with whose contract it is and which operation of ours it concerns."""

    vendor: str
    version: str
    operation: str
    where: str
    what: str
    severity: Severity

    def as_dict(self) -> dict[str, str]:
        return {
            "vendor": self.vendor,
            "version": self.version,
            "operation": self.operation,
            "where": self.where,
            "what": self.what,
            "severity": self.severity.value,
        }


@dataclass(frozen=True)
class Report:
    """The result for one vendor; `unchecked` names operations that this contract says nothing of, and why."""

    vendor: str
    version: str
    findings: tuple[Finding, ...] = ()
    unchecked: tuple[tuple[str, str], ...] = ()
    checked: tuple[str, ...] = field(default=())

    @property
    def breaks(self) -> bool:
        return any(one.severity is Severity.BREAKS for one in self.findings)

    def as_dict(self) -> dict[str, object]:
        return {
            "vendor": self.vendor,
            "version": self.version,
            "checked": list(self.checked),
            "unchecked": [{"operation": name, "why": why} for name, why in self.unchecked],
            "findings": [one.as_dict() for one in self.findings],
        }
