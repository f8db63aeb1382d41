"""`make bench` still measures what it says: every way moves the same rows, and the numbers come out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import generate, increment, load, ticks, verify
from benchmarks.__main__ import measured
from benchmarks.report import Report
from benchmarks.scenarios import SCENARIOS
from tests.services import Server, ServerUnavailable
from tests.services.client import client
from tests.services.databases import TargetDatabase


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
    assert len(capsys.readouterr().out.splitlines()) > 2
    if not found:
        return
    report = Report(quick=True, machine={"machine": "some"}).with_results(name, found)
    report.write(tmp_path / "report.json")
    assert Report.read(tmp_path / "report.json").results[0].scenario == name
    for row in found:
        assert row.result.judged > 0


def test_load_compares_equal_copies(
    postgres_server: Server, mysql_server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        client("postgres")
        client("mysql")
    except ServerUnavailable as error:
        pytest.skip(str(error))
    load.run(postgres_server, mysql_server, rows=5_000, rounds=2)
    printed = capsys.readouterr().out
    assert re.findall(r"(?m)^round (\d)$", printed) == ["1", "2"]
    assert len(re.findall(r"(?m)^  \d streams? +\d+\.\d\d$", printed)) == 2
    memory = re.search(r"(?m)^peak memory +(\d+) MB$", printed)
    assert memory is not None
    assert 20 < int(memory[1]) < 200


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


def test_verify_is_measured_against_the_load(
    postgres_server: Server, mysql_server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    verify.run(postgres_server, mysql_server, rows=5_000, rounds=1)
    assert re.search(r"(?m)^verify / load, median of 1: \d+\.\d\d; rows fetched", capsys.readouterr().out)


def test_increments_are_measured_against_the_load(
    postgres_server: Server, mysql_server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    increment.run(postgres_server, mysql_server, rows=3_000, rounds=1)
    printed = capsys.readouterr().out
    found = re.findall(r"(\d+) written, (\d+) deleted", printed)
    assert found == [
        ("0", "0"),
        ("30", "0"),
        ("0", "10"),
        ("0", "30"),
    ]


def test_generate_compares_equal_fills(postgres_server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    generate.run(postgres_server, orders=5_000, rounds=1)
    printed = capsys.readouterr().out
    assert re.search(r"(?m)^prepared COPY / vitrina, median of 1: \d+\.\d\d of its speed$", printed)
    assert re.search(r"(?m)^peak memory +\d+ MB$", printed)


def test_ticks_are_measured_against_the_shortest_statements(
    postgres_server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    ticks.run(postgres_server, orders=10_000, rounds=1)
    assert re.search(r"(?m)^ticks of 2,250 changes, median of 1: \d+\.\d\d", capsys.readouterr().out)
