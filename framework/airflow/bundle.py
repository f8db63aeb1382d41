"""A bundle of specs: Airflow sees a file for each YAML, and a run keeps the specs it began with.

In Airflow's configuration, instead of (or beside) a DAGs folder:

    [dag_processor]
    dag_bundle_config_list = [{"name": "specs", "classpath": "framework.airflow.bundle.SpecBundle",
                               "kwargs": {"specs": "/opt/airflow/specs", "refresh_interval": 2}}]
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from airflow.dag_processing.bundles.base import BaseDagBundle, BundleVersion

from framework.errors import StartError
from framework.spec.connections import FILE
from framework.validation.files import specs_below

STUB = '''"""{name}, version {version}. Written by vitrina: edit the YAML instead."""

from pathlib import Path

from framework.airflow import dag_of

dag = dag_of(Path(__file__).with_suffix(".yaml"), Path(__file__).parents[{depth}])
'''


class SpecBundle(BaseDagBundle):
    """The specs of a directory as a bundle, versioned by their content.

    A broken spec is an import error of its own file. A run goes on with the version it began with.

    Args:
        specs: the directory.
    """

    supports_versioning = True

    def __init__(self, *, specs: str, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self._specs = Path(specs)

    def initialize(self) -> None:
        """Write the files of the bundle's version; without one, those of the present."""
        with self.lock():
            if self.version is None:
                self._write(self.path)
            elif not self.path.exists():
                self._restore()
        super().initialize()

    def refresh(self) -> None:
        """Write again what has changed."""
        if self.version is not None:
            raise StartError("a version of a bundle does not change", "refresh the bundle without a version")
        with self.lock():
            self._write(self.path)

    def get_current_version(self) -> BundleVersion:
        """A hash of all files; a version that is told is kept for the runs that begin with it."""
        if self.version is not None:
            return BundleVersion(self.version)
        with self.lock():
            version = self._version(self.path)
            self._keep(version)
        return BundleVersion(version)

    @property
    def path(self) -> Path:
        """Where the files are."""
        return self.versions_dir / self.version if self.version else self.base_dir / "current"

    def _write(self, directory: Path) -> None:
        """Only files whose spec changed are touched, since Airflow parses those again."""
        directory.mkdir(parents=True, exist_ok=True)
        wanted = self._files()
        for name, content in wanted.items():
            path = directory / name
            if not path.exists() or path.read_bytes() != content:
                path.parent.mkdir(parents=True, exist_ok=True)
                _replace(path, content)
        for path in sorted(directory.rglob("*")):
            if path.is_file() and str(path.relative_to(directory)) not in wanted and path.suffix in (".py", ".yaml"):
                path.unlink()

    def _files(self) -> dict[str, bytes]:
        """By relative path: each spec, its stub, and the connections files."""
        found: dict[str, bytes] = {}
        for path in specs_below(self._specs):
            relative, content = path.relative_to(self._specs).with_suffix(".yaml"), path.read_bytes()
            if str(relative) in found:  # a.yaml beside a.yml
                relative = relative.with_name(f"{path.name}.yaml")
            found[str(relative)] = content
            if path.name != FILE:
                # What a spec means depends on the connections file beside it, too.
                beside = path.with_name(FILE)
                known = content + (beside.read_bytes() if beside.is_file() else b"")
                version = hashlib.sha256(known).hexdigest()[:16]
                stub = STUB.format(name=path.name, version=version, depth=len(relative.parts) - 1)
                found[str(relative.with_suffix(".py"))] = stub.encode()
        return found

    def _version(self, directory: Path) -> str:
        digest = hashlib.sha256()
        for path in sorted(directory.rglob("*.yaml")):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(directory)}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()[:40]

    def _keep(self, version: str) -> None:
        """Keep what is current as a version, whole or not at all."""
        if (self.versions_dir / version).exists():
            return
        scratch = self.versions_dir / f".{version}.{os.getpid()}"
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.copytree(self.base_dir / "current", scratch, ignore=shutil.ignore_patterns("__pycache__"))
        scratch.rename(self.versions_dir / version)

    def _restore(self) -> None:
        """On another machine than the DAG processor's, a version can be had as long as the specs are still those."""
        current = self.base_dir / "current"
        self._write(current)
        if self._version(current) != self.version:
            raise StartError(
                f"bundle {self.name!r} has no version {self.version}: the specs in {self._specs} have changed since",
                "share [dag_processor] dag_bundle_storage_path between the machines, or start a new run",
            )
        self._keep(self.version)


def _replace(path: Path, content: bytes) -> None:
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_bytes(content)
    scratch.replace(path)
