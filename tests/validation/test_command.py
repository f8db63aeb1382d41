"""`vitrina validate` and `vitrina explain` as their users run them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import yaml

from framework.validation.stories import stories
from tests.command import ROOT, Command

HEAD = "version: 1\npipeline: {name}\nsource: s\ntarget: t\n"


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    """One spec with an error, one with a warning and a hint, one that is right."""
    directory = tmp_path / "specs"
    directory.mkdir()
    (directory / "a.yaml").write_text(HEAD.format(name="a") + 'owner: "x"\nownr: "100%, <y>"\n')
    (directory / "b.yaml").write_text(HEAD.format(name="b") + "after: [nobody]\nreplicate:\n  orders:\n")
    (directory / "c.yaml").write_text(HEAD.format(name="c"))
    return directory


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path)


def test_text(command: Command, specs: Path):
    said = command("validate", "specs", code=1).stdout
    assert "specs/a.yaml:6:1: error: the key 'ownr' is not known here [unknown-key]\n" in said
    assert "specs/b.yaml:5:9: warning: " in said
    assert "specs/b.yaml:7:3: hint: " in said
    assert said.endswith("3 files, 1 error, 1 warning, 1 hint\n")
    assert "\x1b" not in said


@pytest.mark.parametrize(
    ("file", "fail_on", "code"),
    [
        *[("a", fail_on, 1) for fail_on in ("error", "warning", "hint")],
        *[("b", "error", 0), ("b", "warning", 1), ("b", "hint", 1)],
        *[("c", fail_on, 0) for fail_on in ("error", "warning", "hint")],
    ],
)
def test_exit_codes(command: Command, specs: Path, file: str, fail_on: str, code: int):
    command("validate", f"specs/{file}.yaml", "--fail-on", fail_on, code=code)


@pytest.mark.parametrize(
    "arguments", [["nowhere"], ["specs", "--format", "xml"], [], ["specs", "--watch", "--format", "json"]]
)
def test_wrong_use(command: Command, specs: Path, arguments: list[str]):
    assert "Error" in (said := command("validate", *arguments, code=2).stderr) or "error: " in said


def test_json(command: Command, specs: Path):
    found = json.loads(command("validate", "specs", "--format", "json", code=1).stdout)
    assert found["format"] == 1
    assert found["files"] == ["specs/a.yaml", "specs/b.yaml", "specs/c.yaml"]
    assert [problem["severity"] for problem in found["problems"]] == ["error", "warning", "hint"]
    assert found["problems"][0] == {
        "path": "specs/a.yaml",
        "line": 6,
        "column": 1,
        "length": 4,
        "severity": "error",
        "rule": "unknown-key",
        "message": "the key 'ownr' is not known here",
        "suggestion": found["problems"][0]["suggestion"],
        "related": [],
    }


SARIF = {
    "type": "object",
    "required": ["$schema", "version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "minItems": 1,
            "items": {
                "required": ["tool", "results"],
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "required": ["name", "rules"],
                                "properties": {
                                    "rules": {
                                        "uniqueItems": True,
                                        "items": {
                                            "required": ["id", "shortDescription", "help", "defaultConfiguration"],
                                            "properties": {
                                                "shortDescription": {"required": ["text"]},
                                                "help": {"required": ["text", "markdown"]},
                                            },
                                        },
                                    }
                                },
                            }
                        },
                    },
                    "results": {
                        "items": {
                            "required": ["ruleId", "ruleIndex", "level", "message", "locations"],
                            "properties": {
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": {"required": ["text"]},
                                "locations": {
                                    "minItems": 1,
                                    "items": {
                                        "required": ["physicalLocation"],
                                        "properties": {
                                            "physicalLocation": {
                                                "required": ["artifactLocation", "region"],
                                                "properties": {
                                                    "region": {
                                                        "required": ["startLine", "startColumn"],
                                                        "additionalProperties": {"type": "integer", "minimum": 1},
                                                    }
                                                },
                                            }
                                        },
                                    },
                                },
                            },
                        }
                    },
                },
            },
        },
    },
}
"""What SARIF 2.1.0 (OASIS) asks of the parts that are written."""


def test_sarif(command: Command, specs: Path):
    found = json.loads(command("validate", "specs", "--format", "sarif", code=1).stdout)
    jsonschema.validate(found, SARIF)
    (run,) = found["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(stories())
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    location = run["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "specs/a.yaml"
    assert location["region"] == {"startLine": 6, "startColumn": 1, "endLine": 6, "endColumn": 5}
    assert [result["level"] for result in run["results"]] == ["error", "warning", "note"]


def test_github(command: Command, specs: Path):
    lines = command("validate", "specs", "--format", "github", code=1).stdout.splitlines()
    assert [line.split(" ")[0] for line in lines] == ["::error", "::warning", "::notice"]
    assert re.fullmatch(
        r"::error file=specs/a\.yaml,line=6,endLine=6,col=1,endColumn=5,title=unknown-key::the .*", lines[0]
    )
    assert all("\n" not in line and "%" not in re.sub("%(25|0A|0D|3A|2C)", "", line) for line in lines)


def test_junit(command: Command, specs: Path):
    root = ET.fromstring(command("validate", "specs", "--format", "junit", "--fail-on", "warning", code=1).stdout)
    suites = {suite.get("name"): suite for suite in root}
    counts = {name: (suite.get("tests"), suite.get("failures")) for name, suite in suites.items()}
    assert counts == {"specs/a.yaml": ("1", "1"), "specs/b.yaml": ("2", "1"), "specs/c.yaml": ("1", "0")}
    assert (root.get("tests"), root.get("failures")) == ("4", "2")


def test_a_password_is_shown_in_no_form(command: Command, tmp_path: Path):
    secret = "source: postgres://u:sesame1@db.example.com/x\n"
    (tmp_path / "a.yaml").write_text(HEAD.format(name="a").replace("source: s\n", secret))
    (tmp_path / "connections.yaml").write_text("environments: {default: {s: {url: embedded:postgres}}}\n")
    for form in ("text", "json", "sarif", "github", "junit"):
        done = command("validate", "a.yaml", "--format", form, code=1)
        assert "sesame1" not in done.stdout + done.stderr
        assert "secret" in done.stdout


def test_nothing_is_written(command: Command, specs: Path, tmp_path: Path):
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    command("validate", "specs", code=1)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_explain(command: Command):
    assert command("explain", "sql-not-grouped").stdout.startswith("## sql-not-grouped\n\n*error*\n")
    listed = command("explain").stdout.splitlines()
    assert [line.split()[0] for line in listed] == list(stories())
    assert "did you mean 'secret'?" in command("explain", "secrets", code=2).stderr


def test_watch(specs: Path, tmp_path: Path):
    output = tmp_path / "out.txt"
    with output.open("wb") as sink:
        arguments = [sys.executable, "-m", "framework", "validate", "specs/c.yaml", "--watch"]
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        running = subprocess.Popen(arguments, cwd=tmp_path, env=environ, stdout=sink, stderr=subprocess.STDOUT)
        try:
            _until(output, "1 file, no problems")
            (specs / "c.yaml").write_text(HEAD.format(name="C"))
            _until(output, "specs/c.yaml:2:11: error: ")
            (specs / "c.yaml").unlink()
            (specs / "c.yaml").write_text(HEAD.format(name="again"))
            _until(output, "1 file, no problems", times=2)
        finally:
            running.send_signal(signal.SIGINT)
            code = running.wait(timeout=20)
    assert code == 130
    assert "Traceback" not in output.read_text()


def _until(output: Path, text: str, times: int = 1) -> None:
    deadline = time.monotonic() + 30
    while output.read_text().count(text) < times:
        assert time.monotonic() < deadline, output.read_text()
        time.sleep(0.05)


def test_the_pre_commit_hook(command: Command, specs: Path):
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    program, *arguments = hook["entry"].split()
    assert program == "vitrina"
    assert re.search(hook["files"], "specs/deep/a.yaml")
    assert not re.search(hook["files"], "docs/a.yaml")
    command(*arguments, "specs/b.yaml", "specs/c.yaml", code=1)
    command(*arguments, "specs/c.yaml", code=0)
