"""What an examination of the live databases says: of each thing it looked at, that it is well, or what is wrong."""

from __future__ import annotations

from dataclasses import dataclass

from framework.diagnostics import Severity
from framework.validation.rules.base import Finding, Loc


@dataclass(frozen=True)
class Remark:
    """One thing that was looked at.

    Attributes:
        subject: ``source`` or ``target``.
        fact: what is so.
        severity: how bad that is; None if it is well.
        fix: what to do about it.
        rule: the id of the rule that tells; empty if it is well.
        loc: where the spec speaks of it.
        on_key: the key of that place is meant.
    """

    subject: str
    fact: str
    severity: Severity | None = None
    fix: str = ""
    rule: str = ""
    loc: Loc = ()
    on_key: bool = False

    def finding(self) -> Finding:
        """The same as a finding in the spec."""
        loc = self.loc or (self.subject,)
        return Finding(loc, self.fact, self.fix, self.on_key, rule=self.rule, severity=self.severity)


def well(subject: str, fact: str) -> Remark:
    """Nothing is wrong here."""
    return Remark(subject, fact)
