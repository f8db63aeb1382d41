"""The project's own files agree with each other: dependencies and their pins, Python versions, the Makefile."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.10", "3.11", "3.12", "3.13")


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """The table [project] of pyproject.toml."""
    # Python 3.10 has no tomllib; there pytest brings its predecessor along.
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    return dict(toml.loads((ROOT / "pyproject.toml").read_text())["project"])


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_has_one_fitting_pin_for_every_dependency(project: dict[str, Any], python: str) -> None:
    pins = _pins("requirements.lock", python)
    extras = project["optional-dependencies"].values()
    for requirement in map(Requirement, [*project["dependencies"], *chain.from_iterable(extras)]):
        if _applies(requirement, python):
            (pin,) = pins[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(pin), requirement


@pytest.mark.parametrize("python", PYTHONS)
def test_requirements_are_the_locks_pins_of_what_runs(project: dict[str, Any], python: str) -> None:
    lock, requirements = _pins("requirements.lock", python), _pins("requirements.txt", python)
    assert {name: lock.get(name) for name in requirements} == requirements
    requirements_of = map(Requirement, project["dependencies"])
    needed = {canonicalize_name(found.name) for found in requirements_of if _applies(found, python)}
    assert needed <= requirements.keys()
    assert not {"apache-airflow", "duckdb", "pytest"} & requirements.keys()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements.txt"])
def test_pins_name_no_place(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()
    assert not [line for line in lines if "://" in line or " @ " in line or line.startswith("-")]


def test_python_versions_agree(project: dict[str, Any]) -> None:
    supported = SpecifierSet(project["requires-python"])
    assert [f"3.{minor}" for minor in range(30) if f"3.{minor}" in supported] == list(PYTHONS)
    prefix = "Programming Language :: Python :: 3."
    classifiers = [text for text in project["classifiers"] if text.startswith(prefix)]
    assert tuple(text.split(" :: ")[-1] for text in classifiers) == PYTHONS
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    assert tuple(workflow["jobs"]["ci"]["strategy"]["matrix"]["python"]) == PYTHONS


def test_make_alone_lists_every_target() -> None:
    listed = set(re.findall(r"(?m)^  make (\w+) +\S", _make().stdout))
    phony = re.search(r"(?m)^\.PHONY: (.*)$", (ROOT / "Makefile").read_text())
    assert phony is not None
    assert listed == {target for target in phony[1].split() if "-" not in target}


@pytest.mark.parametrize("target", ["demo", "test"])
def test_make_names_the_pythons_it_needs(target: str, tmp_path: Path) -> None:
    refused = _make(target, f"VENV={tmp_path / 'venv'}", "PYTHON=no-such-python")
    assert refused.returncode != 0
    assert "Vitrina needs Python 3.10 to 3.13; no-such-python is not one of them" in refused.stderr
    assert f"make {target} PYTHON=" in refused.stderr


def test_demo_installs_the_embedded_databases_and_no_development_tools(tmp_path: Path) -> None:
    planned = _make("--dry-run", "demo", f"VENV={tmp_path / 'venv'}", f"PYTHON={sys.executable}").stdout
    assert "'.[embedded]'" in planned
    assert "dev]" not in planned


def _make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--no-print-directory", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def _applies(requirement: Requirement, python: str) -> bool:
    """Whether the requirement is meant for this Python on this machine."""
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    return requirement.marker is None or requirement.marker.evaluate(environment)


def _pins(name: str, python: str) -> dict[str, list[str]]:
    """Versions by package, without those that are meant for other Pythons."""
    pins: dict[str, list[str]] = {}
    for line in (ROOT / name).read_text().splitlines():
        if line.startswith("#"):
            continue
        pin = Requirement(line)
        version = re.fullmatch(r"==([^*]+)", str(pin.specifier))
        assert version is not None, line
        if _applies(pin, python):
            pins.setdefault(canonicalize_name(pin.name), []).append(version[1])
    return pins
