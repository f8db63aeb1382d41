"""SpecBundle: a file for each spec, versions by content."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from framework.airflow.bundle import SpecBundle
from framework.airflow.loader import BrokenSpecs
from framework.errors import StartError
from tests.airflow.test_dags import HEAD


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    directory = tmp_path / "specs"
    (directory / "team").mkdir(parents=True)
    (directory / "one.yaml").write_text(HEAD.replace("pipeline: p", "pipeline: one"))
    (directory / "team" / "two.yml").write_text(HEAD.replace("pipeline: p", "pipeline: two"))
    (directory / "connections.yaml").write_text(
        "environments: {default: {pg: {url: postgresql://x/y}, my: {url: mysql://x/y}}}\n"
    )
    return directory


def bundle(specs: Path, version: str | None = None) -> SpecBundle:
    made = SpecBundle(name=specs.parent.name, specs=str(specs), version=version)
    made.initialize()
    return made


def files(bundle: SpecBundle) -> set[str]:
    return {str(path.relative_to(bundle.path)) for path in bundle.path.rglob("*") if path.is_file()}


def test_every_spec_has_a_file(specs: Path) -> None:
    made = bundle(specs)
    assert files(made) == {"one.yaml", "one.py", "team/two.yaml", "team/two.py", "connections.yaml"}
    assert run(made.path / "one.py")["dag"].dag_id == "one"  # type: ignore[attr-defined]


def test_only_what_changed_is_written_again(specs: Path) -> None:
    made = bundle(specs)
    for path in made.path.rglob("*.*"):
        os.utime(path, (1, 1))
    (specs / "one.yaml").write_text(HEAD.replace("pipeline: p", "pipeline: one") + "description: new\n")
    made.refresh()
    touched = {path.name for path in made.path.rglob("*.*") if path.stat().st_mtime > 1}
    assert touched == {"one.yaml", "one.py"}
    (specs / "one.yaml").unlink()
    made.refresh()
    assert files(made) == {"team/two.yaml", "team/two.py", "connections.yaml"}


def test_a_run_keeps_the_version_it_began_with(specs: Path) -> None:
    made = bundle(specs)
    old = made.get_current_version().version
    assert made.get_current_version().version == old
    (specs / "one.yaml").write_text(HEAD.replace("pipeline: p", "pipeline: one") + "description: new\n")
    made.refresh()
    new = made.get_current_version().version
    assert new != old
    assert "description" not in (bundle(specs, old).path / "one.yaml").read_text()
    assert "description" in (bundle(specs, new).path / "one.yaml").read_text()


def test_a_version_that_nobody_has_is_told(specs: Path) -> None:
    with pytest.raises(StartError, match="has no version"):
        bundle(specs, "0" * 40)
    with pytest.raises(StartError, match="does not change"):
        bundle(specs, bundle(specs).get_current_version().version).refresh()


def test_specs_of_one_name_are_two_files_and_one_dag(specs: Path) -> None:
    (specs / "one.yml").write_text(HEAD.replace("pipeline: p", "pipeline: one"))
    made = bundle(specs)
    assert {"one.yaml", "one.yml.yaml"} <= files(made)
    run(made.path / "one.py")
    with pytest.raises(BrokenSpecs, match="the pipeline 'one' is in"):
        run(made.path / "one.yml.py")


def run(stub: Path) -> dict[str, object]:
    """What Airflow finds in a file."""
    namespace: dict[str, object] = {"__file__": str(stub)}
    exec(stub.read_text(), namespace)
    return namespace


def test_a_version_that_was_torn_is_not_taken_for_whole(specs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = bundle(specs).get_current_version().version
    shutil.rmtree(bundle(specs, version).path)

    def tear(source: Path, target: Path, **_: object) -> None:
        target.mkdir(parents=True)
        raise OSError("no space left")

    with monkeypatch.context() as broken:
        broken.setattr("shutil.copytree", tear)
        with pytest.raises(OSError, match="no space"):
            bundle(specs, version)
    assert "one.yaml" in files(bundle(specs, version))
