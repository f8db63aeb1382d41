"""What runs have measured on one machine, as it is kept in a file: the table and the chart are made of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.result import Result

FORMAT = 1


@dataclass(frozen=True)
class Measured:
    """A result, the scenario that found it, and the commit it is about."""

    scenario: str
    commit: str
    result: Result


@dataclass(frozen=True)
class Report:
    """The results, and the machine and the versions without which they mean nothing."""

    quick: bool
    machine: dict[str, str]
    results: tuple[Measured, ...] = ()

    def with_results(self, scenario: str, found: Iterable[Measured]) -> Report:
        """The results of a scenario in place of those it had."""
        before = [measured.scenario for measured in self.results]
        place = before.index(scenario) if scenario in before else len(before)
        others = [measured for measured in self.results if measured.scenario != scenario]
        return replace(self, results=(*others[:place], *found, *others[place:]))

    def with_others_of(self, kept: Report) -> Report:
        """With what an earlier run has found, where it can be compared with this one."""
        alike = (kept.quick, kept.machine) == (self.quick, self.machine)
        return replace(self, results=kept.results) if alike else self

    def write(self, path: Path) -> None:
        results = [
            {"scenario": measured.scenario, "commit": measured.commit, **measured.result.as_json()}
            for measured in self.results
        ]
        content = {"format": FORMAT, "quick": self.quick, "machine": self.machine, "results": results}
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def read(cls, path: Path) -> Report:
        """The inverse of `write`. Raises ValueError for a file of another format."""
        content = json.loads(path.read_text())
        if content.get("format") != FORMAT:
            raise ValueError(f"{path} is no report of format {FORMAT}; write into a new file")
        results = (Measured(row["scenario"], row["commit"], Result.from_json(row)) for row in content["results"])
        return cls(content["quick"], content["machine"], tuple(results))
