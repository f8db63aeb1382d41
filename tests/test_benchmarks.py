"""`make bench` still measures what it says: every way moves the same rows, and the numbers come out."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import NoReturn
from xml.etree import ElementTree as ET

import pytest

from benchmarks import chart, document, load, machine, table
from benchmarks.__main__ import main, measured
from benchmarks.report import Measured, Report
from benchmarks.result import Result
from benchmarks.scenario import Scenario, Size
from benchmarks.scenarios import SCENARIOS
from tests.services import Server, ServerUnavailable
from tests.services.client import client
from tests.services.databases import TargetDatabase
from tests.services.environment import exports

PAGE, RESULTS, CHART = (Path(__file__).parents[1] / "docs" / f"performance.{kind}" for kind in ("md", "json", "svg"))


def test_the_page_and_the_chart_show_what_was_measured() -> None:
    report = Report.read(RESULTS)
    assert not report.quick
    assert document.written(PAGE.read_text(), report) == PAGE.read_text(), "run `make bench-chart`"
    assert chart.draw(report) == CHART.read_text(), "run `make bench-chart`"


def test_a_report_keeps_what_other_scenarios_found_on_the_same_machine(tmp_path: Path) -> None:
    old, new = (Measured(name, "c1", Result(name, (2.0,), theirs=(1.0,), against="x")) for name in ("old", "new"))
    report = Report(quick=False, machine={"machine": "one"}, results=(old, new))
    report.write(tmp_path / "report.json")
    kept = Report.read(tmp_path / "report.json")
    assert kept == report
    again = Measured("old", "c2", Result("old", (3.0,)))
    assert Report(False, {"machine": "one"}).with_others_of(kept).with_results("old", [again]).results == (again, new)
    assert Report(False, {"machine": "two"}).with_others_of(kept).results == ()
    assert Report(True, {"machine": "one"}).with_others_of(kept).results == ()


def test_the_command_writes_what_it_measures_and_fails_with_a_scenario_that_fails(
    postgres_server: Server, mysql_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for server in (postgres_server, mysql_server):
        for name, value in exports(server.kind, server).items():
            monkeypatch.setenv(name, value)

    def broken(*_: object) -> NoReturn:
        raise RuntimeError("the copies differ")

    monkeypatch.setitem(SCENARIOS, "load", Scenario(broken, full=(Size(1),), quick=Size(1)))
    file = tmp_path / "report.json"
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--quick", "--json", str(file), "load", "validate"])
    assert main() == 1
    written = Report.read(file)
    assert {row.scenario for row in written.results} == {"validate"}
    assert written.machine["postgres"].startswith(postgres_server.version)
    monkeypatch.setitem(SCENARIOS, "load", Scenario(lambda *_: (), full=(Size(1),), quick=Size(1)))
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--quick", "--json", str(file), "load"])
    assert main() == 0
    assert {row.scenario for row in Report.read(file).results} == {"validate"}


def test_a_requirement_that_is_missed_is_told() -> None:
    slow = Result("load", (2.0, 4.0, 3.0), against="pipe", theirs=(1.0, 1.0, 1.0), at_least=0.95)
    assert slow.ratio == pytest.approx(1 / 3)
    assert slow.missed_by == pytest.approx(1 - 1 / 3 / 0.95)
    assert "at least 0.95: MISSED BY 65%" in table.row(slow)
    assert "MISSED" not in table.row(slow, judged=False)
    assert "**missed by 65%**" in document.section(Report(False, {}, (Measured("load", "c", slow),)))
    large = Result("memory", (220.0,), unit="MB", at_most=200)
    assert large.missed_by == pytest.approx(0.1)
    drawn = chart.draw(Report(False, {}, (Measured("load", "c", slow), Measured("load", "c", large))))
    assert re.findall('<rect class="(holds|missed)"', drawn) == ["missed", "missed"]
    assert Result("memory", (200.0,), unit="MB", at_most=200).missed_by == 0


@pytest.mark.parametrize("name", [name for name, scenario in SCENARIOS.items() if not scenario.foreign])
def test_the_quick_form_of_each_scenario_finds_something(
    name: str,
    postgres_server: Server,
    mysql_server: Server,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    try:
        client("postgres")
        client("mysql")
    except ServerUnavailable as error:
        pytest.skip(str(error))
    found = tuple(measured(name, postgres_server, mysql_server, quick=True))
    printed = capsys.readouterr().out
    assert found
    report = Report(quick=True, machine=machine.describe(postgres_server, mysql_server)).with_results(name, found)
    report.write(tmp_path / "report.json")
    read = Report.read(tmp_path / "report.json")
    assert [(row.scenario, row.result.what) for row in read.results] == [(name, row.result.what) for row in found]
    for row in read.results:
        assert row.result.judged > 0
        assert row.result.what in printed
    drawn = chart.draw(read)
    assert ET.fromstring(drawn).tag.endswith("svg")
    bars = re.findall('<rect class="(holds|missed)"', drawn)
    assert len(bars) == sum(row.result.reached is not None for row in found)


def test_a_copy_that_differs_is_no_result(mysql_server: Server) -> None:
    target = TargetDatabase(mysql_server)
    try:
        target.execute("CREATE TABLE facts (id int, customer_id int, status int, amount int, is_paid int)")
        target.execute("ALTER TABLE facts ADD created_at int, ADD updated_at int, ADD note text")
        target.execute("INSERT INTO facts VALUES (1, 1, 1, 1, 1, 1, 1, NULL)")
        content = target.rows(load.CONTENT)[0]
        load.require_content(target, content)
        target.execute("UPDATE facts SET note = 'null'")
        with pytest.raises(RuntimeError, match="the copies differ"):
            load.require_content(target, content)
    finally:
        target.drop()
